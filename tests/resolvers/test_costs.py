"""Every query is priced before it runs, and never takes more than that; what may cost too much is not begun."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as draw

from resolvers.ports import LiveSource, ReadLimits
from tests.resolvers.cached_plant import cached_plant
from tests.resolvers.graph import Graph
from tests.resolvers.tables import Abilities, moment, order_row, source_of, table

VENDORS = [{"key": f"v{number}", "name": f"Vendor {number}"} for number in range(5)]
LIST = """
query List(
  $first: Int, $filter: PurchaseOrderFilter, $orderBy: [PurchaseOrderSort!], $inner: Int = 2, $counts: Boolean = false
) {
  purchaseOrders(first: $first, filter: $filter, orderBy: $orderBy) {
    nodes { number vendor { name purchaseOrders(first: $inner) { nodes { number } } } }
    totalCount @include(if: $counts)
    sources { calls { path requests } }
  }
}
"""


def orders(count: int, names_all: bool) -> list[Any]:
    return [
        order_row(
            f"k{index:03}",
            number=str(index) if names_all or index % 5 else None,
            title=f"T{index}",
            vendor=f"v{index % 7}",
            changed=moment(index // 3) if index % 4 else None,
        )
        for index in range(count)
    ]


def live(name: str = "a", count: int = 30, able: Abilities | None = None) -> LiveSource:
    able = able or Abilities(page_size=10)
    return table(name, orders(count, able.names_all), able, VENDORS)


ABILITIES = draw.builds(
    Abilities,
    filters=draw.booleans(),
    sorts=draw.booleans(),
    is_loose=draw.booleans(),
    has_moments=draw.booleans(),
    has_vendors=draw.booleans(),
    names_all=draw.booleans(),
    counts=draw.booleans(),
    page_size=draw.integers(2, 60),
)
FILTERS = draw.sampled_from(
    [
        None,
        {"title": {"eq": "T3"}},
        {"title": {"contains": "1"}},
        {"status": {"eq": "CANCELED"}},
        {"requiredDate": {"eq": "2026-01-01"}},
    ]
)
ORDERS = draw.lists(draw.sampled_from(["NUMBER", "ORDER_DATE", "UPDATED_AT", "TOTAL"]), max_size=3, unique=True)


@settings(max_examples=150, deadline=None)
@given(
    sources=draw.lists(draw.tuples(ABILITIES, draw.integers(0, 60)), min_size=1, max_size=3),
    first=draw.integers(0, 70),
    condition=FILTERS,
    order=ORDERS,
    scanned=draw.integers(1, 80),
    counts=draw.booleans(),
)
async def test_no_query_takes_more_than_was_foretold(
    sources: list[tuple[Abilities, int]], first: int, condition: Any, order: list[str], scanned: int, counts: bool
) -> None:
    lives = [live(str(number), count, able) for number, (able, count) in enumerate(sources)]
    limits = ReadLimits(max_scan_rows=scanned, max_cost=10**9)
    wanted = {"first": first, "filter": condition, "orderBy": [{"field": name} for name in order], "counts": counts}
    result = await Graph(lives, limits).execute(LIST, **wanted)
    assert result.errors is None, result.errors
    cost = result.extensions["cost"]
    assert cost["actual"] <= cost["estimated"]
    calls = [call for source in result.data["purchaseOrders"]["sources"] for call in source["calls"]]
    counted = sum(call["requests"] for call in calls if call["path"] == "totalCount")
    assert cost["upstreamCalls"] == sum(len(source_of(item).reads) for item in lives) + counted


async def test_rows_that_look_alike_take_a_page_more() -> None:
    source = live(count=60, able=Abilities(page_size=20))
    query = "query ($first: Int) { purchaseOrders(first: $first, orderBy: [{field: UPDATED_AT}]) { nodes { id } } }"
    result = await Graph([source]).execute(query, first=38)
    cost = result.extensions["cost"]
    assert len(source_of(source).reads) == 3
    assert cost["actual"] <= cost["estimated"]


async def cost_of(query: str, *lives: LiveSource) -> Any:
    result = await Graph(lives).execute(query)
    assert result.errors is None, result.errors
    return result.extensions["cost"]


@pytest.mark.parametrize(
    ("query", "estimated", "actual"),
    [
        ("{ purchaseOrders(first: 5) { nodes { id } } }", 10 + 6, 10 + 6),
        ("{ purchaseOrders(first: 9) { nodes { id } } vendors(first: 9) { nodes { id } } }", 40, 10 + 10 + 10 + 5),
        ("{ purchaseOrders(first: 5) { nodes { vendor { name } } } }", 16 + 16, 16 + 15),
        ("{ purchaseOrders(first: 25) { nodes { id } } }", 3 * 20, 3 * 20),
        ("{ purchaseOrders(first: 5) { totalCount nodes { id } } }", 16 + 10, 16 + 10),
        ('{ purchaseOrders(filter: {requiredDate: {eq: "2026-01-01"}}) { nodes { id vendor { name } } } }', 0, 0),
        ("{ __typename connections { nodes { id } } }", 0, 0),
    ],
)
async def test_a_call_counts_ten_and_a_record_one(query: str, estimated: int, actual: int) -> None:
    cost = await cost_of(query, live())
    assert (cost["estimated"], cost["actual"], cost["limit"]) == (estimated, actual, ReadLimits().max_cost)


async def test_what_may_cost_too_much_is_refused_before_anything_is_asked() -> None:
    lives = [live("a"), live("b")]
    query = "{ purchaseOrders(first: 10) { nodes { id vendor { purchaseOrders(first: 10) { nodes { id } } } } } }"
    result = await Graph(lives, ReadLimits(max_cost=1_000)).execute(query)
    (error,) = result.errors
    assert result.data is None
    assert error.extensions["code"] == "QUERY_TOO_COMPLEX"
    assert error.extensions["maxCost"] == 1_000
    assert f"may cost {error.extensions['cost']:,}, and the limit is 1,000" in error.message
    assert "is for purchaseOrders.nodes.vendor.purchaseOrders." in error.message
    assert "`first`" in error.message
    assert "connectionIds" in error.message
    assert [source_of(item).reads for item in lives] == [[], []]
    assert result.extensions["cost"]["actual"] == 0


async def test_what_the_cache_answers_has_cost_nothing() -> None:
    plant = cached_plant().plant
    query = "{ purchaseOrders(first: 5, freshness: {maxAgeSeconds: 60}) { nodes { number vendor { name } } } }"
    first, again = [(await plant.execute(query)).extensions["cost"] for _ in range(2)]
    assert 0 < first["actual"] <= first["estimated"] == again["estimated"]
    assert (again["actual"], again["upstreamCalls"]) == (0, 0)
    explained = await plant.run("query ($asked: String!) { explain(query: $asked) { cost } }", asked=query)
    assert explained["explain"]["cost"] == first["estimated"]


async def test_exactly_the_limit_is_allowed() -> None:
    query = "{ purchaseOrders(first: 5) { nodes { id } } }"
    assert (await Graph([live()], ReadLimits(max_cost=16)).execute(query)).errors is None
    assert (await Graph([live()], ReadLimits(max_cost=15)).execute(query)).errors


async def test_an_explanation_says_what_execution_would_refuse() -> None:
    explain = "query ($query: String!) { explain(query: $query) { cost maxCost problems { code message } } }"
    graph = Graph([live()], ReadLimits(max_cost=15))
    explained = (await graph.run(explain, query="{ purchaseOrders(first: 5) { nodes { id } } }"))["explain"]
    assert (explained["cost"], explained["maxCost"]) == (16, 15)
    assert [item["code"] for item in explained["problems"]] == ["QUERY_TOO_COMPLEX"]


async def test_mutations_have_no_cost() -> None:
    result = await Graph([live()]).execute("mutation { __typename }")
    assert result.extensions == {}


async def test_a_wrong_argument_is_the_error_of_its_field_alone_and_costs_nothing() -> None:
    source = live()
    result = await Graph([source]).execute(
        "{ a: purchaseOrders(first: -1) { nodes { id } } b: purchaseOrders(first: 1) { nodes { id } } }"
    )
    (error,) = result.errors
    assert error.path == ["a"]
    assert len(result.data["b"]["nodes"]) == 1
    assert result.extensions["cost"]["estimated"] == 12
