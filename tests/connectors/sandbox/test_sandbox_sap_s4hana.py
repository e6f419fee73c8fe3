"""The sandbox of SAP S/4HANA: its facts, its samples and its demo data fit together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import httpx
import pytest

from connectors.sandbox.demo import demo_vendors
from connectors.sandbox.odata_v2 import EntitySet, read_services
from connectors.sandbox.odata_v2.payload import read_value
from connectors.sandbox.odata_v2.values import comparable, key_of, to_json, value_of
from connectors.systems.sap_s4hana.sandbox import USERS, demo_data, entity_of, facts, samples, sandbox

Connect = Callable[..., httpx.AsyncClient]
TODAY = date(2026, 11, 20)
BASE = "http://plant.example/sap/opu/odata/sap"
ORDERS = f"{BASE}/API_PURCHASEORDER_PROCESS_SRV"
PARTNERS = f"{BASE}/API_BUSINESS_PARTNER"
SETS: Mapping[str, EntitySet] = {
    name: entity_set for service in read_services(facts()).values() for name, entity_set in service.entity_sets.items()
}


def demo(**settings: Any) -> dict[str, list[dict[str, Any]]]:
    return demo_data(7, today=TODAY, **settings)


def test_facts_hold_every_service() -> None:
    assert len(SETS) == 45
    order = SETS["A_PurchaseOrder"].properties
    assert len(order) == 57
    assert order["LastChangeDateTime"].precision == 7
    assert not order["ReleaseIsNotCompleted"].updatable
    assert SETS["A_PurchaseOrderItem"].properties["NetPriceAmount"].is_amount
    assert not SETS["A_Supplier"].creatable
    assert not SETS["A_PurchaseOrderNote"].properties["PlainLongText"].filterable
    assert SETS["A_PurchaseOrderItem"].navigation["to_ScheduleLine"].on == {
        "PurchaseOrder": "PurchasingDocument",
        "PurchaseOrderItem": "PurchasingDocumentItem",
    }


@pytest.mark.parametrize("rows", [samples(), demo(), demo(region="US", currency="USD", company_code="1710")])
def test_rows_fit_the_facts(rows: dict[str, list[dict[str, Any]]]) -> None:
    for name, entities in rows.items():
        entity_set = SETS[name]
        keys = Counter(key_of(entity_set, row) for row in entities)
        assert max(keys.values()) == 1, f"{name} has a key twice"
        for row in entities:
            for each in row:
                prop = entity_set.properties[each]
                read, inner = read_value(prop, to_json(prop, row)), comparable(prop)
                if prop.type == "Edm.DateTimeOffset" and row[each] is not None:
                    read += timedelta(microseconds=row[each].microsecond % 1_000)
                assert inner(read) == inner(value_of(prop, row)), (name, each, row[each])


@pytest.mark.parametrize("rows", [samples(), demo()])
def test_children_have_parents(rows: dict[str, list[dict[str, Any]]]) -> None:
    for name, entity_set in SETS.items():
        if entity_set.parent is None:
            continue
        owner = SETS[entity_set.parent.entity_set]
        parents = {key_of(owner, row) for row in rows.get(owner.name, ())}
        for row in rows.get(name, ()):
            joined = {far: row[near] for near, far in entity_set.parent.on.items()}
            assert key_of(owner, joined) in parents


def test_samples_show_every_case() -> None:
    rows = samples()
    orders = rows["A_PurchaseOrder"]
    items = rows["A_PurchaseOrderItem"]
    assert {order["PurchasingProcessingStatus"] for order in orders} == {
        "",
        "01",
        "02",
        "03",
        "04",
        "05",
        "08",
    }
    assert {order.get("PurchasingDocumentDeletionCode", "") for order in orders} == {"", "L", "S"}
    assert {order.get("ReleaseIsNotCompleted", False) for order in orders} == {True, False}
    assert {order.get("PurchasingCompletenessStatus", False) for order in orders} == {True, False}
    assert {item.get("PurchasingDocumentDeletionCode", "") for item in items} == {"", "L", "S"}
    delivered = {(item.get("IsCompletelyDelivered"), item.get("IsFinallyInvoiced")) for item in items}
    assert delivered == {(None, None), (True, None), (True, True)}
    assert {item["NetPriceQuantity"] for item in items} == {Decimal(n) for n in (1, 10, 100, 1000)}
    assert Decimal("0.125") in {item["OrderQuantity"] for item in items}
    suppliers = {supplier["Supplier"] for supplier in rows["A_Supplier"]}
    named = {order["Supplier"] for order in orders}
    assert "" in named
    assert named - suppliers == {"", "10399999"}
    assert {order["PurchaseOrder"] for order in orders} - {item["PurchaseOrder"] for item in items}
    changes = Counter(order.get("LastChangeDateTime") for order in orders)
    assert changes[datetime(2026, 6, 30, 22, tzinfo=UTC)] == 4
    assert datetime(2026, 6, 2, 8, 41, 3, 433956, UTC) in changes
    assert None in changes
    assert {order["DocumentCurrency"] for order in orders} == {"EUR", "USD", "JPY", ""}


def test_demo_data_is_the_same_for_the_same_seed_and_day() -> None:
    assert demo() == demo()
    assert demo() != demo_data(8, today=TODAY)


def test_demo_data_is_alive_around_today() -> None:
    rows = demo()
    orders, items = rows["A_PurchaseOrder"], rows["A_PurchaseOrderItem"]
    assert (len(orders), len(rows["A_Supplier"])) == (300, 80)
    states = Counter(
        (
            order.get("PurchasingDocumentDeletionCode", ""),
            order["PurchasingProcessingStatus"],
            bool(order.get("PurchasingCompletenessStatus")),
        )
        for order in orders
    )
    assert set(states) == {
        ("", "02", False),
        ("", "02", True),
        ("", "03", False),
        ("", "05", False),
        ("", "08", False),
        ("L", "05", False),
        ("S", "05", False),
    }
    assert max(order["CreationDate"] for order in orders) <= TODAY
    assert (TODAY - max(order["CreationDate"] for order in orders)).days <= 3
    assert max(order["LastChangeDateTime"] for order in orders) <= datetime(2026, 11, 20, tzinfo=UTC)
    assert all(order["LastChangeDateTime"].date() >= order["CreationDate"] for order in orders)
    waiting = [order for order in orders if order["PurchasingProcessingStatus"] == "03"]
    assert all((TODAY - order["CreationDate"]).days < 45 for order in waiting)
    due = [line["ScheduleLineDeliveryDate"] for line in rows["A_PurchaseOrderScheduleLine"]]
    assert min(due) < TODAY < max(due)
    assert TODAY in due
    assert any(not item["IsCompletelyDelivered"] for item in items)
    assert sum(item["IsFinallyInvoiced"] for item in items) > 100
    assert {item["PurchaseOrderQuantityUnit"] for item in items} == {"ST", "KG", "L", "M", "H"}
    assert {item["NetPriceQuantity"] for item in items} == {Decimal(n) for n in (1, 10, 100, 1000)}
    assert len({order["Supplier"] for order in orders}) > 50


def test_schedule_lines_add_up() -> None:
    rows = demo()
    scheduled: Counter[tuple[str, str]] = Counter()
    for line in rows["A_PurchaseOrderScheduleLine"]:
        scheduled[line["PurchasingDocument"], line["PurchasingDocumentItem"]] += line["ScheduleLineOrderQuantity"]
    for item in rows["A_PurchaseOrderItem"]:
        assert scheduled[item["PurchaseOrder"], item["PurchaseOrderItem"]] == item["OrderQuantity"]


def test_vendors_are_shared_under_different_numbers() -> None:
    shared = demo_vendors(Random(1), "EU", 10)  # noqa: S311 - no secret depends on it
    eu = demo(shared_vendors=shared)
    us = demo(shared_vendors=shared, region="US", currency="USD", company_code="1710")

    def numbers(rows: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
        return {row["SupplierName"]: row["Supplier"] for row in rows["A_Supplier"]}

    both = set(numbers(eu)) & set(numbers(us))
    assert both == {vendor.name for vendor in shared}
    assert all(numbers(eu)[name] != numbers(us)[name] for name in both)
    assert len(eu["A_Supplier"]) == len(us["A_Supplier"]) == 80


def test_no_more_companies_than_there_are_names() -> None:
    with pytest.raises(ValueError, match="the words suffice for 105 companies in US, not for 500"):
        demo_vendors(Random(1), "US", 500)  # noqa: S311 - no secret depends on it


@pytest.mark.parametrize(
    ("path", "entity"),
    [
        ("/sap/opu/odata/sap/API_PURCHASEORDER_PROCESS_SRV/A_PurchaseOrder", "PURCHASE_ORDER"),
        ("/sap/opu/odata/sap/API_PURCHASEORDER_PROCESS_SRV/A_PurchaseOrder('1')/to_X", "PURCHASE_ORDER"),
        ("/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_Supplier('1')", "VENDOR"),
        ("/sap/opu/odata/sap/API_MAINTENANCEORDER;v=2/MaintenanceOrder", "WORK_ORDER"),
        ("/sap/opu/odata/sap/API_MAINTENANCEORDER;v=2/$metadata", None),
        ("/sap/opu/odata/sap/API_EQUIPMENT/Equipment(Equipment='1')", "ASSET"),
        ("/sap/opu/odata/sap/API_FUNCTIONALLOCATION/FunctionalLocation('?0100')", "ASSET"),
        ("/sap/opu/odata/sap/API_PRODUCT_SRV/A_Product", "INVENTORY_ITEM"),
        ("/sap/opu/odata/sap/API_MATERIAL_STOCK_SRV/A_MatlStkInAcctMod/$count", "INVENTORY_ITEM"),
        ("/sap/opu/odata/sap/API_BUSINESS_PARTNER/$metadata", None),
        ("/sap/opu/odata/sap/API_BUSINESS_PARTNER/", None),
        ("/sap/opu/odata/sap/API_OTHER/A_Thing", None),
        ("/", None),
    ],
)
def test_paths_concern_kinds_of_records(path: str, entity: str | None) -> None:
    assert entity_of(path) == entity


async def test_orders_with_lines_and_deliveries(connect: Connect) -> None:
    async with connect(sandbox(), auth=tuple(*USERS.items()), base_url=ORDERS) as client:
        answer = await client.get(
            "/A_PurchaseOrder('4500000002')"
            "?$expand=to_PurchaseOrderItem/to_ScheduleLine"
            "&$select=PurchaseOrder,Supplier,LastChangeDateTime,to_PurchaseOrderItem"
        )
    order = answer.json()["d"]
    items = order["to_PurchaseOrderItem"]["results"]
    assert order["LastChangeDateTime"] == "/Date(1780389663434+0000)/"
    assert sorted(item["PurchaseOrderItem"] for item in items) == ["10", "20", "30"]
    line = next(item for item in items if item["PurchaseOrderItem"] == "10")["to_ScheduleLine"]["results"][0]
    assert line["ScheduleLineDeliveryDate"] == "/Date(1782864000000)/"
    assert (line["ScheduleLineOrderQuantity"], line["PurchaseRequisitionItem"]) == ("10.000", "0")


async def test_amounts_in_yen_have_no_decimals(connect: Connect) -> None:
    async with connect(sandbox(), auth=tuple(*USERS.items()), base_url=ORDERS) as client:
        answer = await client.get("/A_PurchaseOrder('4500000015')/to_PurchaseOrderItem?$orderby=NetPriceAmount")
    assert [item["NetPriceAmount"] for item in answer.json()["d"]["results"]] == ["1999", "41250", "2480000"]


async def test_every_order_can_be_asked_for_under_every_order(connect: Connect) -> None:
    async with connect(sandbox(demo(), page_size=1_000), auth=tuple(*USERS.items()), base_url=ORDERS) as client:
        for name, prop in SETS["A_PurchaseOrder"].properties.items():
            answer = await client.get(f"/A_PurchaseOrder?$select=PurchaseOrder,{name}&$orderby={name}")
            assert (answer.status_code, len(answer.json()["d"]["results"])) == (200, 300), prop.name


async def test_suppliers_with_odd_names_are_found(connect: Connect) -> None:
    async with connect(sandbox(), auth=tuple(*USERS.items()), base_url=PARTNERS) as client:

        async def found(name: str) -> list[str]:
            params = {"$filter": f"SupplierName eq '{name}'", "$select": "Supplier"}
            rows = (await client.get("/A_Supplier", params=params)).json()["d"]["results"]
            return [row["Supplier"] for row in rows]

        assert await found("O''Brannagh & Sons Ltd") == ["10300002"]
        assert await found("100 % Schmierstoffe GmbH") == ["10300007"]
        assert await found("ångtorp ventiler ab") == ["10"]
        assert await found("株式会社ハルデラウ") == ["10300010"]
        answer = await client.get("/A_Supplier?$select=Supplier&$orderby=Supplier")
    assert [row["Supplier"] for row in answer.json()["d"]["results"]][:3] == ["9", "10", "10300001"]


async def test_an_order_is_created_changed_and_deleted(connect: Connect) -> None:
    controlled = sandbox(users={"BUYER": "x"})
    async with connect(controlled, auth=("BUYER", "x"), base_url=ORDERS) as client:
        answer = await client.get("/", headers={"x-csrf-token": "Fetch"})
        client.headers["x-csrf-token"] = answer.headers["x-csrf-token"]
        body = {
            "CompanyCode": "1010",
            "PurchasingOrganization": "1010",
            "PurchasingGroup": "001",
            "Supplier": "10300001",
            "DocumentCurrency": "EUR",
            "to_PurchaseOrderItem": [
                {
                    "Material": "PMP-40-200",
                    "OrderQuantity": "2",
                    "PurchaseOrderQuantityUnit": "ST",
                    "NetPriceAmount": "10.00",
                    "to_ScheduleLine": [{"ScheduleLineDeliveryDate": "2026-12-24T00:00:00"}],
                }
            ],
        }
        answer = await client.post("/A_PurchaseOrder", json=body)
        order = answer.json()["d"]
        assert (order["PurchaseOrder"], order["PurchasingProcessingStatus"]) == ("4500000022", "02")
        path = "/A_PurchaseOrder('4500000022')"
        lines = f"{path}/to_PurchaseOrderItem?$expand=to_ScheduleLine"
        item = (await client.get(lines)).json()["d"]["results"][0]
        assert (item["PurchaseOrderItem"], item["DocumentCurrency"]) == ("10", "EUR")
        delivery = item["to_ScheduleLine"]["results"][0]
        assert (delivery["ScheduleLine"], delivery["PurchaseOrderQuantityUnit"]) == ("1", "ST")
        tag = order["__metadata"]["etag"]
        change = {"PaymentTerms": "NT30"}
        assert (await client.patch(path, json=change, headers={"if-match": tag})).status_code == 204
        assert (await client.patch(path, json=change, headers={"if-match": tag})).status_code == 412
        assert (await client.delete(path, headers={"if-match": "*"})).status_code == 204
        order = (await client.get(path)).json()["d"]
        assert order["PurchasingDocumentDeletionCode"] == "L"
        answer = await client.get(f"{path}/to_PurchaseOrderItem")
        assert answer.json()["d"]["results"][0]["PurchasingDocumentDeletionCode"] == "L"
        assert (await client.patch(path, json=change, headers={"if-match": "*"})).status_code == 400
    assert {record["entity"] for record in controlled.requests} == {None, "PURCHASE_ORDER"}
