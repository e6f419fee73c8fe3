"""What the demo company buys: products with their templates and sellers, and how much of each should be there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from connectors.sandbox.demo import DemoGood, demo_goods
from connectors.sandbox.odoo_json2 import Row
from connectors.systems.odoo.demo.company import CATEGORY_OF_SERVICES, Tables

UNITS = {"piece": 1, "KG": 2, "L": 3, "M": 4, "H": 5}
SHELF, SECOND_SHELF, OIL_STORE, WORKSHOP = 6, 7, 8, 9
FLUIDS = frozenset(("CHEM", "LUBE"))
PLANNED, SHORT, ARCHIVED = 0.7, 0.2, 0.03
ALL_GOODS = 1
STORAGE = "<p>Keep <b>closed</b>, between 5 and 25 °C.</p><p>The safety data sheet hangs in the store.</p>"


@dataclass(slots=True)
class Product:
    """A product of the demo; without planning its reorder point is 0."""

    good: DemoGood
    id: int
    price: Decimal
    sellers: Sequence[Row]
    reorder_point: Decimal = Decimal(0)
    maximum: Decimal = Decimal(0)
    on_hand: Decimal = Decimal(0)
    location: int = field(default=SHELF)

    @property
    def unit(self) -> int:
        """The unit that it is counted in."""
        return UNITS[self.good.unit]

    @property
    def is_short(self) -> bool:
        """Whether less is there than should be."""
        return self.on_hand < self.reorder_point

    @property
    def name(self) -> str:
        """What a line calls it."""
        return f"[{self.good.number}] {self.good.text}" if self.good.number else self.good.text


def write_products(
    tables: Tables, random: Random, count: int, vendors: Sequence[Row]
) -> tuple[list[Product], list[Product]]:
    """Write goods and all services, and return both; ValueError if there are not so many goods."""
    goods = [good for good in demo_goods() if good.number]
    if count > len(goods):
        raise ValueError(f"the words suffice for {len(goods)} products, not for {count}")
    categories = _write_categories(tables, goods)
    chosen = [
        _write_product(tables, random, good, categories, vendors, planned=random.random() < PLANNED)
        for good in random.sample(goods, count)
    ]
    services = [
        _write_product(tables, random, good, categories, vendors, planned=False)
        for good in demo_goods()
        if not good.number
    ]
    return chosen, services


def _write_categories(tables: Tables, goods: Sequence[DemoGood]) -> dict[str, int]:
    found = {}
    for group in sorted({good.group for good in goods}):
        name = group.capitalize()
        row = tables.add(
            "product.category",
            created=tables.midnight - timedelta(days=1_900),
            name=name,
            complete_name=f"Goods / {name}",
            parent_id=ALL_GOODS,
        )
        found[group] = row["id"]
    return found


def _write_product(
    tables: Tables,
    random: Random,
    good: DemoGood,
    categories: dict[str, int],
    vendors: Sequence[Row],
    *,
    planned: bool,
) -> Product:
    price = good.price / good.per
    created = tables.some_days_ago(random, 450, 1_400)
    changed = created + timedelta(days=random.randint(0, 400), minutes=random.randint(0, 500))
    is_goods = bool(good.number)
    active = not is_goods or planned or random.random() >= ARCHIVED
    template = tables.add(
        "product.template",
        created=created,
        changed=changed,
        name=good.text,
        default_code=good.number or None,
        type="consu" if is_goods else "service",
        is_storable=is_goods,
        tracking="none",
        uom_id=UNITS[good.unit],
        categ_id=categories[good.group] if is_goods else CATEGORY_OF_SERVICES,
        list_price=(price * Decimal("1.2")).quantize(Decimal("0.01")),
        purchase_ok=True,
        sale_ok=False,
        purchase_method="receive" if is_goods else "purchase",
        description_purchase=good.german or None,
        description=STORAGE if good.group in FLUIDS else None,
        supplier_taxes_id=[1],
        active=active,
    )
    row = tables.add(
        "product.product",
        created=created,
        changed=changed,
        product_tmpl_id=template["id"],
        default_code=good.number or None,
        barcode=f"40{random.randint(10**10, 10**11 - 1)}" if is_goods and random.random() < 0.4 else None,
        standard_price=(price * random.randint(94, 106) / 100).quantize(Decimal("0.0001")),
        active=active,
    )
    product = Product(good, row["id"], price, _sellers(random, vendors))
    _plan(random, product, planned=planned)
    _write_sellers(tables, random, product, template)
    return product


def _sellers(random: Random, vendors: Sequence[Row]) -> list[Row]:
    known = [vendor for vendor in vendors if vendor["active"]] or list(vendors)
    return random.sample(known, min(len(known), random.choice((1, 1, 2, 2, 3))))


def _plan(random: Random, product: Product, *, planned: bool) -> None:
    good = product.good
    product.location = OIL_STORE if good.group in FLUIDS else random.choice((SHELF, SECOND_SHELF))
    if planned:
        product.reorder_point = max(min(good.quantities), Decimal(2)) * random.randint(1, 2)
        product.maximum = product.reorder_point + max(good.quantities)
        is_short = random.random() < SHORT
        share = random.randint(0, 80) if is_short else random.randint(105, 260)
        on_hand = product.reorder_point * share / 100
        product.on_hand = Decimal(int(on_hand)) if is_short else Decimal(int(on_hand) + 1)
    elif good.number:
        product.on_hand = Decimal(int(min(good.quantities) * random.randint(0, 150) / 100))


def _write_sellers(tables: Tables, random: Random, product: Product, template: Row) -> None:
    for index, vendor in enumerate(product.sellers):
        values: dict[str, Any] = {
            "partner_id": vendor["id"],
            "product_tmpl_id": template["id"],
            "product_uom_id": product.unit,
            "price": (product.price * random.randint(97, 110) / 100).quantize(Decimal("0.0001")),
            "currency_id": tables.currency,
            "min_qty": Decimal(random.choice((0, 1, 1))),
            "delay": random.choice((3, 5, 7, 14, 21, 35)),
            "sequence": index + 1,
            "product_code": f"{vendor['name'][:2].upper()}-{random.randint(1_000, 99_999)}",
            "company_id": 1,
        }
        tables.add("product.supplierinfo", created=template["create_date"], **values)
