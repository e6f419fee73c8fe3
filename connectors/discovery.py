"""Finds fields by their paths, in what a system itself tells of its collections."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from connectors.ports import Reads
from connectors.protocols.shapes import FoundField, Shape
from connectors.tally import Tally


class NoSuchPath(Exception):
    """A path leads nowhere; the message says at which step, and what may have been meant."""


@dataclass(frozen=True)
class Found:
    """The field at the end of a path, and whether rows have several of it because a link on the way leads to many."""

    field: FoundField
    is_many: bool


async def find_path(source: Reads, shape: Shape, path: str, tally: Tally, deadline: float) -> Found:
    """The field that a dotted path leads to, through the collections behind its links; NoSuchPath where none does."""
    *steps, last = path.split(".")
    place, is_many = shape, False
    for step in steps:
        link = _step(place, step)
        if link.target is None:
            raise NoSuchPath(f"{step!r} is no link, so nothing is behind it.")
        behind = await source.shape(link.target, tally, deadline)
        if behind is None:
            raise NoSuchPath(f"What is behind {step!r} is not told by the system.")
        place, is_many = behind, is_many or link.is_many
    found = _step(place, last)
    return Found(found, is_many or found.is_many)


def _step(shape: Shape, name: str) -> FoundField:
    found = shape.fields.get(name)
    if found is None:
        raise NoSuchPath(f"The system has no field {name!r} there{did_you_mean(name, shape.fields)}")
    return found


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence: what may have been meant, whatever its capital letters, or nothing."""
    names = {item.lower(): item for item in known}
    close = get_close_matches(name.lower(), names, n=1)
    return f"; did you mean {names[close[0]]!r}?" if close else "."
