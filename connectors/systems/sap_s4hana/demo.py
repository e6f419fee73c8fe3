"""Demo data for SAP S/4HANA: purchase orders of a plant in every state, alive around a given day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from connectors.sandbox.demo import DemoGood, DemoVendor, Region, demo_goods, demo_vendors

Row = dict[str, Any]

OLDEST_ORDER = 540
"""Days before today on which the first order was made."""
RELEASED, IN_RELEASE, REJECTED = "05", "03", "08"
CENT = Decimal("0.01")
UNITS = {"EU": {"piece": "ST"}, "US": {"piece": "PC"}}
FIRST_NUMBER = {"EU": 10300001, "US": 17300001}
TAX_CODES = {"EU": "V1", "US": "I1"}
USERS = ("BUYER_MRO", "BUYER_PROD", "BUYER_SERV", "MRP_BATCH", "SUPPLYCOLLAB")
PAYMENT_TERMS = ("0001", "0002", "0004", "NT30", "NT60")
INCOTERMS = (("EXW", ""), ("FCA", "Works"), ("DAP", "Goods inwards"), ("DDP", "Plant gate"))


@dataclass(frozen=True, slots=True)
class Company:
    """The buying side of the demo."""

    code: str
    currency: str
    region: Region
    today: date

    def unit(self, good: DemoGood) -> str:
        """Return the unit's key in this system."""
        return UNITS[self.region].get(good.unit, good.unit)


def demo_data(
    seed: int,
    *,
    orders: int = 300,
    suppliers: int = 80,
    company_code: str = "1010",
    currency: str = "EUR",
    region: Region = "EU",
    shared_vendors: Sequence[DemoVendor] = (),
    today: date | None = None,
) -> dict[str, list[Row]]:
    """Invent the rows of every entity set; the same seed and day give the same rows.

    `shared_vendors` become suppliers here too, under numbers of this system. Dates lie around `today`
    (default: the current day, UTC), and nothing has changed later than its beginning.
    """
    random = Random(seed)  # noqa: S311 - it invents data, it keeps no secret
    company = Company(company_code, currency, region, today or datetime.now(UTC).date())
    own = max(0, suppliers - len(shared_vendors))
    vendors = [*shared_vendors, *demo_vendors(random, region, own)]
    random.shuffle(vendors)
    numbers = _supplier_numbers(random, region, len(vendors))
    data: dict[str, list[Row]] = {}
    for number, vendor in zip(numbers, vendors, strict=True):
        _add_supplier(data, random, company, number, vendor)
    ages = sorted((int(OLDEST_ORDER * random.random() ** 1.6) for _ in range(orders)), reverse=True)
    order_number = 4_500_000_000
    for age in ages:
        order_number += random.randint(1, 7)
        _add_order(data, random, company, str(order_number), age, numbers)
    return data


def _supplier_numbers(random: Random, region: Region, count: int) -> list[str]:
    """Return supplier numbers: mostly digits, as the service shows them, some with letters."""
    numbers = [str(FIRST_NUMBER[region] + index) for index in range(count)]
    for index in random.sample(range(count), count // 16):
        numbers[index] = f"{region}SU-{index:03d}"
    return numbers


def _add_supplier(
    data: dict[str, list[Row]], random: Random, company: Company, number: str, vendor: DemoVendor
) -> None:
    created = company.today - timedelta(days=random.randint(600, 3_000))
    changed = created + timedelta(days=random.randint(0, (company.today - created).days - 1))
    blocked, deleted = random.random() < 0.05, random.random() < 0.03
    terms = random.choice(PAYMENT_TERMS)
    data.setdefault("A_Supplier", []).append(
        {
            "Supplier": number,
            "CreatedByUser": "MDG_BATCH",
            "CreationDate": created,
            "SupplierName": vendor.name,
            "SupplierFullName": f"Company {vendor.name}",
            "SupplierAccountGroup": "SUPL",
            "VATRegistration": vendor.vat_number,
            "PurchasingIsBlocked": blocked,
            "PostingIsBlocked": deleted,
            "PaymentIsBlockedForSupplier": random.random() < 0.04,
            "SupplierProcurementBlock": "01" if blocked else "",
            "DeletionIndicator": deleted,
        }
    )
    data.setdefault("A_BusinessPartner", []).append(
        {
            "BusinessPartner": number,
            "Supplier": number,
            "BusinessPartnerCategory": "2",
            "BusinessPartnerFullName": vendor.name,
            "BusinessPartnerName": vendor.name,
            "BusinessPartnerGrouping": "BP02",
            "BusinessPartnerIsBlocked": blocked,
            "OrganizationBPName1": vendor.name[:40],
            "CorrespondenceLanguage": "EN",
            "CreatedByUser": "MDG_BATCH",
            "CreationDate": created,
            "CreationTime": time(9, 30),
            "LastChangeDate": changed,
            "LastChangeTime": time(random.randint(5, 19), random.randint(0, 59), random.randint(0, 59)),
            "LastChangedByUser": "MDG_BATCH",
            "ETag": f"MDG_BATCH{changed:%Y%m%d}120000",
            "SearchTerm1": vendor.name.split()[0].upper()[:20],
        }
    )
    data.setdefault("A_BusinessPartnerAddress", []).append(
        {
            "BusinessPartner": number,
            "AddressID": str(20_001 + len(data["A_Supplier"])),
            "FullName": vendor.name,
            "StreetName": vendor.street,
            "HouseNumber": vendor.house_number,
            "PostalCode": vendor.postal_code,
            "CityName": vendor.city,
            "Region": vendor.region,
            "Country": vendor.country,
            "Language": "EN",
            "ValidityStartDate": datetime.combine(created, time(0), UTC),
            "ValidityEndDate": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        }
    )
    incoterms, place = random.choice(INCOTERMS)
    data.setdefault("A_SupplierPurchasingOrg", []).append(
        {
            "Supplier": number,
            "PurchasingOrganization": company.code,
            "PaymentTerms": terms,
            "PurchaseOrderCurrency": company.currency,
            "IncotermsClassification": incoterms,
            "IncotermsLocation1": place,
            "MaterialPlannedDeliveryDurn": Decimal(random.choice((3, 5, 7, 10, 14, 21, 35))),
            "MinimumOrderAmount": Decimal(random.choice((0, 0, 0, 50, 100, 250))),
            "InvoiceIsGoodsReceiptBased": True,
            "PurchasingIsBlockedForSupplier": blocked,
            "DeletionIndicator": deleted,
        }
    )
    data.setdefault("A_SupplierCompany", []).append(
        {
            "Supplier": number,
            "CompanyCode": company.code,
            "PaymentTerms": terms,
            "PaymentMethodsList": "T" if company.region == "EU" else "C",
            "ReconciliationAccount": "211000",
            "SupplierIsBlockedForPosting": deleted,
            "DeletionIndicator": deleted,
        }
    )


def _add_order(
    data: dict[str, list[Row]],
    random: Random,
    company: Company,
    number: str,
    age: int,
    suppliers: Sequence[str],
) -> None:
    created = company.today - timedelta(days=age)
    supplier = _supplier(random, suppliers)
    midnight = datetime.combine(company.today, time(0), UTC)
    begun = min(datetime.combine(created, time(0), UTC) + _time_of_day(random), midnight)
    changed = begun + (midnight - begun) * random.random() ** 2
    state = _state(random, age)
    incoterms, place = random.choice(INCOTERMS)
    data.setdefault("A_PurchaseOrder", []).append(
        {
            "PurchaseOrder": number,
            "CompanyCode": company.code,
            "PurchaseOrderType": random.choice(("NB", "NB", "NB", "ZMRO")),
            "CreatedByUser": random.choice(USERS),
            "CreationDate": created,
            "LastChangeDateTime": min(changed, midnight),
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
    for index in range(min(12, 1 + int(random.expovariate(0.45)))):
        _add_item(data, random, company, number, 10 * (index + 1), created, open_order=_is_open(state))


def _supplier(random: Random, suppliers: Sequence[str]) -> str:
    """Choose a supplier: half of the orders go to a few, the rest to any."""
    if random.random() < 0.5:
        return random.choice(suppliers)
    return suppliers[min(int(random.paretovariate(0.9)) - 1, len(suppliers) - 1)]


def _state(random: Random, age: int) -> Row:
    """Return the fields that say how far the order has come; a release takes weeks, not years."""
    roll = random.random()
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
    return {"PurchasingProcessingStatus": random.choice(("02", RELEASED, RELEASED))}


def _is_open(state: Row) -> bool:
    """Whether goods can arrive on an order in this state."""
    return state["PurchasingProcessingStatus"] in ("02", RELEASED) and len(state) == 1


def _add_item(
    data: dict[str, list[Row]],
    random: Random,
    company: Company,
    order: str,
    number: int,
    created: date,
    *,
    open_order: bool,
) -> None:
    good = random.choice(demo_goods())
    quantity = random.choice(good.quantities)
    due = created + timedelta(days=random.randint(4, 60))
    service = not good.number
    delivered = open_order and due < company.today and random.random() < 0.88
    invoiced = delivered and (company.today - due).days > 20 and random.random() < 0.9
    price = (good.price * Decimal(random.randint(93, 108)) / 100).quantize(CENT)
    data.setdefault("A_PurchaseOrderItem", []).append(
        {
            "PurchaseOrder": order,
            "PurchaseOrderItem": str(number),
            "PurchasingDocumentDeletionCode": "L" if random.random() < 0.03 else "",
            "PurchaseOrderItemText": good.text,
            "Material": good.number,
            "MaterialGroup": good.group,
            "ProductType": "2" if service else "1",
            "Plant": company.code,
            "StorageLocation": "" if service else random.choice(("0001", "0002", "MRO1")),
            "OrderQuantity": quantity,
            "PurchaseOrderQuantityUnit": company.unit(good),
            "OrderPriceUnit": company.unit(good),
            "OrderPriceUnitToOrderUnitNmrtr": Decimal(1),
            "OrdPriceUnitToOrderUnitDnmntr": Decimal(1),
            "DocumentCurrency": company.currency,
            "NetPriceAmount": price,
            "NetPriceQuantity": Decimal(good.per),
            "TaxCode": TAX_CODES[company.region],
            "AccountAssignmentCategory": "K" if service else "",
            "PurchaseOrderItemCategory": "0",
            "IsCompletelyDelivered": delivered,
            "IsFinallyInvoiced": invoiced,
            "GoodsReceiptIsExpected": True,
            "InvoiceIsExpected": True,
            "InvoiceIsGoodsReceiptBased": True,
        }
    )
    if service:
        data.setdefault("A_PurOrdAccountAssignment", []).append(
            {
                "PurchaseOrder": order,
                "PurchaseOrderItem": str(number),
                "AccountAssignmentNumber": "1",
                "Quantity": quantity,
                "PurchaseOrderQuantityUnit": company.unit(good),
                "DocumentCurrency": company.currency,
                "GLAccount": "65100000",
                "CostCenter": f"{company.code}30{random.randint(1, 4)}",
                "ControllingArea": "A000",
            }
        )
    _add_schedule(data, random, order, number, quantity, company.unit(good), due)


def _add_schedule(
    data: dict[str, list[Row]],
    random: Random,
    order: str,
    item: int,
    quantity: Decimal,
    unit: str,
    due: date,
) -> None:
    """Divide a quantity over one, sometimes two or three deliveries."""
    parts = random.choice((1, 1, 1, 1, 2, 3)) if quantity >= 3 else 1
    share = (quantity / parts).quantize(Decimal(1)) if parts > 1 else quantity
    shares = [share] * (parts - 1) + [quantity - share * (parts - 1)]
    for index, part in enumerate(shares):
        data.setdefault("A_PurchaseOrderScheduleLine", []).append(
            {
                "PurchasingDocument": order,
                "PurchasingDocumentItem": str(item),
                "ScheduleLine": str(index + 1),
                "DelivDateCategory": "1",
                "ScheduleLineDeliveryDate": due + timedelta(days=14 * index),
                "SchedLineStscDeliveryDate": due + timedelta(days=14 * index),
                "ScheduleLineOrderQuantity": part,
                "PurchaseOrderQuantityUnit": unit,
            }
        )


def _time_of_day(random: Random) -> timedelta:
    return timedelta(
        hours=random.randint(6, 17), seconds=random.randint(0, 3_599), microseconds=random.randint(0, 999_999)
    )
