"""Writes `connectors/systems/odoo/facts.json`: the fields of Odoo's models, as the running program tells them.

Run `python -m tests.real.odoo.capture` from the project's folder after a change of the pinned versions.
"""

import json
from pathlib import Path
from typing import Any

from tests.real.odoo.installation import MODULES
from tests.real.odoo.package import VERSION
from tests.real.odoo.server import Odoo, running

FACTS = Path(__file__).parents[3] / "connectors" / "systems" / "odoo" / "facts.json"
MODELS = (
    "account.incoterms",
    "account.payment.term",
    "maintenance.equipment",
    "maintenance.equipment.category",
    "maintenance.request",
    "maintenance.stage",
    "maintenance.team",
    "mrp.production",
    "product.product",
    "product.supplierinfo",
    "product.template",
    "purchase.order",
    "purchase.order.line",
    "res.company",
    "res.country",
    "res.country.state",
    "res.currency",
    "res.partner",
    "res.partner.category",
    "stock.location",
    "stock.move",
    "stock.quant",
    "stock.warehouse",
    "stock.warehouse.orderpoint",
    "uom.uom",
)
FLAGS = ("required", "readonly", "store", "searchable", "sortable", "company_dependent", "translate")
ATTRIBUTES = ["type", "relation", "selection", "groups", "manual", *FLAGS]
# Conversations, activities and pictures come with many models and say nothing about a plant.
PASSED_OVER = ("activity_", "avatar_", "image_", "message_", "my_activity_", "website_message_")
LONGEST_SELECTION = 30  # longer lists (time zones, kinds of identifier) are not part of the model


def capture(odoo: Odoo) -> dict[str, Any]:
    """Return types, relations, selection keys, groups and flags; a flag that is absent is false."""
    modules = odoo.rows("ir.module.module", [["name", "in", MODULES]], ["name", "installed_version"])
    return {
        "source": {
            "program": "odoo",
            "version": VERSION,
            "captured": "fields_get",
            "modules": dict(sorted((module["name"], module["installed_version"]) for module in modules)),
        },
        "models": {model: _fields(odoo, model) for model in MODELS},
    }


def _fields(odoo: Odoo, model: str) -> dict[str, dict[str, Any]]:
    definitions = odoo.ask(model, "fields_get", attributes=ATTRIBUTES)
    return {
        name: _facts(definition)
        for name, definition in sorted(definitions.items())
        if not definition["manual"] and not name.startswith(PASSED_OVER)
    }


def _facts(definition: dict[str, Any]) -> dict[str, Any]:
    facts = {name: definition[name] for name in ("type", "relation", "groups") if definition.get(name)}
    selection = definition.get("selection")
    if isinstance(selection, list) and len(selection) <= LONGEST_SELECTION:
        facts["selection"] = [key for key, _ in selection]
    return facts | {flag: True for flag in FLAGS if definition.get(flag)}


def text(facts: dict[str, Any]) -> str:
    """Return `facts` as JSON with one field to a line."""
    models = ",\n".join(
        f"  {json.dumps(model)}: {{\n"
        + ",\n".join(f"   {json.dumps(name)}: {json.dumps(field)}" for name, field in fields.items())
        + "\n  }"
        for model, fields in facts["models"].items()
    )
    return f'{{\n "source": {json.dumps(facts["source"])},\n "models": {{\n{models}\n }}\n}}\n'


if __name__ == "__main__":
    with running() as odoo:
        FACTS.parent.mkdir(exist_ok=True)
        FACTS.write_text(text(capture(odoo)), encoding="utf-8")
