"""What a query selects below a field, as nested names; aliases and fragments are already merged."""

from collections.abc import Mapping
from typing import Union

Selection = Mapping[str, Union["Selection", None]]


def below(selection: Selection, *names: str) -> Selection:
    """The selection under a path of names; empty where the path is not selected."""
    for name in names:
        selection = selection.get(name) or {}
    return selection


def merge(*selections: Selection) -> Selection:
    """Everything that any of them selects."""
    merged: dict[str, Selection | None] = {}
    for selection in selections:
        for name, inner in selection.items():
            present = merged.get(name)
            merged[name] = merge(present, inner) if present and inner else inner or present
    return merged


def rows_of(page: Selection) -> Selection:
    """What is selected of the rows of a page, by `nodes` or by `edges`."""
    return merge(below(page, "nodes"), below(page, "edges", "node"))
