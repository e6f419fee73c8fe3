"""Filters: derived from what the entities opt in, and parsed to one tree without losing or inventing anything."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
import strawberry
from graphql import GraphQLError

from resolvers.roots import build_schema
from schema.connections import CONNECTED_SYSTEM_FILTER, CUSTOMER_FILTER
from schema.filters import (
    EVERYTHING,
    NOTHING,
    And,
    Condition,
    Filterable,
    FilterShape,
    MoneyFilter,
    Not,
    Operator,
    Or,
    StringFilter,
    Tree,
    conditions,
    filter_input,
    filter_of,
    parse,
    shape_of,
    simplify,
)
from schema.model import ENTITIES, Entity, FieldModel, Kind
from schema.purchasing import PurchaseOrder, PurchaseOrderStatus
from schema.values import Quantity

PRINTED = build_schema()
SHAPES = [*(shape_of(entity) for entity in ENTITIES.values()), CONNECTED_SYSTEM_FILTER, CUSTOMER_FILTER]
WORDS = {operator.word: operator for operator in Operator}
ALWAYS = {"id", "remoteId", "number", "status", "createdAt", "updatedAt", "connectionId", "text", "and", "or", "not"}
SAMPLES: dict[Any, Any] = {
    str: "x",
    strawberry.ID: strawberry.ID("x"),
    bool: False,
    Decimal: Decimal(0),
    date: date(2026, 1, 1),
    datetime: datetime(2026, 1, 1, tzinfo=UTC),
}


def comparisons(entry: Filterable) -> Iterator[tuple[str, type[Any], str, Any]]:
    """Every operator of an entry: the field of its path, the input, the operator's word and a value for it."""
    parts = {"": entry.input}
    if entry.input is MoneyFilter:
        annotations = {
            "amount": MoneyFilter.__annotations__["amount"],
            "currency": MoneyFilter.__annotations__["currency"],
        }
        parts = {name: annotation.__args__[0] for name, annotation in annotations.items()}
    for part, kind in parts.items():
        for attribute, annotation in kind.__annotations__.items():
            yield part, kind, attribute.removesuffix("_"), sample(annotation)


def sample(annotation: Any) -> Any:
    inner = next(item for item in annotation.__args__ if item is not type(None))
    if getattr(inner, "__origin__", None) is list:
        return [sample_of(inner.__args__[0])]
    return sample_of(inner)


def sample_of(kind: Any) -> Any:
    return next(iter(kind)) if isinstance(kind, type) and issubclass(kind, Enum) else SAMPLES[kind]


def given(shape: FilterShape, entry: Filterable, part: str, kind: type[Any], word: str, value: Any) -> Any:
    condition = kind(**{f"{word}_": value})
    if part:
        condition = MoneyFilter(**{part: condition})
    return filter_input(shape)(**{f"{entry.name}_": condition})


EVERY_COMPARISON = [
    pytest.param(shape, entry, part, kind, word, value, id=".".join(filter(None, (shape.name, entry.name, part, word))))
    for shape in SHAPES
    for entry in shape.entries
    for part, kind, word, value in comparisons(entry)
]


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=lambda entity: entity.name)
def test_every_field_that_opted_in_is_in_the_filter_under_its_own_kind_of_conditions(entity: Entity) -> None:
    printed = PRINTED._schema.type_map[f"{entity.name}Filter"].fields  # type: ignore[attr-defined]
    assert set(printed) >= ALWAYS
    expected = ALWAYS - {"number", "status", "createdAt", "updatedAt"}
    for item in entity.fields.values():
        if item.marker.filter is not None:
            name = f"{item.name}Id" if item.kind is Kind.LINK else item.name
            assert str(printed[name].type) == conditions_of(item), name
            expected.add(name)
        for part in item.marker.filter_parts:
            assert str(printed[part].type) == "StringFilter"
            expected.add(part)
    assert set(printed) == expected


def conditions_of(item: FieldModel) -> str:
    if item.kind is Kind.LINK:
        return "IDFilter"
    names = {
        str: "String",
        bool: "Boolean",
        Decimal: "Decimal",
        Quantity: "Decimal",
        date: "Date",
        datetime: "DateTime",
    }
    return f"{names.get(item.plain_type, item.plain_type.__name__)}Filter"


def test_enum_fields_are_among_them() -> None:
    """An enum carries a definition like an object type, and a first derivation lost them all."""
    order = shape_of(next(entity for entity in ENTITIES.values() if entity.cls is PurchaseOrder))
    enums = {item.name for item in order.entries if item.input.__name__.endswith(("StatusFilter", "TypeFilter"))}
    assert enums == {"type", "status", "approvalStatus", "receiptStatus", "billingStatus"}


@pytest.mark.parametrize(("shape", "entry", "part", "kind", "word", "value"), EVERY_COMPARISON)
def test_an_operator_becomes_one_condition(
    shape: FilterShape, entry: Filterable, part: str, kind: type[Any], word: str, value: Any
) -> None:
    tree = simplify(parse(shape, given(shape, entry, part, kind, word, value)))
    path = f"{entry.path}.{part}" if part else entry.path
    assert tree == Condition(path, WORDS[word], tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize(("shape", "entry", "part", "kind", "word", "value"), EVERY_COMPARISON)
def test_null_is_no_value_of_an_operator(
    shape: FilterShape, entry: Filterable, part: str, kind: type[Any], word: str, value: Any
) -> None:
    with pytest.raises(GraphQLError, match="use `isNull`") as caught:
        parse(shape, given(shape, entry, part, kind, word, None))
    where = ".".join(filter(None, ("filter", entry.name, part, word)))
    assert (caught.value.extensions or {})["code"] == "VALIDATION_FAILED"
    assert (caught.value.extensions or {})["field"] == where


ORDER = next(entity for entity in ENTITIES.values() if entity.cls is PurchaseOrder)
OrderFilter = filter_of(PurchaseOrder)
NUMBER_IS_1 = Condition("number", Operator.EQ, "1")


def read(**values: Any) -> Tree:
    return simplify(parse(shape_of(ORDER), OrderFilter(**values)))


def number(**values: Any) -> Any:
    return OrderFilter(number_=StringFilter(**values))


def test_a_null_inside_a_combination_is_named_with_its_whole_path() -> None:
    with pytest.raises(GraphQLError) as caught:
        read(or_=[OrderFilter(), OrderFilter(not_=OrderFilter(and_=[number(in_=None)]))])
    assert (caught.value.extensions or {})["field"] == "filter.or.1.not.and.0.number.in"


@pytest.mark.parametrize("absent", [None, strawberry.UNSET])
def test_null_as_a_whole_condition_is_as_if_absent(absent: Any) -> None:
    names = list(OrderFilter.__annotations__)
    assert read(**dict.fromkeys(names, absent)) == EVERYTHING
    assert read(total_=MoneyFilter(amount=absent, currency=absent)) == EVERYTHING
    assert parse(shape_of(ORDER), absent) == EVERYTHING


def test_conditions_beside_each_other_all_hold() -> None:
    found = read(number_=StringFilter(eq_="1", startsWith_="x"), text_="y")
    assert isinstance(found, And)
    assert found.terms[:2] == (NUMBER_IS_1, Condition("number", Operator.STARTS_WITH, "x"))


def test_combinations_nest() -> None:
    tree = read(and_=[number(eq_="1"), OrderFilter(or_=[number(eq_="1"), OrderFilter(not_=number(eq_="1"))])])
    assert tree == And((NUMBER_IS_1, Or((NUMBER_IS_1, Not(NUMBER_IS_1)))))


@pytest.mark.parametrize(
    ("values", "meaning"),
    [
        ({"and_": []}, EVERYTHING),
        ({"or_": []}, NOTHING),
        ({"not_": OrderFilter()}, NOTHING),
        ({"or_": [OrderFilter(), number(eq_="1")]}, EVERYTHING),
        ({"and_": [OrderFilter(or_=[]), number(eq_="1")]}, NOTHING),
        ({"number_": StringFilter()}, EVERYTHING),
        ({"number_": StringFilter(in_=[])}, NOTHING),
        ({"not_": number(in_=[])}, EVERYTHING),
        ({"not_": OrderFilter(not_=number(eq_="1"))}, NUMBER_IS_1),
        ({"text_": ""}, EVERYTHING),
        ({"text_": "  "}, EVERYTHING),
    ],
)
def test_borderline_filters_mean_what_logic_says(values: dict[str, Any], meaning: Tree) -> None:
    assert read(**values) == meaning


def test_not_in_nothing_still_needs_a_value() -> None:
    assert read(number_=StringFilter(notIn_=[])) == Condition("number", Operator.NOT_IN, ())


def test_the_tree_keeps_what_was_named_even_where_it_decides_nothing() -> None:
    """Whether deleted rows are shown depends on what the filter names."""
    tree = parse(shape_of(ORDER), OrderFilter(or_=[OrderFilter(), number(eq_="1")]))
    assert [condition.path for condition in conditions(tree)] == ["number"]


def test_each_word_of_a_text_is_looked_for_in_every_searched_field() -> None:
    words = [
        Or(tuple(Condition(path, Operator.CONTAINS, word) for path in ("number", "title"))) for word in ("Two", "words")
    ]
    assert read(text_=" Two  words ") == And(tuple(words))


def test_enum_values_are_members() -> None:
    status = next(entry.input for entry in shape_of(ORDER).entries if entry.name == "status")
    members = [PurchaseOrderStatus.DRAFT, PurchaseOrderStatus.UNKNOWN]
    assert read(status_=status(in_=members)) == Condition("status", Operator.IN, tuple(members))
