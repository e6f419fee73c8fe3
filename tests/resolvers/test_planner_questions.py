"""What a planner asks: which vendor works on a machine, what is late, and what is short."""

from typing import Any

import pytest

from tests.resolvers.graph import MOMENT
from tests.resolvers.plant import Plant, demo_plant

OPEN = {"notIn": ["COMPLETED", "CLOSED", "CANCELED"]}
FROM_ASSET_TO_VENDOR = """
query Open($open: WorkOrderStatusFilter) {
  assets(first: 200, filter: {kind: {eq: EQUIPMENT}}, connectionIds: ["con_sap-eu"]) {
    nodes { number workOrders(first: 50, filter: {status: $open}) { nodes { number vendor { id number name } } } }
    isComplete
  }
}
"""
BY_VENDOR = """
query By($vendor: ID!) {
  workOrders(first: 200, filter: {vendorId: {eq: $vendor}}) {
    nodes { number vendor { number } }
    sources { connection { name } filteredHere upstreamCalls }
  }
}
"""
LATE = """
{
  workOrders(first: 200, filter: {isOverdue: {eq: true}}, connectionIds: ["con_sap-eu"]) {
    nodes { number status dueAt scheduledFinish isOverdue }
  }
}
"""
SHORT = """
{
  inventoryItems(first: 200, filter: {isBelowMinimum: {eq: true}}, connectionIds: ["con_sap-eu"]) {
    nodes { number onHand { value } reorderPoint { value } }
  }
}
"""


@pytest.fixture
def plant() -> Plant:
    return demo_plant(orders=0)


def contractors(plant: Plant) -> dict[str, str]:
    """Who works on which order, in the system's own rows."""
    partners = plant.rows("sap-eu", "MaintenanceOrderPartner")
    return {
        row["MaintenanceOrder"]: row["MaintenanceOrderPartner"] for row in partners if row["PartnerFunction"] == "VN"
    }


async def test_from_a_machine_to_its_open_work_to_the_vendor(plant: Plant) -> None:
    page = (await plant.run(FROM_ASSET_TO_VENDOR, open=OPEN))["assets"]
    assert page["isComplete"] is True
    work = [order for asset in page["nodes"] for order in asset["workOrders"]["nodes"]]
    expected = contractors(plant)
    assert {order["number"]: order["vendor"] and order["vendor"]["number"] for order in work} == {
        order["number"]: expected.get(order["number"]) for order in work
    }
    assert any(order["vendor"] and order["vendor"]["name"] for order in work)


async def test_all_work_of_one_vendor(plant: Plant) -> None:
    page = (await plant.run(FROM_ASSET_TO_VENDOR, open=None))["assets"]
    work = [order for asset in page["nodes"] for order in asset["workOrders"]["nodes"]]
    vendor: Any = next(order["vendor"] for order in work if order["vendor"])
    found = (await plant.run(BY_VENDOR, vendor=vendor["id"]))["workOrders"]
    own = {order for order, number in contractors(plant).items() if number == vendor["number"]}
    assert {order["number"] for order in found["nodes"]} == own
    eu, us = found["sources"]
    assert eu["filteredHere"] == ["vendorId", "isDeleted"]
    assert us["upstreamCalls"] == 0


async def test_what_is_late_was_due_before_the_request(plant: Plant) -> None:
    for row in plant.rows("sap-eu", "MaintenanceOrder"):
        row["MaintOrdBasicEndDateTime"] = row["MaintOrdBasicEndDateTime"].replace(year=2026, month=11, day=20, hour=6)
        row["LatestAcceptableCompletionDate"] = None
    orders = plant.rows("sap-eu", "MaintenanceOrder")
    orders[0]["MaintOrdBasicEndDateTime"] = MOMENT
    orders[1]["LatestAcceptableCompletionDate"] = MOMENT.date()
    found = (await plant.run(LATE))["workOrders"]["nodes"]
    done = ("TECO", "CLSD", "DLFL", "CNF")
    late = {row["MaintenanceOrder"] for row in orders[2:] if not set(row["SystemStatusText"].split()) & set(done)}
    assert {row["number"] for row in found} == late != set()


async def test_what_is_short_is_less_than_its_reorder_point(plant: Plant) -> None:
    found = (await plant.run(SHORT))["inventoryItems"]["nodes"]
    assert found
    assert all(float(row["onHand"]["value"]) < float(row["reorderPoint"]["value"]) for row in found)
