"""Whatever text and however many values a client asks for, every system answers, and with the right rows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.client import Source
from connectors.testing.in_process import in_process_client
from resolvers.ports import LiveSource
from schema.ids import RecordId
from schema.model import EntityType
from tests.connectors.workshop_bench import workshop_bench
from tests.resolvers.graph import Graph, live_source
from tests.resolvers.watched import watched_plant

QUERY = """
query Orders($filter: PurchaseOrderFilter) {
  purchaseOrders(first: 200, filter: $filter) {
    nodes { id remoteId number vendor { id } }
    sources { connection { id } status filteredHere error { code } }
  }
}
"""
PROPERTY = settings(max_examples=60, deadline=None, derandomize=True, database=None)
SIGNS = st.sampled_from("aA4' \"%_\\&=?#+;,()*\n\t\0\ud800\udfff😀É/.~|<>$")
TEXTS = st.text(SIGNS, min_size=1, max_size=12) | st.text(min_size=1, max_size=3) | st.just("x" * 20_000)


def _workshop() -> LiveSource:
    bench = workshop_bench()
    http = in_process_client(bench.server.application, bench.address())
    return live_source("workshop", bench.system, Source("con_workshop", bench.system, http, bench.login()))


def graph() -> Graph:
    """Systems that are asked by an address, and one that is asked by a body."""
    return Graph([*watched_plant().lives, _workshop()])


def condition_of(word: str, text: str) -> dict[str, object]:
    """A condition on each way in which text can be asked for."""
    match word:
        case "text":
            return {"text": text}
        case "id":
            made = RecordId(EntityType.PURCHASE_ORDER, "sap_s4hana", "4").encode()
            return {"id": {"in": [text, made]}}
        case "in" | "notIn":
            return {"number": {word: [text]}}
        case _:
            return {"remoteId" if word == "key" else "number": {"eq" if word == "key" else word: text}}


@PROPERTY
@given(st.sampled_from(["eq", "ne", "in", "notIn", "contains", "startsWith", "key", "id", "text"]), TEXTS)
async def test_every_text_can_be_asked_for(word: str, text: str) -> None:
    page = (await graph().run(QUERY, filter=condition_of(word, text)))["purchaseOrders"]
    assert {source["status"] for source in page["sources"]} == {"OK"}


@pytest.mark.parametrize("count", [1, 60, 61, 200, 3_000])
@pytest.mark.parametrize("path", ["number", "remoteId", "id", "vendorId"])
async def test_a_list_may_have_any_length(path: str, count: int) -> None:
    plant = graph()
    every = (await plant.run(QUERY))["purchaseOrders"]["nodes"]
    absent = [f"49{number:08}" for number in range(count - 1)]
    if path in ("id", "vendorId"):
        kind = EntityType.VENDOR if path == "vendorId" else EntityType.PURCHASE_ORDER
        absent = [RecordId(kind, "sap_s4hana", key).encode() for key in absent]
    wanted = next(row for row in every if row["vendor"])
    value = wanted["vendor"]["id"] if path == "vendorId" else wanted[path]
    page = (await plant.run(QUERY, filter={path: {"in": [*absent, value]}}))["purchaseOrders"]
    assert {source["status"] for source in page["sources"]} == {"OK"}
    same = [
        row["id"] for row in every if ((row["vendor"] or {}).get("id") if path == "vendorId" else row[path]) == value
    ]
    assert [row["id"] for row in page["nodes"]] == same != []


@pytest.mark.parametrize("field", ["orderDate", "requiredDate"])
@pytest.mark.parametrize("operator", ["gt", "gte", "lt", "lte"])
async def test_there_is_no_day_beyond_the_first_and_the_last(field: str, operator: str) -> None:
    for border, finds_all in (("0001-01-01", operator.startswith("g")), ("9999-12-31", operator.startswith("l"))):
        page = (await graph().run(QUERY, filter={field: {operator: border}}))["purchaseOrders"]
        dated = (await graph().run(QUERY, filter={field: {"isNull": False}}))["purchaseOrders"]
        assert {source["status"] for source in page["sources"]} == {"OK"}
        assert page["nodes"] == (dated["nodes"] if finds_all else [])
        assert dated["nodes"]


@pytest.mark.parametrize("wanted", [{"eq": "0001-01-01"}, {"in": ["0001-01-01"]}, {"lte": "0001-01-01"}])
async def test_rows_without_a_day_are_not_those_of_the_first_day(wanted: dict[str, object]) -> None:
    page = (await graph().run(QUERY, filter={"orderDate": wanted}))["purchaseOrders"]
    assert page["nodes"] == []


async def test_rows_without_a_moment_are_not_after_the_first_one() -> None:
    after = {"updatedAt": {"gte": "0001-01-01T00:00:00Z"}}
    found = (await graph().run(QUERY, filter=after))["purchaseOrders"]["nodes"]
    assert found == (await graph().run(QUERY, filter={"updatedAt": {"isNull": False}}))["purchaseOrders"]["nodes"]
