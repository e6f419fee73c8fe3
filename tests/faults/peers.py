"""Peers that stand where a Redis should be: one that says nothing, and one that passes everything on late."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Lines:
    """The lines that a peer has open, so that all of them are closed in the end."""

    def __init__(self) -> None:
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def hold(self, writer: asyncio.StreamWriter) -> None:
        """Close this one in the end, and end whoever serves it."""
        self._writers.append(writer)
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)

    async def close(self) -> None:
        """Close every line."""
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)


@contextlib.asynccontextmanager
async def black_hole() -> AsyncIterator[int]:
    """A port that takes connections and what is sent, and never answers."""
    lines = Lines()

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.hold(writer)
        while await reader.read(65_536):
            pass

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await lines.close()


class Delay:
    """How late everything comes, in seconds; it can be changed while lines are open."""

    seconds = 0.0


@contextlib.asynccontextmanager
async def slow_way(port: int, delay: Delay) -> AsyncIterator[int]:
    """A port that leads to another one, where every answer comes late."""
    lines = Lines()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if is_answer:
                    await asyncio.sleep(delay.seconds)
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.hold(writer)
        there, back = await asyncio.open_connection("127.0.0.1", port)
        lines.hold(back)
        await asyncio.gather(carry(reader, back, False), carry(there, writer, True))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await lines.close()
