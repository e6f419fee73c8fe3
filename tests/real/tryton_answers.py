"""The questions that tests ask about work orders, assets and items, and what Tryton tells its administrator of them."""

from decimal import Decimal
from typing import Any

from tests.real.tryton.administrator import ADMINISTRATOR
from tests.real.tryton.server import Tryton

SOURCES = "isComplete sources { status count filteredHere upstreamCalls error { code message remediation } }"
ITEMS = """
query Items($filter: InventoryItemFilter) {
  inventoryItems(first: 50, filter: $filter) {
    nodes {
      remoteId number name type status baseUnit
      onHand { value unit sourceUnit } available { value } reserved { value } onOrder { value }
      minimum { value } maximum { value } reorderPoint { value } standardCost { amount currency }
      stockLevels(first: 50) { nodes { location { code name type } onHand { value sourceUnit } } }
      meta { missing { path reason } }
    }
    SOURCES
  }
}
""".replace("SOURCES", SOURCES)
WORK = """
query Work($filter: WorkOrderFilter) {
  workOrders(first: 50, filter: $filter) {
    nodes {
      remoteId number title type status sourceStatus workCenter { label } location { code name } asset { id }
      tasks(first: 50) { nodes { number title status sourceStatus actualHours } }
      parts(first: 50) {
        nodes { item { remoteId number name } itemNumber quantityPlanned { value unit } quantityUsed { value } }
      }
      meta { missing { path reason } }
    }
    SOURCES
  }
}
""".replace("SOURCES", SOURCES)
ASSETS = """
query Assets($filter: AssetFilter) {
  assets(first: 50, filter: $filter) {
    nodes {
      remoteId number name status sourceStatus purchaseDate purchasePrice { amount currency } vendor { name }
      meta { missing { path reason } }
    }
    SOURCES
  }
}
""".replace("SOURCES", SOURCES)


def stock(tryton: Tryton, product: int, **context: Any) -> Decimal:
    """How much of a product Tryton's own count finds in all its stores together."""
    stores = [row["id"] for row in tryton.rows("stock.location", [["type", "=", "storage"]], ["id"])]
    told = {"company": 1, "locations": stores, "with_childs": False} | context
    (row,) = tryton.call(*ADMINISTRATOR, "model.product.product.read", [product], ["quantity"], context=told)
    return Decimal(str(round(row["quantity"], 6)))
