"""Order: derived from what the entities opt in, one step at a time, and nulls last whichever way."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError

from resolvers.roots import build_schema
from schema.model import ENTITIES, Entity
from schema.ordering import comparable, sort_key
from schema.pages import SortDirection
from schema.severity import Criticality, Graded, Priority
from schema.sorting import SortStep, parse, sort_of

PRINTED = build_schema()


def step(entity: Entity, name: str, direction: SortDirection = SortDirection.ASC) -> Any:
    sort = sort_of(entity.cls)  # type: ignore[arg-type] # a class is hashable
    return sort(field=sort.__annotations__["field"][name], direction=direction)


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=lambda entity: entity.name)
def test_every_field_that_opted_in_can_be_sorted_by(entity: Entity) -> None:
    values = PRINTED._schema.type_map[f"{entity.name}SortField"].values  # type: ignore[attr-defined]
    opted_in = {item.attribute.upper(): item for item in entity.fields.values() if item.marker.sort is not None}
    assert set(values) == set(opted_in)
    for name, item in opted_in.items():
        assert values[name].description == item.marker.sort
        found = parse(entity, [step(entity, name, SortDirection.DESC)])
        part = {"Money": ".amount", "Quantity": ".value"}.get(item.type.__name__, "")
        assert found == (SortStep(item.name, f"{item.name}{part}", descending=True),)


@pytest.mark.parametrize("given", [None, []])
def test_no_step_is_no_order(given: Any) -> None:
    assert parse(next(iter(ENTITIES.values())), given) == ()


def test_later_steps_decide_where_earlier_ones_tie() -> None:
    entity = next(iter(ENTITIES.values()))
    found = parse(entity, [step(entity, "UPDATED_AT", SortDirection.DESC), step(entity, "NUMBER")])
    assert [(item.path, item.descending) for item in found] == [("updatedAt", True), ("number", False)]


def test_a_field_that_is_named_twice_is_refused() -> None:
    entity = next(iter(ENTITIES.values()))
    with pytest.raises(GraphQLError, match="names 'number' more than once") as caught:
        parse(entity, [step(entity, "NUMBER"), step(entity, "NUMBER", SortDirection.DESC)])
    assert (caught.value.extensions or {})["code"] == "VALIDATION_FAILED"
    assert (caught.value.extensions or {})["field"] == "orderBy"


GRADES = ["NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"]


@pytest.mark.parametrize("grades", [Priority, Criticality])
def test_the_most_urgent_and_the_most_critical_are_the_greatest(grades: type[Graded]) -> None:
    """The order in which the contract lists them is not theirs; what is not known is less than nothing."""
    found = [value.name for value in sorted(grades, key=lambda value: sort_key(value, descending=False))]
    assert found == ["UNKNOWN", *GRADES]
    assert grades["CRITICAL"] > grades["NONE"]


@pytest.mark.parametrize("values", [["b", "a", "B"], [Decimal("9"), Decimal("10"), Decimal("-1")]])
@pytest.mark.parametrize("descending", [False, True])
def test_nulls_are_last_in_either_direction(values: list[Any], descending: bool) -> None:
    found = sorted([None, *values, None], key=lambda value: sort_key(value, descending=descending))
    assert found == [*sorted(values, reverse=descending), None, None]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1E+3"), "1000"),
        (Decimal("2.50"), "2.50"),
        (date(2026, 3, 1), "2026-03-01"),
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01T12:00:00+00:00"),
        ("Ünï", "Ünï"),
        (Priority.HIGH, "HIGH"),
    ],
)
def test_a_sort_value_has_a_text_that_reads_back(value: Any, text: str) -> None:
    assert comparable(value) == text
