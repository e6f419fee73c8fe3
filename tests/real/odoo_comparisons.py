"""Holds what a gateway answers against what Odoo itself says of the same record, field by field."""

from decimal import Decimal
from typing import Any

Row = dict[str, Any]

STATES = {
    "draft": "DRAFT",
    "sent": "DRAFT",
    "to approve": "PENDING_APPROVAL",
    "purchase": "ISSUED",
    "cancel": "CANCELED",
}


def by_key(own: list[Row]) -> dict[str, Row]:
    return {str(row["id"]): row for row in own}


def name(pair: Any) -> Any:
    return pair[1] if pair else None


def key(pair: Any) -> str | None:
    return str(pair[0]) if pair else None


def moment(text: Any) -> str | None:
    return f"{text.replace(' ', 'T')}Z" if text else None


def number(value: Row | None, part: str = "value") -> Decimal | None:
    return None if value is None else Decimal(value[part])


LINE_FIELDS = ["display_type", "product_id", "name", "product_qty", "qty_received", "price_unit", "price_subtotal"]
LINE_FIELDS += ["product_uom_id", "date_planned"]


def compare_order(ours: Row, own: Row) -> None:
    assert ours["number"] == own["name"]
    assert (ours["status"], ours["sourceStatus"]) == (STATES[own["state"]], own["state"])
    assert ours["vendorName"] == own["partner_id"][1]
    assert ours["vendor"]["remoteId"] == key(own["partner_id"])
    assert ours["reference"] == (own["partner_ref"] or None)
    assert ours["orderDate"] == own["date_order"][:10]
    assert ours["requiredDate"] == (own["date_planned"][:10] if own["date_planned"] else None)
    assert ours["currency"] == ours["total"]["currency"] == name(own["currency_id"])
    for part, field in (("total", "amount_total"), ("subtotal", "amount_untaxed"), ("taxTotal", "amount_tax")):
        assert number(ours[part], "amount") == own[field], part
    assert ours["organization"]["name"] == name(own["company_id"])
    assert (ours["createdAt"], ours["updatedAt"]) == (moment(own["create_date"]), moment(own["write_date"]))
    assert ours["version"] == own["write_date"]
    assert (ours["paymentTerms"] or {}).get("label") == name(own["payment_term_id"])
    assert ours["incoterm"] == (name(own["incoterm_id"])[1:4] if own["incoterm_id"] else None)
    assert ours["lineCount"] == len(own["order_line"])


def compare_line(ours: Row, own: Row) -> None:
    assert ours["sourceType"] == (own["display_type"] or None)
    assert ours["description"] == own["name"]
    assert (ours["item"] or {}).get("remoteId") == key(own["product_id"])
    assert ours["itemNumber"] == (ours["item"] or {}).get("number")
    if own["display_type"]:
        assert ours["type"] == "TEXT"
        assert ours["quantityOrdered"] is ours["quantityReceived"] is ours["unitPrice"] is ours["lineTotal"] is None
        return
    assert ours["type"] in ("GOODS", "SERVICE")
    assert number(ours["quantityOrdered"]) == own["product_qty"]
    assert ours["quantityOrdered"]["sourceUnit"] == name(own["product_uom_id"])
    assert number(ours["quantityReceived"]) == own["qty_received"]
    assert number(ours["unitPrice"], "amount") == own["price_unit"]
    assert number(ours["lineTotal"], "amount") == own["price_subtotal"]
    assert ours["requiredDate"] == own["date_planned"][:10]


def compare_work(ours: Row, own: Row) -> None:
    blocked = "ON_HOLD" if own["kanban_state"] == "blocked" else "RELEASED"
    assert ours["title"] == own["name"]
    assert ours["type"] == (own["maintenance_type"] or "unknown").upper()
    assert ours["status"] == ("CANCELED" if own["archive"] else "COMPLETED" if own["done"] else blocked)
    assert ours["sourceStatus"] == name(own["stage_id"])
    assert ours["priority"] == {"2": "MEDIUM", "3": "HIGH", False: "UNKNOWN"}.get(own["priority"], "LOW")
    assert ours["scheduledStart"] == moment(own["schedule_date"])
    assert ours["scheduledFinish"] == moment(own["schedule_end"])
    assert (ours["asset"] or {}).get("remoteId") == key(own["equipment_id"])
    assert (ours["requester"] or {}).get("name") == name(own["owner_user_id"])
    assert (ours["supervisor"] or {}).get("name") == name(own["user_id"])
    assert ours["plannerGroup"]["label"] == name(own["maintenance_team_id"])
    assert ours["updatedAt"] == moment(own["write_date"])


def compare_asset(ours: Row, own: Row) -> None:
    status = "UNKNOWN" if own["active"] else "INACTIVE"
    assert ours["name"] == own["name"]
    assert ours["kind"] == "EQUIPMENT"
    assert ours["status"] == ("DISPOSED" if own["scrap_date"] else status)
    assert ours["model"] == (own["model"] or None)
    assert ours["serialNumber"] == (own["serial_no"] or None)
    assert ours["partNumber"] == (own["partner_ref"] or None)
    assert (ours["assetClass"] or {}).get("label") == name(own["category_id"])
    assert ours["installedDate"] == own["effective_date"]
    assert ours["decommissionedDate"] == (own["scrap_date"] or None)
    assert ours["warrantyEndDate"] == (own["warranty_date"] or None)
    assert number(ours["purchasePrice"], "amount") == own["cost"]
    assert (ours["vendor"] or {}).get("remoteId") == key(own["partner_id"])


def compare_vendor(ours: Row, own: Row) -> None:
    assert ours["number"] == (own["ref"] or None)
    assert ours["name"] == own["complete_name"]
    assert ours["type"] == ("COMPANY" if own["is_company"] else "INDIVIDUAL")
    assert ours["status"] == ("ACTIVE" if own["active"] else "INACTIVE")
    for part, field in (("taxNumber", "vat"), ("email", "email"), ("phone", "phone"), ("website", "website")):
        assert ours[part] == (own[field] or None), part
    address = ours["address"] or {}
    for part, field in (("line1", "street"), ("line2", "street2"), ("city", "city"), ("postalCode", "zip")):
        assert address.get(part) == (own[field] or None), part
    assert (address.get("country") is None) == (own["country_id"] is False)


def compare_item(ours: Row, own: Row) -> None:
    assert ours["number"] == (own["default_code"] or None)
    assert ours["name"] == own["name"]
    assert ours["status"] == ("ACTIVE" if own["active"] else "INACTIVE")
    assert ours["baseUnit"] == name(own["uom_id"])
    assert ours["barcode"] == (own["barcode"] or None)
    assert (ours["category"]["code"], ours["category"]["label"]) == (key(own["categ_id"]), name(own["categ_id"]))
    assert number(ours["standardCost"], "amount") == own["standard_price"]
    assert (ours["isLotTracked"], ours["isSerialTracked"]) == (own["tracking"] == "lot", own["tracking"] == "serial")
    limit = own["reordering_min_qty"] if own["nbr_reordering_rules"] == 1 else None
    assert number(ours["minimum"]) == number(ours["reorderPoint"]) == limit


def compare_stock(ours: Row, quants: list[Row]) -> None:
    there = sum((quant["quantity"] for quant in quants), Decimal(0))
    reserved = sum((quant["reserved_quantity"] for quant in quants), Decimal(0))
    assert number(ours["onHand"]) == there
    assert number(ours["reserved"]) == reserved
    assert number(ours["available"]) == there - reserved
    for level, quant in zip(ours["stockLevels"]["nodes"], quants, strict=True):
        assert (level["location"]["code"], level["location"]["name"]) == (
            key(quant["location_id"]),
            name(quant["location_id"]),
        )
        assert level["lot"] == name(quant["lot_id"])
        assert number(level["onHand"]) == quant["quantity"]
        assert number(level["reserved"]) == quant["reserved_quantity"]
