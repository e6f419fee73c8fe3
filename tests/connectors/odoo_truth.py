"""What a running Odoo says of its own records, asked in its own words and put into the product's."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connectors.testing.walks import NOW
from schema.assets import AssetKind, AssetStatus, Attribute
from schema.inventory import InventoryItemStatus, InventoryItemType
from schema.maintenance import Assignee, AssigneeType, WorkOrderStatus, WorkOrderType
from schema.purchasing import ApprovalStatus, BillingStatus, PurchaseOrderStatus, ReceiptStatus
from schema.scalars import Currency
from schema.severity import Priority
from schema.values import Address, Money, Quantity
from schema.vendors import Contact, VendorStatus, VendorType
from tests.real.odoo.server import Odoo

Row = dict[str, Any]
Truth = Mapping[str, Mapping[str, Any]]

_CODES = {"Units": "C62", "kg": "KGM", "L": "LTR", "m": "MTR", "Hours": "HUR"}


def _grouped(rows: Iterable[Row], link: str) -> Mapping[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[_key(row[link])].append(row)
    return found


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def _day(text: Any) -> date | None:
    return date.fromisoformat(text[:10]) if text else None


def _key(pair: Any) -> Any:
    return pair[0] if pair else None


def _name(pair: Any) -> Any:
    return pair[1] if pair else None


def _link(pair: Any) -> str | None:
    return str(pair[0]) if pair else None


def _quantity(number: Decimal, unit: str) -> Quantity:
    return Quantity(value=number, unit=_CODES.get(unit), source_unit=unit)


_STATES = {
    "draft": (PurchaseOrderStatus.DRAFT, ApprovalStatus.NOT_SUBMITTED, ReceiptStatus.NOT_RECEIVED),
    "sent": (PurchaseOrderStatus.DRAFT, ApprovalStatus.NOT_SUBMITTED, ReceiptStatus.NOT_RECEIVED),
    "to approve": (PurchaseOrderStatus.PENDING_APPROVAL, ApprovalStatus.PENDING, ReceiptStatus.NOT_RECEIVED),
    "purchase": (PurchaseOrderStatus.ISSUED, ApprovalStatus.APPROVED, ReceiptStatus.NOT_APPLICABLE),
    "cancel": (PurchaseOrderStatus.CANCELED, ApprovalStatus.UNKNOWN, ReceiptStatus.NOT_RECEIVED),
}
_RECEIVED = {
    "full": ReceiptStatus.FULLY_RECEIVED,
    "partial": ReceiptStatus.PARTIALLY_RECEIVED,
    "pending": ReceiptStatus.NOT_RECEIVED,
}
_ORDER = ["name", "state", "receipt_status", "create_date", "write_date", "company_id", "partner_id", "date_order"]
_ORDER += ["date_planned", "currency_id", "amount_untaxed", "amount_tax", "amount_total", "payment_term_id"]
_ORDER += ["incoterm_id", "partner_ref", "order_line"]
_LINE = [
    "display_type",
    "product_qty",
    "qty_invoiced",
    "order_id",
    "product_id",
    "name",
    "price_unit",
    "price_subtotal",
]
_LINE += ["product_uom_id", "qty_received", "date_planned"]


def _orders(odoo: Odoo) -> Truth:
    lines = {row["id"]: row for row in odoo.rows("purchase.order.line", [], _LINE)}
    codes = {row["id"]: row["code"] for row in odoo.rows("account.incoterms", [], ["code"])}
    numbers = {row["id"]: row["default_code"] for row in odoo.rows("product.product", [], ["default_code"])}
    found = {}
    for row in odoo.rows("purchase.order", [], _ORDER):
        status, approval, received = _STATES[row["state"]]
        currency, own = Currency(_name(row["currency_id"])), [lines[key] for key in row["order_line"]]
        real = [line for line in own if not line["display_type"]]
        found[str(row["id"])] = {
            "number": row["name"],
            "status": status,
            "sourceStatus": row["state"],
            "approvalStatus": approval,
            "receiptStatus": _RECEIVED.get(row["receipt_status"], received),
            "billingStatus": _billed(real),
            "createdAt": _moment(row["create_date"]),
            "updatedAt": _moment(row["write_date"]),
            "organization.name": _name(row["company_id"]),
            "vendor": _link(row["partner_id"]),
            "vendorName": _name(row["partner_id"]),
            "orderDate": _day(row["date_order"]),
            "requiredDate": _day(row["date_planned"]),
            "currency": currency,
            "subtotal": Money(amount=row["amount_untaxed"], currency=currency),
            "taxTotal": Money(amount=row["amount_tax"], currency=currency),
            "total": Money(amount=row["amount_total"], currency=currency),
            "paymentTerms.label": _name(row["payment_term_id"]),
            "incoterm": codes.get(_key(row["incoterm_id"])),
            "reference": row["partner_ref"] or None,
            "lineCount": len(own),
            "lines.sourceType": [line["display_type"] or None for line in own],
            "lines.item": [_link(line["product_id"]) for line in own],
            "lines.itemNumber": [numbers.get(_key(line["product_id"])) or None for line in own],
            "lines.description": [line["name"] for line in own],
            "lines.quantityOrdered": [_of_line(line, line["product_qty"]) for line in own],
            "lines.quantityReceived": [_of_line(line, line["qty_received"]) for line in own],
            "lines.unitPrice": [_price(line, line["price_unit"], currency) for line in own],
            "lines.lineTotal": [_price(line, line["price_subtotal"], currency) for line in own],
            "lines.requiredDate": [_day(line["date_planned"]) for line in own],
        }
    return found


def _billed(lines: list[Row]) -> BillingStatus:
    open_lines = [line for line in lines if abs(line["qty_invoiced"]) < abs(line["product_qty"])]
    if not any(line["qty_invoiced"] for line in lines):
        return BillingStatus.NOT_BILLED
    return BillingStatus.PARTIALLY_BILLED if open_lines else BillingStatus.FULLY_BILLED


def _of_line(line: Row, number: Decimal) -> Quantity | None:
    return None if line["display_type"] else _quantity(number, _name(line["product_uom_id"]))


def _price(line: Row, amount: Decimal, currency: Currency) -> Money | None:
    return None if line["display_type"] else Money(amount=amount, currency=currency)


_REQUEST = ["name", "maintenance_type", "archive", "stage_id", "kanban_state", "priority", "create_date", "write_date"]
_REQUEST += ["company_id", "equipment_id", "owner_user_id", "user_id", "maintenance_team_id", "schedule_date"]
_REQUEST += ["schedule_end", "duration", "request_date", "close_date"]
_DESCRIPTIONS = {"Seal leaks": 'Drips 100%_oil \\ onto "skid"'}
_TYPES = {"corrective": WorkOrderType.CORRECTIVE, "preventive": WorkOrderType.PREVENTIVE}
_PRIORITIES = {"0": Priority.LOW, "1": Priority.LOW, "2": Priority.MEDIUM, "3": Priority.HIGH}


def _requests(odoo: Odoo) -> Truth:
    ends = {row["id"]: row["done"] for row in odoo.rows("maintenance.stage", [], ["done"])}
    return {
        str(row["id"]): {
            "title": row["name"],
            "description": _DESCRIPTIONS.get(row["name"]),
            "type": _TYPES.get(row["maintenance_type"], WorkOrderType.UNKNOWN),
            "sourceType": row["maintenance_type"] or None,
            "status": _state_of_work(row, ends.get(_key(row["stage_id"]), False)),
            "sourceStatus": _name(row["stage_id"]),
            "priority": _PRIORITIES.get(row["priority"], Priority.UNKNOWN),
            "sourcePriority": row["priority"] or None,
            "isDeleted": row["archive"],
            "createdAt": _moment(row["create_date"]),
            "updatedAt": _moment(row["write_date"]),
            "organization.name": _name(row["company_id"]),
            "asset": _link(row["equipment_id"]),
            "requester.name": _name(row["owner_user_id"]),
            "supervisor.remoteId": _link(row["user_id"]),
            "plannerGroup.label": _name(row["maintenance_team_id"]),
            "scheduledStart": _moment(row["schedule_date"]),
            "scheduledFinish": _moment(row["schedule_end"]),
            "reportedAt": _moment(row["request_date"]),
            "closedAt": _moment(row["close_date"]),
            "assignees": _assignees(row),
            "isOverdue": _is_late(row, ends.get(_key(row["stage_id"]), False)),
            "estimatedDuration": f"PT{int(row['duration'])}H{round(row['duration'] % 1 * 60)}M",
        }
        for row in odoo.rows("maintenance.request", [], _REQUEST)
    }


def _state_of_work(row: Row, is_done: bool) -> WorkOrderStatus:
    if row["archive"]:
        return WorkOrderStatus.CANCELED
    if is_done:
        return WorkOrderStatus.COMPLETED
    return WorkOrderStatus.ON_HOLD if row["kanban_state"] == "blocked" else WorkOrderStatus.RELEASED


def _assignees(row: Row) -> list[Assignee] | None:
    known = (("user_id", AssigneeType.PERSON), ("maintenance_team_id", AssigneeType.TEAM))
    return [
        Assignee(remote_id=_link(row[name]), name=_name(row[name]), type=kind) for name, kind in known if row[name]
    ] or None


def _is_late(row: Row, is_done: bool) -> bool | None:
    if row["archive"] or is_done:
        return False
    end = _moment(row["schedule_end"])
    return None if end is None else end < NOW


_MAKER = "the partner with the first key"
_ABOUT = {"Feed pump P-101": "Spare: P-102"}
_NO_VALUES = dict.fromkeys(("Power (kW)", "Poles", "Medium", "Explosion-proof", "Coating", "Used for", "Maker"))
_ATTRIBUTES: Mapping[str, Mapping[str, str | None]] = {
    "Feed pump P-101": {
        "Power (kW)": "7.5",
        "Poles": "4",
        "Medium": "Water",
        "Explosion-proof": "yes",
        "Coating": "100% Rilsan",
        "Used for": "Cooling, Feed",
        "Maker": _MAKER,
    },
    "Feed pump P-102": {**_NO_VALUES, "Power (kW)": "0.1", "Medium": "Oil"},
}
_EQUIPMENT = ["name", "active", "scrap_date", "create_date", "write_date", "company_id", "category_id", "model"]
_EQUIPMENT += ["serial_no", "partner_ref", "partner_id", "effective_date", "cost", "warranty_date"]


def _attributes(row: Row, maker: str) -> list[Attribute] | None:
    """What the recipe of the plant gives to two pumps; the other pumps have the names alone."""
    if _name(row["category_id"]) != "Pumps":
        return None
    given = _ATTRIBUTES.get(row["name"], _NO_VALUES)
    return [Attribute(name=name, value=maker if value == _MAKER else value, unit=None) for name, value in given.items()]


def _equipment(odoo: Odoo) -> Truth:
    found = {}
    (maker,) = [row["display_name"] for row in odoo.rows("res.partner", [["id", "=", 1]], ["display_name"])]
    for row in odoo.rows("maintenance.equipment", [], _EQUIPMENT):
        status = AssetStatus.UNKNOWN if row["active"] else AssetStatus.INACTIVE
        found[str(row["id"])] = {
            "name": row["name"],
            "description": _ABOUT.get(row["name"]),
            "attributes": _attributes(row, maker),
            "kind": AssetKind.EQUIPMENT,
            "status": AssetStatus.DISPOSED if row["scrap_date"] else status,
            "createdAt": _moment(row["create_date"]),
            "updatedAt": _moment(row["write_date"]),
            "organization.name": _name(row["company_id"]),
            "assetClass.label": _name(row["category_id"]),
            "model": row["model"] or None,
            "serialNumber": row["serial_no"] or None,
            "partNumber": row["partner_ref"] or None,
            "vendor": _link(row["partner_id"]),
            "installedDate": _day(row["effective_date"]),
            "decommissionedDate": _day(row["scrap_date"]),
            "purchasePrice": Money(amount=row["cost"], currency=Currency("EUR")),
            "warrantyEndDate": _day(row["warranty_date"]),
        }
    return found


_PARTNER = ["ref", "complete_name", "is_company", "active", "create_date", "write_date", "company_id", "vat", "email"]
_PARTNER += ["phone", "website", "street", "street2", "city", "zip", "state_id", "country_id", "supplier_rank"]
_PARTNER += ["child_ids", "name", "type", "function", "company_registry", "property_purchase_currency_id"]
_PARTNER += ["property_supplier_payment_term_id"]


def _partners(odoo: Odoo) -> Truth:
    countries = {row["id"]: row["code"] for row in odoo.rows("res.country", [], ["code"])}
    states = {row["id"]: row["code"] for row in odoo.rows("res.country.state", [], ["code"])}
    bought_from = {_key(row["partner_id"]) for row in odoo.rows("purchase.order.line", [], ["partner_id"])}
    rows = {row["id"]: row for row in odoo.rows("res.partner", [], _PARTNER)}
    return {
        str(key): {
            "number": row["ref"] or None,
            "name": row["complete_name"],
            "type": VendorType.COMPANY if row["is_company"] else VendorType.INDIVIDUAL,
            "status": VendorStatus.ACTIVE if row["active"] else VendorStatus.INACTIVE,
            "createdAt": _moment(row["create_date"]),
            "updatedAt": _moment(row["write_date"]),
            "organization.name": _name(row["company_id"]),
            "taxNumber": row["vat"] or None,
            "registrationNumber": row["company_registry"] or None,
            "currency": _name(row["property_purchase_currency_id"]),
            "paymentTerms.label": _name(row["property_supplier_payment_term_id"]),
            "email": row["email"] or None,
            "phone": row["phone"] or None,
            "website": row["website"] or None,
            "address": _address(row, states, countries),
            "contacts": [_contact(rows[child]) for child in row["child_ids"] if rows[child]["type"] == "contact"],
        }
        for key, row in rows.items()
        if row["supplier_rank"] > 0 or key in bought_from
    }


def _address(row: Row, states: Mapping[int, str], countries: Mapping[int, str]) -> Address | None:
    parts: Row = {
        "line1": row["street"] or None,
        "line2": row["street2"] or None,
        "city": row["city"] or None,
        "region": states.get(_key(row["state_id"])),
        "postal_code": row["zip"] or None,
        "country": countries.get(_key(row["country_id"])),
    }
    return Address(**parts) if any(parts.values()) else None


def _contact(row: Row) -> Contact:
    return Contact(
        name=row["name"] or None,
        role=row["function"] or None,
        email=row["email"] or None,
        phone=row["phone"] or None,
        is_primary=None,
    )


_PRODUCT = ["default_code", "name", "type", "is_storable", "active", "create_date", "write_date", "categ_id", "uom_id"]
_PRODUCT += [
    "barcode",
    "standard_price",
    "tracking",
    "reordering_min_qty",
    "reordering_max_qty",
    "nbr_reordering_rules",
]
_PRODUCT += ["incoming_qty", "seller_ids"]
_SELLER = ["partner_id", "product_id", "date_start", "date_end", "delay"]
_OWN = ["location_id.usage", "in", ["internal", "transit"]]
_UNDER_WAY = ["state", "in", ["confirmed", "progress", "to_close"]]
_KINDS = {"service": InventoryItemType.SERVICE, "combo": InventoryItemType.KIT, "consu": InventoryItemType.CONSUMABLE}


def _products(odoo: Odoo) -> Truth:
    fields = ["product_id", "location_id", "lot_id", "quantity", "reserved_quantity", "write_date"]
    rules = _grouped(
        odoo.rows("stock.warehouse.orderpoint", [], ["product_id", "qty_on_hand", "product_min_qty"]), "product_id"
    )
    sellers = {row["id"]: row for row in odoo.rows("product.supplierinfo", [["partner_id.active", "=", True]], _SELLER)}
    quants = _grouped(odoo.rows("stock.quant", [_OWN], fields), "product_id")
    made = _grouped(odoo.rows("mrp.production", [_UNDER_WAY], ["product_id", "product_qty"]), "product_id")
    found = {}
    for row in odoo.rows("product.product", [], _PRODUCT):
        key, unit, is_stock = row["id"], _name(row["uom_id"]), row["type"] == "consu" and row["is_storable"]
        there = sum((quant["quantity"] for quant in quants[key]), Decimal(0))
        reserved = sum((quant["reserved_quantity"] for quant in quants[key]), Decimal(0))
        has_one_rule = row["nbr_reordering_rules"] == 1
        status = InventoryItemStatus.ACTIVE if row["active"] else InventoryItemStatus.INACTIVE
        found[str(key)] = {
            "number": row["default_code"] or None,
            "name": row["name"],
            "type": InventoryItemType.STOCK if is_stock else _KINDS[row["type"]],
            "status": status,
            "createdAt": _moment(row["create_date"]),
            "updatedAt": _moment(row["write_date"]),
            "category.code": _link(row["categ_id"]),
            "category.label": _name(row["categ_id"]),
            "baseUnit": unit,
            "barcode": row["barcode"] or None,
            "standardCost": Money(amount=row["standard_price"], currency=Currency("EUR")),
            "isLotTracked": row["tracking"] == "lot",
            "isSerialTracked": row["tracking"] == "serial",
            "onHand": _quantity(there, unit),
            "available": _quantity(there - reserved, unit),
            "reserved": _quantity(reserved, unit),
            "onOrder": _quantity(row["incoming_qty"] - sum(order["product_qty"] for order in made[key]), unit),
            "minimum": _quantity(row["reordering_min_qty"], unit) if has_one_rule else None,
            "maximum": _quantity(row["reordering_max_qty"], unit) if has_one_rule else None,
            "isBelowMinimum": any(rule["qty_on_hand"] < rule["product_min_qty"] for rule in rules[key])
            if rules[key]
            else None,
            **_first_seller(key, [sellers[item] for item in row["seller_ids"] if item in sellers]),
            "stockLevels.unitCost": [Money(amount=row["standard_price"], currency=Currency("EUR"))] * len(quants[key]),
            "stockLevels.asOf": [_moment(quant["write_date"]) for quant in quants[key]],
            "stockLevels.location.name": [_name(quant["location_id"]) for quant in quants[key]],
            "stockLevels.lot": [_name(quant["lot_id"]) for quant in quants[key]],
            "stockLevels.onHand": [_quantity(quant["quantity"], unit) for quant in quants[key]],
        }
    return found


def _first_seller(key: int, sellers: list[Row]) -> Row:
    """The first one in Odoo's own order who sells this variant today."""
    for row in sellers:
        first, last = _day(row["date_start"]) or date.min, _day(row["date_end"]) or date.max
        if first <= NOW.date() <= last and _key(row["product_id"]) in (None, key):
            return {"preferredVendor": _link(row["partner_id"]), "leadTimeDays": row["delay"]}
    return {"preferredVendor": None, "leadTimeDays": None}


TRUTH: Mapping[str, Callable[[Odoo], Truth]] = {
    "purchase.order": _orders,
    "maintenance.request": _requests,
    "maintenance.equipment": _equipment,
    "res.partner": _partners,
    "product.product": _products,
}
"""By model: what is known of every record, by key and path."""
