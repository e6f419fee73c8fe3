"""A plant of different systems whose every request is seen on its way, or must not be sent at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from connectors.client import Source
from connectors.registry import find_system
from connectors.systems.odoo import sandbox as odoo
from connectors.systems.sap_s4hana import sandbox as sap_s4hana
from connectors.testing.in_process import InProcessTransport
from resolvers.ports import LiveSource
from tests.resolvers.graph import Graph, live_source

SECRET = "correct-horse-battery-staple"
"""Without blanks: a key would end there, and the system that it is for would only be seen to refuse it."""
EXPLAIN = """
query Explain($query: String!, $operationName: String, $variables: JSON) {
  explain(query: $query, operationName: $operationName, variables: $variables) {
    cost maxCost upstreamCalls
    reads {
      path connection { id } entity upstreamFields filtersPushed filtersHere isOrderPushed isLimitPushed upstreamCalls
      request { method url body } missing { path reason } problem { code message }
    }
    problems { code message field remediation }
  }
}
"""
Sent = tuple[str, str, str | None]
"""A request: its method, its address and its body."""


class Silence(httpx.AsyncBaseTransport):
    """A line that must not be used."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"{request.method} {request.url} was sent")


class Watched(httpx.AsyncBaseTransport):
    """A line on which every request is seen."""

    def __init__(self, line: httpx.AsyncBaseTransport) -> None:
        self._line = line
        self.sent: list[Sent] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append((request.method, str(request.url), request.content.decode() or None))
        return await self._line.handle_async_request(request)


@dataclass
class WatchedPlant(Graph):
    """A graph with the line of each connection."""

    lines: Mapping[str, Watched] = field(default_factory=dict)

    async def explain(self, query: str, **variables: Any) -> Any:
        """The explanation of a query."""
        return (await self.run(EXPLAIN, query=query, variables=variables))["explain"]


_LOGINS: dict[str, dict[str, str]] = {
    "sap_s4hana": {"username": "BUYER-7", "password": SECRET},
    "odoo": {"database": odoo.DATABASE, "apiKey": SECRET},
    "tryton": {"database": "plant", "username": "buyer", "password": SECRET, "key": SECRET, "company": "1"},
}


def watched_plant(**settings: Any) -> WatchedPlant:
    """Stand-ins of S/4HANA and of Odoo, with samples."""
    users = {"BUYER-7": SECRET}
    lines = {
        "sap_s4hana": Watched(InProcessTransport(sap_s4hana.sandbox(users=users, page_size=1_000))),
        "odoo": Watched(InProcessTransport(odoo.sandbox(users={"buyer": SECRET}))),
    }
    return WatchedPlant([_live(name, line) for name, line in lines.items()], lines=lines, **settings)


def silent_plant(**settings: Any) -> WatchedPlant:
    """Systems of every kind that nobody may ask."""
    return WatchedPlant([_live(name, Silence()) for name in _LOGINS], **settings)


def _live(name: str, line: httpx.AsyncBaseTransport) -> LiveSource:
    system = find_system(name)
    assert system is not None
    answers = {"url": f"https://{name.replace('_', '-')}.example.com", **_LOGINS[name]}
    http = httpx.AsyncClient(transport=line, base_url=system.address(answers))
    auth = system.auth_methods[0].flow(answers)
    return live_source(name, system, Source(name, system, http, auth))
