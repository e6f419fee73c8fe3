"""The bench of Tryton: a real one, and what it says to its administrator in its own words."""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from connectors.spec import Resource
from connectors.systems.tryton import spec
from connectors.testing.bench import RETRY_AFTER_SECONDS, Bench, Misfortune, NumberSample, Opened, PathFacts
from connectors.testing.wire import Script, always
from schema.purchasing import ApprovalStatus, BillingStatus, PurchaseOrder, PurchaseOrderStatus, ReceiptStatus
from schema.values import Address, Money
from schema.vendors import Vendor, VendorStatus
from tests.real.tryton.server import PASSWORDS, Tryton

Row = dict[str, Any]

USER = "switchgear"
_FACTS = Path(spec.__file__).with_name("facts.json")
_LINE = (
    """{"id": 1, "result": [{"id": 7, "lines.": [{"id": 1, "quantity": %s, "unit.": {"id": 2, "symbol": "kg"}}]}]}"""
)
_TOTAL = """{"id": 1, "result": [{"id": 7, "currency.": {"id": 1, "code": "EUR"}, "total_amount": %s}]}"""
_DIGITS = "12345678901234567890.123456789"


def _page(status: int, title: str) -> Script:
    body = f"<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n<h1>{title}</h1>\n"
    return always(status, body.encode(), {"content-type": "text/html; charset=utf-8"})


def _too_many() -> Script:
    headers = {"content-type": "text/html; charset=utf-8", "retry-after": str(RETRY_AFTER_SECONDS)}
    return always(429, b"<!doctype html>\n<title>429 Too Many Requests</title>\n", headers)


@dataclass(eq=False)
class TrytonBench(Bench):
    """Tryton as it runs, with the plant that its recipe makes."""

    tryton: Tryton = field(kw_only=True)

    @cached_property
    def _answers(self) -> dict[str, str]:
        return {
            "url": self.tryton.url,
            "database": self.tryton.database,
            "username": USER,
            "password": PASSWORDS[USER],
        }

    def address(self) -> str:
        return self.system.address(self._answers)

    def login(self) -> httpx.Auth:
        (method,) = self.system.auth_methods
        return method.flow(self._answers)

    def transport(self, cut: int | None) -> httpx.AsyncBaseTransport:
        return httpx.AsyncHTTPTransport()

    def end_sessions(self) -> bool:
        self.tryton.end_sessions(USER)
        return True

    def is_value(self, found: Mapping[str, Any]) -> bool:
        return "__class__" in found

    def asked_fields(self, request: httpx.Request) -> frozenset[str] | None:
        asked = json.loads(request.content)
        return frozenset(asked["params"][4]) if asked["method"].endswith(".search_read") else None

    def cause(self, misfortune: Misfortune, opened: Opened) -> AbstractContextManager[None]:
        """Change password and rights in Tryton itself; what would take its server down is played."""
        match misfortune:
            case Misfortune.REFUSED_CREDENTIALS:
                return self._other_password()
            case Misfortune.MISSING_RIGHT:
                return self.tryton.without_right_to_read(self.system.resources[0].source)
            case Misfortune.TOO_MANY_CALLS:
                return opened.wire.scripted(_too_many())
            case Misfortune.MAINTENANCE:
                return opened.wire.scripted(_page(503, "Service Unavailable"))
            case _:
                return opened.wire.scripted(_page(500, "Internal Server Error"))

    @contextmanager
    def _other_password(self) -> Iterator[None]:
        self.tryton.set_password(USER, "Changed-Meanwhile-1")
        try:
            yield
        finally:
            self.tryton.set_password(USER, PASSWORDS[USER])
            self.tryton.forget_failed_logins()

    @cached_property
    def _models(self) -> Any:
        return json.loads(_FACTS.read_text("utf-8"))["models"]

    def facts(self, resource: Resource, path: str) -> PathFacts | None:
        """Walk along relations; a path can be searched where each step can."""
        model: str | None = resource.source
        steps = []
        for name in path.split("."):
            found = self._models.get(model, {}).get(name)
            if found is None:
                return None
            steps.append(found)
            model = found.get("relation")
        is_required = all("required" in step for step in steps)
        return PathFacts(
            is_filterable=all("searchable" in step for step in steps),
            is_sortable="sortable" in steps[-1] and len(steps) == 1,
            is_never_null=is_required,
            is_never_empty=is_required,
        )

    def truth(self, resource: Resource) -> Mapping[str, Mapping[str, Any]]:
        if resource.entity is Vendor:
            return {str(row["id"]): _vendor(row) for row in self.tryton.rows("party.party", [], _PARTY)}
        return {str(row["id"]): _purchase(row) for row in self.tryton.rows("purchase.purchase", [], _PURCHASE)}


_PARTY = ["code", "name", "active", "create_date", "write_date", "email", "phone", "website", "tax_identifier.code"]
_PARTY += [f"addresses.{name}" for name in ("street", "postal_code", "city", "country.code", "subdivision.code")]
_PURCHASE = ["number", "description", "reference", "comment", "state", "shipment_state", "invoice_state", "party"]
_PURCHASE += ["party.name", "create_date", "write_date", "purchase_date", "delivery_date", "currency.code", "lines"]
_PURCHASE += ["untaxed_amount", "tax_amount", "total_amount", "payment_term.name", "company.party.name"]


def _vendor(row: Row) -> Row:
    addresses = [_address(found) for found in row["addresses."]]
    return {
        "number": row["code"],
        "name": row["name"] or None,
        "status": VendorStatus.ACTIVE if row["active"] else VendorStatus.INACTIVE,
        "createdAt": _moment(row["create_date"]),
        "updatedAt": _moment(row["write_date"] or row["create_date"]),
        "taxNumber": (row["tax_identifier."] or {}).get("code"),
        "email": row["email"] or None,
        "phone": row["phone"] or None,
        "website": row["website"] or None,
        "address": addresses[0] if addresses else None,
        "addresses": addresses,
    }


def _address(found: Row) -> Address | None:
    return Address(
        line1=found["street"] or None,
        city=found["city"] or None,
        region=(found["subdivision."] or {}).get("code"),
        postal_code=found["postal_code"] or None,
        country=(found["country."] or {}).get("code"),
    )


_STATUSES = {
    "draft": (PurchaseOrderStatus.DRAFT, ApprovalStatus.NOT_SUBMITTED),
    "quotation": (PurchaseOrderStatus.PENDING_APPROVAL, ApprovalStatus.PENDING),
    "confirmed": (PurchaseOrderStatus.ISSUED, ApprovalStatus.APPROVED),
    "processing": (PurchaseOrderStatus.ISSUED, ApprovalStatus.APPROVED),
    "done": (PurchaseOrderStatus.CLOSED, ApprovalStatus.APPROVED),
    "cancelled": (PurchaseOrderStatus.CANCELED, ApprovalStatus.UNKNOWN),
}
_BILLED = {"none": BillingStatus.NOT_BILLED, "pending": BillingStatus.NOT_BILLED, "paid": BillingStatus.PAID}
_RECEIVED = {
    "received": ReceiptStatus.FULLY_RECEIVED,
    "partially shipped": ReceiptStatus.PARTIALLY_RECEIVED,
    "waiting": ReceiptStatus.NOT_RECEIVED,
    "exception": ReceiptStatus.UNKNOWN,
}


def _purchase(row: Row) -> Row:
    status, approval = _STATUSES[row["state"]]
    is_under_way = row["state"] in ("processing", "done")
    none_arrives = ReceiptStatus.NOT_APPLICABLE if is_under_way else ReceiptStatus.NOT_RECEIVED
    currency = row["currency."]["code"]
    return {
        "number": row["number"] or None,
        "title": row["description"] or None,
        "status": status,
        "sourceStatus": row["state"],
        "approvalStatus": approval,
        "receiptStatus": _RECEIVED.get(row["shipment_state"], none_arrives),
        "billingStatus": _BILLED.get(row["invoice_state"], BillingStatus.UNKNOWN),
        "createdAt": _moment(row["create_date"]),
        "updatedAt": _moment(row["write_date"] or row["create_date"]),
        "organization.name": row["company."]["party."]["name"],
        "vendor": str(row["party"]),
        "vendorName": row["party."]["name"] or "[V-12]",
        "orderDate": row["purchase_date"],
        "requiredDate": row["delivery_date"],
        "currency": currency,
        "subtotal": Money(amount=row["untaxed_amount"], currency=currency),
        "taxTotal": Money(amount=row["tax_amount"], currency=currency),
        "total": Money(amount=row["total_amount"], currency=currency),
        "paymentTerms.label": (row["payment_term."] or {}).get("name"),
        "memo": row["comment"] or None,
        "reference": row["reference"] or None,
        "lineCount": len(row["lines"]),
    }


def _moment(found: datetime) -> datetime:
    return found.replace(tzinfo=UTC)


def tryton_bench(tryton: Tryton) -> TrytonBench:
    """A bench on a running Tryton."""
    exact = {_DIGITS: _DIGITS, "12.0": "12.0", "0.125": "0.125", "9007199254740993": "9007199254740993", "-5": "-5"}
    marked = ("45.0000", "0", "-0.10", "32480", _DIGITS)
    return TrytonBench(
        system=spec.tryton,
        rows=Path(spec.__file__).with_name("rows"),
        secrets=(PASSWORDS[USER],),
        unseen={
            "PurchaseOrder.lines.type: product.type is 'assets'": "the plant buys no assets; read like goods",
        },
        always_filled={
            "create_date": "Tryton sets it with every record that it creates",
            "active": "a party is created active, and only ever switched",
            "last_modified_at": "the time of the last change, or else of the creation",
        },
        numbers=(
            NumberSample(PurchaseOrder, _LINE, ("origin", "children", "lines", 0, "quantity_ordered", "value"), exact),
            NumberSample(
                PurchaseOrder,
                _TOTAL,
                ("total", "amount"),
                {f'{{"__class__": "Decimal", "decimal": "{number}"}}': number for number in marked},
            ),
        ),
        tryton=tryton,
    )
