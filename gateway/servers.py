"""Runs uvicorn: the gateway's own server, and further ones beside it in the same process."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

_GRACE_SECONDS = 10
_MAX_MESSAGE_BYTES = 256 * 1024


class MainServer(uvicorn.Server):
    """A server that ends on Ctrl-C or SIGTERM, and lets what surrounds it be closed as well.

    `on_end` is called first: whoever follows something can be told where to go on.
    """

    def __init__(self, config: uvicorn.Config, on_end: Callable[[], None] = lambda: None) -> None:
        super().__init__(config)
        self._on_end = on_end

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        self._on_end()
        super().handle_exit(sig, frame)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ask the server to end; uvicorn's own way would end the process before the rest is tidied up."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class SideServer(uvicorn.Server):
    """A server that leaves signals to the main one."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: the main server ends, and then this one is told to."""
        yield


def configuration(application: ASGIApp, grace_seconds: int = _GRACE_SECONDS) -> uvicorn.Config:
    """How every server of this process runs; at its end, requests under way have so many seconds left.

    Logging is the process's own.
    """
    return uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=grace_seconds,
        ws="websockets-sansio",
        ws_max_size=_MAX_MESSAGE_BYTES,
        ws_ping_interval=None,  # the sockets ping themselves
        ws_per_message_deflate=False,  # its state would cost more than everything else of a socket
    )


class CannotListen(Exception):
    """The address is not ours or the port is taken; the message says which."""

    def __init__(self, host: str, port: int, reason: str | None) -> None:
        super().__init__(f"{host}:{port} cannot be listened on: {reason}")


def listen(host: str, port: int) -> socket.socket:
    """A socket to listen on; one that cannot be had is CannotListen before anything else starts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, because asyncio turns Nagle's algorithm off only where it can see that it is TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CannotListen(host, port, error.strerror) from None
    listener.set_inheritable(True)
    return listener


def port_of(listener: socket.socket) -> int:
    """The port that a socket listens on."""
    return int(listener.getsockname()[1])


async def until_started(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    """Wait until a server answers; one that cannot start raises its error."""
    while not server.started:
        if serving.done():
            serving.result()
            raise RuntimeError("the server stopped before it had started")
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def beside(application: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    """Serve an application on a socket for as long as the block runs."""
    server = SideServer(configuration(application))
    serving = asyncio.create_task(server.serve([listener]))
    await until_started(server, serving)
    try:
        yield
    finally:
        server.should_exit = True
        server.force_exit = True
        await serving
