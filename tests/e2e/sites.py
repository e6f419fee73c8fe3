"""The product in its two shapes: one process with SQLite and memory, several with PostgreSQL and Redis behind nginx."""

import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from gateway.serving.websocket import PROTOCOL
from tests.e2e.processes import Program, finished
from tests.gateway.following import Line
from tests.gateway.running import ADMIN, GatewayClient
from tests.servers.nginx import balancer, free_port


@dataclass
class Site:
    """Processes that serve the same data; `url` is where their clients come."""

    place: Path
    settings: dict[str, str]
    ports: list[int]
    url: str
    programs: list[Program] = field(default_factory=list)
    _starts: int = 0

    def start(self, index: int) -> Program:
        """Start one of the processes, again if it has ended; it is not ready yet."""
        self._starts += 1
        folder = self.place / f"process-{index}-{self._starts}"
        program = Program(folder, "serve", **self.settings, port=str(self.ports[index]))
        self.programs[index : index + 1] = [program]
        return program

    def kill(self, index: int) -> None:
        """End a process as the power does."""
        self.programs[index].end(signal.SIGKILL)

    def address(self, index: int) -> str:
        """Where one of the processes answers."""
        return f"http://127.0.0.1:{self.ports[index]}"

    @property
    def errors(self) -> str:
        """What the processes that run have logged."""
        return "".join(program.errors for program in self.programs)

    @contextlib.asynccontextmanager
    async def client(self, url: str | None = None) -> AsyncIterator[GatewayClient]:
        """A client that comes like everyone else, or goes to an address of its own choice."""
        async with httpx.AsyncClient(base_url=url or self.url, timeout=60.0) as client:
            yield GatewayClient(client)

    @contextlib.asynccontextmanager
    async def line(self, token: str = ADMIN, url: str | None = None) -> AsyncIterator[Line]:
        """A socket whose token was taken."""
        address = (url or self.url).replace("http://", "ws://")
        async with connect(f"{address}/graphql", subprotocols=[Subprotocol(PROTOCOL)]) as socket:
            line = Line(socket)
            await line.send(type="connection_init", payload={"authorization": f"Bearer {token}"})
            assert (await line.next())["type"] == "connection_ack"
            yield line

    def close(self) -> None:
        """End all processes."""
        for index in range(len(self.programs)):
            self.kill(index)


@contextlib.contextmanager
def site(place: Path, processes: int = 2, **settings: str) -> Iterator[Site]:
    """Run so many processes, behind nginx where there are several."""
    shared = {"data_directory": str(place / "data"), "admin_token": ADMIN, "profile": "dev", **settings}
    assert finished(place, "init", **shared).returncode == 0
    ports = [free_port() for _ in range(processes)]
    with contextlib.ExitStack() as stack:
        running = Site(place, shared, ports, f"http://127.0.0.1:{ports[0]}")
        if processes > 1:
            running.url = stack.enter_context(balancer(place / "nginx", ports))
        stack.callback(running.close)
        for program in [running.start(index) for index in range(processes)]:
            program.ready()
        yield running
