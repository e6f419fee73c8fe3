"""Dotted paths as a tree of their steps."""

from collections.abc import Iterable

Tree = dict[str, "Tree"]
"""The steps by their names, each with those below it."""


def tree_of(paths: Iterable[str]) -> Tree:
    """The steps of several paths, each once, in the order of their names."""
    root: Tree = {}
    for path in sorted(paths):
        place = root
        for step in path.split("."):
            place = place.setdefault(step, {})
    return root
