"""How many rows there are in all: of every source together, or not known."""

from itertools import chain, repeat
from typing import Any

import pytest

from connectors import errors
from resolvers.ports import LiveSource
from tests.resolvers.graph import Graph
from tests.resolvers.tables import Abilities, order_row, source_of, table


def good(name: str, count: int, able: Abilities | None = None) -> LiveSource:
    return table(name, [order_row(f"k{index}", number=str(index)) for index in range(count)], able)


def outcome(page: Any, name: str) -> Any:
    return next(item for item in page["sources"] if item["connection"]["id"] == f"con_{name}")


TOTAL = """
query Total($filter: PurchaseOrderFilter, $after: String) {
  purchaseOrders(first: 2, filter: $filter, after: $after) {
    totalCount isComplete pageInfo { endCursor }
    sources { connection { id } upstreamCalls calls { path requests status } }
  }
}
"""


async def test_the_total_is_of_all_sources_on_every_page() -> None:
    graph = Graph([good("a", 5), good("b", 3)])
    page = (await graph.run(TOTAL))["purchaseOrders"]
    assert page["totalCount"] == 8
    assert outcome(page, "a")["upstreamCalls"] == 2
    assert [call["path"] for call in outcome(page, "a")["calls"]] == ["nodes", "totalCount"]
    then = (await graph.run(TOTAL, after=page["pageInfo"]["endCursor"]))["purchaseOrders"]
    assert then["totalCount"] == 8
    some = (await graph.run(TOTAL, filter={"number": {"eq": "1"}}))["purchaseOrders"]
    assert some["totalCount"] == 2


@pytest.mark.parametrize(
    ("able", "condition"), [(Abilities(counts=False), None), (Abilities(filters=False), {"number": {"eq": "1"}})]
)
async def test_nothing_is_counted_where_one_source_cannot_tell(able: Abilities, condition: Any) -> None:
    page = (await Graph([good("a", 5), good("b", 3, able)]).run(TOTAL, filter=condition))["purchaseOrders"]
    assert (page["totalCount"], page["isComplete"]) == (None, True)
    assert [source["upstreamCalls"] for source in page["sources"]] == [1, 1]


async def test_a_count_that_fails_leaves_the_rows_as_they_are() -> None:
    bad = good("a", 5)
    source_of(bad).troubles = chain([None, errors.Unavailable("down")], repeat(None))
    page = (await Graph([bad, good("b", 3)]).run(TOTAL))["purchaseOrders"]
    assert (page["totalCount"], page["isComplete"]) == (None, True)
    assert [call["status"] for call in outcome(page, "a")["calls"]] == ["OK", "ERROR"]
