"""A subscriber that comes again whenever its line ends, with its last cursor, and remembers everything it was told."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from tests.e2e.sites import Site
from tests.gateway.running import ADMIN

STATUS = """
subscription Status($after: String) {
  connectionStatus(after: $after) { connection { id } cursor event { id name sequence } }
}
"""
PATIENCE_SECONDS = 60.0


@dataclass
class Follower:
    """Follows all connections that its token reaches, through the load balancer or at one process."""

    site: Site
    token: str = ADMIN
    url: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    cursor: str | None = None
    failure: AssertionError | None = None
    _told: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def run(self) -> None:
        """Follow until cancelled, or until the token is refused."""
        while 4403 not in self.codes:
            try:
                await self._follow()
            except AssertionError as failure:
                self.failure = failure
            except ConnectionClosed as end:
                self.codes.append(end.rcvd.code if end.rcvd is not None else 1006)
            except (OSError, InvalidHandshake, InvalidMessage):
                self.codes.append(0)
            async with self._told:
                self._told.notify_all()
            if self.failure is not None:
                return
            await asyncio.sleep(0.05)

    async def _follow(self) -> None:
        async with self.site.line(self.token, self.url) as line:
            await line.subscribe(query=STATUS, after=self.cursor)
            while True:
                message = await line.next(patience=None)
                assert message["type"] == "next", message
                update = message["payload"]["data"]["connectionStatus"]
                async with self._told:
                    self.cursor = update["cursor"]
                    if update["event"] is not None:
                        self.events.append({**update["event"], "connection": update["connection"]["id"]})
                    self._told.notify_all()

    async def until(self, check: Callable[["Follower"], Any]) -> None:
        """Wait until a check of this follower gives something."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._told:
            await self._told.wait_for(lambda: check(self) or self.failure)
        if self.failure is not None:
            raise self.failure

    async def has_heard_of(self, connection: str, name: str) -> None:
        """Wait until it was told of this."""
        await self.until(lambda _: self.named(connection, name))

    def named(self, connection: str, name: str) -> list[dict[str, Any]]:
        """The events of a connection with this name."""
        return [each for each in self.events if each["connection"] == connection and each["name"] == name]

    def must_be_whole(self) -> None:
        """Everything came once, in order, and of each connection without a gap."""
        ids = [each["id"] for each in self.events]
        assert ids == sorted(set(ids))
        sequences = defaultdict(list)
        for each in self.events:
            sequences[each["connection"]].append(each["sequence"])
        for connection, numbers in sequences.items():
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), (connection, numbers)


@contextlib.asynccontextmanager
async def following(*followers: Follower) -> AsyncIterator[None]:
    """Have them follow while the block lasts."""
    tasks = [asyncio.create_task(follower.run()) for follower in followers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
