"""A client of subscriptions, and a gateway that it can open a line to."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from gateway.serving.servers import SideServer, configuration, listen, port_of, until_started
from gateway.serving.websocket import PROTOCOL
from tests.gateway.running import ADMIN, RunningGateway, running_gateway

PATIENCE = 10.0
STATUS = """
subscription Status($ids: [ID!], $after: String) {
  connectionStatus(connectionIds: $ids, after: $after) {
    connection { id lifecycle } cursor event { id name sequence }
  }
}
"""


@dataclass
class Line:
    """One socket, after its first message."""

    socket: ClientConnection
    received: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def next(self, patience: float | None = PATIENCE) -> dict[str, Any]:
        """The next message, pings left out."""
        while True:
            async with asyncio.timeout(patience):
                message: dict[str, Any] = json.loads(await self.socket.recv())
            if message["type"] != "ping":
                self.received.append(message)
                return message

    async def subscribe(self, identifier: str = "1", query: str = STATUS, **variables: Any) -> None:
        await self.send(id=identifier, type="subscribe", payload={"query": query, "variables": variables})

    async def update(self) -> dict[str, Any]:
        """The next update of a subscription to the status of connections."""
        message = await self.next()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        found: dict[str, Any] = message["payload"]["data"]["connectionStatus"]
        return found

    async def _read_to_the_end(self) -> None:
        while True:
            await self.next()

    async def closed(self) -> tuple[int, str]:
        """The code and the words that the line is closed with."""
        with pytest.raises(ConnectionClosed) as end:
            await self._read_to_the_end()
        frame = end.value.rcvd
        assert frame is not None
        return frame.code, frame.reason


@dataclass
class Followed:
    """A gateway that listens on a port."""

    gateway: RunningGateway
    url: str

    @contextlib.asynccontextmanager
    async def socket(self, protocol: str = PROTOCOL, **options: Any) -> AsyncIterator[Line]:
        """A socket that nothing was said on yet."""
        async with connect(f"{self.url}/graphql", subprotocols=[Subprotocol(protocol)], **options) as socket:
            yield Line(socket)

    @contextlib.asynccontextmanager
    async def line(self, token: str = ADMIN, **options: Any) -> AsyncIterator[Line]:
        """A socket whose token was taken."""
        async with self.socket(**options) as line:
            await line.send(type="connection_init", payload={"authorization": f"Bearer {token}"})
            assert (await line.next())["type"] == "connection_ack"
            yield line


@contextlib.asynccontextmanager
async def followed(folder: Path, limits: dict[str, Any] | None = None, **changes: Any) -> AsyncIterator[Followed]:
    """Run a gateway and listen; `limits` are of its sockets."""
    async with running_gateway(folder, **changes) as gateway:
        sockets = gateway.process.sockets
        sockets.limits = replace(sockets.limits, **(limits or {}))
        listener = listen("127.0.0.1", 0)
        settings = configuration(gateway.application, grace_seconds=1)
        settings.lifespan = "off"
        server = SideServer(settings)
        serving = asyncio.create_task(server.serve([listener]))
        await until_started(server, serving)
        try:
            yield Followed(gateway, f"ws://127.0.0.1:{port_of(listener)}")
        finally:
            server.should_exit = True
            await serving
