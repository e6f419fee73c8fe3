"""The purchase orders of the demo company: in every state, some to refill the store, some for maintenance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from connectors.sandbox.demo import DemoGood, demo_goods
from connectors.systems.sap_s4hana.demo.company import Company, Row, Tables, time_of_day
from connectors.systems.sap_s4hana.demo.maintenance import Job
from connectors.systems.sap_s4hana.demo.products import CENT, Product
from connectors.systems.sap_s4hana.demo.vendors import INCOTERMS, PAYMENT_TERMS

OLDEST_ORDER = 540
"""Days before today on which the first order was made."""
RELEASED, IN_RELEASE, REJECTED = "05", "03", "08"
TAX_CODES = {"EU": "V1", "US": "I1"}
USERS = ("BUYER_MRO", "BUYER_PROD", "BUYER_SERV", "MRP_BATCH", "SUPPLYCOLLAB")
SERVICES = 0.08
REFILLED = 0.75
PRODUCTS_A_REFILL = 3
COST_CENTER, ORDER = "K", "F"
"""What an item without stock is charged to."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """Why and when an order is made; without a reason it orders anything."""

    age: int
    refill: tuple[Product, ...] = ()
    job: Job | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One item of an order in short."""

    order: str
    number: int
    good: DemoGood
    quantity: Decimal
    due: date


@dataclass(frozen=True, slots=True)
class Purchasing:
    """Writes orders to suppliers for products and services."""

    tables: Tables
    random: Random
    company: Company
    suppliers: Sequence[str]
    products: Sequence[Product]

    def write(self, count: int, jobs: Sequence[Job]) -> None:
        """Write orders, the oldest first."""
        number = 4_500_000_000
        for purchase in self._purchases(count, jobs):
            number += self.random.randint(1, 7)
            self._write_order(str(number), purchase)

    def _purchases(self, count: int, jobs: Sequence[Job]) -> list[Purchase]:
        """Plan the orders: up to a tenth refill the store, up to a tenth are for maintenance."""
        short = [product for product in self.products if product.is_short]
        short = short[: min(int(REFILLED * len(short)), count // 10 * PRODUCTS_A_REFILL)]
        planned = [
            Purchase(self.random.randint(1, 12), tuple(short[index : index + PRODUCTS_A_REFILL]))
            for index in range(0, len(short), PRODUCTS_A_REFILL)
        ]
        planned += [
            Purchase(max(0, (self.company.today - job.created).days - self.random.randint(0, 5)), job=job)
            for job in self.random.sample(jobs, min(len(jobs), count // 10))
        ]
        anything = count - len(planned)
        planned += [Purchase(int(OLDEST_ORDER * self.random.random() ** 1.6)) for _ in range(anything)]
        return sorted(planned, key=lambda purchase: purchase.age, reverse=True)

    def _write_order(self, number: str, purchase: Purchase) -> None:
        random, company = self.random, self.company
        created = company.today - timedelta(days=purchase.age)
        supplier = purchase.job.supplier if purchase.job else self._supplier()
        begun = min(datetime.combine(created, time(0), UTC) + time_of_day(random), company.midnight)
        changed = begun + (company.midnight - begun) * random.random() ** 2
        state = {"PurchasingProcessingStatus": RELEASED} if purchase.refill else self._state(purchase.age)
        incoterms, place = random.choice(INCOTERMS)
        self.tables["A_PurchaseOrder"].append(
            {
                "PurchaseOrder": number,
                "CompanyCode": company.code,
                "PurchaseOrderType": random.choice(("NB", "NB", "NB", "ZMRO")),
                "CreatedByUser": "MRP_BATCH" if purchase.refill else random.choice(USERS),
                "CreationDate": created,
                "LastChangeDateTime": min(changed, company.midnight),
                "Supplier": supplier,
                "InvoicingParty": supplier,
                "SupplyingSupplier": supplier,
                "Language": "DE" if company.region == "EU" else "EN",
                "PaymentTerms": random.choice(PAYMENT_TERMS),
                "PurchasingOrganization": company.code,
                "PurchasingGroup": random.choice(("001", "002", "003")),
                "PurchasingDocumentOrigin": "9",
                "PurchaseOrderDate": created,
                "DocumentCurrency": company.currency,
                "ExchangeRate": "1.00000",
                "IncotermsClassification": incoterms,
                "IncotermsLocation1": place,
                "CorrespncInternalReference": f"REQ-{random.randint(10_000, 99_999)}",
                **state,
            }
        )
        self._write_items(number, purchase, created, open_order=_is_open(state))

    def _write_items(self, order: str, purchase: Purchase, created: date, *, open_order: bool) -> None:
        random = self.random
        for index, short in enumerate(purchase.refill):
            due = self.company.today + timedelta(days=random.randint(1, 21))
            item = Item(order, 10 * (index + 1), short.good, short.whole(short.missing), due)
            self._write_item(item, short, delivered=False, invoiced=False, deleted=False)
        if purchase.refill:
            return
        lines = 1 if purchase.job else min(12, 1 + int(random.expovariate(0.45)))
        for index in range(lines):
            good, product = self._anything(service=bool(purchase.job) or random.random() < SERVICES)
            due = created + timedelta(days=random.randint(4, 60))
            delivered = open_order and due < self.company.today and random.random() < 0.88
            invoiced = delivered and (self.company.today - due).days > 20 and random.random() < 0.9
            item = Item(order, 10 * (index + 1), good, random.choice(good.quantities), due)
            deleted = not purchase.job and random.random() < 0.03
            self._write_item(item, product, delivered=delivered, invoiced=invoiced, deleted=deleted)
            if product is None:
                self._write_assignment(item, purchase.job)

    def _anything(self, *, service: bool) -> tuple[DemoGood, Product | None]:
        """Choose a service, which no store keeps, or a product."""
        if service or not self.products:
            return self.random.choice([good for good in demo_goods() if not good.number]), None
        product = self.random.choice(self.products)
        return product.good, product

    def _supplier(self) -> str:
        """Choose a supplier: half of the orders go to a few, the rest to any."""
        if self.random.random() < 0.5:
            return self.random.choice(self.suppliers)
        return self.suppliers[min(int(self.random.paretovariate(0.9)) - 1, len(self.suppliers) - 1)]

    def _state(self, age: int) -> Row:
        """Return the fields that say how far the order has come; a release takes weeks, not years."""
        roll = self.random.random()
        if roll < 0.04:
            return {"PurchasingDocumentDeletionCode": "L", "PurchasingProcessingStatus": RELEASED}
        if roll < 0.06:
            return {"PurchasingDocumentDeletionCode": "S", "PurchasingProcessingStatus": RELEASED}
        if roll < 0.09:
            return {"PurchasingCompletenessStatus": True, "PurchasingProcessingStatus": "02"}
        if roll < 0.12:
            return {"PurchasingProcessingStatus": REJECTED, "ReleaseIsNotCompleted": True}
        if roll < 0.40 and age < 45:
            return {"PurchasingProcessingStatus": IN_RELEASE, "ReleaseIsNotCompleted": True}
        return {"PurchasingProcessingStatus": self.random.choice(("02", RELEASED, RELEASED))}

    def _write_item(
        self, item: Item, product: Product | None, *, delivered: bool, invoiced: bool, deleted: bool
    ) -> None:
        good, company = item.good, self.company
        price = (good.price * Decimal(self.random.randint(93, 108)) / 100).quantize(CENT)
        self.tables["A_PurchaseOrderItem"].append(
            {
                "PurchaseOrder": item.order,
                "PurchaseOrderItem": str(item.number),
                "PurchasingDocumentDeletionCode": "L" if deleted else "",
                "PurchaseOrderItemText": good.text,
                "Material": good.number,
                "MaterialGroup": good.group,
                "ProductType": "1" if product else "2",
                "Plant": company.code,
                "StorageLocation": product.storage_location if product else "",
                "OrderQuantity": item.quantity,
                "PurchaseOrderQuantityUnit": company.unit(good),
                "OrderPriceUnit": company.unit(good),
                "OrderPriceUnitToOrderUnitNmrtr": Decimal(1),
                "OrdPriceUnitToOrderUnitDnmntr": Decimal(1),
                "DocumentCurrency": company.currency,
                "NetPriceAmount": price,
                "NetPriceQuantity": Decimal(good.per),
                "TaxCode": TAX_CODES[company.region],
                "AccountAssignmentCategory": "" if product else COST_CENTER,
                "PurchaseOrderItemCategory": "0",
                "IsCompletelyDelivered": delivered,
                "IsFinallyInvoiced": invoiced,
                "GoodsReceiptIsExpected": True,
                "InvoiceIsExpected": True,
                "InvoiceIsGoodsReceiptBased": True,
            }
        )
        self._write_schedule(item)

    def _write_assignment(self, item: Item, job: Job | None) -> None:
        """Charge an item to the maintenance order that it is for, else to a cost center."""
        charged: Row = {"CostCenter": f"{self.company.code}30{self.random.randint(1, 4)}"}
        if job is not None:
            charged = {"OrderID": job.order}
            self.tables["A_PurchaseOrderItem"][-1]["AccountAssignmentCategory"] = ORDER
        self.tables["A_PurOrdAccountAssignment"].append(
            {
                "PurchaseOrder": item.order,
                "PurchaseOrderItem": str(item.number),
                "AccountAssignmentNumber": "1",
                "Quantity": item.quantity,
                "PurchaseOrderQuantityUnit": self.company.unit(item.good),
                "DocumentCurrency": self.company.currency,
                "GLAccount": "65100000",
                "ControllingArea": "A000",
                **charged,
            }
        )

    def _write_schedule(self, item: Item) -> None:
        """Divide a quantity over one, sometimes two or three deliveries."""
        parts = self.random.choice((1, 1, 1, 1, 2, 3)) if item.quantity >= 3 else 1
        share = (item.quantity / parts).quantize(Decimal(1)) if parts > 1 else item.quantity
        shares = [share] * (parts - 1) + [item.quantity - share * (parts - 1)]
        for index, part in enumerate(shares):
            self.tables["A_PurchaseOrderScheduleLine"].append(
                {
                    "PurchasingDocument": item.order,
                    "PurchasingDocumentItem": str(item.number),
                    "ScheduleLine": str(index + 1),
                    "DelivDateCategory": "1",
                    "ScheduleLineDeliveryDate": item.due + timedelta(days=14 * index),
                    "SchedLineStscDeliveryDate": item.due + timedelta(days=14 * index),
                    "ScheduleLineOrderQuantity": part,
                    "PurchaseOrderQuantityUnit": self.company.unit(item.good),
                }
            )


def _is_open(state: Row) -> bool:
    """Whether goods can arrive on an order in this state."""
    return state["PurchasingProcessingStatus"] in ("02", RELEASED) and len(state) == 1
