"""Writes `connectors/systems/tryton/facts.json`: the fields of Tryton's models, as the running program tells them.

Run `python -m tests.real.tryton.capture` from the project's folder after a change of the pinned versions.
"""

import json
import re
from pathlib import Path
from typing import Any

from tests.real.tryton.server import Tryton, running

FACTS = Path(__file__).parents[3] / "connectors" / "systems" / "tryton" / "facts.json"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
MODELS = (
    "account.asset",
    "account.invoice",
    "account.invoice.line",
    "account.invoice.payment_term",
    "company.company",
    "country.country",
    "country.subdivision",
    "currency.currency",
    "party.address",
    "party.contact_mechanism",
    "party.identifier",
    "party.party",
    "product.category",
    "product.cost_price",
    "product.identifier",
    "product.product",
    "product.template",
    "product.uom",
    "production",
    "production.routing.operation",
    "production.work",
    "production.work.center",
    "production.work.cycle",
    "purchase.line",
    "purchase.product_supplier",
    "purchase.purchase",
    "stock.location",
    "stock.move",
    "stock.order_point",
)
FLAGS = ("required", "readonly", "searchable", "sortable")
LONGEST_SELECTION = 30  # longer lists (time zones, kinds of identifier) are not part of the model


def capture(tryton: Tryton) -> dict[str, Any]:
    """Return names, types, relations, selection keys and flags; a flag that is absent is false."""
    modules = tryton.rows("ir.module", [["state", "=", "activated"]], ["name", "version"])
    versions = {module["name"]: module["version"] for module in modules if module["version"]}
    return {
        "source": {
            "program": "trytond",
            "version": _pinned_version(),
            "captured": "fields_get",
            "modules": dict(sorted(versions.items())),
        },
        "models": {model: _fields(tryton, model) for model in MODELS},
    }


def _pinned_version() -> str:
    (pin,) = re.findall(r"^trytond==(\S+)", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE)
    return str(pin)


def _fields(tryton: Tryton, model: str) -> dict[str, dict[str, Any]]:
    definitions = tryton.ask(f"model.{model}.fields_get")
    return {name: _facts(definition) for name, definition in sorted(definitions.items())}


def _facts(definition: dict[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {"type": definition["type"]}
    if "relation" in definition:
        facts["relation"] = definition["relation"]
    selection = definition.get("selection")
    if isinstance(selection, list) and len(selection) <= LONGEST_SELECTION:
        facts["selection"] = [key for key, _ in selection]
    return facts | {flag: True for flag in FLAGS if definition[flag]}


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
    with running() as tryton:
        FACTS.write_text(text(capture(tryton)), encoding="utf-8")
