"""Custom fields and raw where answers are kept: what is asked for names what is kept, and settings count at once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from connectors.sandbox.odata_v2.service import Property
from tests.gateway.customer_plant import ORDERS as OF_ORDERS
from tests.gateway.customer_plant import PERMITS, ZONE, add_permits, add_zone, remove_zone, updated
from tests.gateway.running import ADMIN, RunningGateway, StandIn, running_gateway, stand_in

MINUTE = {"maxAgeSeconds": 60}
ORDERS = """
query ($freshness: FreshnessInput) { found: purchaseOrders(first: 3, freshness: $freshness) {
  nodes { id %s meta { source missing { path reason } } } sources { servedFrom upstreamCalls } } }
"""
ONE = """
query ($id: ID!, $freshness: FreshnessInput) { found: purchaseOrder(id: $id, freshness: $freshness) {
  %s meta { source missing { path reason } } } }
"""
PARTS = ("number", "raw", 'raw(paths: ["YY1_Zone"])', "customFields { value }", "number raw customFields { value }")


class Desk:
    """A connection whose answers may be a minute old."""

    def __init__(self, gateway: RunningGateway, erp: StandIn, connection: str) -> None:
        self.gateway = gateway
        self.erp = erp
        self.connection = connection

    async def ask(self, query: str, /, **variables: Any) -> Any:
        return (await self.gateway.data(query, ADMIN, **variables))["found"]


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with stand_in() as erp, running_gateway(tmp_path) as gateway:
        add_zone(erp.box)
        add_permits(erp.box)
        connection, _ = await gateway.connected(erp)
        await updated(gateway, connection, customFields=[ZONE], customObjects=[PERMITS], **MINUTE)
        yield Desk(gateway, erp, connection)


async def test_pages_and_records_with_other_extras_share_nothing_that_is_kept(desk: Desk) -> None:
    order = (await desk.ask(ORDERS % "number"))["nodes"][0]["id"]
    for query in (ORDERS, ONE):
        live = [await desk.ask(query % part, id=order, freshness={"maxAgeSeconds": 0}) for part in PARTS]
        first = [await desk.ask(query % part, id=order) for part in PARTS]
        desk.erp.box.requests.clear()
        kept = [await desk.ask(query % part, id=order) for part in PARTS]
        assert desk.erp.box.requests == []
        assert [without_origin(item) for item in kept] == [without_origin(item) for item in live]
        assert [without_origin(item) for item in first] == [without_origin(item) for item in live]
        assert "'CACHE'" in str(kept)


def without_origin(value: Any) -> Any:
    """An answer without where it came from."""
    if isinstance(value, list):
        return [without_origin(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: without_origin(item) for name, item in value.items() if name not in ("source", "sources")}


@pytest.mark.parametrize("query", [ORDERS, ONE])
async def test_what_a_system_refuses_is_said_again_by_what_is_kept(desk: Desk, query: str) -> None:
    order = (await desk.ask(ORDERS % "number"))["nodes"][0]["id"]
    await updated(desk.gateway, desk.connection, staleOnError=True)
    remove_zone(desk.erp.box)
    told = [await desk.ask(query % "number customFields { value }", id=order) for _ in range(3)]
    gaps = [{"path": "customFields.zone", "reason": "NOT_SUPPORTED_BY_SYSTEM"}]
    for answer in told:
        for record in answer.get("nodes", [answer]):
            assert record["customFields"] == [{"value": None}]
            assert record["meta"]["missing"] == gaps
            assert record["number"]


async def test_other_settings_count_at_once(desk: Desk) -> None:
    async def served() -> str:
        (source,) = (await desk.ask(ORDERS % "number"))["sources"]
        return str(source["servedFrom"])

    assert [await served(), await served()] == ["LIVE", "CACHE"]
    settings = (await updated(desk.gateway, desk.connection, maxAgeSeconds=0))["settings"]
    assert settings["maxAgeSeconds"] == 0
    assert [await served(), await served()] == ["LIVE", "LIVE"]
    await updated(desk.gateway, desk.connection, maxAgeSeconds=61)
    assert [await served(), await served()] == ["LIVE", "CACHE"]
    await updated(desk.gateway, desk.connection, options={"sap-language": "DE"})
    assert [await served(), await served()] == ["LIVE", "CACHE"]
    await updated(desk.gateway, desk.connection, maxAgeSeconds=None)
    assert [await served(), await served()] == ["LIVE", "LIVE"]


async def test_objects_are_counted_kept_and_explained(desk: Desk) -> None:
    query = """query ($id: ID!, $freshness: FreshnessInput) { found: customObjects(
      connectionId: $id, object: "permits", first: 4, freshness: $freshness,
      filter: {field: "Zone", operator: EQ, value: "1"}
    ) { nodes { id remoteId fields { key value } } totalCount
        sources { servedFrom calls { path requests } } } }"""
    first = await desk.ask(query, id=desk.connection)
    assert first["totalCount"] == 6
    assert [item["path"] for item in first["sources"][0]["calls"]] == ["nodes", "totalCount"]
    again = await desk.ask(query, id=desk.connection)
    assert (again["nodes"], again["sources"][0]["servedFrom"]) == (first["nodes"], "CACHE")
    live = await desk.ask(query, id=desk.connection, freshness={"maxAgeSeconds": 0})
    assert live["sources"][0]["servedFrom"] == "LIVE"
    desk.erp.box.requests.clear()
    explain = """query ($asked: String!, $variables: JSON) { found: explain(query: $asked, variables: $variables) {
      cost upstreamCalls reads { path entity upstreamFields filtersPushed request { url } missing { path } }
      problems { message } } }"""
    told = await desk.ask(explain, asked=query, variables={"id": desk.connection})
    assert desk.erp.box.requests == []
    assert told["problems"] == []
    reads = [(item["path"], item["entity"]) for item in told["reads"]]
    assert reads == [("found.nodes", None), ("found.totalCount", None)]
    assert told["reads"][0]["filtersPushed"] == ["Zone"]
    assert "/YY1_PERMIT_CDS/YY1_PERMIT?" in told["reads"][0]["request"]["url"]
    assert (told["upstreamCalls"], told["cost"]) == (2, 2 * 10 + 5)
    one = f'{{ found: node(id: "{first["nodes"][0]["id"]}") {{ ... on CustomObject {{ remoteId raw }} }} }}'
    told = await desk.ask(explain, asked=one)
    assert (told["problems"], [item["path"] for item in told["reads"]]) == ([], ["found"])
    assert (await desk.ask(one))["raw"]["Zone"] == "1"


async def test_secrets_of_a_system_that_sends_everything_are_held_back(desk: Desk) -> None:
    application = desk.erp.box.application
    orders = application.services["API_PURCHASEORDER_PROCESS_SRV"].entity_sets[OF_ORDERS]  # type: ignore[attr-defined]
    orders.properties["YY1_AccessToken"] = Property("YY1_AccessToken", "Edm.String", max_length=10)
    for row in application.data[OF_ORDERS]:  # type: ignore[attr-defined]
        row["YY1_AccessToken"] = "hush"
    for part in ("raw", 'raw(paths: ["PurchaseOrder", "YY1_AccessToken"])'):
        for _ in range(2):
            found = await desk.ask(ORDERS % part)
            assert "hush" not in str(found)
            for node in found["nodes"]:
                assert node["raw"]["PurchaseOrder"]
                assert node["meta"]["missing"] == [{"path": "raw.YY1_AccessToken", "reason": "REDACTED"}]


async def test_too_many_parts_of_a_linked_record_are_an_error_of_the_field(desk: Desk) -> None:
    parts = ", ".join(f'"P{number}"' for number in range(101))
    query = (
        f"{{ purchaseOrders(first: 1) {{ nodes {{ vendor {{ raw(paths: [{parts}]) }} }} }} viewer {{ __typename }} }}"
    )
    body = await desk.gateway.ask(query)
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "VALIDATION_FAILED"
    assert body["data"]["viewer"] == {"__typename": "Viewer"}
