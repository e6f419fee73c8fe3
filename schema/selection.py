"""What a query selects below a field, as nested names; aliases and fragments are already merged.

A paged link may be selected several times with different arguments, so below its name stands one `Use` for each
name that the answer gives it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

Selection = Mapping[str, Union["Selection", "Use", None]]


@dataclass(frozen=True)
class Use:
    """One use of a paged link: its arguments as the schema reads them, and what is selected of the page."""

    arguments: Mapping[str, Any]
    selection: Selection


def below(selection: Selection, *names: str) -> Selection:
    """The selection under a path of names; empty where the path is not selected."""
    for name in names:
        inner = selection.get(name) or {}
        selection = inner.selection if isinstance(inner, Use) else inner
    return selection


def uses(selection: Selection, name: str) -> dict[str, Use]:
    """The uses of a paged link, by the names that the answer gives them."""
    return {alias: use for alias, use in below(selection, name).items() if isinstance(use, Use)}


def merge(*selections: Selection) -> Selection:
    """Everything that any of them selects."""
    merged: dict[str, Selection | Use | None] = {}
    for selection in selections:
        for name, inner in selection.items():
            merged[name] = _merge_one(merged.get(name), inner)
    return merged


def _merge_one(one: Selection | Use | None, other: Selection | Use | None) -> Selection | Use | None:
    """Two selections of one name; uses of one name have the same arguments, or the query would not be valid."""
    if isinstance(one, Use) and isinstance(other, Use):
        return Use(one.arguments, merge(one.selection, other.selection))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return merge(one, other)
    return other or one


def rows_of(page: Selection) -> Selection:
    """What is selected of the rows of a page, by `nodes` or by `edges`."""
    return merge(below(page, "nodes"), below(page, "edges", "node"))
