"""The first query that a newcomer sends, held against what the systems themselves say."""

import re
import stat
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.e2e.demo import ADMIN, ORDERS, SUPPLIERS, Demo

QUERY = """{ purchaseOrders(first: 50, orderBy: [{field: UPDATED_AT, direction: DESC}]) {
  nodes {
    id number status sourceStatus updatedAt vendor { name } total { amount currency }
    lines(first: 3) { nodes { description quantityOrdered { value unit } } }
    connection { name system { key } }
  }
  pageInfo { hasNextPage endCursor }
  isComplete
  sources { connection { name } status count durationMs upstreamCalls }
} }"""
NAMES = ("sap-eu", "sap-us")
CREDENTIALS = {"sap_s4hana": {"url", "username", "password"}, "odoo": {"url", "database", "apiKey"}}


def moment(text: str) -> datetime:
    """What SAP's `/Date(milliseconds+offset)/` stands for."""
    found = re.fullmatch(r"/Date\((\d+)[+-]\d+\)/", text)
    assert found is not None
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(found[1]))


def printed(value: datetime) -> str:
    return value.replace(tzinfo=None).isoformat() + "Z"


def newest(demo: Demo, count: int) -> list[dict[str, Any]]:
    """The orders that changed last, as the systems' own OData tells them."""
    found = []
    for name in NAMES:
        sandbox = demo.sandboxes[name]
        vendors = {
            row["Supplier"]: row["SupplierName"] for row in sandbox.rows(SUPPLIERS, select="Supplier,SupplierName")
        }
        rows = sandbox.rows(
            ORDERS,
            filter="PurchasingDocumentDeletionCode ne 'L'",
            expand="to_PurchaseOrderItem",
            orderby="PurchaseOrder asc",
        )
        for row in rows:
            items = sorted(row["to_PurchaseOrderItem"]["results"], key=lambda item: int(item["PurchaseOrderItem"]))
            found.append(
                {
                    "connection": name,
                    "number": row["PurchaseOrder"],
                    "changed": moment(row["LastChangeDateTime"]),
                    "vendor": vendors[row["Supplier"]],
                    "lines": [item["PurchaseOrderItemText"] for item in items[:3]],
                    "currency": row["DocumentCurrency"],
                }
            )
    found.sort(key=lambda row: (demo.connection_id(row["connection"]), row["number"]))
    found.sort(key=lambda row: row["changed"], reverse=True)
    return found[:count]


def test_rows_of_two_systems_come_merged_with_vendors_and_lines(demo: Demo) -> None:
    page = demo.first.data(QUERY)["purchaseOrders"]
    assert page["isComplete"] is True
    assert [(source["connection"]["name"], source["status"]) for source in page["sources"]] == [
        (name, "OK") for name in NAMES
    ]
    assert sum(source["count"] for source in page["sources"]) == len(page["nodes"]) == 50
    expected = newest(demo, 50)
    told = [
        {
            "connection": node["connection"]["name"],
            "number": node["number"],
            "changed": node["updatedAt"],
            "vendor": node["vendor"]["name"],
            "lines": [line["description"] for line in node["lines"]["nodes"]],
            "currency": node["total"]["currency"],
        }
        for node in page["nodes"]
    ]
    assert told == [{**row, "changed": printed(row["changed"])} for row in expected]
    assert {node["connection"]["system"]["key"] for node in page["nodes"]} == {"sap_s4hana"}
    assert page["pageInfo"]["hasNextPage"] is True


def test_each_system_is_asked_once_for_orders_and_once_for_vendors_and_every_call_is_told(demo: Demo) -> None:
    page = demo.first.data(QUERY)["purchaseOrders"]
    for source in page["sources"]:
        asked = demo.sandboxes[source["connection"]["name"]].requests()
        assert [request["entity"] for request in asked] == ["PURCHASE_ORDER", "VENDOR"]
        assert source["upstreamCalls"] == len(asked)
    assert demo.sandboxes["sap-mills"].requests() == []


def test_only_what_is_selected_is_asked_for(demo: Demo) -> None:
    demo.first.data(QUERY)
    for name in NAMES:
        orders, vendors = (set(request["query"]["$select"].split(",")) for request in demo.sandboxes[name].requests())
        assert vendors == {"Supplier", "SupplierName"}
        header = {path for path in orders if "/" not in path}
        assert header >= {"PurchaseOrder", "Supplier", "LastChangeDateTime"}
        assert not header & {
            "PurchaseOrderType",
            "PurchaseOrderDate",
            "PaymentTerms",
            "CompanyCode",
            "IncotermsClassification",
        }
        items = {path.partition("/")[2] for path in orders - header}
        assert items >= {"PurchaseOrderItemText", "OrderQuantity", "PurchaseOrderQuantityUnit"}
        assert not items & {"Material", "MaterialGroup", "Plant", "StorageLocation", "SupplierMaterialNumber"}
    demo.sandboxes["sap-eu"].forget()
    demo.first.data('{ purchaseOrders(first: 3, systems: ["sap_s4hana"]) { nodes { number } } }')
    (request,) = demo.sandboxes["sap-eu"].requests()
    assert request["query"]["$select"] == "PurchaseOrder"
    assert "$expand" not in request["query"]


def test_a_filter_is_done_by_the_systems(demo: Demo) -> None:
    query = """{ purchaseOrders(first: 200, filter: {status: {eq: CANCELED}}) {
      nodes { number isDeleted } sources { connection { name } count filteredHere } } }"""
    page = demo.first.data(query)["purchaseOrders"]
    for source in page["sources"]:
        sandbox = demo.sandboxes[source["connection"]["name"]]
        assert source["count"] == sandbox.count(ORDERS, "PurchasingDocumentDeletionCode eq 'L'") > 0
        assert source["filteredHere"] == []
    assert all(node["isDeleted"] for node in page["nodes"])


def test_what_no_system_can_filter_is_filtered_here_and_named(demo: Demo) -> None:
    query = """{ purchaseOrders(first: 200, filter: {total: {amount: {gte: "5000"}}}, orderBy: [{field: TOTAL}]) {
      nodes { total { amount } } isComplete sources { status filteredHere } } }"""
    page = demo.first.data(query)["purchaseOrders"]
    amounts = [Decimal(node["total"]["amount"]) for node in page["nodes"]]
    assert amounts == sorted(amounts)
    assert amounts[0] >= 5_000
    assert page["isComplete"] is True
    assert {name for source in page["sources"] for name in source["filteredHere"]} == {"total"}


def test_the_notes_for_scripts_are_complete_and_private(demo: Demo) -> None:
    assert stat.S_IMODE(demo.notes_file.stat().st_mode) == 0o600
    notes = demo.notes
    assert set(notes) == {"url", "adminToken", "customers"}
    assert (notes["url"], notes["adminToken"]) == (demo.url, ADMIN)
    assert [len(customer["connections"]) for customer in notes["customers"]] == [3, 2]
    for customer in notes["customers"]:
        assert set(customer) == {"id", "name", "key", "connections"}
        for connection in customer["connections"]:
            assert set(connection) == {
                "id", "name", "system", "token", "authMethod", "sandboxUrl", "credentials",
            }  # fmt: skip
            assert set(connection["credentials"]) == CREDENTIALS[connection["system"]]
            assert connection["credentials"]["url"] == connection["sandboxUrl"]


def test_what_was_written_down_is_what_the_graph_says(demo: Demo) -> None:
    query = "{ customers { nodes { id name connections { nodes { id name system { key } } } } } }"
    told = demo.admin.data(query)["customers"]["nodes"]
    assert told == [
        {
            "id": customer["id"],
            "name": customer["name"],
            "connections": {
                "nodes": [
                    {"id": item["id"], "name": item["name"], "system": {"key": item["system"]}}
                    for item in customer["connections"]
                ]
            },
        }
        for customer in demo.notes["customers"]
    ]
