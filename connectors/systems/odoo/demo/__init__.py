"""Demo data for Odoo: a plant, its maintenance, store and purchases, alive around a given day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from random import Random

from connectors.sandbox.demo import DemoVendor, demo_vendors
from connectors.sandbox.odoo_json2 import Row
from connectors.systems.odoo.demo.company import Tables, write_company
from connectors.systems.odoo.demo.maintenance import write_equipment, write_requests
from connectors.systems.odoo.demo.partners import write_vendors
from connectors.systems.odoo.demo.products import write_products
from connectors.systems.odoo.demo.purchases import Purchasing
from connectors.systems.odoo.demo.stock import write_stock

__all__ = ["demo_data"]


def demo_data(
    seed: int,
    *,
    orders: int = 200,
    vendors: int = 60,
    products: int = 120,
    equipment: int = 80,
    requests: int = 150,
    today: date | None = None,
    shared_vendors: Sequence[DemoVendor] = (),
    currency: str = "EUR",
) -> dict[str, list[Row]]:
    """Invent the rows of every model; the same seed and day give the same rows.

    `shared_vendors` are among the vendors. Dates lie around `today` (default: the current day, UTC), and nothing
    has changed later than its beginning. A plant that counts in USD has its vendors in North America.
    """
    tables = Tables(today or datetime.now(UTC).date(), currency)
    random = Random(seed)  # noqa: S311 - it invents data, it keeps no secret
    invented = demo_vendors(random, tables.region, max(0, vendors - len(shared_vendors)))
    chosen = [*shared_vendors, *invented]
    random.shuffle(chosen)
    write_company(tables)
    sellers = write_vendors(tables, random, chosen)
    goods, services = write_products(tables, random, products, sellers)
    write_stock(tables, random, goods)
    machines = write_equipment(tables, random, equipment, sellers)
    jobs = write_requests(tables, random, machines, requests)
    Purchasing(tables, random, sellers, goods, services, jobs).write(orders)
    return tables.rows
