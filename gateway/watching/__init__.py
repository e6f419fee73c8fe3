"""Finds out how connections are, by their calls and by asking, and keeps it."""
