"""How urgent and how critical something is: enums whose members have an order."""

from enum import Enum

from schema.enums import enumeration


@enumeration
class Priority(Enum):
    """How urgent it is."""

    NONE = "None was given."
    LOW = "Low."
    MEDIUM = "Medium."
    HIGH = "High."
    CRITICAL = "At once."
    UNKNOWN = "The system does not say, or its word is not known."


@enumeration
class Criticality(Enum):
    """How much depends on an asset."""

    CRITICAL = "Everything."
    HIGH = "Much."
    MEDIUM = "Something."
    LOW = "Little."
    NONE = "Nothing."
    UNKNOWN = "The system does not say, or its word is not known."
