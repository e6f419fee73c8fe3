"""Puts the plant's stock where it lies, reserves some of it, and starts what is made of it."""

from typing import Any

from tests.real.odoo.administrator import Administrator

STEPS = {
    "confirm": "action_confirm",
    "reserve": "action_assign",
    "start": "action_start",
    "finish": "button_mark_done",
    "cancel": "action_cancel",
}


def create_stock(administrator: Administrator, plant: dict[str, Any]) -> None:
    """Count the stock, reserve a part of it for transfers, and create the productions."""
    _count(administrator, plant["counted"])
    _reserve(administrator, plant["reserved"])
    _produce(administrator, plant["recipe"], plant["productions"])


def _count(administrator: Administrator, counted: list[dict[str, Any]]) -> None:
    quants = [
        {name: value for name, value in count.items() if name != "quantity"} | {"inventory_quantity": count["quantity"]}
        for count in counted
    ]
    ids = administrator.create("stock.quant", quants, inventory_mode=True)
    administrator.call("stock.quant", "action_apply_inventory", ids=ids)


def _reserve(administrator: Administrator, reserved: list[dict[str, Any]]) -> None:
    """Plan a transfer for each, which sets the quantity aside at the place it comes from."""
    transfers = [
        {
            "picking_type_id": "@Internal moves",
            "location_id": transfer["from"],
            "location_dest_id": transfer["to"],
            "move_ids": [
                {
                    "product_id": transfer["product_id"],
                    "product_uom_qty": transfer["quantity"],
                    "location_id": transfer["from"],
                    "location_dest_id": transfer["to"],
                }
            ],
        }
        for transfer in reserved
    ]
    ids = administrator.create("stock.picking", transfers)
    administrator.call("stock.picking", "action_confirm", ids=ids)
    administrator.call("stock.picking", "action_assign", ids=ids)


def _produce(administrator: Administrator, recipe: dict[str, Any], productions: list[dict[str, Any]]) -> None:
    product = administrator.id(recipe["product"])
    (made,) = administrator.call("product.product", "read", ids=[product], fields=["product_tmpl_id"])
    bill = {"product_tmpl_id": made["product_tmpl_id"][0], "product_qty": 1, "bom_line_ids": recipe["parts"]}
    (bill_id,) = administrator.create("mrp.bom", [bill])
    for production in productions:
        values = {name: value for name, value in production.items() if name != "then"}
        ids = administrator.create("mrp.production", [values | {"product_id": product, "bom_id": bill_id}])
        for step in production["then"]:
            administrator.call("mrp.production", STEPS[step], ids=ids)
