"""The process: it reads the settings, keeps the secrets and the state, and serves the graph."""
