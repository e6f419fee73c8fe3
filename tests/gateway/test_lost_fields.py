"""A field that a system has taken away is null and says why; everything else is there, and no row is missing."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.running import RunningGateway, running_gateway, stand_in
from tests.gateway.test_custom_over_odoo import over_odoo

ORDERS = """
query ($filter: PurchaseOrderFilter, $orderBy: [PurchaseOrderSort!]) {
  purchaseOrders(first: 100, filter: $filter, orderBy: $orderBy) {
    nodes {
      remoteId number reference paymentTerms { code } vendor { name } total { amount }
      lines(first: 50) { nodes { itemNumber description quantityOrdered { value } } }
      meta { missing { path reason } }
    }
    isComplete
    sources { status upstreamCalls error { code } }
  }
}
"""
LOST = {
    "sap_s4hana": {"PurchaseOrder": ("A_PurchaseOrder", "PaymentTerms"), "Line": ("A_PurchaseOrderItem", "Material")},
    "odoo": {
        "PurchaseOrder": ("purchase.order", "partner_ref"),
        "Line": ("purchase.order.line", "name"),
    },
}
FIELD = {"sap_s4hana": "paymentTerms", "odoo": "reference"}
LINE_FIELD = {"sap_s4hana": "itemNumber", "odoo": "description"}


@contextlib.asynccontextmanager
async def over(system: str, folder: Path) -> AsyncIterator[tuple[RunningGateway, Any]]:
    if system == "odoo":
        async with over_odoo(folder) as (gateway, box, _):
            yield gateway, box
        return
    async with stand_in() as erp, running_gateway(folder) as gateway:
        await gateway.connected(erp)
        yield gateway, erp.box


@pytest.mark.parametrize("system", ["sap_s4hana", "odoo"])
async def test_a_lost_field_is_null_and_says_so(system: str, tmp_path: Path) -> None:
    async with over(system, tmp_path) as (gateway, box):
        before = (await gateway.data(ORDERS))["purchaseOrders"]
        collection, field = LOST[system]["PurchaseOrder"]
        box.application.redescribe(collection, {field: None})
        after = (await gateway.data(ORDERS))["purchaseOrders"]
        assert after["isComplete"] is True
        assert after["sources"][0]["status"] == "OK"
        name = FIELD[system]
        assert any(node[name] for node in before["nodes"])
        for old, new in zip(before["nodes"], after["nodes"], strict=True):
            assert {"path": name, "reason": "NOT_SUPPORTED_BY_SYSTEM"} in new["meta"]["missing"]
            assert new | {name: None, "meta": None} == old | {name: None, "meta": None}
            assert new[name] is None


@pytest.mark.parametrize("system", ["sap_s4hana", "odoo"])
async def test_a_lost_field_of_lines_leaves_the_lines(system: str, tmp_path: Path) -> None:
    async with over(system, tmp_path) as (gateway, box):
        before = (await gateway.data(ORDERS))["purchaseOrders"]
        collection, field = LOST[system]["Line"]
        box.application.redescribe(collection, {field: None})
        after = (await gateway.data(ORDERS))["purchaseOrders"]
        assert after["isComplete"] is True
        name = LINE_FIELD[system]
        lines = [line for node in after["nodes"] for line in node["lines"]["nodes"]]
        assert len(lines) == sum(len(node["lines"]["nodes"]) for node in before["nodes"]) > 0
        assert {line[name] for line in lines} == {None}
        assert any(line["quantityOrdered"] for line in lines)
        reasons = {gap["path"]: gap["reason"] for node in after["nodes"] for gap in node["meta"]["missing"]}
        assert reasons[f"lines.{name}"] == "NOT_SUPPORTED_BY_SYSTEM"


@pytest.mark.parametrize("system", ["sap_s4hana", "odoo"])
async def test_rows_are_not_left_out_because_a_field_is_lost(system: str, tmp_path: Path) -> None:
    """Who filters or sorts by it is told that this source could not; an empty page would be a lie."""
    async with over(system, tmp_path) as (gateway, box):
        number = {"sap_s4hana": ("A_PurchaseOrder", "PurchaseOrderDate"), "odoo": ("purchase.order", "date_order")}
        collection, field = number[system]
        box.application.redescribe(collection, {field: None})
        for question in ({"filter": {"orderDate": {"gte": "2000-01-01"}}}, {"orderBy": [{"field": "ORDER_DATE"}]}):
            page = (await gateway.data(ORDERS, **question))["purchaseOrders"]
            assert (page["nodes"], page["isComplete"]) == ([], False)
            assert page["sources"][0]["error"]["code"] == "UPSTREAM_REJECTED"


async def test_a_system_that_cannot_tell_its_vendors_has_none(tmp_path: Path) -> None:
    """Which partners are vendors is said by a field of a module that it may lack."""
    async with over("odoo", tmp_path) as (gateway, box):
        box.application.redescribe("res.partner", {"supplier_rank": None})
        page = (await gateway.data("{ vendors { nodes { name } isComplete sources { status } } }"))["vendors"]
        assert (page["isComplete"], page["sources"][0]["status"]) == (True, "UNSUPPORTED")


async def test_a_refusal_for_another_reason_stays_one(tmp_path: Path) -> None:
    async with over("sap_s4hana", tmp_path) as (gateway, box):
        box.application.maximum_query_length = 10
        asked = len(box.requests)
        page = (await gateway.data(ORDERS))["purchaseOrders"]
        assert (page["isComplete"], page["sources"][0]["status"]) == (False, "ERROR")
        assert len(box.requests) - asked <= 3


PAGE = """
query ($after: String, $freshness: FreshnessInput) {
  purchaseOrders(first: 3, after: $after, orderBy: [{field: NUMBER, direction: ASC}], freshness: $freshness) {
    edges { node { remoteId reference alias: paymentTerms { code } vendor { name } } }
    pageInfo { endCursor hasNextPage }
    isComplete
  }
}
"""


@pytest.mark.parametrize("system", ["sap_s4hana", "odoo"])
async def test_a_field_may_go_and_come_back_between_two_pages(system: str, tmp_path: Path) -> None:
    async with over(system, tmp_path) as (gateway, box):
        collection, field = LOST[system]["PurchaseOrder"]
        freshness = {"maxAgeSeconds": 600}
        whole = (await gateway.data(PAGE.replace("first: 3", "first: 100")))["purchaseOrders"]
        kind = {"sap_s4hana": "Edm.String", "odoo": "char"}[system]
        found, after, number = [], None, 0
        while True:
            box.application.redescribe(collection, {field: None if number % 2 else kind})
            page = (await gateway.data(PAGE, after=after, freshness=freshness))["purchaseOrders"]
            assert page["isComplete"] is True
            found += [edge["node"]["remoteId"] for edge in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                break
            after, number = page["pageInfo"]["endCursor"], number + 1
        assert found == [edge["node"]["remoteId"] for edge in whole["edges"]]
        assert number > 1
