"""A gateway over two systems, one of them behind a fault proxy, as the tests of faults ask it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.keys.keyring import Keyring
from tests.faults.proxy import Proxy, proxy
from tests.gateway.running import RunningGateway, StandIn, running_gateway, stand_in

QUERY = """
query Orders($timeoutMs: Int, $ids: [ID!]) {
  purchaseOrders(first: 5, timeoutMs: $timeoutMs, connectionIds: $ids) {
    nodes { number connection { name } }
    isComplete
    sources {
      connection { name } status count durationMs upstreamCalls
      error { code message remediation retryable retryAfterMs upstream { status } }
    }
  }
}
"""


@dataclass
class Answer:
    """An answer and how long it took."""

    body: dict[str, Any]
    seconds: float

    @property
    def page(self) -> dict[str, Any]:
        """The page; there must be no errors."""
        assert "errors" not in self.body, self.body
        found: dict[str, Any] = self.body["data"]["purchaseOrders"]
        return found

    def source(self, name: str = "troubled") -> dict[str, Any]:
        """What is told of one source."""
        (found,) = (item for item in self.page["sources"] if item["connection"]["name"] == name)
        source: dict[str, Any] = found
        return source

    def outcome(self, name: str = "troubled") -> tuple[str, str | None]:
        """Status and code of one source."""
        source = self.source(name)
        return source["status"], source["error"] and source["error"]["code"]


@dataclass
class Plant:
    """A gateway with the connections `troubled`, behind the proxy, and `healthy`."""

    gateway: RunningGateway
    proxy: Proxy
    troubled: StandIn
    ids: dict[str, str]

    async def ask(self, *names: str, timeout_ms: int | None = None) -> Answer:
        """Ask these connections, or both."""
        ids = [self.ids[name] for name in names] or None
        loop = asyncio.get_running_loop()
        began = loop.time()
        body = await self.gateway.ask(QUERY, timeoutMs=timeout_ms, ids=ids)
        return Answer(body, loop.time() - began)

    def healthy_rows_are_there(self, answer: Answer) -> bool:
        """Whether the healthy connection has answered in full."""
        return answer.outcome("healthy") == ("OK", None) and answer.source("healthy")["count"] > 0


@contextlib.asynccontextmanager
async def plant(folder: Path, keyring: Keyring | None = None, **settings: Any) -> AsyncIterator[Plant]:
    """Run a gateway with both connections."""
    async with (
        stand_in() as troubled,
        stand_in() as healthy,
        proxy(int(troubled.url.rpartition(":")[2])) as before,
        running_gateway(folder, keyring, **settings) as gateway,
    ):
        urls = {"troubled": before.url, "healthy": healthy.url}
        made = {name: await gateway.connect(url, name=name) for name, url in urls.items()}
        yield Plant(gateway, before, troubled, {name: item["connection"]["id"] for name, item in made.items()})
