"""What may stand between the gateway and a system: a server that ends TLS, and a forward proxy."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_PIECE = 65_536


def _unheard(piece: bytes) -> None:
    """Nobody listens."""


async def _pipe(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: Callable[[bytes], None] = _unheard
) -> None:
    try:
        while piece := await reader.read(_PIECE):
            heard(piece)
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def _join(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    port: int,
    first: bytes = b"",
    heard: Callable[[bytes], None] = _unheard,
) -> None:
    """Carry everything between a line and a port of this machine."""
    inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
    inner_writer.write(first)
    await asyncio.gather(_pipe(reader, inner_writer, heard), _pipe(inner_reader, writer))


@dataclass(eq=False)
class Front:
    """Something that listens on loopback."""

    port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, context: ssl.SSLContext | None = None) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Let nothing answer at the port."""
        if self._server is not None:
            self._server.close()
        await self.hang_up()

    async def hang_up(self) -> None:
        """Close the lines that there are."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self.serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError


@dataclass(eq=False)
class TlsFront(Front):
    """Ends TLS before a port of this machine; `carried` is what was sent there."""

    behind: int = 0
    carried: bytearray = field(default_factory=bytearray)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _join(reader, writer, self.behind, heard=self.carried.extend)


@dataclass(eq=False)
class ForwardProxy(Front):
    """A proxy that knows hosts by names of its own, may want a login, and keeps what it was asked for."""

    hosts: Mapping[str, int] = field(default_factory=dict)
    login: str | None = None
    refuses: bytes | None = None
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        self.asked.append(f"{method} {target}")
        refusal = self.refuses or (None if self._knows(lines) else b"407 Proxy Authentication Required")
        if refusal is not None:
            writer.write(b"HTTP/1.1 " + refusal + b"\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        elif method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _join(reader, writer, self._port(target))
        else:
            url = urlsplit(target)
            path = target.removeprefix(f"{url.scheme}://{url.netloc}")
            kept = [line for line in lines if not line.lower().startswith("proxy-")]
            # One request on each line is enough of a proxy.
            asked = "\r\n".join([f"{method} {path} HTTP/1.1", "Connection: close", *kept])
            await _join(reader, writer, self._port(url.netloc), asked.encode("latin-1"))

    def _knows(self, lines: list[str]) -> bool:
        if self.login is None:
            return True
        wanted = f"Basic {base64.b64encode(self.login.encode()).decode()}"
        return any(line.lower().startswith("proxy-authorization:") and line.endswith(wanted) for line in lines)

    def _port(self, target: str) -> int:
        host, _, port = target.partition(":")
        return self.hosts.get(host) or int(port)


@contextlib.asynccontextmanager
async def started(front: Front, context: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    """Have something listen for a while."""
    await front.start(context)
    try:
        yield
    finally:
        await front.stop()
