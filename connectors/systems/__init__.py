"""One folder for each system: its spec, facts, samples and stand-in."""
