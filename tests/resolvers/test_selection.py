"""What a query selects is what is asked of a source, however it is written."""

import pytest

from resolvers.ports import ReadLimits
from tests.resolvers.graph import Graph
from tests.resolvers.tables import order_row, source_of, table

KEY = "key"


@pytest.mark.parametrize(
    ("written", "paths"),
    [
        ("{ purchaseOrders { nodes { id } } }", {KEY}),
        ("{ purchaseOrders { nodes { remoteId connection { name system { key } } } } }", {KEY}),
        ("{ purchaseOrders { nodes { __typename } } }", {KEY}),
        ("{ purchaseOrders { nodes { number title } } }", {KEY, "number", "title"}),
        ("{ purchaseOrders { nodes { a: number b: number } } }", {KEY, "number"}),
        ("{ purchaseOrders { edges { node { number } } nodes { title } } }", {KEY, "number", "title"}),
        ("{ purchaseOrders { nodes { number } nodes { title } } }", {KEY, "number", "title"}),
        ("{ purchaseOrders { ...P } } fragment P on PurchaseOrderConnection { nodes { number } }", {KEY, "number"}),
        ("{ purchaseOrders { nodes { ...O } } } fragment O on PurchaseOrder { number ...T } "
         "fragment T on Record { updatedAt }", {KEY, "number", "changed"}),
        ("{ purchaseOrders { nodes { ... on Record { number } ... on Node { id } } } }", {KEY, "number"}),
        ("{ purchaseOrders { nodes { ... { number } ... @include(if: true) { title } } } }", {KEY, "number", "title"}),
        ("{ purchaseOrders { nodes { number @skip(if: true) title @include(if: true) } } }", {KEY, "title"}),
        ("query ($y: Boolean = true) { purchaseOrders { nodes { number @skip(if: $y) title @include(if: $y) } } }",
         {KEY, "title"}),
        ("query ($no: Boolean = false) { purchaseOrders { nodes { ...N @include(if: $no) id } } } "
         "fragment N on PurchaseOrder { number }", {KEY}),
        ("{ purchaseOrders { nodes { id number @skip(if: true) @include(if: true) } } }", {KEY}),
        ("{ purchaseOrders { nodes { total { amount } } } }", {KEY, "amount"}),
        ("{ purchaseOrders { nodes { total { currency } } } }", {KEY, "amount", "currency"}),
        ("{ purchaseOrders { nodes { a: total { amount } b: total { currency } } } }", {KEY, "amount", "currency"}),
        ("{ purchaseOrders(orderBy: [{field: ORDER_DATE}]) { nodes { id } } }", {KEY, "day"}),
        ("{ purchaseOrders(filter: {title: {eq: \"x\"}}) { nodes { id } } }", {KEY}),
        ("{ purchaseOrders { nodes { meta { missing { path } } } } }", {KEY}),
        ("{ purchaseOrders { nodes { version } } }", {KEY, "version"}),
        ("{ purchaseOrders { nodes { displayName } } }", {KEY, "number"}),
    ],
)  # fmt: skip
async def test_only_what_is_selected_is_asked_for(written: str, paths: set[str]) -> None:
    live = table("a", [order_row("k1", number="1", title="T")])
    await Graph([live]).run(written)
    assert {read.paths for read in source_of(live).reads} == {frozenset(paths)}


async def test_what_is_left_out_by_a_variable_is_not_in_the_answer() -> None:
    live = table("a", [order_row("k1", number="1", title="T")])
    query = "query ($brief: Boolean!) { purchaseOrders { nodes { number title @skip(if: $brief) } } }"
    for is_brief, row in ((True, {"number": "1"}), (False, {"number": "1", "title": "T"})):
        assert (await Graph([live]).run(query, brief=is_brief))["purchaseOrders"]["nodes"] == [row]


async def test_fragments_that_multiply_each_other_are_read_once() -> None:
    live = table("a", [order_row("k1", number="1")])
    layers = "".join(
        f" fragment F{n} on PurchaseOrder {{ ...F{n + 1} ...F{n + 1} ... {{ ...F{n + 1} }} }}" for n in range(40)
    )
    query = f"{{ purchaseOrders {{ nodes {{ ...F0 }} }} }}{layers} fragment F40 on PurchaseOrder {{ number }}"
    assert (await Graph([live]).run(query))["purchaseOrders"]["nodes"] == [{"number": "1"}]


async def test_fields_that_repeat_each_other_are_read_together() -> None:
    live = table("a", [order_row("k1", number="1", vendor="v1")], vendors=[{"key": "v1", "name": "V"}])
    repeated = [f"vendor {{ purchaseOrders {{ nodes {{ ...F{n + 1} }} }} }} " * 8 for n in range(4)]
    layers = "".join(f" fragment F{n} on PurchaseOrder {{ {fields} }}" for n, fields in enumerate(repeated))
    query = f"{{ purchaseOrders {{ nodes {{ ...F0 }} }} }}{layers} fragment F4 on PurchaseOrder {{ number }}"
    (node,) = (await Graph([live], ReadLimits(max_cost=10**12)).run(query))["purchaseOrders"]["nodes"]
    assert node.keys() == {"vendor"}
