"""The bench of SAP S/4HANA: its sandbox in process, and what is true in it by its own data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
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
from schema.purchasing import PurchaseOrder
from tests.connectors.sap_s4hana_rows import MORE
from tests.connectors.sap_s4hana_truth import TRUTH

Row = dict[str, Any]

(USER, PASSWORD), *_ = USERS.items()
_NUMBER = """{"d": {"results": [{"PurchaseOrder": "1", "to_PurchaseOrderItem": {"results": [
    {"PurchaseOrderItem": "10", "OrderQuantity": %s, "PurchaseOrderQuantityUnit": "KG"}]}}]}}"""


@dataclass(eq=False)
class SapS4hanaBench(SandboxBench):
    """SAP S/4HANA as its sandbox."""

    boxes: dict[int | None, ControlledSandbox] = field(default_factory=dict)

    def sandbox(self, cut: int | None = None) -> ControlledSandbox:
        """One sandbox for each size of pages, with the samples and some rows more."""
        if cut not in self.boxes:
            data = samples()
            for name, rows in MORE.items():
                data[name] += rows
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
        sets = self._services[service.partition(";")[0]]["entitySets"]
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
        return TRUTH[resource.source.rpartition("/")[2]](data)


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
