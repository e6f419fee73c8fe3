"""The bench of SAP S/4HANA: its sandbox in process, and what is true in it by its own data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx

from connectors.sandbox.control import ControlledSandbox
from connectors.spec import Resource
from connectors.systems.sap_s4hana import spec
from connectors.systems.sap_s4hana.sandbox import FOLDER, USERS, samples, sandbox
from connectors.testing.bench import NumberSample, PathFacts
from connectors.testing.sandbox_bench import SandboxBench
from schema.purchasing import ApprovalStatus, PurchaseOrder, PurchaseOrderStatus, PurchaseOrderType
from schema.values import Money
from schema.vendors import Vendor, VendorStatus, VendorType

Row = dict[str, Any]

(USER, PASSWORD), *_ = USERS.items()
_MIDNIGHT = datetime(2026, 6, 30, 22, 0, tzinfo=UTC)
_SAME = {
    "CompanyCode": "1010",
    "PurchaseOrderType": "UB",
    "PurchasingProcessingStatus": "02",
    "Supplier": "9",
    "PurchasingOrganization": "1010",
    "PurchasingGroup": "002",
    "PurchaseOrderDate": date(2026, 6, 1),
    "DocumentCurrency": "EUR",
}
_ORDERS: list[Row] = [
    {
        "PurchaseOrder": "9",
        "LastChangeDateTime": _MIDNIGHT.replace(microsecond=7),
        "CorrespncExternalReference": "O'B/1",
    },
    {
        "PurchaseOrder": "10",
        "LastChangeDateTime": _MIDNIGHT.replace(microsecond=5),
        "CorrespncExternalReference": "o'b/1",
    },
    {
        "PurchaseOrder": "100",
        "LastChangeDateTime": _MIDNIGHT.replace(microsecond=6),
        "CorrespncExternalReference": "OB/1",
    },
    {"PurchaseOrder": "66", "LastChangeDateTime": _MIDNIGHT.replace(microsecond=999), "PurchasingGroup": "003"},
    {"PurchaseOrder": "EXT-9", "LastChangeDateTime": _MIDNIGHT.replace(microsecond=1_000), "Supplier": "10"},
]
"""Beside the samples: numbers of different lengths that changed in the same millisecond, and alike references."""
_ITEMS: list[Row] = [
    {
        "PurchaseOrder": "9",
        "PurchaseOrderItem": "10",
        "OrderQuantity": Decimal("0.333"),
        "NetPriceAmount": Decimal("0.30"),
        "NetPriceQuantity": Decimal(1),
        "DocumentCurrency": "EUR",
        "PurchaseOrderItemCategory": "9",
    },
    {
        "PurchaseOrder": "9",
        "PurchaseOrderItem": "20",
        "OrderQuantity": Decimal(3),
        "NetPriceAmount": Decimal("1234567.89"),
        "NetPriceQuantity": Decimal(7),
        "DocumentCurrency": "EUR",
        "PurchaseOrderItemCategory": "",
        "IsCompletelyDelivered": True,
        "IsFinallyInvoiced": True,
    },
]
_NUMBER = """{"d": {"results": [{"PurchaseOrder": "1", "to_PurchaseOrderItem": {"results": [
    {"PurchaseOrderItem": "10", "OrderQuantity": %s, "PurchaseOrderQuantityUnit": "KG"}]}}]}}"""


@dataclass(eq=False)
class SapS4hanaBench(SandboxBench):
    """SAP S/4HANA as its sandbox."""

    boxes: dict[int | None, ControlledSandbox] = field(default_factory=dict)

    def sandbox(self, cut: int | None = None) -> ControlledSandbox:
        """One sandbox for each size of pages, with the samples and the rows above."""
        if cut not in self.boxes:
            data = samples()
            data["A_PurchaseOrder"] += [_SAME | order for order in _ORDERS]
            data["A_PurchaseOrderItem"] += _ITEMS
            self.boxes[cut] = sandbox(data, page_size=1_000 if cut is None else cut)
        return self.boxes[cut]

    def address(self) -> str:
        return self.system.address({"url": "https://s4hana.example.com"})

    def login(self) -> httpx.Auth:
        (method,) = self.system.auth_methods
        return method.flow({"username": USER, "password": PASSWORD})

    def asked_fields(self, request: httpx.Request) -> frozenset[str] | None:
        selected = parse_qs(request.url.query.decode())["$select"][0]
        return frozenset(path.replace("/", ".") for path in selected.split(","))

    @cached_property
    def _services(self) -> Any:
        return json.loads((FOLDER / "facts.json").read_text("utf-8"))["services"]

    def facts(self, resource: Resource, path: str) -> PathFacts | None:
        """Walk along navigation properties; in SAP only dates and moments are ever null."""
        service, _, name = resource.source.partition("/")
        sets = self._services[service]["entitySets"]
        entity_set = sets.get(name)
        *steps, last = path.split(".")
        for step in steps:
            navigation = (entity_set or {}).get("navigation", {}).get(step)
            entity_set = sets.get(navigation["to"]) if navigation else None
        found = (entity_set or {}).get("properties", {}).get(last)
        if found is None:
            return None
        cannot = found.get("not", ())
        kind = found["type"]
        is_never_null = kind not in ("Edm.DateTime", "Edm.DateTimeOffset")
        return PathFacts(
            is_filterable="filterable" not in cannot and not steps,
            is_sortable="sortable" not in cannot and not steps,
            is_never_null=is_never_null,
            is_never_empty=found.get("required", False) or (is_never_null and kind != "Edm.String"),
        )

    def truth(self, resource: Resource) -> Mapping[str, Mapping[str, Any]]:
        data: Mapping[str, list[Row]] = self.sandbox().application.data  # type: ignore[attr-defined]
        if resource.entity is Vendor:
            return {row["Supplier"]: _vendor(row) for row in data["A_Supplier"]}
        items: dict[str, list[Row]] = {}
        for item in data["A_PurchaseOrderItem"]:
            items.setdefault(item["PurchaseOrder"], []).append(item)
        return {
            row["PurchaseOrder"]: _order(row, items.get(row["PurchaseOrder"], [])) for row in data["A_PurchaseOrder"]
        }


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
        "email": None,
    }


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


def sap_s4hana_bench() -> SapS4hanaBench:
    """A bench with a sandbox of its own."""
    return SapS4hanaBench(
        system=spec.sap_s4hana,
        rows=Path(spec.__file__).with_name("rows"),
        secrets=(PASSWORD,),
        numbers=(
            NumberSample(
                PurchaseOrder,
                _NUMBER,
                ("origin", "children", "lines", 0, "quantity_ordered", "value"),
                {
                    '"12.500"': "12.500",
                    '"1000"': "1000",
                    '"12345678901234567890.123456789"': "12345678901234567890.123456789",
                    '"-0.10"': "-0.10",
                    "9007199254740993": "9007199254740993",
                    "0.1000000000000000055": "0.1000000000000000055",
                },
            ),
        ),
        can_cut=True,
        user=USER,
    )
