"""Calls at most: of a scan by what the source decides, of keys by what it takes at once, and of what lies beside."""

from dataclasses import replace

import pytest

from connectors.expense import Expense, of_keys, of_scan, total
from connectors.plan import plan_read
from connectors.reading import RecordReader
from connectors.spec import Resource
from connectors.systems.sap_s4hana.spec import purchase_orders, sap_s4hana
from connectors.systems.tryton.inventory import products
from connectors.systems.tryton.spec import tryton
from schema.filters import EVERYTHING, Condition, Operator, Tree
from schema.selection import Selection
from schema.sorting import Order, SortStep

CHANGED = (SortStep("updatedAt", "updatedAt", descending=True),)
DATED = tuple(SortStep(name, name, descending=False) for name in ("createdAt", "orderDate"))
NUMBERED = (SortStep("number", "number", descending=False), *CHANGED)
LEFT = Condition("number", Operator.CONTAINS, "7")
NEVER = Condition("requiredDate", Operator.IS_NULL, False)


def reader(resource: Resource) -> RecordReader:
    return RecordReader(resource, sap_s4hana.protocol, "con_1", {"number": None})


@pytest.mark.parametrize(
    ("tree", "order", "count", "calls", "records"),
    [
        (EVERYTHING, (), 20, 1, 21),
        (EVERYTHING, (), 0, 1, 1),
        (EVERYTHING, (), 99, 1, 100),
        (EVERYTHING, (), 100, 1, 100),
        (EVERYTHING, (), 101, 2, 200),
        (EVERYTHING, CHANGED, 20, 2, 2 * 37),
        (EVERYTHING, NUMBERED, 20, 10, 1_000),
        (EVERYTHING, DATED, 20, 2, 2 * 21),
        (LEFT, (), 20, 10, 1_000),
        (NEVER, (), 20, 0, 0),
    ],
)
def test_a_scan(tree: Tree, order: Order, count: int, calls: int, records: int) -> None:
    plan = plan_read(purchase_orders, tree, order)
    assert of_scan(plan, reader(purchase_orders), None, count, 1_000) == Expense(calls, records)


@pytest.mark.parametrize(
    ("keys", "max_keys", "calls", "records"),
    [(0, 60, 0, 0), (1, 60, 1, 2), (60, 60, 1, 61), (61, 60, 2, 63), (150, 60, 3, 2 * 61 + 31), (100, 100, 1, 100)],
)
def test_keys(keys: int, max_keys: int, calls: int, records: int) -> None:
    assert of_keys(reader(replace(purchase_orders, max_keys=max_keys)), keys) == Expense(calls, records)


@pytest.mark.parametrize(
    ("selection", "calls"),
    [
        ({"number": None}, 1),
        ({"onOrder": None}, 1 + 1),
        ({"onHand": None}, 1 + (1 + 1)),
        ({"stockLevels": {"nodes": {"onHand": {"value": None}}}}, 1 + (1 + 100)),
    ],
    ids=["nothing", "a collection", "all places together", "each place apart"],
)
def test_what_lies_beside(selection: Selection, calls: int) -> None:
    beside = RecordReader(products, tryton.protocol, "con_1", selection)
    assert of_scan(plan_read(products, EVERYTHING), beside, None, 20, 1_000).calls == calls
    assert of_keys(beside, 2 * products.max_keys).calls == 2 * calls


def test_expenses_add_up() -> None:
    assert total([Expense(1, 2), Expense(3, 4).times(2)]) == Expense(7, 10)
    assert total([]) == Expense()
