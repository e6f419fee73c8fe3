"""Linked records: read in batches, once a request, counted once, and never at the cost of the rows."""

from dataclasses import replace
from functools import partial
from itertools import chain, repeat
from typing import Any

import pytest

from connectors import errors
from connectors.fields import At, Ref
from connectors.keys import TEXT
from connectors.query import compared
from connectors.spec import Resource
from resolvers.ports import LiveSource
from schema.assets import Asset
from schema.ids import read_record_id
from schema.maintenance import WorkOrder
from schema.model import EntityType
from schema.vendors import Vendor
from tests.resolvers.graph import Graph
from tests.resolvers.tables import Abilities, order_row, source_of, table, table_system

QUERY = """
query Orders($first: Int = 50, $timeoutMs: Int) {
  purchaseOrders(first: $first, timeoutMs: $timeoutMs) {
    nodes { remoteId vendor { number name connection { id } } meta { missing { path reason } } }
    isComplete
    sources { status upstreamCalls calls { purpose path requests status error { code remediation } } }
  }
}
"""
ROWS = {"purpose": "ROWS", "path": "nodes", "requests": 1, "status": "OK", "error": None}


def plant(name: str, vendors: list[str | None], able: Abilities | None = None, known: str = "uvw") -> LiveSource:
    """A connection with one order for each vendor key, and a record for each known vendor."""
    orders = [order_row(f"k{index}", vendor=vendor) for index, vendor in enumerate(vendors)]
    records = [{"key": key, "name": f"{key} of {name}"} for key in known]
    return table(name, orders, able or Abilities(page_size=50), records)


async def page_of(*lives: LiveSource, **variables: Any) -> Any:
    return (await Graph(lives).run(QUERY, **variables))["purchaseOrders"]


def asked_vendors(live: LiveSource) -> list[list[str]]:
    """The keys of each question for vendors."""
    reads = [read for read in source_of(live).reads if read.source == "vendors"]
    return [[key for compare in compared(read.where) for key in compare.value] for read in reads]


async def test_each_connection_is_asked_once_for_the_distinct_vendors_of_the_whole_page() -> None:
    lives = [plant("a", ["u", "v", "u", None, "v"]), plant("b", ["w", "w"])]
    page = await page_of(*lives)
    assert [asked_vendors(live) for live in lives] == [[["u", "v"]], [["w"]]]
    names = [node["vendor"] and node["vendor"]["name"] for node in page["nodes"]]
    assert names == ["u of a", "w of b", "v of a", "w of b", "u of a", None, "v of a"]
    assert {node["vendor"]["connection"]["id"] for node in page["nodes"][:2]} == {"con_a", "con_b"}
    for source in page["sources"]:
        assert source["upstreamCalls"] == 2
        assert source["calls"] == [ROWS, {**ROWS, "purpose": "LINK", "path": "nodes.vendor"}]


async def test_as_many_requests_are_made_as_the_source_needs() -> None:
    live = plant("a", list("uvwuvw"), Abilities(page_size=2))
    page = await page_of(live)
    assert asked_vendors(live) == [["u", "v"], ["w"]]
    (link,) = (call for call in page["sources"][0]["calls"] if call["purpose"] == "LINK")
    assert link["requests"] == 2
    assert page["sources"][0]["upstreamCalls"] == len(source_of(live).reads)


async def test_only_what_is_selected_of_a_link_is_asked_for() -> None:
    live = plant("a", ["u"])
    await Graph([live]).run("{ purchaseOrders { nodes { vendor { name } } } }")
    orders, vendors = source_of(live).reads
    assert orders.paths == {"key", "vendor"}
    assert vendors.paths == {"key", "name"}


async def test_a_link_that_nobody_selects_is_not_read() -> None:
    live = plant("a", ["u"])
    await Graph([live]).run(
        "query ($no: Boolean = false) { purchaseOrders { nodes { id vendor @include(if: $no) { id } } } }"
    )
    assert [read.source for read in source_of(live).reads] == ["orders"]


@pytest.mark.parametrize(
    ("trouble", "reason", "status", "code"),
    [
        (errors.Unavailable("x"), "SOURCE_ERROR", "ERROR", "UPSTREAM_UNREACHABLE"),
        (errors.TimedOut("x"), "SOURCE_ERROR", "TIMED_OUT", "UPSTREAM_TIMEOUT"),
        (errors.PermissionDenied("x"), "NOT_PERMITTED", "PERMISSION_DENIED", "UPSTREAM_PERMISSION_DENIED"),
    ],
    ids=["down", "slow", "forbidden"],
)
async def test_a_failed_link_is_null_with_a_reason_and_the_rows_stay(
    trouble: errors.Trouble, reason: str, status: str, code: str
) -> None:
    live, other = plant("a", ["u", None]), plant("b", ["w"])
    source_of(live).troubles = chain([None], repeat(trouble))
    page = await page_of(live, other)
    failed, beside, empty = page["nodes"]
    assert failed["vendor"] is None
    assert failed["meta"]["missing"] == [{"path": "vendor", "reason": reason}]
    assert empty["meta"]["missing"] == [{"path": "vendor", "reason": "EMPTY_AT_SOURCE"}]
    assert beside["vendor"]["name"] == "w of b"
    rows, link = page["sources"][0]["calls"]
    assert rows == ROWS
    assert (link["purpose"], link["status"], link["error"]["code"]) == ("LINK", status, code)
    assert link["error"]["remediation"]
    assert page["sources"][0]["upstreamCalls"] == 2


async def test_a_failed_chunk_does_not_speak_for_the_others() -> None:
    live = plant("a", ["u", "v", "w", "gone"], Abilities(page_size=2))
    source_of(live).troubles = chain([None, None, None, errors.Unavailable("x")], repeat(None))
    page = await page_of(live)
    assert [read.source for read in source_of(live).reads] == ["orders", "orders", "orders", "vendors", "vendors"]
    assert [node["vendor"] and node["vendor"]["name"] for node in page["nodes"]] == [None, None, "w of a", None]
    assert [node["meta"]["missing"] for node in page["nodes"]] == [
        [{"path": "vendor", "reason": "SOURCE_ERROR"}],
        [{"path": "vendor", "reason": "SOURCE_ERROR"}],
        [],
        [{"path": "vendor", "reason": "EMPTY_AT_SOURCE"}],
    ]


async def test_silent_vendors_leave_the_orders_in_time() -> None:
    live = plant("a", ["u"])
    source_of(live).silent = frozenset({"vendors"})
    page = await page_of(live, timeoutMs=400)
    assert page["nodes"][0]["vendor"] is None
    assert page["sources"][0]["status"] == "OK"
    assert page["sources"][0]["calls"][1]["status"] == "TIMED_OUT"


async def test_silent_orders_leave_time_for_the_vendors_of_others() -> None:
    silent = plant("b", ["u"])
    source_of(silent).silent = frozenset({"orders"})
    page = await page_of(plant("a", ["u"]), silent, timeoutMs=600)
    assert [node["vendor"]["name"] for node in page["nodes"]] == ["u of a"]
    assert [source["status"] for source in page["sources"]] == ["OK", "TIMED_OUT"]


async def test_a_key_is_read_once_a_request_and_counted_once_whatever_path_asks() -> None:
    live = plant("a", ["u", "v"])
    part = "purchaseOrders { nodes { vendor { name } } sources { upstreamCalls calls { path requests } } }"
    data = await Graph([live]).run(f"{{ one: {part} two: {part} }}")
    assert asked_vendors(live) == [["u", "v"]]
    for name in ("one", "two"):
        assert [node["vendor"]["name"] for node in data[name]["nodes"]] == ["u of a", "v of a"]
    assert sum(data[name]["sources"][0]["upstreamCalls"] for name in ("one", "two")) == len(source_of(live).reads)


async def test_a_single_record_has_its_links_too() -> None:
    live = plant("a", ["u"])
    listed = await Graph([live]).run("{ purchaseOrders { nodes { id } } }")
    query = "query ($id: ID!) { purchaseOrder(id: $id) { vendor { name } } }"
    found = await Graph([live]).run(query, id=listed["purchaseOrders"]["nodes"][0]["id"])
    assert found["purchaseOrder"] == {"vendor": {"name": "u of a"}}


async def test_a_system_without_vendors_has_none() -> None:
    page = await page_of(plant("a", ["u"], Abilities(has_vendors=False)))
    assert page["nodes"][0]["vendor"] is None
    assert [gap["path"] for gap in page["nodes"][0]["meta"]["missing"]] == ["vendor"]


def unmapped(resource: Resource) -> tuple[str, ...]:
    """The fields that a resource has no word for."""
    return tuple(item.name for item in resource.model.mapped_fields() if item.name not in resource.fields)


async def test_one_collection_may_fill_two_entities() -> None:
    system = table_system(Abilities())
    vendors = next(item for item in system.resources if item.entity is Vendor)
    things = partial(replace, vendors, key_form=TEXT, title="name")
    work = {"number": At("number"), "asset": Ref("vendor"), "vendor": Ref("vendor")}
    given = (
        things(entity=Asset, fields={"name": At("name")}),
        things(entity=Vendor, fields={"name": At("name")}),
        things(entity=WorkOrder, source="orders", fields=work, title="number"),
    )
    resources = tuple(replace(item, unmapped=unmapped(item)) for item in given)
    live = table("a", [order_row("k1", vendor="u")], vendors=[{"key": "u", "name": "u"}])
    source_of(live).system = replace(system, resources=resources)
    (order,) = (await Graph([live]).run("{ workOrders { nodes { asset { id } vendor { id } } } }"))["workOrders"][
        "nodes"
    ]
    found = [read_record_id(order[name]["id"]) for name in ("asset", "vendor")]
    assert [item.entity for item in found if item] == [EntityType.ASSET, EntityType.VENDOR]
