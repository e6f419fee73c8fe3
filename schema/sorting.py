"""Order: the sort inputs of the contract, derived per entity, and the steps that they are parsed to."""

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

import strawberry

from schema.enums import enumeration
from schema.errors import ErrorCode, failure
from schema.model import Entity, FieldModel, entity_of
from schema.pages import SortDirection
from schema.values import Money, Quantity


@dataclass(frozen=True, slots=True)
class SortStep:
    """One step of an order; rows without a value come last, whichever the direction."""

    field: str
    path: str
    descending: bool


Order = tuple[SortStep, ...]
"""The steps of an order; later ones decide where earlier ones tie. Without steps there is no order."""


@cache
def sort_of(cls: type[Any]) -> type[Any]:
    """Derive the sort input of an entity's class, such as PurchaseOrderSort."""
    entity = entity_of(cls)
    members = {
        item.attribute.upper(): item.marker.sort for item in entity.fields.values() if item.marker.sort is not None
    }
    fields = enumeration(_enum(f"{entity.name}SortField", members, f"What {entity.plural} can be sorted by."))
    derived = type(
        f"{entity.name}Sort",
        (),
        {
            "__annotations__": {"field": fields, "direction": SortDirection},
            "field": strawberry.field(description="What to sort by."),
            "direction": strawberry.field(default=SortDirection.ASC, description="Which way."),
        },
    )
    strawberry.input(
        derived,
        description=f"One step in the order of {entity.plural}; later steps decide where earlier ones tie.",
    )
    return derived


def _enum(name: str, members: dict[str, str], about: str) -> type[Enum]:
    made = Enum(name, members)  # type: ignore[misc]
    made.__doc__ = about
    return made


def parse(entity: Entity, given: list[Any] | None) -> Order:
    """Read an `orderBy`; a field that is named twice is refused, since the second step could decide nothing."""
    steps = tuple(_step(entity, item) for item in given or ())
    names = [step.field for step in steps]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise failure(ErrorCode.VALIDATION_FAILED, f"`orderBy` names {twice!r} more than once.", field="orderBy")
    return steps


def _step(entity: Entity, step: Any) -> SortStep:
    item = next(item for item in entity.fields.values() if item.attribute.upper() == step.field.name)
    return SortStep(item.name, sort_path(item), step.direction is SortDirection.DESC)


def sort_path(item: FieldModel) -> str:
    """What an order by a field compares: of money and quantities the number."""
    part = {Money: ".amount", Quantity: ".value"}.get(item.type, "")
    return f"{item.name}{part}"
