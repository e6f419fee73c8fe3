"""Systems described by a folder of data: no code, no expressions, and the same words as in Python."""
