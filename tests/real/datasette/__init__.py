"""Datasette 0.65 itself, from PyPI, over a small database of a plant's stores."""
