"""Stands on the line between a connector and its system: keeps what was asked, and can answer in its place."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import httpx

Script = Callable[[httpx.Request], Awaitable[httpx.Response | None]]
"""What answers instead of the system; None lets a request pass."""

SILENCE_SECONDS = 60.0
_JSON = {"content-type": "application/json"}


class Wire(httpx.AsyncBaseTransport):
    """A transport around the one that leads to the system; `asked` grows with every request, oldest first."""

    def __init__(self, system: httpx.AsyncBaseTransport) -> None:
        self._system = system
        self._script: Script | None = None
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Keep the request; the script answers it, or else the system."""
        self.asked.append(request)
        answer = await self._script(request) if self._script is not None else None
        return await self._system.handle_async_request(request) if answer is None else answer

    @contextmanager
    def scripted(self, script: Script) -> Iterator[None]:
        """Let a script answer while the block lasts."""
        self._script = script
        try:
            yield
        finally:
            self._script = None

    async def aclose(self) -> None:
        """Close the way to the system."""
        await self._system.aclose()


def always(status: int, body: bytes, headers: dict[str, str] | None = None) -> Script:
    """Answer every request alike."""

    async def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=body, headers=headers)

    return answer


async def refuse_connection(request: httpx.Request) -> NoReturn:
    """Fail as if nothing listened at the address."""
    raise httpx.ConnectError("connection refused", request=request) from ConnectionRefusedError(111, "refused")


async def break_off(request: httpx.Request) -> NoReturn:
    """Take the request and hang up without an answer."""
    raise httpx.RemoteProtocolError("server disconnected without sending a response", request=request)


def once(script: Script) -> Script:
    """Let a script answer the first request only."""
    left = [script]

    async def answer(request: httpx.Request) -> httpx.Response | None:
        return await left.pop()(request) if left else None

    return answer


async def stay_silent(request: httpx.Request) -> NoReturn:
    """Take the request and say nothing for much longer than anybody waits."""
    await asyncio.sleep(SILENCE_SECONDS)
    raise httpx.ReadTimeout("nothing was said", request=request)


async def garble(request: httpx.Request) -> httpx.Response:
    """Say that the answer is compressed, and send it plain."""
    return httpx.Response(200, headers=_JSON | {"content-encoding": "gzip"}, stream=_Plain())


class _Plain(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'{"id": 1, "result": []}'


async def stall(request: httpx.Request) -> httpx.Response:
    """Begin to answer, and then say nothing more."""
    return httpx.Response(200, headers=_JSON, stream=_Stalling())


class _Stalling(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(SILENCE_SECONDS)
