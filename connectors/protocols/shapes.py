"""What a system tells of its own collections: their keys and fields, beyond what a connector maps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from schema.custom import CustomFieldType

EVERYTHING = "*"
"""Among the paths of a question it stands for all fields of the row itself, without what its links lead to."""


class Form(Enum):
    """How a field's values are written, as far as reading and comparing them has to know."""

    TEXT = CustomFieldType.TEXT, "text"
    GUID = CustomFieldType.TEXT, "an identifier that is compared as such"
    LINK = CustomFieldType.TEXT, "the number of a linked record"
    WHOLE = CustomFieldType.NUMBER, "a whole number"
    EXACT = CustomFieldType.NUMBER, "an exact number"
    FLOAT = CustomFieldType.NUMBER, "a number that is not exact, so that the source cannot compare it reliably"
    TRUTH = CustomFieldType.BOOLEAN, "true or false"
    DAY = CustomFieldType.DATE, "a day"
    MOMENT = CustomFieldType.DATE_TIME, "a moment"
    OTHER = CustomFieldType.JSON, "anything else"

    @property
    def type(self) -> CustomFieldType:
        """What clients see of it."""
        return self.value[0]


@dataclass(frozen=True, slots=True)
class FoundField:
    """One field as its system describes it.

    `target` is the collection that a link leads to, and `is_many` says that it leads to several rows; with `is_pure`
    it holds nothing itself. `is_apart` is what a whole row comes without unless it is named: images, and what is worked
    out from records that the user may have no right to. `can_filter` says that the system compares it, and `is_filled`
    that it is never empty.
    """

    name: str
    form: Form
    label: str | None = None
    target: str | None = None
    is_many: bool = False
    is_pure: bool = False
    is_apart: bool = False
    can_filter: bool = True
    is_filled: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it belongs to the row itself."""
        return not (self.is_many or self.is_pure or self.is_apart)


@dataclass(frozen=True, slots=True)
class Shape:
    """One collection as its system describes it; `title` is the field that names a row to people, if there is one."""

    key: tuple[str, ...]
    fields: Mapping[str, FoundField] = field(default_factory=dict)
    title: str | None = None

    def plain_names(self) -> tuple[str, ...]:
        """The fields of the row itself."""
        return tuple(name for name, found in self.fields.items() if found.is_plain)
