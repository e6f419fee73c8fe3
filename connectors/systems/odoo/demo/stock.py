"""The stock of the demo company: quants in several locations, and the rules that refill them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random

from connectors.systems.odoo.demo.company import COMPANY, Tables
from connectors.systems.odoo.demo.products import WORKSHOP, Product

STOCK, VENDORS = 5, 2


def write_stock(tables: Tables, random: Random, products: Sequence[Product]) -> None:
    """Write what is there of every product, and from when on it has to be ordered."""
    for product in products:
        _write_quants(tables, random, product)
        if product.reorder_point:
            _write_rule(tables, random, product)


def _write_quants(tables: Tables, random: Random, product: Product) -> None:
    """Write what is in its place, some of it perhaps in the open store, and where all of it came from."""
    if not product.on_hand:
        return
    loose = Decimal(int(product.on_hand / 3)) if random.random() < 0.25 else Decimal(0)
    kept = product.on_hand - loose
    reserved = Decimal(int(kept / 2)) if random.random() < 0.15 else Decimal(0)
    _write_quant(tables, random, product, product.location, kept, reserved)
    _write_quant(tables, random, product, STOCK, loose, Decimal(0))
    in_workshop = Decimal(random.randint(1, 3)) if random.random() < 0.08 else Decimal(0)
    _write_quant(tables, random, product, WORKSHOP, in_workshop, Decimal(0))
    _write_quant(tables, random, product, VENDORS, -product.on_hand - in_workshop, Decimal(0))


def _write_quant(
    tables: Tables, random: Random, product: Product, location: int, quantity: Decimal, reserved: Decimal
) -> None:
    if quantity:
        moved = tables.some_days_ago(random, 0, 300)
        tables.add(
            "stock.quant",
            created=moved,
            product_id=product.id,
            location_id=location,
            company_id=None if location == VENDORS else COMPANY,
            quantity=quantity,
            reserved_quantity=reserved,
            in_date=moved,
        )


def _write_rule(tables: Tables, random: Random, product: Product) -> None:
    number = len(tables.rows.get("stock.warehouse.orderpoint", ())) + 1
    tables.add(
        "stock.warehouse.orderpoint",
        created=tables.some_days_ago(random, 300, 440),
        name=f"OP/{number:05d}",
        product_id=product.id,
        location_id=STOCK,
        warehouse_id=1,
        company_id=COMPANY,
        product_min_qty=product.reorder_point,
        product_max_qty=product.maximum,
        trigger=random.choice(("auto", "manual")),
    )
