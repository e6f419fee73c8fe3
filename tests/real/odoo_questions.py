"""What clients ask of a gateway over Odoo: every kind of record with most of its fields, and links both ways."""

from typing import Any

from tests.gateway.running import RunningGateway

Row = dict[str, Any]

SOURCES = "isComplete sources { status count filteredHere upstreamCalls error { code message remediation } }"
ORDERS = f"""
query Orders($first: Int, $after: String, $filter: PurchaseOrderFilter, $orderBy: [PurchaseOrderSort!]) {{
  found: purchaseOrders(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {{
    nodes {{
      remoteId number status sourceStatus approvalStatus receiptStatus billingStatus vendorName incoterm reference
      orderDate requiredDate currency lineCount createdAt updatedAt version paymentTerms {{ label }}
      total {{ amount currency }} subtotal {{ amount }} taxTotal {{ amount }} organization {{ name }}
      vendor {{ remoteId number name }}
      lines(first: 200) {{
        nodes {{
          type sourceType item {{ remoteId number name }} itemNumber description requiredDate
          quantityOrdered {{ value unit sourceUnit }} quantityReceived {{ value }}
          unitPrice {{ amount currency }} lineTotal {{ amount }}
        }}
      }}
      meta {{ missing {{ path reason }} }}
    }}
    pageInfo {{ hasNextPage endCursor }}
    {SOURCES}
  }}
}}
"""
WORK_ORDERS = f"""
query WorkOrders($filter: WorkOrderFilter, $orderBy: [WorkOrderSort!]) {{
  found: workOrders(first: 200, filter: $filter, orderBy: $orderBy) {{
    nodes {{
      remoteId title type status sourceStatus priority isDeleted scheduledStart scheduledFinish estimatedDuration
      reportedAt closedAt isOverdue description assignees {{ remoteId name type }}
      requester {{ remoteId name }} supervisor {{ name }} plannerGroup {{ label }} updatedAt
      asset {{ remoteId name serialNumber }} meta {{ missing {{ path reason }} }}
    }}
    {SOURCES}
  }}
}}
"""
ASSETS = f"""
query Assets($filter: AssetFilter) {{
  found: assets(first: 200, filter: $filter) {{
    nodes {{
      remoteId name kind status model serialNumber partNumber assetClass {{ code label }} installedDate
      decommissionedDate warrantyEndDate purchasePrice {{ amount currency }} organization {{ name }}
      vendor {{ remoteId name }} workOrders(first: 50) {{ nodes {{ remoteId title status }} }}
    }}
    {SOURCES}
  }}
}}
"""
VENDORS = f"""
query Vendors($filter: VendorFilter) {{
  found: vendors(first: 200, filter: $filter) {{
    nodes {{
      remoteId number name type status taxNumber email phone website contacts {{ name role email phone }}
      address {{ line1 line2 city region postalCode country }} purchaseOrders(first: 50) {{ nodes {{ remoteId }} }}
    }}
    {SOURCES}
  }}
}}
"""
ITEMS = f"""
query Items($filter: InventoryItemFilter) {{
  found: inventoryItems(first: 200, filter: $filter) {{
    nodes {{
      remoteId number name type status baseUnit barcode category {{ code label }} standardCost {{ amount currency }}
      isLotTracked isSerialTracked onHand {{ value unit sourceUnit }} available {{ value }} reserved {{ value }}
      onOrder {{ value }} minimum {{ value }} maximum {{ value }} reorderPoint {{ value }}
      stockLevels(first: 50) {{
        nodes {{
          location {{ code name }} lot onHand {{ value sourceUnit }} available {{ value }} reserved {{ value }}
        }}
      }}
      meta {{ missing {{ path reason }} }}
    }}
    {SOURCES}
  }}
}}
"""
LINES = """
{
  found: purchaseOrders(first: 50) {
    nodes {
      lines(first: 50) { nodes { type description item { name } } }
      meta { missing(paths: ["lines.item"]) { path reason } }
    }
    sources { status }
  }
}
"""


CUSTOM_ASSETS = """
{ found: assets(first: 200) {
    nodes { remoteId raw customFields { key label type value } meta { missing { path reason } } }
    isComplete sources { status } } }
"""
UPDATE = """
mutation ($id: ID!, $fields: [CustomFieldSettingInput!]) {
  updateConnectionSettings(input: {id: $id, settings: {customFields: $fields}}) { errors { message } } }
"""


async def page(gateway: RunningGateway, query: str, **variables: Any) -> Row:
    found: Row = (await gateway.data(query, **variables))["found"]
    return found


async def rows(gateway: RunningGateway, query: str, **variables: Any) -> dict[str, Row]:
    found = await page(gateway, query, **variables)
    assert found["isComplete"] is True, found["sources"]
    return {row["remoteId"]: row for row in found["nodes"]}
