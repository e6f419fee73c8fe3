"""How a field is filled: from a value of the record, by a calculation, and whether that takes a second call."""

from collections.abc import Iterator
from enum import Enum

from connectors.composites import Calculated, EachChild, Many, OverChildren, Parts
from connectors.derived import AsOf, FromWords
from connectors.fields import FieldSpec, FirstText, Joined


class Filling(Enum):
    """How a field is filled."""

    MAPPED = "It stands in the record, perhaps under another name or as a code."
    COMPUTED = "It is made here of several values, so the system can neither filter nor sort by it."


def filling_of(word: FieldSpec) -> Filling:
    """Whether a value is read or made; a value object is made where one of its parts is."""
    return Filling.COMPUTED if any(_is_computed(item) for item in _words_in(word)) else Filling.MAPPED


def needs_second_call(word: FieldSpec) -> bool:
    """Whether a collection beside the records has to be read as well, once for all records of a page."""
    places = [word.path] if isinstance(word, Many) else word.paths()
    return any(path.startswith("@") for path in places)


def _is_computed(word: FieldSpec) -> bool:
    return isinstance(word, Calculated | OverChildren | FromWords | AsOf | Joined | FirstText)


def _words_in(word: FieldSpec) -> Iterator[FieldSpec]:
    match word:
        case Parts(parts):
            for part in parts.values():
                yield from _words_in(part)
        case EachChild(_, parts):
            yield from _words_in(parts)
        case _:
            yield word
