"""Stand-ins for the systems, one per protocol: stateful, strict, and fed by contract facts and data alone."""
