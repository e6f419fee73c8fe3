"""The bench of the example in the docs: its manifest, over a stand-in for json-server with the example's own data."""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from starlette.responses import Response

from connectors.manifests.reading import read_folder
from connectors.spec import Resource
from connectors.testing.bench import RETRY_AFTER_SECONDS, Misfortune, NumberSample, Opened
from connectors.testing.in_process import InProcessTransport
from connectors.testing.manifests import ManifestBench
from schema.purchasing import PurchaseOrder, PurchaseOrderStatus
from schema.values import Address, Money
from schema.vendors import Vendor, VendorStatus
from tests.connectors.json_server import JsonServer, Row, refusal

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "workshop"
KEY = "key-of-the-workshop"
_ANSWER = """[{"id": 1, "currency": "EUR", "total": %s}]"""
_REFUSALS = {
    Misfortune.MISSING_RIGHT: refusal(403, "Not for you."),
    Misfortune.TOO_MANY_CALLS: refusal(429, "Slower, please.", {"retry-after": str(RETRY_AFTER_SECONDS)}),
    Misfortune.FAILURE: refusal(500, "It broke."),
    Misfortune.MAINTENANCE: refusal(503, "Back soon."),
}


def example_data() -> dict[str, list[Row]]:
    """The rows of the example, and some more of each."""
    data: dict[str, list[Row]] = json.loads((EXAMPLE / "db.json").read_text("utf-8"))
    for number in range(100, 110):
        data["vendors"].insert(0, {"id": number, "name": f"Vendor {number}", "state": "active", "code": f"V-{number}"})
        data["orders"].append(
            {
                "id": number,
                "number": f"WO-{number}",
                "title": "Again",
                "state": "sent",
                "vendorId": 1 + number % 2,
                "ordered": f"2026-01-{number - 90}",
                "changed": "2026-01-31T12:00:00.000Z",
                "currency": "EUR",
                "total": number + 0.25,
                "lines": [],
            }
        )
    return data


@dataclass(eq=False)
class WorkshopBench(ManifestBench):
    """The example over its stand-in."""

    server: JsonServer = field(kw_only=True)

    def transport(self, cut: int | None) -> httpx.AsyncBaseTransport:
        return InProcessTransport(self.server.application)

    def cause(self, misfortune: Misfortune, opened: Opened) -> AbstractContextManager[None]:
        if misfortune is Misfortune.REFUSED_CREDENTIALS:
            return self._other_key()
        return self._refusing(_REFUSALS[misfortune])

    @contextmanager
    def _other_key(self) -> Iterator[None]:
        self.server.key = "changed meanwhile"
        try:
            yield
        finally:
            self.server.key = KEY

    @contextmanager
    def _refusing(self, response: Response) -> Iterator[None]:
        self.server.refusal = response
        try:
            yield
        finally:
            self.server.refusal = None

    def truth(self, resource: Resource) -> Mapping[str, Mapping[str, Any]]:
        if resource.entity is Vendor:
            return {str(row["id"]): _vendor(row) for row in self.server.data["vendors"]}
        return {str(row["id"]): _order(row) for row in self.server.data["orders"]}


_STATES = {"active": VendorStatus.ACTIVE, "blocked": VendorStatus.BLOCKED, "closed": VendorStatus.ARCHIVED}
_ORDERED = {
    "draft": PurchaseOrderStatus.DRAFT,
    "sent": PurchaseOrderStatus.ISSUED,
    "done": PurchaseOrderStatus.CLOSED,
    "canceled": PurchaseOrderStatus.CANCELED,
}


def _vendor(row: Row) -> Row:
    contact = row.get("contact") or {}
    address = Address(line1=row.get("street") or None, city=row.get("city"), country=row.get("country"))
    return {
        "number": row["code"],
        "name": row["name"],
        "status": _STATES.get(row["state"], VendorStatus.UNKNOWN),
        "sourceStatus": row["state"],
        "email": contact.get("email"),
        "phone": contact.get("phone"),
        "createdAt": _moment(row.get("since")),
        "address": address if row.get("city") else None,
    }


def _order(row: Row) -> Row:
    total = row["total"]
    return {
        "number": row["number"],
        "title": row["title"] or row["note"] or None,
        "status": PurchaseOrderStatus.ON_HOLD if row.get("held") else _ORDERED[row["state"]],
        "vendor": None if row["vendorId"] is None else str(row["vendorId"]),
        "orderDate": row["ordered"] and date.fromisoformat(row["ordered"]),
        "requiredDate": row.get("needed") and date.fromisoformat(row["needed"]),
        "updatedAt": _moment(row["changed"]),
        "total": None if total is None else Money(amount=Decimal(str(total)), currency=row["currency"]),
        "memo": row.get("note") or None,
        "lineCount": None if row["lines"] is None else len(row["lines"]),
    }


def _moment(text: str | None) -> datetime | None:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC) if text else None


def workshop_bench() -> WorkshopBench:
    """A bench with a stand-in of its own."""
    described = read_folder(EXAMPLE)
    return WorkshopBench(
        system=described.system,
        rows=Path(__file__).with_name("workshop_rows"),
        secrets=(KEY,),
        numbers=(
            NumberSample(
                PurchaseOrder,
                _ANSWER,
                ("total", "amount"),
                {"1.10": "1.10", "9007199254740993": "9007199254740993", '"0.125"': "0.125", "-5": "-5"},
            ),
        ),
        described=described,
        answers={"url": "http://workshop.example.com:3000", "api_key": KEY},
        login_key="api-key",
        server=JsonServer(example_data(), KEY),
    )
