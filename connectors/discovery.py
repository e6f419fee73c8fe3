"""Finds out what a system itself tells of its collections, and remembers it for a moment."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from connectors.client import Source, Tally
from connectors.errors import NoSuchRecords, Rejected, WrongSystem
from connectors.protocols.shapes import FoundField, Shape

_KEPT_SECONDS = 30.0
"""How long what a system tells of itself is taken as true; so long may pass until a new field shows in `raw`."""


class NoSuchPath(Exception):
    """A path leads nowhere; the message says at which step, and what may have been meant."""


@dataclass(frozen=True)
class Found:
    """The field at the end of a path, and whether rows have several of it because a link on the way leads to many."""

    field: FoundField
    is_many: bool


async def shape_of(source: Source, name: str, tally: Tally, deadline: float, *, is_fresh: bool = False) -> Shape | None:
    """The shape of a collection; None where the system does not tell, or has no such collection.

    With `is_fresh` it is asked in any case, else only where that was long ago.
    """
    now = asyncio.get_running_loop().time()
    known = source.shapes.get(name)
    if known is not None and not is_fresh and now - known[0] < _KEPT_SECONDS:
        return known[1]
    request = source.system.protocol.describe(name, source.options)
    if request is None:
        return None
    try:
        answer = await source.ask(request, tally, deadline)
    except (Rejected, NoSuchRecords, WrongSystem):
        return None
    found = source.system.protocol.shapes(name, answer)
    source.shapes.update({each: (now, shape) for each, shape in found.items()})
    return found.get(name)


async def find_path(source: Source, shape: Shape, path: str, tally: Tally, deadline: float) -> Found:
    """The field that a dotted path leads to, through the collections behind its links; NoSuchPath where none does."""
    *steps, last = path.split(".")
    place, is_many = shape, False
    for step in steps:
        link = _step(place, step)
        if link.target is None:
            raise NoSuchPath(f"{step!r} is no link, so nothing is behind it.")
        behind = await shape_of(source, link.target, tally, deadline)
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
