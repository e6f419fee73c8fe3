"""Fields beyond the unified model, as clients see their values."""

from enum import Enum

import strawberry

from schema.enums import enumeration
from schema.model import described_type
from schema.scalars import JSON


@enumeration
class CustomFieldType(Enum):
    """What kind of value a custom field holds."""

    TEXT = "Text."
    NUMBER = "A number; in `value` it is a string, to stay exact."
    BOOLEAN = "True or false."
    DATE = "A day."
    DATE_TIME = "A moment."
    JSON = "Anything else."
    UNKNOWN = "Not known."


@described_type
class CustomField:
    """A field that a connection's settings have added."""

    key: str = strawberry.field(description="Its key.")
    label: str | None = strawberry.field(default=None, description="A name to show to people.")
    type: CustomFieldType = strawberry.field(description="What kind of value it holds.")
    value: JSON | None = strawberry.field(default=None, description="The value.")
    text: str | None = strawberry.field(default=None, description="The value as text.")
