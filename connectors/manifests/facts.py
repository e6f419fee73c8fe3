"""What a source itself says of its fields, kept beside the manifest, so that a mapping can be checked against it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from connectors.manifests.words import Entry

FactType = Literal["text", "number", "whole", "bool", "day", "moment", "object", "list"]

READABLE_AS: dict[FactType, tuple[type[Any], ...]] = {
    "text": (str,),
    "number": (Decimal, str),
    "whole": (Decimal, int, str, datetime),
    "bool": (bool,),
    "day": (date,),
    "moment": (datetime, date),
    "object": (),
    "list": (),
}
"""What a value of a fact's type can be read as; a number of seconds can be a moment."""


class FieldFacts(Entry):
    """One field of a source; `required` says that it always has a value."""

    type: FactType
    filterable: bool = False
    sortable: bool = False
    required: bool = False


class Facts(Entry):
    """The facts of a whole system: where they come from, and the fields of each source by dotted path."""

    source: str = Field(min_length=1)
    fields: dict[str, dict[str, FieldFacts]]
