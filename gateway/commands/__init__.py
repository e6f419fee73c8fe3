"""The commands that are not part of serving."""
