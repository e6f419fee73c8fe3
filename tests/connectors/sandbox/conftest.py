"""A small service with every type and flag, and a client that is logged on to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from connectors.sandbox.odata_v2 import EntitySet, ODataV2Sandbox, read_services

BASE = "http://plant.example/sap/opu/odata/sap"
SERVICE = f"{BASE}/API_TEST_SRV"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
JSON = {"accept": "application/json"}

FACTS: dict[str, Any] = {
    "services": {
        "API_TEST_SRV": {
            "version": "0001",
            "functions": ["substringof", "startswith", "endswith"],
            "entitySets": {
                "Document": {
                    "type": "DocumentType",
                    "key": ["Number"],
                    "etag": "ChangedAt",
                    "numbering": {"Number": {"from": 100, "step": 1}},
                    "requiredOnCreate": ["Text"],
                    "defaults": {"State": "02"},
                    "createdStamps": {"CreatedOn": "date", "CreatedBy": "user", "ChangedAt": "instant"},
                    "changedStamps": {"ChangedAt": "instant"},
                    "deletionFlag": {"Deleted": "L"},
                    "closedWhen": {"Deleted": "L"},
                    "navigation": {
                        "to_Line": {"to": "Line", "many": True, "on": {"Number": "Document"}},
                    },
                    "properties": {
                        "Number": {"type": "Edm.String", "maxLength": 10, "required": True, "conversion": "ALPHA"},
                        "Text": {"type": "Edm.String", "maxLength": 40},
                        "State": {"type": "Edm.String", "maxLength": 2, "not": ["creatable", "updatable"]},
                        "Deleted": {"type": "Edm.String", "maxLength": 1, "not": ["creatable", "updatable"]},
                        "CreatedOn": {"type": "Edm.DateTime", "precision": 0, "format": "Date"},
                        "CreatedBy": {"type": "Edm.String", "maxLength": 12, "not": ["creatable", "updatable"]},
                        "ChangedAt": {"type": "Edm.DateTimeOffset", "precision": 7, "not": ["updatable"]},
                        "At": {"type": "Edm.Time"},
                        "Open": {"type": "Edm.Boolean"},
                        "Weight": {"type": "Edm.Decimal", "precision": 13, "scale": 3},
                        "Currency": {"type": "Edm.String", "maxLength": 5, "semantics": "currency-code"},
                        "Amount": {"type": "Edm.Decimal", "precision": 12, "scale": 3, "unit": "Currency"},
                        "Factor": {"type": "Edm.Double"},
                        "Copies": {"type": "Edm.Int32"},
                        "Guid": {"type": "Edm.Guid"},
                        "Secret": {"type": "Edm.String", "maxLength": 10, "not": ["filterable", "sortable"]},
                    },
                },
                "Line": {
                    "type": "LineType",
                    "key": ["Document", "Position"],
                    "numbering": {"Position": {"from": 10, "step": 10}},
                    "parent": {"entitySet": "Document", "on": {"Document": "Number"}, "inherits": ["Currency"]},
                    "deletionFlag": {"Deleted": "L"},
                    "navigation": {
                        "to_Document": {"to": "Document", "many": False, "on": {"Document": "Number"}},
                        "to_Share": {
                            "to": "Share",
                            "many": True,
                            "on": {"Document": "Paper", "Position": "Row"},
                        },
                    },
                    "properties": {
                        "Document": {"type": "Edm.String", "maxLength": 10, "conversion": "ALPHA"},
                        "Position": {"type": "Edm.String", "maxLength": 5, "conversion": "NUMC"},
                        "Material": {"type": "Edm.String", "maxLength": 40},
                        "Deleted": {"type": "Edm.String", "maxLength": 1},
                        "Currency": {"type": "Edm.String", "maxLength": 5, "semantics": "currency-code"},
                        "Price": {"type": "Edm.Decimal", "precision": 12, "scale": 3, "unit": "Currency"},
                    },
                },
                "Share": {
                    "type": "ShareType",
                    "key": ["Paper", "Row", "Share"],
                    "not": ["creatable", "updatable", "deletable"],
                    "properties": {
                        "Paper": {"type": "Edm.String", "maxLength": 10, "conversion": "ALPHA"},
                        "Row": {"type": "Edm.String", "maxLength": 5, "conversion": "NUMC"},
                        "Share": {"type": "Edm.String", "maxLength": 2, "conversion": "NUMC"},
                        "Day": {"type": "Edm.DateTime", "format": "Date"},
                    },
                },
            },
        }
    }
}

DATA: dict[str, list[dict[str, Any]]] = {
    "Document": [
        {
            "Number": "9",
            "Text": "O'Ring 50 %",
            "State": "02",
            "CreatedOn": date(2026, 11, 1),
            "ChangedAt": datetime(2026, 11, 2, 8, 41, 3, 433956, UTC),
            "At": time(12, 30),
            "Open": True,
            "Weight": Decimal("0.125"),
            "Currency": "EUR",
            "Amount": Decimal("1000"),
            "Factor": 1.5,
            "Copies": 3,
            "Guid": UUID("f9503ea8-fcd9-4ede-9fa7-1dfe572e8539"),
        },
        {"Number": "10", "Text": "pump", "Currency": "JPY", "Amount": Decimal("1500")},
        {"Number": "A1", "Text": "Pump", "CreatedOn": date(1969, 12, 31), "Weight": Decimal("-2")},
    ],
    "Line": [
        {"Document": "9", "Position": "10", "Material": "SEAL", "Currency": "EUR", "Price": Decimal("9.5")},
        {"Document": "9", "Position": "100", "Material": "RING"},
        {"Document": "10", "Position": "10", "Material": "PUMP"},
    ],
    "Share": [
        {"Paper": "9", "Row": "10", "Share": "1", "Day": date(2026, 12, 1)},
        {"Paper": "9", "Row": "10", "Share": "2"},
    ],
}

Make = Callable[..., ODataV2Sandbox]


@pytest.fixture
def document() -> EntitySet:
    return read_services(FACTS)["API_TEST_SRV"].entity_sets["Document"]


@pytest.fixture
def service_root() -> str:
    return SERVICE


@pytest.fixture
def make() -> Make:
    def make_sandbox(data: Any = DATA, **settings: Any) -> ODataV2Sandbox:
        known = {"users": {"reader": "right"}, "now": lambda: NOW, **settings}
        return ODataV2Sandbox(FACTS, data, **known)

    return make_sandbox


@pytest.fixture
def application(make: Make) -> ODataV2Sandbox:
    return make()


@pytest.fixture
async def client(application: ODataV2Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(application) as opened:
        yield opened


@pytest.fixture
def facts() -> dict[str, Any]:
    return FACTS


def connect(application: Any, **settings: Any) -> httpx.AsyncClient:
    known = {"auth": ("reader", "right"), "headers": JSON, "base_url": f"{SERVICE}/", **settings}
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), **known)


@pytest.fixture(name="connect")
def connect_fixture() -> Callable[..., httpx.AsyncClient]:
    return connect
