"""The bench of Odoo: a real one, and what it says to its administrator in its own words."""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from connectors.spec import Resource
from connectors.systems.odoo import spec
from connectors.testing.bench import RETRY_AFTER_SECONDS, Bench, Misfortune, NumberSample, Opened, PathFacts
from connectors.testing.wire import Script, always
from schema.purchasing import PurchaseOrder
from tests.connectors.odoo_truth import TRUTH
from tests.real.odoo.server import Odoo

USER = "switchgear"
_FACTS = Path(spec.__file__).with_name("facts.json")
_NAMED = {"id": {"type": "integer"}, "display_name": {"type": "char"}}
"""What every model has, those too whose facts are not kept because nothing but their name is read."""
_NEVER_EMPTY = ("boolean", "float", "integer", "monetary")
_TOTAL = """{"records": [{"id": 7, "currency_id": {"id": 1, "name": "EUR"}, "amount_total": %s}]}"""
_LINE = """{"records": [{"id": 7, "order_line": [
    {"id": 1, "display_type": false, "product_qty": %s, "product_uom_id": {"id": 2, "display_name": "kg"}}]}]}"""
_DIGITS = "12345678901234567890.123456789"


def _page(status: int, title: str, **headers: str) -> Script:
    body = f"<html>\r\n<head><title>{status} {title}</title></head>\r\n<body></body>\r\n</html>\r\n"
    return always(status, body.encode(), {"content-type": "text/html"} | headers)


_FAILED = {
    "name": "psycopg2.errors.SerializationFailure",
    "message": "could not serialize access due to concurrent update",
    "arguments": ["could not serialize access due to concurrent update"],
    "context": {},
    "debug": 'Traceback (most recent call last):\n  File "<odoo>/http.py", line 1\n',
}


@dataclass(eq=False)
class OdooBench(Bench):
    """Odoo as it runs, with the plant that its recipe makes."""

    odoo: Odoo = field(kw_only=True)

    @cached_property
    def _answers(self) -> dict[str, str]:
        return {"url": self.odoo.url, "database": self.odoo.database, "apiKey": self.odoo.keys[USER]}

    def address(self) -> str:
        return self.system.address(self._answers)

    def login(self) -> httpx.Auth:
        (method,) = self.system.auth_methods
        return method.flow(self._answers)

    def transport(self, cut: int | None) -> httpx.AsyncBaseTransport:
        return httpx.AsyncHTTPTransport()

    def asked_fields(self, request: httpx.Request) -> frozenset[str] | None:
        return frozenset(_asked("", json.loads(request.content)["specification"]))

    def cause(self, misfortune: Misfortune, opened: Opened) -> AbstractContextManager[None]:
        """Change the key and the rights in Odoo itself; what would take its server down is played."""
        match misfortune:
            case Misfortune.REFUSED_CREDENTIALS:
                return self.odoo.key_expired(USER)
            case Misfortune.MISSING_RIGHT:
                return self.odoo.without_right_to_read(self.system.resources[0].source)
            case Misfortune.TOO_MANY_CALLS:
                return opened.wire.scripted(
                    _page(429, "Too Many Requests", **{"retry-after": str(RETRY_AFTER_SECONDS)})
                )
            case Misfortune.MAINTENANCE:
                return opened.wire.scripted(_page(502, "Bad Gateway"))
            case _:
                headers = {"content-type": "application/json; charset=utf-8"}
                return opened.wire.scripted(always(500, json.dumps(_FAILED).encode(), headers))

    @cached_property
    def _models(self) -> Any:
        return json.loads(_FACTS.read_text("utf-8"))["models"]

    def facts(self, resource: Resource, path: str) -> PathFacts | None:
        """Walk along relations; a path can be searched where each step can."""
        model: str | None = resource.source
        steps = []
        for name in path.split("."):
            found = self._models.get(model, _NAMED).get(name)
            if found is None:
                return None
            steps.append(found)
            model = found.get("relation")
        return PathFacts(
            is_filterable=all("searchable" in step for step in steps),
            is_sortable="sortable" in steps[-1] and len(steps) == 1,
            is_never_null=True,  # what is empty is `false`, and a negation finds it
            is_never_empty=all("required" in step or step["type"] in _NEVER_EMPTY for step in steps),
        )

    def truth(self, resource: Resource) -> Mapping[str, Mapping[str, Any]]:
        return TRUTH[resource.source](self.odoo)


def _asked(prefix: str, specification: Mapping[str, Any]) -> Iterator[str]:
    for name, below in specification.items():
        if below:
            yield from _asked(f"{prefix}{name}.", below["fields"])
        else:
            yield f"{prefix}{name}"


def odoo_bench(odoo: Odoo) -> OdooBench:
    """A bench on a running Odoo."""
    numbers = ("45.0", "0.0", "-0.1", "32480.0", "9007199254740993", "5.3374999999999995", _DIGITS)
    exact = {number: number for number in numbers}
    return OdooBench(
        system=spec.odoo,
        rows=Path(spec.__file__).with_name("rows"),
        secrets=(odoo.keys[USER],),
        unseen={"InventoryItem.type: type is 'combo'": "the plant sells no choices of products; they are no stock"},
        always_filled={
            "create_date": "Odoo sets it with every record that it creates",
            "write_date": "Odoo sets it with every change, the creation among them",
            "state": "an order is created as a draft, and only ever led on",
        },
        numbers=(
            NumberSample(PurchaseOrder, _TOTAL, ("total", "amount"), exact),
            NumberSample(PurchaseOrder, _LINE, ("origin", "children", "lines", 0, "quantity_ordered", "value"), exact),
        ),
        odoo=odoo,
    )
