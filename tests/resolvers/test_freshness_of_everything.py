"""Whatever is asked: an answer from the cache is the live one, but for its age, and asks the system nothing."""

import re
from typing import Any

import pytest

from tests.resolvers.cached_plant import cached_plant

QUERIES = {
    "orders with everything behind them": """
      purchaseOrders(first: 30 FRESHNESS) {
        nodes {
          id number status sourceStatus title orderDate updatedAt currency vendorName version displayName
          total { amount currency } paymentTerms { code label } incoterm memo
          vendor { id name legalName status email phone address { line1 city postalCode country } }
          lines(first: 5) { nodes {
            id lineNumber description quantityOrdered { value unit } unitPrice { amount currency }
            item { id number name baseUnit category { code label } stockLevels { nodes { id onHand { value unit } } } }
          } }
          meta { missing { path reason } }
        }
        totals: pageInfo { hasNextPage endCursor }
      }""",
    "work orders and their assets": """
      workOrders(first: 30 FRESHNESS, orderBy: [{field: UPDATED_AT, direction: DESC}]) {
        nodes { id number title status type priority
          asset { id number name kind status parent { id name } }
          meta { missing { path reason } } }
      }""",
    "assets and what points to them": """
      assets(first: 30 FRESHNESS) {
        nodes { id number name kind status sourceStatus manufacturer serialNumber
          workOrders(first: 3) { nodes { id number status } pageInfo { hasNextPage } }
          meta { missing { path reason } } }
      }""",
    "vendors and their orders": """
      vendors(first: 20 FRESHNESS, filter: {text: "a"}) {
        nodes { id number name status taxNumber
          purchaseOrders(first: 2) { nodes { id number } }
          meta { missing { path reason } } }
      }""",
    "items and their stock": """
      inventoryItems(first: 30 FRESHNESS) {
        nodes { id number name type baseUnit onHand { value unit } stockLevels { nodes { id onHand { value unit } } }
          meta { missing { path reason } } }
      }""",
}


def asking(query: str, freshness: str) -> str:
    return f"{{ {query.replace('FRESHNESS', freshness)} }}"


def without_cursors(found: Any) -> Any:
    """Cursors are sealed anew each time."""
    if isinstance(found, dict):
        return {name: without_cursors(value) for name, value in found.items() if name != "endCursor"}
    return [without_cursors(item) for item in found] if isinstance(found, list) else found


@pytest.mark.parametrize("name", QUERIES)
async def test_the_cache_gives_what_the_system_gave(name: str) -> None:
    plant = cached_plant()
    live = without_cursors(await plant.run(asking(QUERIES[name], "")))
    assert all(page["nodes"] for page in live.values())
    plant.plant.forget()
    minute = asking(QUERIES[name], ", freshness: {maxAgeSeconds: 60}")
    first = without_cursors(await plant.run(minute))
    assert first == live
    assert plant.calls("sap-eu") > 0
    plant.plant.forget()
    assert without_cursors(await plant.run(minute)) == live
    assert plant.calls("sap-eu") == plant.calls("sap-us") == 0


@pytest.mark.parametrize("root", ["purchaseOrder", "workOrder", "asset", "vendor", "inventoryItem"])
async def test_a_record_may_be_as_old(root: str) -> None:
    plant = cached_plant()
    plural = re.sub("y$", "ie", root) + "s"
    record = (await plant.run(f"{{ {plural}(first: 1) {{ nodes {{ id number }} }} }}"))[plural]["nodes"][0]
    query = (
        f"query ($id: ID!) {{ {root}(id: $id, freshness: {{maxAgeSeconds: 60}}) {{ id number meta {{ source }} }} }}"
    )
    for source in ("LIVE", "CACHE"):
        assert await plant.run(query, id=record["id"]) == {root: {**record, "meta": {"source": source}}}
        plant.plant.forget()
    await plant.run(query, id=record["id"])
    assert plant.calls("sap-eu") == 0
