"""A line before a database that can fall silent: what is sent is taken, and nothing comes back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

_PIECE = 65_536


@dataclass(eq=False)
class Relay:
    """Hands bytes on between a port of loopback and a socket of the file system; `is_silent` holds them back."""

    target: Path
    port: int = 0
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def fall_silent(self) -> None:
        """Take what comes, and hand nothing on; lines that are open stay open."""
        self._open.clear()

    def speak(self) -> None:
        """Hand everything on, also what was held back."""
        self._open.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One line."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        onward: asyncio.StreamWriter | None = None
        try:
            await self._open.wait()
            back, onward = await asyncio.open_unix_connection(str(self.target))
            await asyncio.gather(self._pass(reader, onward), self._pass(back, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            for each in filter(None, (onward, writer)):
                each.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(_PIECE):
            await self._open.wait()
            writer.write(piece)
            await writer.drain()
        writer.close()

    async def close(self) -> None:
        """End all lines."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def relay(target: Path) -> AsyncIterator[Relay]:
    """Stand before a socket of the file system."""
    made = Relay(target)
    made.speak()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.close()
