"""Creates the purchases of `plant.json` and leads each through Tryton's workflow to where it shall stand."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.real.tryton.administrator import Administrator

BILLED_ON = datetime.date(2024, 3, 31)
PAID_ON = datetime.date(2024, 4, 15)
PATHS = {
    "draft": [],
    "quotation": ["quote"],
    "confirmed": ["quote", "confirm"],
    "processing": ["quote", "confirm", "process"],
    "cancelled draft": ["cancel"],
    "cancelled": ["quote", "cancel"],
}


def create_purchases(administrator: Administrator, purchases: list[dict[str, Any]]) -> None:
    """Create `purchases`, then take them step by step along `PATHS` and through what follows `then`."""
    numbering = administrator.find("ir.sequence", ["name", "=", "Purchase"])
    administrator.call("model.ir.sequence.write", numbering, {"prefix": "PO-"})
    ids = administrator.create("purchase.purchase", [_record(administrator, purchase) for purchase in purchases])
    for step in ("quote", "confirm", "process", "cancel"):
        chosen = [id_ for id_, purchase in zip(ids, purchases, strict=True) if step in PATHS[purchase["until"]]]
        administrator.call(f"model.purchase.purchase.{step}", chosen)
    for id_, purchase in zip(ids, purchases, strict=True):
        if "process" in PATHS[purchase["until"]]:
            _plan_arrivals(administrator, id_)
        for event in purchase.get("then", ()):
            EVENTS[event](administrator, id_)
            administrator.call("model.purchase.purchase.process", [id_])


def _record(administrator: Administrator, purchase: dict[str, Any]) -> dict[str, Any]:
    vendor = administrator.id("party.party", purchase["vendor"])
    return {
        "party": vendor,
        "invoice_address": administrator.find("party.address", ["party", "=", vendor])[0],
        "currency": administrator.id("currency.currency", purchase.get("currency", "EUR")),
        "payment_term": administrator.id("account.invoice.payment_term", purchase["term"])
        if "term" in purchase
        else None,
        "purchase_date": _date(purchase.get("date")),
        "delivery_date": _date(purchase.get("delivery")),
        "reference": purchase.get("reference"),
        "description": purchase.get("description"),
        "comment": purchase.get("comment"),
        "invoice_method": purchase.get("billing", "order"),
        "lines": [["create", [_line(administrator, line) for line in purchase["lines"]]]],
    }


def _line(administrator: Administrator, line: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {"type": line.get("type", "line"), "description": line.get("description")}
    if record["type"] != "line":
        return record
    record["quantity"] = float(line["quantity"])
    record["unit_price"] = None if line["price"] is None else Decimal(line["price"])
    if "product" in line:
        product = administrator.id("product.product", line["product"])
        (bought,) = administrator.call(
            "model.product.product.read", [product], ["purchase_uom", "account_category.supplier_taxes"]
        )
        taxes = [["add", bought["account_category."]["supplier_taxes"]]]
        record |= {"product": product, "unit": bought["purchase_uom"], "taxes": taxes}
    if "delivery" in line:
        record |= {"delivery_date_edit": True, "delivery_date_store": _date(line["delivery"])}
    return record


def _date(text: str | None) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None


def _plan_arrivals(administrator: Administrator, purchase: int) -> None:
    """Plan the moves for the dates of delivery agreed on, which Tryton leaves out where they are past by now."""
    dates = ["delivery_date_store", "purchase.delivery_date", "moves"]
    domain = [["purchase", "=", purchase], ["moves", "!=", None]]
    for line in administrator.call("model.purchase.line.search_read", domain, 0, None, None, dates):
        agreed = line["delivery_date_store"] or line["purchase."]["delivery_date"]
        administrator.call("model.stock.move.write", line["moves"], {"planned_date": agreed})


def _receive_part(administrator: Administrator, purchase: int) -> None:
    """Half of what is ordered in the first line comes in."""
    move = _open_moves(administrator, purchase)[0]
    (ordered,) = administrator.call("model.stock.move.read", [move], ["quantity"])
    administrator.call("model.stock.move.write", [move], {"quantity": ordered["quantity"] / 2})
    _receive_moves(administrator, purchase, [move])


def _receive(administrator: Administrator, purchase: int) -> None:
    """All that is still to come comes in."""
    _receive_moves(administrator, purchase, _open_moves(administrator, purchase))


def _receive_moves(administrator: Administrator, purchase: int, moves: list[int]) -> None:
    fields = ["party", "warehouse", "warehouse.input_location", "warehouse.storage_location"]
    (ordered,) = administrator.call("model.purchase.purchase.read", [purchase], fields)
    arrival = {
        "supplier": ordered["party"],
        "warehouse": ordered["warehouse"],
        "warehouse_input": ordered["warehouse."]["input_location"],
        "warehouse_storage": ordered["warehouse."]["storage_location"],
        "effective_date": BILLED_ON,
        "incoming_moves": [["add", moves]],
    }
    shipments = administrator.create("stock.shipment.in", [arrival])
    administrator.call("model.stock.shipment.in.receive", shipments)
    administrator.call("model.stock.shipment.in.do", shipments)


def _open_moves(administrator: Administrator, purchase: int) -> list[int]:
    return administrator.find("stock.move", ["purchase", "=", purchase], ["state", "=", "draft"])


def _cancel_delivery(administrator: Administrator, purchase: int) -> None:
    administrator.call("model.stock.move.cancel", _open_moves(administrator, purchase))


def _bill(administrator: Administrator, purchase: int) -> None:
    invoices = _invoices(administrator, purchase, "draft")
    administrator.call("model.account.invoice.write", invoices, {"invoice_date": BILLED_ON})
    administrator.call("model.account.invoice.post", invoices)


def _cancel_bill(administrator: Administrator, purchase: int) -> None:
    administrator.call("model.account.invoice.cancel", _invoices(administrator, purchase, "draft"))


def _pay(administrator: Administrator, purchase: int) -> None:
    for invoice in _invoices(administrator, purchase, "posted"):
        (due,) = administrator.call(
            "model.account.invoice.read", [invoice], ["amount_to_pay", "party", "currency", "company"]
        )
        payment = {
            "payee": due["party"],
            "amount": due["amount_to_pay"],
            "currency": due["currency"],
            "company": due["company"],
            "payment_method": administrator.id("account.invoice.payment.method", "bank"),
            "date": PAID_ON,
        }
        administrator.wizard(
            "account.invoice.pay",
            [("start", {}), ("choice", {"start": payment})],
            active_model="account.invoice",
            active_id=invoice,
            active_ids=[invoice],
        )
        administrator.call("model.account.invoice.process", [invoice])


def _invoices(administrator: Administrator, purchase: int, state: str) -> list[int]:
    return administrator.find("account.invoice", ["purchases", "=", purchase], ["state", "=", state])


EVENTS: dict[str, Callable[[Administrator, int], None]] = {
    "receive part": _receive_part,
    "receive": _receive,
    "cancel delivery": _cancel_delivery,
    "bill": _bill,
    "cancel bill": _cancel_bill,
    "pay": _pay,
}
