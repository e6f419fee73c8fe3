"""The bench of Tryton: a real one, and what it says to its administrator in its own words."""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from connectors.spec import Resource
from connectors.systems.tryton import spec
from connectors.testing.bench import RETRY_AFTER_SECONDS, Bench, Misfortune, NumberSample, Opened, PathFacts
from connectors.testing.wire import Script, always
from schema.purchasing import PurchaseOrder
from tests.connectors.tryton_truth import TRUTHS
from tests.real.tryton.server import PASSWORDS, Tryton

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
        return TRUTHS[resource.entity](self.tryton)


def tryton_bench(tryton: Tryton) -> TrytonBench:
    """A bench on a running Tryton."""
    exact = {_DIGITS: _DIGITS, "12.0": "12.0", "0.125": "0.125", "9007199254740993": "9007199254740993", "-5": "-5"}
    marked = ("45.0000", "0", "-0.10", "32480", _DIGITS)
    return TrytonBench(
        system=spec.tryton,
        rows=Path(spec.__file__).with_name("rows"),
        secrets=(PASSWORDS[USER],),
        unseen={
            "WorkOrder.status: 'request'": "only a module that supplies stock by production asks for productions",
        },
        always_filled={
            "create_date": "Tryton sets it with every record that it creates",
            "active": "a party or product is created active, and only ever switched",
            "consumable": "a product is created without, and only ever switched",
            "state": "a record is created as a draft, and then only led on",
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
