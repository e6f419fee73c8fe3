"""A few records with every difficulty of Odoo, and a caller that has a key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx

from connectors.sandbox.odoo_json2 import OdooSandbox
from connectors.systems.odoo.sandbox import models

BASE = "http://plant.example"
KEY = "0123456789abcdef0123456789abcdef01234567"
USERS = {"reader": KEY, "limited": "limited-key"}
MODELS = models()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


DATA: dict[str, list[dict[str, Any]]] = {
    "res.company": [{"id": 1, "name": "Mill", "currency_id": 125, "partner_id": 1}],
    "res.currency": [
        {"id": 125, "name": "EUR", "decimal_places": 2},
        {"id": 25, "name": "JPY", "decimal_places": 0, "active": False},
    ],
    "res.users": [
        {"id": 2, "name": "Reader", "login": "reader"},
        {"id": 5, "name": "Buyer", "login": "buyer"},
    ],
    "res.country": [{"id": 3, "name": "Germany", "code": "DE"}],
    "res.country.state": [{"id": 1, "name": "Hesse", "code": "HE", "country_id": 3}],
    "res.partner": [
        {"id": 1, "name": "Mill", "complete_name": "Mill", "is_company": True},
        {"id": 7, "name": "MÜLLER", "complete_name": "MÜLLER", "ref": "V-1", "country_id": 3, "is_company": True},
        {"id": 8, "name": "Gießerei Émile", "complete_name": "Gießerei Émile", "ref": "V-2", "active": False},
        {"id": 9, "name": "100%_pure\\fine", "complete_name": "100%_pure\\fine", "ref": "V-10", "category_id": [1]},
        {"id": 10, "name": "Night desk", "complete_name": "MÜLLER, Night desk", "parent_id": 7},
        {"id": 11, "name": "zeta", "complete_name": "zeta", "parent_id": 7, "active": False},
    ],
    "res.partner.category": [{"id": 1, "name": "Parts"}],
    "product.template": [
        {"id": 31, "name": "Bearing", "type": "consu", "is_storable": True, "list_price": Decimal("8.5"), "uom_id": 1},
        {"id": 32, "name": "Advice", "type": "service", "uom_id": 1},
    ],
    "product.product": [
        {"id": 41, "product_tmpl_id": 31, "default_code": "BRG", "standard_price": Decimal("5.125")},
        {"id": 42, "product_tmpl_id": 32},
    ],
    "uom.uom": [{"id": 1, "name": "Units"}],
    "purchase.order": [
        {
            "id": 3,
            "name": "P00003",
            "partner_id": 7,
            "partner_ref": "HP/17",
            "state": "purchase",
            "receipt_status": "partial",
            "date_order": moment("2024-02-10 00:00:00.250021"),
            "date_planned": moment("2024-02-20 06:00:00"),
            "amount_total": Decimal("833.52"),
            "priority": "0",
            "user_id": 5,
            "currency_id": 125,
            "company_id": 1,
            "write_date": moment("2024-02-11 10:00:00"),
        },
        {
            "id": 4,
            "name": "P00004",
            "partner_id": 10,
            "state": "draft",
            "date_order": moment("2024-02-10 23:59:59"),
            "amount_total": Decimal(32480),
            "priority": "1",
            "currency_id": 25,
            "company_id": 1,
        },
        {
            "id": 5,
            "name": "p00005",
            "partner_id": 8,
            "state": "purchase",
            "receipt_status": "full",
            "date_order": moment("2024-02-11 00:00:00"),
            "date_planned": moment("2024-01-01 06:00:00"),
            "locked": True,
            "priority": "0",
            "user_id": 2,
            "currency_id": 125,
            "company_id": 1,
        },
    ],
    "purchase.order.line": [
        {"id": 3, "order_id": 3, "sequence": 10, "name": "b", "product_id": 41, "product_qty": Decimal(4)},
        {"id": 4, "order_id": 3, "sequence": 9, "name": "a", "display_type": "line_section"},
        {"id": 5, "order_id": 3, "sequence": 10, "name": "c", "product_id": 42, "product_qty": Decimal(2)},
        {
            "id": 6,
            "order_id": 5,
            "sequence": 10,
            "name": "d",
            "product_id": 41,
            "product_qty": Decimal(10),
            "price_unit": Decimal("5.9305555"),
            "discount": Decimal(10),
        },
    ],
    "stock.location": [
        {"id": 1, "name": "WH", "complete_name": "WH", "usage": "view", "warehouse_id": 1},
        {"id": 2, "name": "Stock", "complete_name": "WH/Stock", "usage": "internal", "location_id": 1},
        {"id": 3, "name": "Shelf", "complete_name": "WH/Stock/Shelf", "usage": "internal", "location_id": 2},
        {"id": 4, "name": "Workshop", "complete_name": "Workshop", "usage": "internal"},
        {"id": 5, "name": "Vendors", "complete_name": "Vendors", "usage": "supplier"},
    ],
    "stock.warehouse": [{"id": 1, "name": "Main", "code": "WH", "view_location_id": 1}],
    "stock.quant": [
        {"id": 1, "product_id": 41, "location_id": 2, "quantity": Decimal(5), "reserved_quantity": Decimal(2)},
        {"id": 2, "product_id": 41, "location_id": 3, "quantity": Decimal("1.5")},
        {"id": 3, "product_id": 41, "location_id": 4, "quantity": Decimal(48)},
        {"id": 4, "product_id": 41, "location_id": 5, "quantity": Decimal("-54.5")},
    ],
    "stock.warehouse.orderpoint": [
        {
            "id": 1,
            "product_id": 41,
            "location_id": 2,
            "product_min_qty": Decimal(20),
            "product_max_qty": Decimal(30),
        },
    ],
    "maintenance.stage": [
        {"id": 1, "name": "New Request", "sequence": 1},
        {"id": 2, "name": "Repaired", "sequence": 3, "done": True},
    ],
    "maintenance.equipment": [
        {"id": 1, "name": "Pump", "serial_no": "SN-1", "cost": Decimal("12.5"), "warranty_date": date(2024, 3, 4)},
        {"id": 2, "name": "Fan", "active": False, "scrap_date": date(2024, 1, 1)},
    ],
    "maintenance.request": [
        {"id": 1, "name": "Leaks", "equipment_id": 1, "stage_id": 1, "request_date": date(2024, 3, 4)},
        {"id": 2, "name": "Noise", "equipment_id": 2, "stage_id": 2, "close_date": date(2024, 3, 5), "priority": "3"},
        {"id": 3, "name": "Other", "archive": True, "owner_user_id": 5},
    ],
}


def plant(data: Mapping[str, Any] = DATA, **settings: Any) -> OdooSandbox:
    return OdooSandbox(MODELS, data, **{"users": USERS, **settings})


class Caller:
    """Calls methods of one sandbox, in process."""

    def __init__(self, application: Any = None, key: str = KEY) -> None:
        self.application = application or plant()
        self.headers = {"authorization": f"Bearer {key}"}

    async def post(self, model: str, method: str, **arguments: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.application)
        async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=self.headers) as client:
            return await client.post(f"/json/2/{model}/{method}", json=arguments)

    async def call(self, model: str, method: str, **arguments: Any) -> Any:
        answer = await self.post(model, method, **arguments)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, model: str, method: str, **arguments: Any) -> tuple[int, str, str]:
        answer = await self.post(model, method, **arguments)
        said = answer.json()
        return answer.status_code, said["name"].rpartition(".")[2], said["message"]

    async def ids(self, model: str, domain: list[Any], **arguments: Any) -> list[int]:
        found: list[int] = await self.call(model, "search", domain=domain, **{"order": "id", **arguments})
        return found
