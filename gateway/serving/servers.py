"""Runs uvicorn: the gateway's own server, and further ones beside it in the same process."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

_GRACE_SECONDS = 10
_ACCEPTED_SECONDS = 0.05
_LAST_REQUEST_SECONDS = 0.25
"""How long a line that was just opened has to bring its request before it is closed."""
_MAX_MESSAGE_BYTES = 256 * 1024


class MainServer(uvicorn.Server):
    """A server that ends on Ctrl-C or SIGTERM without turning anybody away whose line it has taken.

    `on_end` is called first, so that whoever follows something can be told to go on elsewhere, and that the process
    can say that it is no longer ready. For `linger_seconds` more it takes new lines, until a load balancer has seen it.
    """

    def __init__(
        self, config: uvicorn.Config, on_end: Callable[[], None] = lambda: None, linger_seconds: float = 0.0
    ) -> None:
        super().__init__(config)
        self._on_end = on_end
        self._linger_seconds = linger_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        self._on_end()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more lines, let those that were taken have their answers, and close everything."""
        await asyncio.sleep(self._linger_seconds)
        close = (b"connection", b"close")
        self.server_state.default_headers = [*self.server_state.default_headers, close]
        await self._stop_listening(sockets or [])
        self._on_end()
        await asyncio.sleep(_LAST_REQUEST_SECONDS)
        await super().shutdown(sockets)

    async def _stop_listening(self, listeners: Sequence[socket.socket]) -> None:
        """Close the listeners; the lines that wait in them are served, where uvicorn would break them off."""
        loop = asyncio.get_running_loop()
        for listener in listeners:
            loop.remove_reader(listener)
        await asyncio.sleep(_ACCEPTED_SECONDS)  # what the loop has taken in becomes a line of the server's
        waiting = [line for listener in listeners for line in _waiting(listener)]
        for server in self.servers:
            server.close()
        for line in waiting:
            await loop.connect_accepted_socket(self._new_protocol, line)

    def _new_protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ask the server to end; uvicorn's own way would end the process before the rest is tidied up."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _waiting(listener: socket.socket) -> Iterator[socket.socket]:
    """The lines that have been opened to a listener and not been taken yet."""
    with contextlib.suppress(BlockingIOError):
        while True:
            yield listener.accept()[0]


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
