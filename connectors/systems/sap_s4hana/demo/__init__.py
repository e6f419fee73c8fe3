"""Demo data for SAP S/4HANA: a plant, its maintenance, store and purchases, alive around a given day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime
from random import Random

from connectors.sandbox.demo import DemoVendor, Region, demo_vendors
from connectors.systems.sap_s4hana.demo.company import Company, Row, Tables
from connectors.systems.sap_s4hana.demo.maintenance import write_orders
from connectors.systems.sap_s4hana.demo.orders import Purchasing
from connectors.systems.sap_s4hana.demo.plant import write_equipment, write_locations
from connectors.systems.sap_s4hana.demo.products import invent_products, write_products
from connectors.systems.sap_s4hana.demo.stock import write_stock
from connectors.systems.sap_s4hana.demo.vendors import write_vendors

__all__ = ["demo_data"]


def demo_data(
    seed: int,
    *,
    orders: int = 300,
    suppliers: int = 80,
    products: int = 150,
    equipment: int = 120,
    maintenance_orders: int = 200,
    company_code: str = "1010",
    currency: str = "EUR",
    region: Region = "EU",
    shared_vendors: Sequence[DemoVendor] = (),
    today: date | None = None,
) -> dict[str, list[Row]]:
    """Invent the rows of every entity set; the same seed and day give the same rows.

    `shared_vendors` become suppliers here too, under numbers of this system. Dates lie around `today`
    (default: the current day, UTC), and nothing has changed later than its beginning. Products of the
    purchase orders and of the maintenance orders are among those in store.
    """
    company = Company(company_code, currency, region, today or datetime.now(UTC).date())
    random = Random(seed)  # noqa: S311 - it invents data, it keeps no secret
    tables: Tables = defaultdict(list)
    vendors = [*shared_vendors, *demo_vendors(random, region, max(0, suppliers - len(shared_vendors)))]
    random.shuffle(vendors)
    numbers = write_vendors(tables, random, company, vendors)
    store = invent_products(random, products)
    write_products(tables, random, company, store)
    write_stock(tables, random, company, store, numbers)
    write_locations(tables, random, company)
    machines = write_equipment(tables, random, company, equipment)
    jobs = write_orders(tables, random, company, machines, store, numbers, maintenance_orders)
    Purchasing(tables, random, company, numbers, store).write(orders, jobs)
    return dict(tables)
