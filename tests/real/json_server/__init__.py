"""json-server 0.17 itself, from npm."""
