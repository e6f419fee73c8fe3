"""What a real Tryton says to its administrator, in the words of the contract, on another way than the connector's."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from schema.assets import Asset, AssetStatus
from schema.inventory import InventoryItem, InventoryItemStatus, InventoryItemType
from schema.maintenance import WorkOrder, WorkOrderStatus, WorkOrderTaskStatus, WorkOrderType
from schema.purchasing import ApprovalStatus, BillingStatus, PurchaseOrder, PurchaseOrderStatus, ReceiptStatus
from schema.scalars import Currency
from schema.values import Address, Money, Quantity
from schema.vendors import Vendor, VendorStatus
from tests.real.tryton.administrator import ADMINISTRATOR
from tests.real.tryton.server import Tryton

Row = dict[str, Any]
Truth = Mapping[str, Mapping[str, Any]]

_PARTY = ["code", "name", "active", "create_date", "write_date", "email", "phone", "website", "tax_identifier.code"]
_PARTY += [f"addresses.{name}" for name in ("street", "postal_code", "city", "country.code", "subdivision.code")]
_PURCHASE = ["number", "description", "reference", "comment", "state", "shipment_state", "invoice_state", "party"]
_PURCHASE += ["party.name", "create_date", "write_date", "purchase_date", "delivery_date", "currency.code", "lines"]
_PURCHASE += ["untaxed_amount", "tax_amount", "total_amount", "payment_term.name", "company.party.name"]


def _vendor(row: Row) -> Row:
    addresses = [_address(found) for found in row["addresses."]]
    return {
        "number": row["code"],
        "name": row["name"] or None,
        "status": VendorStatus.ACTIVE if row["active"] else VendorStatus.INACTIVE,
        "createdAt": _moment(row["create_date"]),
        "updatedAt": _moment(row["write_date"] or row["create_date"]),
        "taxNumber": (row["tax_identifier."] or {}).get("code"),
        "email": row["email"] or None,
        "phone": row["phone"] or None,
        "website": row["website"] or None,
        "address": addresses[0] if addresses else None,
        "addresses": addresses,
    }


def _address(found: Row) -> Address | None:
    return Address(
        line1=found["street"] or None,
        city=found["city"] or None,
        region=(found["subdivision."] or {}).get("code"),
        postal_code=found["postal_code"] or None,
        country=(found["country."] or {}).get("code"),
    )


_STATUSES = {
    "draft": (PurchaseOrderStatus.DRAFT, ApprovalStatus.NOT_SUBMITTED),
    "quotation": (PurchaseOrderStatus.PENDING_APPROVAL, ApprovalStatus.PENDING),
    "confirmed": (PurchaseOrderStatus.ISSUED, ApprovalStatus.APPROVED),
    "processing": (PurchaseOrderStatus.ISSUED, ApprovalStatus.APPROVED),
    "done": (PurchaseOrderStatus.CLOSED, ApprovalStatus.APPROVED),
    "cancelled": (PurchaseOrderStatus.CANCELED, ApprovalStatus.UNKNOWN),
}
_BILLED = {"none": BillingStatus.NOT_BILLED, "pending": BillingStatus.NOT_BILLED, "paid": BillingStatus.PAID}
_RECEIVED = {
    "received": ReceiptStatus.FULLY_RECEIVED,
    "partially shipped": ReceiptStatus.PARTIALLY_RECEIVED,
    "waiting": ReceiptStatus.NOT_RECEIVED,
    "exception": ReceiptStatus.UNKNOWN,
}


def _purchase(row: Row) -> Row:
    status, approval = _STATUSES[row["state"]]
    is_under_way = row["state"] in ("processing", "done")
    none_arrives = ReceiptStatus.NOT_APPLICABLE if is_under_way else ReceiptStatus.NOT_RECEIVED
    currency = row["currency."]["code"]
    return {
        "number": row["number"] or None,
        "title": row["description"] or None,
        "status": status,
        "sourceStatus": row["state"],
        "approvalStatus": approval,
        "receiptStatus": _RECEIVED.get(row["shipment_state"], none_arrives),
        "billingStatus": _BILLED.get(row["invoice_state"], BillingStatus.UNKNOWN),
        "createdAt": _moment(row["create_date"]),
        "updatedAt": _moment(row["write_date"] or row["create_date"]),
        "organization.name": row["company."]["party."]["name"],
        "vendor": str(row["party"]),
        "vendorName": row["party."]["name"] or "[V-12]",
        "orderDate": row["purchase_date"],
        "requiredDate": row["delivery_date"],
        "currency": currency,
        "subtotal": Money(amount=row["untaxed_amount"], currency=currency),
        "taxTotal": Money(amount=row["tax_amount"], currency=currency),
        "total": Money(amount=row["total_amount"], currency=currency),
        "paymentTerms.label": (row["payment_term."] or {}).get("name"),
        "memo": row["comment"] or None,
        "reference": row["reference"] or None,
        "lineCount": len(row["lines"]),
    }


def _moment(found: datetime) -> datetime:
    return found.replace(tzinfo=UTC)


_PRODUCTION = ["number", "product.name", "type", "state", "create_date", "write_date", "company.party.name", "works"]
_PRODUCTION += ["warehouse.code", "warehouse.name", "work_center.name", "inputs"]
_WORK_STATUSES = {
    "draft": WorkOrderStatus.DRAFT,
    "waiting": WorkOrderStatus.WAITING,
    "assigned": WorkOrderStatus.RELEASED,
    "running": WorkOrderStatus.IN_PROGRESS,
    "done": WorkOrderStatus.COMPLETED,
    "cancelled": WorkOrderStatus.CANCELED,
}
_TASK_STATUSES = {"running": WorkOrderTaskStatus.IN_PROGRESS, "finished": WorkOrderTaskStatus.COMPLETED}
_TASK_STATUSES |= {"done": WorkOrderTaskStatus.COMPLETED}


def _productions(tryton: Tryton) -> Truth:
    works = tryton.rows("production.work", [], ["production", "state", "operation.name", "sequence"])
    cycles = tryton.rows("production.work.cycle", [["duration", "!=", None]], ["work", "duration"])
    moves = tryton.rows("stock.move", [["production_input", "!=", None]], _INPUT)
    found = {}
    for row in tryton.rows("production", [], _PRODUCTION):
        own_works = [work for work in works if work["production"] == row["id"]]
        own_moves = [move for move in moves if move["production_input"] == row["id"]]
        found[str(row["id"])] = {
            "number": row["number"],
            "title": (row["product."] or {}).get("name"),
            "type": WorkOrderType.OTHER,
            "sourceType": row["type"],
            "status": _WORK_STATUSES[row["state"]],
            "sourceStatus": row["state"],
            "createdAt": _moment(row["create_date"]),
            "updatedAt": _moment(row["write_date"] or row["create_date"]),
            "organization.name": row["company."]["party."]["name"],
            "location.code": row["warehouse."]["code"],
            "location.name": row["warehouse."]["name"],
            "workCenter.label": (row["work_center."] or {}).get("name"),
            "tasks.number": [str(work["sequence"]) for work in own_works],
            "tasks.title": [work["operation."]["name"] for work in own_works],
            "tasks.status": [_TASK_STATUSES.get(work["state"], WorkOrderTaskStatus.OPEN) for work in own_works],
            "tasks.actualHours": [_hours(work["id"], cycles) for work in own_works],
            "parts.item": [str(move["product"]) for move in own_moves],
            "parts.itemNumber": [move["product."]["code"] for move in own_moves],
            "parts.quantityPlanned": [_measured(move["quantity"], move["unit."]["symbol"]) for move in own_moves],
            "parts.quantityUsed": [
                _measured(move["quantity"] if move["state"] == "done" else 0, move["unit."]["symbol"])
                for move in own_moves
            ],
            "parts.location.name": [move["from_location."]["name"] for move in own_moves],
        }
    return found


_INPUT = ["production_input", "product", "product.code", "quantity", "unit.symbol", "state", "from_location.name"]


def _hours(work: int, cycles: list[Row]) -> Decimal | None:
    spans = [cycle["duration"] for cycle in cycles if cycle["work"] == work]
    return Decimal(str(sum(spans, timedelta()).total_seconds())) / 3600 if spans else None


_CODES = {"u": "C62", "kg": "KGM", "l": "LTR", "h": "HUR"}


def _measured(amount: float | Decimal | None, symbol: str) -> Quantity | None:
    return None if amount is None else Quantity(value=Decimal(str(amount)), unit=_CODES[symbol], source_unit=symbol)


_ASSET = ["number", "product.name", "state", "create_date", "write_date", "company.party.name"]
_ASSET += ["supplier_invoice_line.party", "supplier_invoice_line.invoice.party", "purchase_date", "value"]


def _assets(tryton: Tryton) -> Truth:
    return {str(row["id"]): _asset(row) for row in tryton.rows("account.asset", [], _ASSET)}


def _asset(row: Row) -> Row:
    billed = row["supplier_invoice_line."]
    return {
        "number": row["number"],
        "name": row["product."]["name"],
        "status": AssetStatus.INACTIVE if row["state"] == "closed" else AssetStatus.UNKNOWN,
        "sourceStatus": row["state"],
        "createdAt": _moment(row["create_date"]),
        "updatedAt": _moment(row["write_date"] or row["create_date"]),
        "organization.name": row["company."]["party."]["name"],
        "vendor": str(billed["invoice."]["party"]) if billed else None,
        "purchaseDate": row["purchase_date"],
        "purchasePrice": Money(amount=row["value"], currency=Currency("EUR")),
    }


_PRODUCT = ["template.name", "code", "template.type", "template.consumable", "active", "create_date", "write_date"]
_PRODUCT += ["template.default_uom.symbol", "template.purchase_uom.symbol", "template.categories.name"]
_MOVE = ["product", "state", "internal_quantity", "effective_date", "from_location", "to_location"]
_MOVE += ["from_location.type", "to_location.type", "production_input"]


def _products(tryton: Tryton) -> Truth:
    """Stock as its moves add up, and as each location counts it when it is asked for one product."""
    moves = tryton.rows("stock.move", [["state", "in", ["draft", "assigned", "done"]]], _MOVE)
    points = tryton.rows(
        "stock.order_point", [["type", "=", "purchase"]], ["product", "min_quantity", "target_quantity"]
    )
    stores = tryton.rows("stock.location", [["type", "=", "storage"]], ["code", "name", "parent.code"])
    identifiers = tryton.rows("product.identifier", [], ["product", "type", "code"])
    found = {}
    for row in tryton.rows("product.product", [], _PRODUCT):
        id_ = row["id"]
        own = [move for move in moves if move["product"] == id_]
        own_points = [point for point in points if point["product"] == id_]
        counted = [(store, _counted(tryton, id_, store["id"])) for store in stores]
        known = {item["type"]: item["code"] for item in identifiers if item["product"] == id_}
        found[str(id_)] = (
            _product(row)
            | _stock(row, own, own_points)
            | {
                "stockLevels.location.code": [store["code"] for store, there in counted if there],
                "stockLevels.location.name": [store["name"] for store, there in counted if there],
                "stockLevels.location.parentCode": [
                    (store["parent."] or {}).get("code") for store, there in counted if there
                ],
                "stockLevels.onHand.value": [Decimal(str(there)) for _, there in counted if there],
                "barcode": known.get("ean"),
                "manufacturerPartNumber": known.get("mpn"),
                "standardCost.amount": _cost(tryton, id_),
            }
        )
    return found


def _counted(tryton: Tryton, product: int, location: int) -> float:
    asked = ([location], ["quantity"], {"company": 1, "product": product, "with_childs": False})
    (row,) = tryton.call(*ADMINISTRATOR, "model.stock.location.read", *asked[:2], context=asked[2])
    there: float = row["quantity"]
    return there


def _cost(tryton: Tryton, product: int) -> Decimal:
    method = "model.product.product.read"
    (row,) = tryton.call(*ADMINISTRATOR, method, [product], ["cost_price"], context={"company": 1})
    cost: Decimal = row["cost_price"]
    return cost


def _product(row: Row) -> Row:
    template = row["template."]
    kinds = {"service": InventoryItemType.SERVICE, "goods": InventoryItemType.STOCK}
    kind = kinds.get(template["type"], InventoryItemType.UNKNOWN)
    return {
        "number": row["code"],
        "name": template["name"],
        "type": InventoryItemType.CONSUMABLE if template["consumable"] else kind,
        "sourceType": template["type"],
        "status": InventoryItemStatus.ACTIVE if row["active"] else InventoryItemStatus.INACTIVE,
        "createdAt": _moment(row["create_date"]),
        "updatedAt": _moment(row["write_date"] or row["create_date"]),
        "category.label": next((category["name"] for category in template["categories."]), None),
        "baseUnit": template["default_uom."]["symbol"],
        "purchaseUnit": (template["purchase_uom."] or {}).get("symbol"),
    }


def _stock(row: Row, moves: list[Row], points: list[Row]) -> Row:
    """A store holds what was moved there, less what was moved away; what is assigned is still there."""
    done = [move for move in moves if move["state"] == "done"]
    there = _sum(done, "to_location.") - _sum(done, "from_location.")
    assigned = _sum([move for move in moves if move["state"] == "assigned"], "from_location.")
    coming = [move for move in moves if move["state"] != "done" and move["from_location."]["type"] == "supplier"]
    symbol = row["template."]["default_uom."]["symbol"]
    limits = {"minimum": "min_quantity", "reorderPoint": "min_quantity", "maximum": "target_quantity"}
    return {
        "onHand": _measured(there, symbol),
        "reserved": _measured(assigned, symbol),
        "available": _measured(there - assigned, symbol),
        "onOrder": _measured(_sum(coming, "to_location."), symbol),
        **{path: _measured(points[0][name], symbol) if len(points) == 1 else None for path, name in limits.items()},
    }


def _sum(moves: list[Row], side: str) -> Decimal:
    own = (Decimal(str(move["internal_quantity"])) for move in moves if move[side]["type"] == "storage")
    return sum(own, Decimal(0))


TRUTHS: Mapping[type[Any], Callable[[Tryton], Truth]] = {
    PurchaseOrder: lambda tryton: {
        str(row["id"]): _purchase(row) for row in tryton.rows("purchase.purchase", [], _PURCHASE)
    },
    WorkOrder: _productions,
    Asset: _assets,
    Vendor: lambda tryton: {str(row["id"]): _vendor(row) for row in tryton.rows("party.party", [], _PARTY)},
    InventoryItem: _products,
}
