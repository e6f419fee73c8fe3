"""The sandbox of Odoo 19: its facts, samples and demo data behind the JSON-2 API."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from connectors.sandbox.control import ControlledSandbox
from connectors.sandbox.odoo_json2 import Model, OdooSandbox, read_models
from connectors.systems.odoo.computed import COMPUTED
from connectors.systems.odoo.demo import demo_data

__all__ = ["DATABASE", "ENTITIES", "USERS", "demo_data", "entity_of", "facts", "models", "samples", "sandbox"]

FOLDER = Path(__file__).parent
DATABASE = "plant"
USERS: Mapping[str, str] = {"switchgear": "demo-only"}
"""Who has a key if nobody else is named: the login, and the key."""
ENTITIES: Mapping[str, str] = {
    "purchase.order": "PURCHASE_ORDER",
    "purchase.order.line": "PURCHASE_ORDER",
    "res.partner": "VENDOR",
    "maintenance.request": "WORK_ORDER",
    "maintenance.stage": "WORK_ORDER",
    "mrp.production": "WORK_ORDER",
    "maintenance.equipment": "ASSET",
    "maintenance.equipment.category": "ASSET",
    "product.product": "INVENTORY_ITEM",
    "product.template": "INVENTORY_ITEM",
    "product.supplierinfo": "INVENTORY_ITEM",
    "stock.quant": "INVENTORY_ITEM",
    "stock.location": "INVENTORY_ITEM",
    "stock.warehouse": "INVENTORY_ITEM",
    "stock.warehouse.orderpoint": "INVENTORY_ITEM",
}
"""Which unified kind of record the records of a model belong to."""
READING = re.compile(r"/json/2/([^/]+)/(?:web_search_read|search_read|web_read|read|search|search_count)")
SAMPLED_ON = date(2026, 11, 20)


def sandbox(
    data: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    *,
    users: Mapping[str, str] | None = None,
    rights: Mapping[str, Collection[str]] | None = None,
    rules: Mapping[str, Mapping[str, Sequence[Any]]] | None = None,
) -> ControlledSandbox:
    """Assemble the sandbox over `data` (default: the samples); for the settings see OdooSandbox."""
    application = OdooSandbox(
        models(),
        samples() if data is None else data,
        users=USERS if users is None else users,
        rights=rights,
        rules=rules,
        databases=(DATABASE,),
    )
    return ControlledSandbox(application, entity_of=entity_of, entities=dict.fromkeys(ENTITIES.values()))


def entity_of(path: str) -> str | None:
    """Return the unified kind of record that a path reads; None for questions about fields and rights."""
    found = READING.fullmatch(path)
    return ENTITIES.get(found[1]) if found else None


@cache
def facts() -> Any:
    """Return what fields_get tells of every model."""
    return json.loads((FOLDER / "facts.json").read_text("utf-8"))


def models() -> dict[str, Model]:
    """Return the models of the facts, with what fields_get does not tell."""
    return read_models(facts(), json.loads((FOLDER / "models.json").read_text("utf-8")), COMPUTED)


def samples() -> dict[str, list[dict[str, Any]]]:
    """Return a small plant that is always the same."""
    return demo_data(19, orders=40, vendors=12, products=30, equipment=20, requests=40, today=SAMPLED_ON)
