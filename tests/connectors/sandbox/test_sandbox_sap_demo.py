"""The demo data of SAP S/4HANA hang together: plant, maintenance, store and purchases tell one story."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from connectors.sandbox.demo import demo_goods, demo_machines, demo_stations
from connectors.systems.sap_s4hana.demo.maintenance import status_text
from connectors.systems.sap_s4hana.demo.vendors import domain
from connectors.systems.sap_s4hana.sandbox import demo_data

Rows = dict[str, list[dict[str, Any]]]
TODAY = date(2026, 11, 20)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
FOREVER = date(9999, 12, 31)


@cache
def demo(region: str = "EU") -> Rows:
    if region == "US":
        return demo_data(7, today=TODAY, region="US", currency="USD", company_code="1710")
    return demo_data(7, today=TODAY)


def unrestricted(rows: Rows) -> Counter[str]:
    """What is there of the own stock that anybody may take."""
    found: Counter[str] = Counter()
    for row in rows["A_MatlStkInAcctMod"]:
        if row["InventoryStockType"] == "01" and not row["InventorySpecialStockType"]:
            found[row["Material"]] += row["MatlWrhsStkQtyInMatlBaseUnit"]
    return found


def codes(row: dict[str, Any]) -> set[str]:
    return set(row["SystemStatusText"].split())


@pytest.mark.parametrize("region", ["EU", "US"])
@pytest.mark.parametrize(
    ("entity_set", "property_", "target", "key"),
    [
        ("A_PurchaseOrder", "Supplier", "A_Supplier", "Supplier"),
        ("A_PurchaseOrderItem", "Material", "A_Product", "Product"),
        ("A_PurOrdAccountAssignment", "OrderID", "MaintenanceOrder", "MaintenanceOrder"),
        ("MaintenanceOrder", "Equipment", "Equipment", "Equipment"),
        ("MaintenanceOrder", "FunctionalLocation", "FunctionalLocation", "FunctionalLocation"),
        ("MaintenanceOrderOperation", "OperationSupplier", "A_Supplier", "Supplier"),
        ("MaintOrderOpComponent", "Product", "A_Product", "Product"),
        ("Equipment", "FunctionalLocation", "FunctionalLocation", "FunctionalLocation"),
        ("Equipment", "SuperordinateEquipment", "Equipment", "Equipment"),
        ("EquipmentWarranty", "Equipment", "Equipment", "Equipment"),
        ("FunctionalLocation", "SuperiorFunctionalLocation", "FunctionalLocation", "FunctionalLocation"),
        ("A_MaterialStock", "Material", "A_Product", "Product"),
        ("A_MatlStkInAcctMod", "Supplier", "A_Supplier", "Supplier"),
        ("A_AddressEmailAddress", "AddressID", "A_BusinessPartnerAddress", "AddressID"),
        ("A_AddressPhoneNumber", "AddressID", "A_BusinessPartnerAddress", "AddressID"),
        ("A_AddressHomePageURL", "AddressID", "A_BusinessPartnerAddress", "AddressID"),
    ],
)
def test_everything_named_is_there(region: str, entity_set: str, property_: str, target: str, key: str) -> None:
    rows = demo(region)
    named = {row.get(property_, "") for row in rows[entity_set]} - {""}
    assert named
    assert named <= {row[key] for row in rows[target]}


def test_counts() -> None:
    rows = demo()
    present = [row for row in rows["Equipment"] if row["ValidityEndDate"] == FOREVER]
    assert (len(present), len(rows["A_Product"]), len(rows["MaintenanceOrder"])) == (120, 150, 200)
    assert len(rows["FunctionalLocation"]) == 1 + 6 + 24
    small = demo_data(1, today=TODAY, orders=5, suppliers=3, products=4, equipment=2, maintenance_orders=3)
    counted = ("A_PurchaseOrder", "A_Supplier", "A_Product", "MaintenanceOrder")
    assert [len(small[name]) for name in counted] == [5, 3, 4, 3]
    assert len({row["Equipment"] for row in small["Equipment"]}) == 2
    empty = demo_data(1, today=TODAY, orders=1, suppliers=1, products=0, equipment=0)
    assert "MaintenanceOrder" not in empty
    assert {row["Material"] for row in empty["A_PurchaseOrderItem"]} == {""}


def test_no_more_products_than_there_are_words() -> None:
    with pytest.raises(ValueError, match="the words suffice for 150 products, not for 151"):
        demo_data(1, today=TODAY, products=151)


def test_locations_lead_from_a_station_to_the_site() -> None:
    places = {row["FunctionalLocation"]: row for row in demo()["FunctionalLocation"]}
    depths: Counter[int] = Counter()
    for label in places:
        depth, above = 0, label
        while above := places[above]["SuperiorFunctionalLocation"]:
            depth += 1
        depths[depth] += 1
    assert depths == {0: 1, 1: 6, 2: 24}
    used = {row["FunctionalLocation"] for row in demo()["Equipment"] if row["ValidityEndDate"] == FOREVER}
    assert {label for label, row in places.items() if row["FunctionalLocationHasEquipment"]} == used


def test_slices_of_an_equipment_follow_each_other() -> None:
    slices: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in demo()["Equipment"]:
        slices[row["Equipment"]].append(row)
    assert any(len(each) == 2 for each in slices.values())
    for each in slices.values():
        former, present = min(each, key=_end), max(each, key=_end)
        assert present["ValidityEndDate"] == FOREVER
        if former is not present:
            assert (present["ValidityStartDate"] - former["ValidityEndDate"]).days == 1


def _end(row: dict[str, Any]) -> date:
    end: date = row["ValidityEndDate"]
    return end


def test_orders_are_open_in_work_late_and_done() -> None:
    orders = [order for order in demo()["MaintenanceOrder"] if "DLFL" not in codes(order)]
    done = [order for order in orders if codes(order) & {"CNF", "TECO", "CLSD"}]
    in_work = [order for order in orders if "PCNF" in codes(order)]
    waiting = [order for order in orders if order not in done and order not in in_work]
    late = [order for order in orders if order not in done and order["MaintOrdBasicEndDate"] < TODAY]
    assert min(len(done), len(in_work), len(waiting), len(late)) >= 8
    assert all(order["MaintOrdBasicEndDateTime"] < MIDNIGHT for order in done)
    assert {order["MaintPriority"] for order in orders} == {"1", "2", "3", "4"}
    assert {order["MaintenanceOrderType"] for order in orders} == {"PM01", "PM02", "PM03"}
    assert all(len(order["SystemStatusText"]) <= 40 for order in orders)
    assert len({order["Equipment"] for order in orders}) > 60


def test_nothing_of_an_order_lies_in_the_future_but_its_plan() -> None:
    rows = demo()
    for order in rows["MaintenanceOrder"]:
        assert order["MaintOrderCreationDateTime"] <= (order["LastChangeDateTime"] or MIDNIGHT) <= MIDNIGHT
        assert order["MaintOrdBasicStartDateTime"] < order["MaintOrdBasicEndDateTime"]
        assert order.get("MainWorkCompletedDateTime", MIDNIGHT) <= MIDNIGHT
        assert order.get("MaintOrderReferenceDateTime", MIDNIGHT) <= MIDNIGHT
    for step in rows["MaintenanceOrderOperation"]:
        begun = step.get("OpActualExecutionStartDateTime", MIDNIGHT)
        assert begun <= step.get("OpActualExecutionEndDateTime", MIDNIGHT) <= MIDNIGHT


def test_parts_are_drawn_when_the_work_is_done() -> None:
    rows = demo()
    orders = {order["MaintenanceOrder"]: order for order in rows["MaintenanceOrder"]}
    goods = {good.number: good for good in demo_goods()}
    for part in rows["MaintOrderOpComponent"]:
        order = orders[part["MaintenanceOrder"]]
        drawn = part["QuantityWithdrawnInBaseUnit"]
        assert drawn in (0, part["MaintOrdOpCompRequiredQuantity"])
        if codes(order) & {"CNF", "TECO", "CLSD"}:
            assert drawn
        assert not drawn or "GMPS" in codes(order)
        assert part["MaintOrdOperationComponentText"] == goods[part["Product"]].text


def test_items_say_what_their_product_is() -> None:
    rows = demo()
    texts = {
        row["Product"]: row["ProductDescription"] for row in rows["A_ProductDescription"] if row["Language"] == "EN"
    }
    units = {row["Product"]: row["BaseUnit"] for row in rows["A_Product"]}
    for item in rows["A_PurchaseOrderItem"]:
        if item["Material"]:
            assert item["PurchaseOrderItemText"] == texts[item["Material"]]
            assert item["PurchaseOrderQuantityUnit"] == units[item["Material"]]
    assert {row["Language"] for row in rows["A_ProductDescription"]} == {"EN", "DE"}
    assert {row["Language"] for row in demo("US")["A_ProductDescription"]} == {"EN"}
    assert all(row["ProductDescription"] for row in rows["A_ProductDescription"])


def test_stock_lies_where_the_product_is_kept() -> None:
    rows = demo()
    places = {(row["Product"], row["StorageLocation"]) for row in rows["A_ProductStorageLocation"]}
    assert {(row["Material"], row["StorageLocation"]) for row in rows["A_MatlStkInAcctMod"]} <= places
    batches = {row["Product"] for row in rows["A_Product"] if row["IsBatchManagementRequired"]}
    assert {row["Material"] for row in rows["A_MatlStkInAcctMod"] if row["Batch"]} <= batches
    assert {row["InventoryStockType"] for row in rows["A_MatlStkInAcctMod"]} == {"01", "02", "07"}
    assert {row["InventorySpecialStockType"] for row in rows["A_MatlStkInAcctMod"]} == {"", "K"}


@pytest.mark.parametrize("region", ["EU", "US"])
def test_orders_refill_what_is_short(region: str) -> None:
    rows = demo(region)
    there = unrestricted(rows)
    short = {
        row["Product"]: row
        for row in rows["A_ProductSupplyPlanning"]
        if there[row["Product"]] < row["ReorderThresholdQuantity"]
    }
    assert len(short) == 24
    assert all(row["MRPType"] == "VB" for row in short.values())
    open_orders = {
        order["PurchaseOrder"]
        for order in rows["A_PurchaseOrder"]
        if order["PurchasingProcessingStatus"] == "05" and not order.get("PurchasingDocumentDeletionCode")
    }
    coming: Counter[str] = Counter()
    for item in rows["A_PurchaseOrderItem"]:
        if item["PurchaseOrder"] in open_orders and not item["IsCompletelyDelivered"]:
            coming[item["Material"]] += item["OrderQuantity"]
    refilled = {
        product for product, row in short.items() if there[product] + coming[product] >= row["MaximumStockQuantity"]
    }
    assert len(refilled) >= 18


def test_other_companies_work_on_orders() -> None:
    rows = demo()
    partners = {
        row["MaintenanceOrder"]: row["MaintenanceOrderPartner"]
        for row in rows["MaintenanceOrderPartner"]
        if row["PartnerFunction"] == "VN"
    }
    suppliers = {
        step["MaintenanceOrder"]: step["OperationSupplier"]
        for step in rows["MaintenanceOrderOperation"]
        if step["OperationControlKey"] == "PM02"
    }
    assert partners == suppliers
    purchases = {order["PurchaseOrder"]: order for order in rows["A_PurchaseOrder"]}
    assigned = [row for row in rows["A_PurOrdAccountAssignment"] if row.get("OrderID")]
    assert len(assigned) > 10
    for row in assigned:
        assert purchases[row["PurchaseOrder"]]["Supplier"] == suppliers[row["OrderID"]]
        assert "CostCenter" not in row


def test_every_partner_can_be_written_to() -> None:
    rows = demo()
    defaults = Counter(row["AddressID"] for row in rows["A_AddressEmailAddress"] if row["IsDefaultEmailAddress"])
    assert defaults == dict.fromkeys((row["AddressID"] for row in rows["A_BusinessPartnerAddress"]), 1)
    assert all(row["EmailAddress"].endswith(".example") for row in rows["A_AddressEmailAddress"])
    assert all(row["EmailAddress"].isascii() for row in rows["A_AddressEmailAddress"])
    assert {row["PhoneNumberType"] for row in rows["A_AddressPhoneNumber"]} == {"1", "3"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Lüdernhagen Wälzlager GmbH & Co. KG", "ludernhagen-walzlager"),
        ("Przełomin Łożyska S.A.", "przelomin-lozyska"),
        ("Murbach Straßenbau", "murbach-strassenbau"),
    ],
)
def test_a_domain_has_plain_letters(name: str, expected: str) -> None:
    assert domain(name) == expected


def test_words_fit_together() -> None:
    goods = [good for good in demo_goods() if good.number]
    assert (len(goods), len({good.number for good in goods}), len({good.text for good in goods})) == (150, 150, 150)
    assert all(0 < len(text) <= 40 for good in demo_goods() for text in (good.text, good.german))
    groups = {good.group for good in goods}
    machines = demo_machines()
    for machine in machines.values():
        assert set(machine.parts) <= groups
        assert not machine.drive or machine.drive in machines
        assert machine.lowest_price < machine.highest_price
        assert all(len(text) <= 40 for text in (*machine.faults, *machine.services))
    assert {kind for station in demo_stations() for kind in station.kinds} <= set(machines)
    assert len({(station.line_tag, station.tag) for station in demo_stations()}) == len(demo_stations())


def test_status_text_is_written_in_columns() -> None:
    assert status_text(("REL", "CNF"), ("SETC", "GMPS", "PRC")) == "REL  CNF  GMPS PRC  SETC"
    assert status_text(("REL",), tuple("ABCDEFGHI")) == "REL  A    B    C    D    E    F    G"
    assert status_text(()) == ""


def test_prices_stand_for_their_unit() -> None:
    goods = {good.number: good for good in demo_goods()}
    for row in demo()["A_ProductValuation"]:
        assert row["PriceUnitQty"] == goods[row["Product"]].per
        assert row["StandardPrice"] == goods[row["Product"]].price
        assert abs(row["MovingAveragePrice"] / row["StandardPrice"] - 1) < Decimal("0.1")
