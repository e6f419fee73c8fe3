"""The sandbox of SAP S/4HANA: its facts, samples and demo data behind the OData V2 protocol."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from connectors.sandbox.control import ControlledSandbox
from connectors.sandbox.odata_v2 import ODataV2Sandbox, flatten, read_services
from connectors.systems.sap_s4hana.demo import demo_data

__all__ = ["ENTITIES", "USERS", "demo_data", "facts", "samples", "sandbox"]

FOLDER = Path(__file__).parent
USERS: Mapping[str, str] = {"SWITCHGEAR": "demo-only"}
"""Who may log on if nobody else is named."""
ENTITIES: Mapping[str, str] = {
    "API_PURCHASEORDER_PROCESS_SRV": "PURCHASE_ORDER",
    "API_BUSINESS_PARTNER": "VENDOR",
    "API_MAINTENANCEORDER": "WORK_ORDER",
    "API_EQUIPMENT": "ASSET",
    "API_FUNCTIONALLOCATION": "ASSET",
    "API_PRODUCT_SRV": "INVENTORY_ITEM",
    "API_MATERIAL_STOCK_SRV": "INVENTORY_ITEM",
}
"""Which unified kind of record the entity sets of a service belong to."""
ENTITY_PATH = re.compile(r"/sap/opu/odata/sap/(\w+)(?:;v=\d+)?/[A-Za-z_]")


def sandbox(
    data: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    *,
    users: Mapping[str, str] | None = None,
    allowed: Mapping[str, Collection[str]] | None = None,
    page_size: int | Mapping[str, int] = 100,
    maximum_page_size: int | None = None,
    public_url: str | None = None,
    language: str = "EN",
) -> ControlledSandbox:
    """Assemble the sandbox over `data` (default: the samples); for the settings see ODataV2Sandbox.

    The real service for purchase orders has pages of 1,000 rows, and of 5,000 if the caller names a $top.
    """
    application = ODataV2Sandbox(
        facts(),
        samples() if data is None else data,
        users=USERS if users is None else users,
        allowed=allowed,
        page_size=page_size,
        maximum_page_size=maximum_page_size,
        public_url=public_url,
        language=language,
    )
    return ControlledSandbox(application, entity_of=entity_of, entities=dict.fromkeys(ENTITIES.values()))


def entity_of(path: str) -> str | None:
    """Return the unified kind of record that a path concerns; None for metadata and the services' roots."""
    found = ENTITY_PATH.match(path)
    return ENTITIES.get(found[1]) if found else None


@cache
def facts() -> Any:
    """Return the contract facts."""
    return json.loads((FOLDER / "facts.json").read_text("utf-8"))


def samples() -> dict[str, list[dict[str, Any]]]:
    """Read the samples into rows by entity set, with plain Python values."""
    nested = json.loads((FOLDER / "samples.json").read_text("utf-8"))
    rows: dict[str, list[dict[str, Any]]] = {}
    for service in read_services(facts()).values():
        for name, entity_set in service.entity_sets.items():
            for entity in nested.get(name, ()):
                for each, row in flatten(entity, entity_set, service):
                    rows.setdefault(each.name, []).append(row)
    return rows
