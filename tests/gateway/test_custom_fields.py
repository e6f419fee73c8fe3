"""Fields that settings add, and the source's own record: at once, with the same request, for one tenant."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from connectors.sandbox.odata_v2.service import Property
from tests.gateway.customer_plant import ORDERS, ZONE, add_zone, remove_zone, updated
from tests.gateway.running import RunningGateway, StandIn, running_gateway, stand_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

CUSTOM = """
query ($keys: [String!]) {
  purchaseOrders(first: 200) {
    nodes { remoteId number customFields(keys: $keys) { key label type value text } meta { missing { path reason } } }
    sources { status upstreamCalls }
  }
}
"""
PLAIN = "{ purchaseOrders(first: 200) { nodes { remoteId number } sources { status upstreamCalls } } }"
RAW = """
query ($paths: [String!]) {
  purchaseOrders(first: 3) {
    nodes { remoteId raw(paths: $paths) lines { nodes { description } } meta { missing { path reason } } }
    sources { status upstreamCalls }
  }
}
"""
WHOLE = "{ purchaseOrders(first: 3) { nodes { remoteId raw lines { nodes { id } } } sources { upstreamCalls } } }"


@dataclass
class Shop:
    """One connection to an S/4HANA whose purchase orders have fields of the customer's own."""

    gateway: RunningGateway
    erp: StandIn
    connection: str

    async def orders(self, query: str, **variables: Any) -> Any:
        """A page of orders, with what it asked of the system."""
        self.erp.box.requests.clear()
        return (await self.gateway.data(query, **variables))["purchaseOrders"]

    def selects(self) -> list[str]:
        """What was selected of orders, request by request."""
        found = [item for item in self.erp.box.requests if item["path"].endswith(ORDERS)]
        return [item["query"].get("$select", "everything") for item in found]

    @property
    def rows(self) -> dict[str, Any]:
        """The orders as the system has them."""
        return {row["PurchaseOrder"]: row for row in self.erp.box.application.data[ORDERS]}  # type: ignore[attr-defined]


@pytest_asyncio.fixture(loop_scope="module")
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with stand_in() as erp, running_gateway(tmp_path) as gateway:
        add_zone(erp.box)
        connection, _ = await gateway.connected(erp)
        yield Shop(gateway, erp, connection)


async def test_a_field_is_there_with_the_next_request_and_costs_none(shop: Shop) -> None:
    before = await shop.orders(PLAIN)
    plain = shop.selects()
    assert {tuple(node["customFields"]) for node in (await shop.orders(CUSTOM))["nodes"]} == {()}
    await updated(shop.gateway, shop.connection, customFields=[ZONE])
    found = await shop.orders(CUSTOM)
    assert found["sources"] == before["sources"]
    assert "YY1_Zone" in shop.selects()[0]
    for node in found["nodes"]:
        value = shop.rows[node["remoteId"]].get("YY1_Zone")
        (field,) = node["customFields"]
        assert field == {"key": "zone", "label": "Explosion zone", "type": "TEXT", "value": value, "text": value}
        gaps = [] if value else [{"path": "customFields.zone", "reason": "EMPTY_AT_SOURCE"}]
        assert node["meta"]["missing"] == gaps
    assert any(node["customFields"][0]["value"] for node in found["nodes"])
    assert (await shop.orders(PLAIN)) == before
    assert shop.selects() == plain


async def test_every_type_is_exact(shop: Shop) -> None:
    names = {"weight": "YY1_Weight", "checked": "YY1_Checked", "hot": "YY1_Hot", "vendor": "Supplier"}
    fields = [{"entity": "PURCHASE_ORDER", "key": key, "path": path} for key, path in names.items()]
    await updated(shop.gateway, shop.connection, customFields=[*fields, {**ZONE, "type": "NUMBER"}])
    found = await shop.orders(CUSTOM)
    full = next(node for node in found["nodes"] if node["customFields"][2]["value"])
    shown = {item["key"]: (item["type"], item["value"], item["text"]) for item in full["customFields"]}
    assert shown["weight"] == ("NUMBER", "12.500", "12.500")
    assert shown["checked"] == ("DATE", "2026-03-04", "2026-03-04")
    assert shown["hot"] == ("BOOLEAN", True, "true")
    assert shown["zone"] == ("NUMBER", None, None)
    assert full["meta"]["missing"] == [{"path": "customFields.zone", "reason": "UNPARSABLE"}]


async def test_only_the_chosen_keys_are_asked_for(shop: Shop) -> None:
    other = {"entity": "PURCHASE_ORDER", "key": "weight", "path": "YY1_Weight"}
    await updated(shop.gateway, shop.connection, customFields=[ZONE, other])
    found = await shop.orders(CUSTOM, keys=["weight", "of another system"])
    assert {field["key"] for node in found["nodes"] for field in node["customFields"]} == {"weight"}
    assert "YY1_Weight" in shop.selects()[0]
    assert "YY1_Zone" not in shop.selects()[0]


async def test_single_records_nodes_and_links_have_them_too(shop: Shop) -> None:
    vendor = {"entity": "VENDOR", "key": "terms", "path": "PaymentTerms"}
    await updated(shop.gateway, shop.connection, customFields=[ZONE, {**vendor, "path": "SupplierAccountGroup"}])
    query = '{ purchaseOrders(first: 1) { nodes { id vendor { customFields { key } raw(paths: ["Supplier"]) } } } }'
    (order,) = (await shop.orders(query))["nodes"]
    assert order["vendor"]["customFields"] == [{"key": "terms"}]
    assert list(order["vendor"]["raw"]) == ["Supplier"]
    one = 'query ($id: ID!) { a: node(id: $id) { ... on Record { customFields { key } raw(paths: ["YY1_Hot"]) } } \
        b: purchaseOrder(id: $id) { customFields { key value } raw(paths: ["YY1_Zone"]) } }'
    data = await shop.gateway.data(one, id=order["id"])
    assert data["a"]["customFields"] == [{"key": "zone"}]
    assert list(data["a"]["raw"]) == ["YY1_Hot"]
    assert data["b"]["raw"] == {"YY1_Zone": data["b"]["customFields"][0]["value"]}


async def test_a_field_of_one_of_two_collections_is_null_in_the_other(shop: Shop) -> None:
    """Assets are equipment and functional locations, each a service of its own."""
    services = shop.erp.box.application.services  # type: ignore[attr-defined]
    services["API_EQUIPMENT"].entity_sets["Equipment"].properties["YY1_Area"] = Property("YY1_Area", "Edm.String")
    area = {"entity": "ASSET", "key": "area", "path": "YY1_Area"}
    await updated(shop.gateway, shop.connection, customFields=[area])
    query = """{ assets(first: 200) { nodes { kind customFields { key } meta { missing { path reason } } }
        isComplete sources { upstreamCalls } } }"""
    found = (await shop.gateway.data(query))["assets"]
    assert (found["isComplete"], found["sources"]) == (True, [{"upstreamCalls": 2}])
    reasons = {(node["kind"], gap["reason"]) for node in found["nodes"] for gap in node["meta"]["missing"]}
    assert {reason for kind, reason in reasons if kind == "EQUIPMENT"} == {"EMPTY_AT_SOURCE"}
    assert {reason for kind, reason in reasons if kind != "EQUIPMENT"} == {"NOT_SUPPORTED_BY_SYSTEM"}
    assert all(node["customFields"] == [{"key": "area"}] for node in found["nodes"])


async def test_a_field_that_is_gone_is_null_and_the_list_is_whole(shop: Shop) -> None:
    other = {"entity": "PURCHASE_ORDER", "key": "hot", "path": "YY1_Hot"}
    await updated(shop.gateway, shop.connection, customFields=[ZONE, other])
    before = await shop.orders(PLAIN)
    remove_zone(shop.erp.box)
    found = await shop.orders(CUSTOM)
    assert found["sources"][0]["status"] == "OK"
    assert [node["remoteId"] for node in found["nodes"]] == [node["remoteId"] for node in before["nodes"]]
    assert any(node["customFields"][1]["value"] is True for node in found["nodes"])
    for node in found["nodes"]:
        assert node["customFields"][0]["value"] is None
        assert {"path": "customFields.zone", "reason": "NOT_SUPPORTED_BY_SYSTEM"} in node["meta"]["missing"]


async def test_what_the_field_is_not_to_blame_for_stays_an_error(shop: Shop) -> None:
    await updated(shop.gateway, shop.connection, customFields=[ZONE])
    shop.erp.trouble("forbidden")
    found = await shop.orders(CUSTOM)
    assert found["sources"][0]["status"] == "PERMISSION_DENIED"
    assert found["nodes"] == []


class TestRaw:
    async def test_is_the_record_as_the_system_sends_it_alone(self, shop: Shop) -> None:
        """Also where other fields need its lines, which come with the same request."""
        found = await shop.orders(WHOLE)
        assert found["sources"] == [{"upstreamCalls": 1}]
        alone = await shop.orders("{ purchaseOrders(first: 3) { nodes { remoteId raw } } }")
        for node, other in zip(found["nodes"], alone["nodes"], strict=True):
            own = shop.rows[node["remoteId"]]
            assert node["raw"]["YY1_Zone"] == own.get("YY1_Zone", "")
            assert node["raw"]["PurchaseOrderType"] == own["PurchaseOrderType"]
            assert not any(name.startswith("to_") for name in node["raw"])
            assert set(other["raw"]) == set(node["raw"])

    async def test_is_not_asked_for_unless_selected(self, shop: Shop) -> None:
        await shop.orders(PLAIN)
        assert shop.selects() == ["PurchaseOrder"]

    async def test_paths_narrow_it(self, shop: Shop) -> None:
        found = await shop.orders(RAW, paths=["YY1_Weight", "PurchaseOrder", "Nowhere"])
        for node in found["nodes"]:
            assert set(node["raw"]) == {"YY1_Weight", "PurchaseOrder"}
            assert node["meta"]["missing"] == []

    async def test_paths_lead_through_links_that_the_system_describes(self, shop: Shop) -> None:
        paths = ["to_PurchaseOrderItem.Material", "to_PurchaseOrderItem.Wrong", "to_Nothing.Name"]
        found = await shop.orders(RAW, paths=paths)
        assert found["sources"][0] == {"status": "OK", "upstreamCalls": 2}
        lines = [line for node in found["nodes"] for line in node["raw"]["to_PurchaseOrderItem"]["results"]]
        assert lines
        assert all(set(line) == {"Material"} for line in lines)
        again = await shop.orders(RAW, paths=paths)
        assert again["sources"][0]["upstreamCalls"] == 1

    async def test_several_choices_of_one_query_do_not_mix(self, shop: Shop) -> None:
        query = '{ purchaseOrders(first: 1) { nodes { a: raw(paths: ["PurchaseOrder"]) b: raw(paths: []) c: raw } } }'
        (node,) = (await shop.orders(query))["nodes"]
        assert list(node["a"]) == ["PurchaseOrder"]
        assert node["b"] == {}
        assert len(node["c"]) > 10

    async def test_a_record_that_is_too_long_is_held_back(self, shop: Shop) -> None:
        key = next(iter(shop.rows))
        shop.rows[key]["PurchasingDocumentDeletionCode"] = "x" * 300_000
        found = await shop.orders(RAW)
        (long,) = [node for node in found["nodes"] if node["remoteId"] == key]
        assert long["raw"] is None
        assert long["meta"]["missing"] == [{"path": "raw", "reason": "REDACTED"}]
        short = await shop.orders(RAW, paths=["PurchaseOrder"])
        assert all(node["raw"] for node in short["nodes"])

    @pytest.mark.parametrize("paths", [["x"] * 101, ["a.b.c.d.e.f"]])
    async def test_too_many_paths_are_refused(self, shop: Shop, paths: list[str]) -> None:
        assert await shop.gateway.refused(RAW, paths=paths) == "VALIDATION_FAILED"

    async def test_an_exact_number_stays_one(self, shop: Shop) -> None:
        found = await shop.orders(RAW, paths=["YY1_Weight"])
        values = {node["raw"]["YY1_Weight"] for node in found["nodes"]}
        assert Decimal("12.500") in {Decimal(value) for value in values}
