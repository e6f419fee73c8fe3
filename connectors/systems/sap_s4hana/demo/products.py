"""What the demo company keeps in store: products with their texts, planning and prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from random import Random

from connectors.sandbox.demo import DemoGood, demo_goods
from connectors.systems.sap_s4hana.demo.company import Company, Tables

CENT = Decimal("0.01")
STORAGE_LOCATIONS = ("0001", "0002", "MRO1")
TYPES = {"CHEM": "HIBE", "FASTENERS": "HIBE", "LUBE": "HIBE", "STEEL": "ROH"}
SPARE_PART = "ERSA"
BATCHES = frozenset(("CHEM", "LUBE"))
"""Groups of goods that are kept by batch."""
STORAGE = "Keep closed and between 5 and 25 °C.\nThe safety data sheet hangs in the store."
REORDER_POINT = "VB"
NO_PLANNING = "ND"  # codespell:ignore
PLANNED, SHORT = 0.75, 0.16


@dataclass(frozen=True, slots=True)
class Product:
    """A good in store; without planning the reorder point is 0."""

    good: DemoGood
    storage_location: str
    reorder_point: Decimal
    maximum: Decimal
    on_hand: Decimal

    @property
    def second_location(self) -> str:
        """Where the rest of it is kept."""
        return STORAGE_LOCATIONS[STORAGE_LOCATIONS.index(self.storage_location) - 1]

    @property
    def is_short(self) -> bool:
        """Whether less is there than should be."""
        return self.on_hand < self.reorder_point

    @property
    def lot_size(self) -> Decimal:
        """How much is ordered at once of small parts; of others as much as is missing, which is 0 here."""
        return max(self.good.quantities) if self.reorder_point and self.good.per > 1 else Decimal(0)

    @property
    def missing(self) -> Decimal:
        """What it takes to fill the store."""
        return max(self.maximum - self.on_hand, Decimal(1))

    def whole(self, quantity: Decimal, rounding: str = ROUND_UP) -> Decimal:
        """Round a quantity to what can be counted, or to tenths of what is measured."""
        return quantity.quantize(Decimal(1) if self.good.unit == "piece" else Decimal("0.1"), rounding)


def invent_products(random: Random, count: int) -> list[Product]:
    """Choose goods and say how many of each are there; ValueError if there are not so many goods."""
    goods = [good for good in demo_goods() if good.number]
    if count > len(goods):
        raise ValueError(f"the words suffice for {len(goods)} products, not for {count}")
    chosen = random.sample(goods, count)
    planned = [random.random() < PLANNED for _ in chosen]
    short = set(
        random.sample([index for index in range(count) if planned[index]], min(sum(planned), int(SHORT * count)))
    )
    return [_product(random, good, planned=planned[index], short=index in short) for index, good in enumerate(chosen)]


def _product(random: Random, good: DemoGood, *, planned: bool, short: bool) -> Product:
    reorder_point = max(min(good.quantities), Decimal(2)) * random.randint(1, 2) if planned else Decimal(0)
    product = Product(
        good=good,
        storage_location=random.choice(STORAGE_LOCATIONS),
        reorder_point=reorder_point,
        maximum=reorder_point + max(good.quantities) if planned else Decimal(0),
        on_hand=Decimal(0),
    )
    if short:
        on_hand = product.whole(reorder_point * random.randint(0, 80) / 100, ROUND_DOWN)
    elif planned:
        on_hand = product.whole(reorder_point * random.randint(105, 260) / 100)
    else:
        on_hand = product.whole(min(good.quantities) * random.randint(0, 150) / 100)
    return replace(product, on_hand=on_hand)


def write_products(tables: Tables, random: Random, company: Company, products: Sequence[Product]) -> None:
    """Write the products with what hangs on them."""
    for product in products:
        _write_product(tables, random, company, product)
        _write_plant(tables, random, company, product)
        _write_price(tables, random, company, product)


def _write_product(tables: Tables, random: Random, company: Company, product: Product) -> None:
    good = product.good
    created = company.today - timedelta(days=random.randint(400, 2_500))
    changed = company.working_time(random, created + timedelta(days=random.randint(0, 390)))
    tables["A_Product"].append(
        {
            "Product": good.number,
            "ProductType": TYPES.get(good.group, SPARE_PART),
            "ProductGroup": good.group,
            "BaseUnit": company.unit(good),
            "IndustrySector": "M",
            "CreationDate": created,
            "CreatedByUser": "MDG_BATCH",
            "LastChangeDate": changed.date(),
            "LastChangeDateTime": changed,
            "LastChangedByUser": "MDG_BATCH",
            "IsMarkedForDeletion": not product.reorder_point and random.random() < 0.08,
            "IsBatchManagementRequired": good.group in BATCHES,
        }
    )
    if good.group in BATCHES:
        tables["A_ProductBasicText"].append({"Product": good.number, "Language": "EN", "LongText": STORAGE})
    for language in company.languages:
        text = good.german if language == "DE" else good.text
        tables["A_ProductDescription"].append(
            {"Product": good.number, "Language": language, "ProductDescription": text}
        )


def _write_plant(tables: Tables, random: Random, company: Company, product: Product) -> None:
    good, unit = product.good, company.unit(product.good)
    planning = {
        "Product": good.number,
        "Plant": company.code,
        "MRPType": REORDER_POINT if product.reorder_point else NO_PLANNING,
        "MRPResponsible": "001",
        "ABCIndicator": random.choice("ABCC"),
        "ProcurementType": "F",
        "BaseUnit": unit,
        "GoodsReceiptDuration": Decimal(1),
    }
    tables["A_ProductPlant"].append(
        {
            **planning,
            "PurchasingGroup": "001",
            "IsBatchManagementRequired": good.group in BATCHES,
            "ProductIsCriticalPrt": planning["ABCIndicator"] == "A" and bool(product.reorder_point),
        }
    )
    tables["A_ProductSupplyPlanning"].append(
        {
            **planning,
            "ReorderThresholdQuantity": product.reorder_point,
            "SafetyStockQuantity": product.whole(product.reorder_point / 2),
            "MaximumStockQuantity": product.maximum,
            "FixedLotSizeQuantity": product.lot_size,
            "LotSizingProcedure": "FX" if product.lot_size else "HB" if product.reorder_point else "EX",
            "PlannedDeliveryDurationInDays": Decimal(random.choice((5, 7, 14, 21, 35))),
            "DfltStorageLocationExtProcmt": product.storage_location,
        }
    )
    shelf = f"{random.choice('ABCD')}-{random.randint(1, 24):02d}-{random.randint(1, 6)}"
    for place, storage_bin in ((product.storage_location, shelf), (product.second_location, "")):
        tables["A_ProductStorageLocation"].append(
            {
                "Product": good.number,
                "Plant": company.code,
                "StorageLocation": place,
                "WarehouseStorageBin": storage_bin,
            }
        )


def _write_price(tables: Tables, random: Random, company: Company, product: Product) -> None:
    good = product.good
    average = (good.price * Decimal(random.randint(94, 106)) / 100).quantize(CENT)
    tables["A_ProductValuation"].append(
        {
            "Product": good.number,
            "ValuationArea": company.code,
            "ValuationType": "",
            "ValuationClass": "3040",
            "InventoryValuationProcedure": random.choice("VVVS"),
            "StandardPrice": good.price,
            "MovingAveragePrice": average,
            "PriceUnitQty": Decimal(good.per),
            "Currency": company.currency,
            "BaseUnit": company.unit(good),
        }
    )
