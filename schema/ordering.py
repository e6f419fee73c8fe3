"""How values are ordered when rows of different systems meet: by value, with nulls last in either direction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any


@dataclass(frozen=True, slots=True)
class Reversed:
    """A value that sorts the other way round."""

    value: Any

    def __lt__(self, other: "Reversed") -> bool:
        return bool(other.value < self.value)

    def __gt__(self, other: "Reversed") -> bool:
        return bool(other.value > self.value)


def sort_key(value: Any, *, descending: bool) -> tuple[Any, ...]:
    """A key to sort by; null is last whichever the direction."""
    if value is None:
        return (True, 0)
    return (False, Reversed(value) if descending else value)


def order_key(values: Sequence[Any], directions: Sequence[bool]) -> tuple[tuple[Any, ...], ...]:
    """A key to sort by several values, one after the other; each direction says whether its value descends."""
    return tuple(sort_key(value, descending=descending) for value, descending in zip(values, directions, strict=True))


def comparable(value: Any) -> str:
    """A sort value as text that reads back exactly; times and days in ISO 8601, numbers without an exponent.

    Members of an enum are their names.
    """
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, datetime | date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)
