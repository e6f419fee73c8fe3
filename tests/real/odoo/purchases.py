"""Creates the purchase orders of `purchases.json` and leads each through Odoo's workflow to where it shall stand."""

from collections.abc import Callable
from typing import Any

from tests.real.odoo.administrator import Administrator

APPROVED_AT = "2024-02-28 12:00:00"
RECEIVED_AT = ("2024-03-15 09:30:00", "2024-03-18 10:00:00")  # the first arrival of an order, and what follows
BILLED_ON = "2024-03-31"
PAID_ON = "2024-04-15"


def create_purchases(administrator: Administrator, buyer: Administrator, orders: list[dict[str, Any]]) -> None:
    """Create `orders`, then take each through the steps that follow `then`.

    The buyer confirms them, whose large orders have to be approved by somebody else.
    """
    for order in orders:
        values = {name: value for name, value in order.items() if name != "then"}
        values["order_line"] = [_line(line, position) for position, line in enumerate(order["order_line"])]
        (id_,) = administrator.create("purchase.order", [{"user_id": None} | values])
        for step in order.get("then", ()):
            STEPS[step](buyer if step == "confirm" else administrator, id_)
        _settle(administrator, id_)


def _line(line: dict[str, Any], position: int) -> dict[str, Any]:
    return {"product_qty": 0, "sequence": 10 + position} | line


def _settle(administrator: Administrator, order: int) -> None:
    """Move what Odoo dated today to where it belongs."""
    (read,) = administrator.call("purchase.order", "read", ids=[order], fields=["date_approve", "picking_ids"])
    if read["date_approve"]:
        administrator.write("purchase.order", [order], date_approve=APPROVED_AT)
    arrived = administrator.find("stock.picking", ["id", "in", read["picking_ids"]], ["state", "=", "done"])
    for picking, moment in zip(arrived, RECEIVED_AT, strict=False):
        administrator.write("stock.picking", [picking], date_done=moment)


def _do(method: str) -> Callable[[Administrator, int], None]:
    def step(user: Administrator, order: int) -> None:
        user.call("purchase.order", method, ids=[order])

    return step


def _receive_part(administrator: Administrator, order: int) -> None:
    """Half of what is ordered in the first line comes in; the rest stays open."""
    move, *others = _open_moves(administrator, order)
    (ordered,) = administrator.call("stock.move", "read", ids=[move], fields=["product_uom_qty"])
    administrator.write("stock.move", [move], quantity=float(ordered["product_uom_qty"]) / 2, picked=True)
    administrator.write("stock.move", others, picked=False)
    _receive_picked(administrator, order)


def _receive(administrator: Administrator, order: int) -> None:
    """All that is still to come comes in."""
    moves = _open_moves(administrator, order)
    for open_move in administrator.call("stock.move", "read", ids=moves, fields=["product_uom_qty"]):
        quantity = float(open_move["product_uom_qty"])
        administrator.write("stock.move", [open_move["id"]], quantity=quantity, picked=True)
    _receive_picked(administrator, order)


def _receive_picked(administrator: Administrator, order: int) -> None:
    pickings = _open_pickings(administrator, order)
    administrator.call("stock.picking", "button_validate", ids=pickings, context={"skip_backorder": True})


def _cancel_rest(administrator: Administrator, order: int) -> None:
    """What is still to come will not come."""
    administrator.call("stock.picking", "action_cancel", ids=_open_pickings(administrator, order))


def _open_moves(administrator: Administrator, order: int) -> list[int]:
    ordered = ["purchase_line_id.order_id", "=", order]
    return administrator.find("stock.move", ordered, ["state", "not in", ["done", "cancel"]])


def _open_pickings(administrator: Administrator, order: int) -> list[int]:
    ordered = ["move_ids.purchase_line_id.order_id", "=", order]
    return administrator.find("stock.picking", ordered, ["state", "not in", ["done", "cancel"]])


def _draft_bill(administrator: Administrator, order: int) -> None:
    administrator.call("purchase.order", "action_create_invoice", ids=[order])
    bills = _bills(administrator, order, "draft")
    administrator.write("account.move", bills, invoice_date=BILLED_ON, ref=f"bill of order {order}")


def _bill(administrator: Administrator, order: int) -> None:
    _draft_bill(administrator, order)
    administrator.call("account.move", "action_post", ids=_bills(administrator, order, "draft"))


def _cancel_bill(administrator: Administrator, order: int) -> None:
    bills = _bills(administrator, order, "posted")
    administrator.call("account.move", "button_draft", ids=bills)
    administrator.call("account.move", "button_cancel", ids=bills)


def _pay(administrator: Administrator, order: int) -> None:
    bills = _bills(administrator, order, "posted")
    context = {"active_model": "account.move", "active_ids": bills}
    payments = administrator.create("account.payment.register", [{"payment_date": PAID_ON}], **context)
    administrator.call("account.payment.register", "action_create_payments", ids=payments, context=context)


def _bills(administrator: Administrator, order: int, state: str) -> list[int]:
    billed = ["line_ids.purchase_line_id.order_id", "=", order]
    return administrator.find("account.move", billed, ["state", "=", state])


STEPS: dict[str, Callable[[Administrator, int], None]] = {
    "send": _do("print_quotation"),
    "confirm": _do("button_confirm"),
    "confirm by chief": _do("button_confirm"),
    "approve": _do("button_approve"),
    "acknowledge": _do("action_acknowledge"),
    "lock": _do("button_lock"),
    "cancel": _do("button_cancel"),
    "receive part": _receive_part,
    "receive": _receive,
    "cancel rest": _cancel_rest,
    "bill": _bill,
    "bill draft": _draft_bill,
    "cancel bill": _cancel_bill,
    "pay": _pay,
}
