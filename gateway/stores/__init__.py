"""What is kept: customers, connections, sealed credentials and API keys, in an SQL database."""
