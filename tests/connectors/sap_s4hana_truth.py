"""What is true of the orders and suppliers of the SAP bench, worked out from its data without the connector."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from schema.purchasing import ApprovalStatus, PurchaseOrderStatus, PurchaseOrderType
from schema.scalars import CountryCode
from schema.values import Address, Money
from schema.vendors import Contact, VendorStatus, VendorType
from tests.connectors.sap_s4hana_plant import equipment, functional_locations, maintenance_orders, products

Row = dict[str, Any]
Data = Mapping[str, list[Row]]
Truth = Mapping[str, Mapping[str, Any]]


def _vendors(data: Data) -> Truth:
    return {row["Supplier"]: _vendor(row) for row in data["A_Supplier"]}


def _orders(data: Data) -> Truth:
    items: dict[str, list[Row]] = {}
    for item in data["A_PurchaseOrderItem"]:
        items.setdefault(item["PurchaseOrder"], []).append(item)
    return {row["PurchaseOrder"]: _order(row, items.get(row["PurchaseOrder"], [])) for row in data["A_PurchaseOrder"]}


def _vendor(row: Row) -> Row:
    status = VendorStatus.ACTIVE
    if row.get("PostingIsBlocked") or row.get("PurchasingIsBlocked"):
        status = VendorStatus.BLOCKED
    if row.get("DeletionIndicator"):
        status = VendorStatus.ARCHIVED
    return {
        "number": row["Supplier"],
        "name": row["SupplierName"] or None,
        "legalName": row["SupplierFullName"] or None,
        "type": VendorType.INDIVIDUAL if row.get("IsNaturalPerson") == "X" else VendorType.COMPANY,
        "status": status,
        "isDeleted": row.get("DeletionIndicator", False),
        "isBlockedForPurchasing": row.get("PurchasingIsBlocked", False),
        "isBlockedForPayment": row.get("PaymentIsBlockedForSupplier", False),
        "category.code": row["SupplierAccountGroup"] or None,
        "taxNumber": row.get("VATRegistration") or None,
    } | _BEHIND.get(row["Supplier"], {})


_MAIN_OFFICE = Address(
    line1="Hafenstraße 12a", line2=None, city="Dortmund", region="NW", postal_code="44147", country=CountryCode("DE")
)
_NOTHING: Row = dict.fromkeys(
    ("updatedAt", "email", "phone", "website", "address", "addresses", "contacts", "leadTimeDays")
)
_BEHIND: Mapping[str, Row] = {
    "10300001": {
        "updatedAt": datetime(2026, 5, 4, 12, 30, tzinfo=UTC),
        "email": "Orders@Halderau-Pumpen.example",
        "phone": "+49231555017",
        "website": "https://www.halderau-pumpen.example/",
        "address": _MAIN_OFFICE,
        "addresses": [_MAIN_OFFICE],
        "contacts": [
            Contact(
                name=None,
                role="Sales manager",
                email="vertrieb@halderau-pumpen.example",
                phone="0231 555-17",
                is_primary=True,
            ),
            Contact(name="Order desk", role="Salesperson", email=None, phone=None, is_primary=None),
        ],
        "leadTimeDays": None,
        "currency": None,
        "paymentTerms": None,
        "incoterm": "DAP",
    },
    "10300002": {
        "currency": "EUR",
        "paymentTerms.code": "0001",
        "incoterm": "DAP",
        "updatedAt": None,
        "phone": "+442890180000",
        "leadTimeDays": 10,
        "address.city": "Belfast",
    },
    "10300009": {**_NOTHING, "updatedAt": datetime(2026, 5, 4, 12, 30, tzinfo=UTC), "leadTimeDays": 10},
    "10300011": _NOTHING,
    "USSU-VSF01": {"updatedAt": datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC), "email": "sales@cinder-ridge.example"},
}
"""What business partners say, by hand: two purchasing organizations that do not agree, one address that has ended,
one partner without any, and one supplier without a partner."""


_TYPES = {"NB": PurchaseOrderType.STANDARD, "FO": PurchaseOrderType.BLANKET, "UB": PurchaseOrderType.STOCK_TRANSFER}


def _order(row: Row, items: list[Row]) -> Row:
    changed = row.get("LastChangeDateTime")
    total = _total(items)
    return {
        "number": row["PurchaseOrder"],
        "type": _TYPES.get(row["PurchaseOrderType"], PurchaseOrderType.UNKNOWN),
        "status": _status(row),
        "approvalStatus": _approval(row),
        "isDeleted": row.get("PurchasingDocumentDeletionCode") == "L",
        "updatedAt": changed and changed.replace(microsecond=changed.microsecond // 1_000 * 1_000),
        "createdAt": None,
        "vendor": row["Supplier"] or None,
        "orderDate": row["PurchaseOrderDate"],
        "currency": row["DocumentCurrency"] or None,
        "total": total,
        "subtotal": total,
        "total.amount": total and total.amount,
        "paymentTerms.code": row.get("PaymentTerms") or None,
        "incoterm": row.get("IncotermsClassification") or None,
        "reference": row.get("CorrespncExternalReference") or None,
        "purchasingGroup.code": row["PurchasingGroup"] or None,
        "lineCount": len(items),
    }


def _status(row: Row) -> PurchaseOrderStatus:
    if row.get("PurchasingDocumentDeletionCode") == "L":
        return PurchaseOrderStatus.CANCELED
    if row.get("PurchasingDocumentDeletionCode") == "S":
        return PurchaseOrderStatus.ON_HOLD
    if row.get("PurchasingCompletenessStatus"):
        return PurchaseOrderStatus.DRAFT
    if row["PurchasingProcessingStatus"] == "08":
        return PurchaseOrderStatus.REJECTED
    return PurchaseOrderStatus.PENDING_APPROVAL if row.get("ReleaseIsNotCompleted") else PurchaseOrderStatus.ISSUED


def _approval(row: Row) -> ApprovalStatus:
    known = {"05": ApprovalStatus.APPROVED, "02": ApprovalStatus.NOT_REQUIRED}
    if row["PurchasingProcessingStatus"] == "08":
        return ApprovalStatus.REJECTED
    if row.get("ReleaseIsNotCompleted"):
        return ApprovalStatus.PENDING
    return known.get(row["PurchasingProcessingStatus"], ApprovalStatus.UNKNOWN)


def _total(items: list[Row]) -> Money | None:
    """What the lines cost that are not deleted, each rounded as its currency is; what is returned comes back."""
    if not items:
        return None
    currency = items[0]["DocumentCurrency"]
    total = Decimal(0)
    for item in items:
        if item.get("PurchasingDocumentDeletionCode") == "L" or item.get("PurchasingItemIsFreeOfCharge"):
            continue
        units = item["OrderQuantity"] * item.get("OrderPriceUnitToOrderUnitNmrtr", 1)
        price = item["NetPriceAmount"] / (item["NetPriceQuantity"] or 1)
        exact = units * price / item.get("OrdPriceUnitToOrderUnitDnmntr", 1)
        amount = exact.quantize(Decimal(1) if currency == "JPY" else Decimal("0.01"), ROUND_HALF_UP)
        total += -amount if item.get("IsReturnsItem") else amount
    return Money(amount=total, currency=currency)


TRUTH: Mapping[str, Callable[[Data], Truth]] = {
    "A_PurchaseOrder": _orders,
    "A_Supplier": _vendors,
    "MaintenanceOrder": maintenance_orders,
    "Equipment": equipment,
    "FunctionalLocation": functional_locations,
    "A_Product": products,
}
"""How the truth about each entity set is found."""
