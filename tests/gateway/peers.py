"""Peers for tests: servers on loopback that answer, break off or fall silent as they are told."""

import asyncio
import contextlib
import itertools
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from struct import pack

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A peer on loopback that runs one function per connection and keeps what it has read."""

    def __init__(
        self, peer: Callable[["Server"], Peer], host: str = "127.0.0.1", context: ssl.SSLContext | None = None
    ) -> None:
        self.requests: list[bytes] = []
        self.asked = asyncio.Event()
        self.connections = 0
        self._peer = peer(self)
        self._host = host
        self._context = context
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Server":
        self._server = await asyncio.start_server(self._serve, self._host, 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def read(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests.append(head.split(b"\r\n", 1)[0])
        self.asked.set()
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                await reader.readexactly(int(line.removeprefix(b"content-length:")))
        return head

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._peer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()


def answering(body: bytes, *headers: str) -> Callable[[Server], Peer]:
    head = "".join(f"{line}\r\n" for line in ("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers))

    def peer(server: Server) -> Peer:
        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await server.read(reader)
                writer.write(head.encode() + b"\r\n" + body)
                await writer.drain()

        return run

    return peer


def sending(*parts: bytes, then: str = "close", first: bytes = b"") -> Callable[[Server], Peer]:
    """Read a request, write `parts`, then close, reset or wait for ever; `first` answers a request before."""

    def peer(server: Server) -> Peer:
        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if first:
                await server.read(reader)
                writer.write(first)
            await server.read(reader)
            for part in parts:
                writer.write(part)
                await writer.drain()
            if then == "wait":
                await asyncio.Event().wait()
            if then == "reset":
                # Lingering for zero seconds makes closing a reset.
                opened: socket.socket = writer.get_extra_info("socket")
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))

        return run

    return peer


@contextlib.contextmanager
def blunt_server(*contexts: ssl.SSLContext, port: int = 0) -> Iterator[int]:
    """Give the port of a server whose handshakes OpenSSL itself ends: asyncio's servers say nothing of why they do.

    Each line gets a context of its own while there are several; only those of the last one are answered.
    """
    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=_handshakes, args=(listener, contexts))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _handshakes(listener: socket.socket, contexts: Sequence[ssl.SSLContext]) -> None:
    with contextlib.suppress(OSError):
        for number in itertools.count(1):
            line, _ = listener.accept()
            context = contexts[min(number, len(contexts)) - 1]
            with line, contextlib.suppress(OSError), context.wrap_socket(line, server_side=True) as secured:
                secured.recv(_PIECE)
                if number >= len(contexts):
                    secured.sendall(OK)


_PIECE = 65_536
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
