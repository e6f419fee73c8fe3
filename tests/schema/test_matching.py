"""What a filter means for one row: the contract's rules for null, for capital letters and for negation."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from schema.filters import EVERYTHING, NOTHING, And, Condition, Not, Operator, Or, Tree, simplify
from schema.matching import can_match, compile_test
from schema.purchasing import PurchaseOrderStatus
from schema.values import Money

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CANCELED = PurchaseOrderStatus.CANCELED


@dataclass
class Row:
    number: Any = None
    total: Money | None = None
    updated_at: datetime | None = None
    tags: tuple[str, ...] | list[str] = ()


def meets(row: Row, path: str, operator: Operator, value: Any) -> bool:
    return compile_test(Condition(path, operator, value))(row)


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [
        (Operator.EQ, "Ab", True),
        (Operator.EQ, "ab", False),
        (Operator.NE, "ab", True),
        (Operator.NE, "Ab", False),
        (Operator.IN, ("x", "Ab"), True),
        (Operator.IN, ("ab",), False),
        (Operator.IN, (), False),
        (Operator.NOT_IN, ("ab",), True),
        (Operator.NOT_IN, ("Ab",), False),
        (Operator.NOT_IN, (), True),
        (Operator.CONTAINS, "B", True),
        (Operator.CONTAINS, "", True),
        (Operator.CONTAINS, "c", False),
        (Operator.STARTS_WITH, "aB", True),
        (Operator.STARTS_WITH, "b", False),
        (Operator.IS_NULL, True, False),
        (Operator.IS_NULL, False, True),
    ],
)
def test_equality_minds_capital_letters_and_searching_does_not(operator: Operator, value: Any, found: bool) -> None:
    assert meets(Row("Ab"), "number", operator, value) is found


@pytest.mark.parametrize("operator", Operator)
def test_a_row_without_a_value_meets_only_is_null(operator: Operator) -> None:
    value: Any = {Operator.IN: ("x",), Operator.NOT_IN: (), Operator.IS_NULL: True}.get(operator, "x")
    for row, path in (
        (Row(), "number"),
        (Row(), "total.currency"),
        (Row(total=Money(amount=Decimal(1))), "total.currency"),
    ):
        assert meets(row, path, operator, value) is (operator is Operator.IS_NULL)
        assert compile_test(Not(Condition(path, operator, value)))(row) is (operator is not Operator.IS_NULL)


def test_zero_and_empty_are_values() -> None:
    assert meets(Row(total=Money(amount=Decimal(0))), "total.amount", Operator.LTE, Decimal(0))
    assert not meets(Row(""), "number", Operator.IS_NULL, True)


def test_numbers_and_moments_are_compared_and_not_their_text() -> None:
    assert meets(Row(total=Money(amount=Decimal("2.50"))), "total.amount", Operator.EQ, Decimal("2.5"))
    assert meets(Row(total=Money(amount=Decimal(10))), "total.amount", Operator.GT, Decimal(9))
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-9)))
    assert meets(Row(updated_at=NOON), "updatedAt", Operator.EQ, elsewhere)


@pytest.mark.parametrize(
    ("tags", "operator", "value", "found"),
    [
        (["a", "b"], Operator.EQ, "b", True),
        (["a", "b"], Operator.EQ, "c", False),
        (["a", "b"], Operator.IN, ("c", "b"), True),
        (["a", "b"], Operator.NE, "b", False),
        (["a", "b"], Operator.NE, "c", True),
        (["a", "b"], Operator.NOT_IN, ("b", "c"), False),
        (["a", "b"], Operator.NOT_IN, ("c",), True),
        (["a", "b"], Operator.CONTAINS, "B", True),
        (["a", "b"], Operator.IS_NULL, False, True),
        ([], Operator.IS_NULL, True, True),
        ([], Operator.NE, "a", False),
        ([], Operator.NOT_IN, (), False),
    ],
)
def test_of_several_values_one_has_to_be_it_and_none_may_be_the_excluded(
    tags: list[str], operator: Operator, value: Any, found: bool
) -> None:
    assert meets(Row(tags=tags), "tags", operator, value) is found


def test_constants() -> None:
    assert compile_test(EVERYTHING)(Row())
    assert not compile_test(NOTHING)(Row())


STATUS = Condition("status", Operator.EQ, CANCELED)
OTHER = Condition("status", Operator.EQ, PurchaseOrderStatus.DRAFT)
NUMBER = Condition("number", Operator.EQ, "1")


@pytest.mark.parametrize(
    ("tree", "possible"),
    [
        (STATUS, True),
        (OTHER, False),
        (Condition("status", Operator.NE, CANCELED), False),
        (Condition("status", Operator.NE, PurchaseOrderStatus.DRAFT), True),
        (Condition("status", Operator.IN, (PurchaseOrderStatus.DRAFT, CANCELED)), True),
        (Condition("status", Operator.IN, ()), False),
        (Condition("status", Operator.NOT_IN, (CANCELED,)), False),
        (Condition("status", Operator.IS_NULL, True), False),
        (Condition("status", Operator.IS_NULL, False), True),
        (Not(STATUS), False),
        (Not(OTHER), True),
        (And((STATUS, NUMBER)), True),
        (And((OTHER, NUMBER)), False),
        (And((STATUS, OTHER)), False),
        (Or((OTHER, NUMBER)), True),
        (Or((OTHER, OTHER)), False),
        (Not(And((STATUS, NUMBER))), True),
        (Not(Or((STATUS, NUMBER))), False),
    ],
)
def test_whether_a_status_can_pass_a_filter(tree: Tree, possible: bool) -> None:
    assert can_match(tree, "status", CANCELED) is possible


@pytest.mark.parametrize(
    ("tree", "simple"),
    [
        (And((EVERYTHING, NUMBER, EVERYTHING)), NUMBER),
        (And((NUMBER, NOTHING)), NOTHING),
        (Or((NOTHING, NUMBER)), NUMBER),
        (Or((NUMBER, EVERYTHING)), EVERYTHING),
        (And((NUMBER, And((STATUS, OTHER)))), And((NUMBER, STATUS, OTHER))),
        (Not(Not(NUMBER)), NUMBER),
        (Not(NOTHING), EVERYTHING),
        (Not(And((NUMBER, Condition("number", Operator.IN, ())))), EVERYTHING),
    ],
)
def test_a_tree_is_simplified_to_what_it_says(tree: Tree, simple: Tree) -> None:
    assert simplify(tree) == simple
