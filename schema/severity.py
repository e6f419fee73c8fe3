"""How urgent and how critical something is: enums whose members have an order."""

from enum import Enum
from typing import Self

from schema.enums import enumeration

_RANKS = ("UNKNOWN", "NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL")


class Graded(Enum):
    """Members compare by how much they say: CRITICAL is the greatest, and UNKNOWN is less than NONE."""

    def __lt__(self, other: Self) -> bool:
        return _RANKS.index(self.name) < _RANKS.index(other.name)

    def __gt__(self, other: Self) -> bool:
        return _RANKS.index(self.name) > _RANKS.index(other.name)


@enumeration
class Priority(Graded):
    """How urgent it is."""

    NONE = "None was given."
    LOW = "Low."
    MEDIUM = "Medium."
    HIGH = "High."
    CRITICAL = "At once."
    UNKNOWN = "The system does not say, or its word is not known."


@enumeration
class Criticality(Graded):
    """How much depends on an asset."""

    CRITICAL = "Everything."
    HIGH = "Much."
    MEDIUM = "Something."
    LOW = "Little."
    NONE = "Nothing."
    UNKNOWN = "The system does not say, or its word is not known."
