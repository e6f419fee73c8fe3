"""One system at a time: what it has, how it is asked and what its answers mean."""
