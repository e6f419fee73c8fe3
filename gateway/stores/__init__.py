"""What is kept, in an SQL database: customers, keys, connections and their life, credits, and work that is due."""
