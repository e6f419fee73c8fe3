"""The stock of the demo company: one row for each place, batch, kind of stock and owner."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from random import Random

from connectors.systems.sap_s4hana.demo.company import Company, Row, Tables
from connectors.systems.sap_s4hana.demo.products import BATCHES, Product

UNRESTRICTED, IN_INSPECTION, BLOCKED = "01", "02", "07"
CONSIGNMENT = "K"


def write_stock(
    tables: Tables, random: Random, company: Company, products: Sequence[Product], suppliers: Sequence[str]
) -> None:
    """Write what is there of every product; nothing is written of what was never there."""
    for product in products:
        rows = _rows(random, company, product, suppliers)
        if rows:
            number, unit = product.good.number, company.unit(product.good)
            tables["A_MaterialStock"].append({"Material": number, "MaterialBaseUnit": unit})
            tables["A_MatlStkInAcctMod"] += rows


def _rows(random: Random, company: Company, product: Product, suppliers: Sequence[str]) -> list[Row]:
    batch = f"{random.randint(100, 999):010d}" if product.good.group in BATCHES else ""
    base: Row = {
        "Material": product.good.number,
        "Plant": company.code,
        "StorageLocation": product.storage_location,
        "Batch": batch,
        "Supplier": "",
        "Customer": "",
        "WBSElementInternalID": "0",
        "SDDocument": "",
        "SDDocumentItem": "0",
        "InventorySpecialStockType": "",
        "InventoryStockType": UNRESTRICTED,
        "MaterialBaseUnit": company.unit(product.good),
    }
    elsewhere = Decimal(0)
    if random.random() < 0.2:
        elsewhere = product.whole(product.on_hand / 3, ROUND_DOWN)
    rows = [
        {**base, "MatlWrhsStkQtyInMatlBaseUnit": product.on_hand - elsewhere},
        {**base, "StorageLocation": product.second_location, "MatlWrhsStkQtyInMatlBaseUnit": elsewhere},
    ]
    little = product.whole(min(product.good.quantities) / 2)
    if random.random() < 0.08:
        rows.append({**base, "InventoryStockType": IN_INSPECTION, "MatlWrhsStkQtyInMatlBaseUnit": little})
    if random.random() < 0.05:
        rows.append({**base, "InventoryStockType": BLOCKED, "MatlWrhsStkQtyInMatlBaseUnit": little})
    if suppliers and random.random() < 0.05:
        owned = {"InventorySpecialStockType": CONSIGNMENT, "Supplier": random.choice(suppliers)}
        rows.append({**base, **owned, "MatlWrhsStkQtyInMatlBaseUnit": little})
    return [row for row in rows if row["MatlWrhsStkQtyInMatlBaseUnit"]]
