"""The contract suite that every connector inherits; shipped, so that connectors from elsewhere can use it."""
