"""How the enums of the contract are declared: each member's value is its description."""

from enum import Enum, unique
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

EnumClass = TypeVar("EnumClass", bound=type[Enum])


def enumeration(cls: EnumClass) -> EnumClass:
    """Make a GraphQL enum of a class whose docstring describes it and whose values describe its members."""
    unique(cls)
    strawberry.enum(cls, description=cls.__doc__)
    definition: StrawberryEnumDefinition = cls.__strawberry_definition__  # type: ignore[attr-defined]
    for value, member in zip(definition.values, cls, strict=True):
        value.description = member.value
    return cls
