"""A proxy on loopback that stands before a system and spoils what passes: the faults of networks and of machines."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import Enum
from struct import pack

_PIECE = 16_384


class Fault(Enum):
    """What the proxy does to a connection; the value says it in words."""

    NONE = "everything passes"
    LATENCY = "every answer comes late"
    RESET = "the connection is reset instead of an answer"
    BLACK_HOLE = "the connection is accepted, and nothing is ever said"
    HALF_OPEN = "the head of an answer comes, and then nothing"
    TRUNCATION = "the connection is closed in the middle of an answer"
    DRIP = "an answer comes byte by byte"
    FLOOD = "an answer has no end"
    ANSWER = "the proxy answers in place of the system"


@dataclass
class Proxy:
    """The proxy; `requests` are the times of the loop at which one came while the fault was ANSWER.

    `answers` gives the bytes of each answer, `seconds` is the latency and the pause between two bytes. A change of
    fault holds for the connections that are open, too.
    """

    target: int
    port: int = 0
    fault: Fault = Fault.NONE
    seconds: float = 1.0
    answers: Callable[[], bytes] = lambda: b""
    requests: list[float] = field(default_factory=list)
    connections: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def answer(self, *answers: bytes) -> None:
        """Answer in place of the system: one after the other, and the last for ever."""
        left = list(answers)
        self.answers = lambda: left.pop(0) if len(left) > 1 else left[0]
        self.fault = Fault.ANSWER

    async def reached(self, connections: int) -> None:
        """Wait until so many connections have come."""
        async with self._came:
            await self._came.wait_for(lambda: self.connections >= connections)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        async with self._came:
            self.connections += 1
            self._came.notify_all()
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
            match self.fault:
                case Fault.BLACK_HOLE:
                    await asyncio.Event().wait()
                case Fault.RESET:
                    return _reset(writer)
                case Fault.FLOOD:
                    return await _flood(writer)
                case Fault.ANSWER:
                    self.requests.append(asyncio.get_running_loop().time())
                    await _write(writer, self.answers())
                case _:
                    return await self._pass(head + body, writer)

    async def _pass(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        """Hand the request on, on a connection of its own, and the answer back as the fault says."""
        onward, back = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            back.write(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            answer = await onward.read(-1)
        finally:
            back.close()
        body = answer.index(b"\r\n\r\n") + 4
        match self.fault:
            case Fault.HALF_OPEN:
                await _write(writer, answer[:body])
                await asyncio.Event().wait()
            case Fault.TRUNCATION:
                await _write(writer, answer[: (body + len(answer)) // 2])
            case Fault.DRIP:
                await _write(writer, answer[:body])
                for place in range(body, len(answer)):
                    await _write(writer, answer[place : place + 1])
                    await asyncio.sleep(self.seconds)
            case _:
                await asyncio.sleep(self.seconds if self.fault is Fault.LATENCY else 0.0)
                await _write(writer, answer)

    async def close(self) -> None:
        """End all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def _flood(writer: asyncio.StreamWriter) -> None:
    """A gigabyte of blanks, or as many as are taken."""
    await _write(writer, b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n")
    for _ in range(1024):
        await _write(writer, b" " * 1_048_576)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.removeprefix(b"content-length:"))
    return 0


def _reset(writer: asyncio.StreamWriter) -> None:
    """Lingering for zero seconds makes closing a reset."""
    opened: socket.socket = writer.get_extra_info("socket")
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))


def answer_bytes(status: int, body: bytes = b"", *headers: str, kind: str = "application/json") -> bytes:
    """A whole answer as it goes over the line."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", f"Content-Type: {kind}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextlib.asynccontextmanager
async def proxy(target: int) -> AsyncIterator[Proxy]:
    """Stand before a port of loopback."""
    made = Proxy(target)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, limit=_PIECE * 4)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.close()
