"""Measures subscriptions: what two thousand followers cost, and how soon all of them know of one event."""

import asyncio
import contextlib
import json
import socket
import time
from dataclasses import dataclass
from typing import Any

import aiohttp
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.bench.contenders import CONNECT, Contender
from tests.bench.measuring import ask, memory_mb

FOLLOWERS = 2_000
_STALLED = FOLLOWERS // 10
_AT_ONCE = 50
_QUERY = "subscription { connectionStatus { connection { id name lifecycle } event { name sequence } cursor } }"
_EVENTS = 2
"""A system that is connected is told of by two events: that it was created, and that it was activated."""
_PATIENCE = 60.0


@dataclass(frozen=True)
class Followed:
    """Kibibytes of the server for each follower, and after how many seconds half, 99 % and all of them knew."""

    kib_each: float
    median_s: float
    p99_s: float
    last_s: float
    told: int


async def follow(contender: Contender, admin: str, source: str) -> Followed:
    """Open all lines, let something happen, and see when each of them hears of it."""
    async with contextlib.AsyncExitStack() as stack:
        before = memory_mb(contender.process_id)
        turns = asyncio.Semaphore(_AT_ONCE)
        lines = await asyncio.gather(
            *(_open(stack, contender, turns, is_stalled=number < _STALLED) for number in range(FOLLOWERS))
        )
        spent = memory_mb(contender.process_id) - before
        heard = [asyncio.create_task(_hear(line)) for line in lines[_STALLED:]]
        started = time.perf_counter()
        await _let_something_happen(contender, admin, source)
        done = sorted(moment - started for moment in await asyncio.gather(*heard))
    return Followed(
        kib_each=spent * 1e6 / 1024 / FOLLOWERS,
        median_s=done[len(done) // 2],
        p99_s=done[int(len(done) * 0.99)],
        last_s=done[-1],
        told=len(done),
    )


async def _open(
    stack: contextlib.AsyncExitStack, contender: Contender, turns: asyncio.Semaphore, *, is_stalled: bool
) -> ClientConnection:
    url = contender.url.replace("http://", "ws://")
    async with turns:
        line = socket.socket()
        if is_stalled:  # it takes next to nothing before it stops
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        line.setblocking(False)
        host, port = url.removeprefix("ws://").partition("/")[0].split(":")
        await asyncio.get_running_loop().sock_connect(line, (host, int(port)))
        opened = await stack.enter_async_context(
            connect(url, sock=line, subprotocols=[Subprotocol("graphql-transport-ws")], compression=None)
        )
        await opened.send(json.dumps({"type": "connection_init", "payload": contender.headers}))
        await opened.recv()
        await opened.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": _QUERY}}))
        for _ in contender.ids:
            await opened.recv()
    return opened


async def _hear(line: ClientConnection) -> float:
    """The moment when the last event of what happens was heard of."""
    left = _EVENTS
    async with asyncio.timeout(_PATIENCE):
        while left:
            left -= json.loads(await line.recv())["type"] == "next"
    return time.perf_counter()


async def _let_something_happen(contender: Contender, admin: str, source: str) -> None:
    given = {
        "system": "bench",
        "authMethod": "open",
        "credentials": [{"name": "url", "value": f"{source}/hundred"}],
        "name": "one more",
        "customerId": contender.customer,
        "deployment": "ON_PREMISES",
    }
    body: dict[str, Any] = {"query": CONNECT, "variables": {"input": given}}
    operator = Contender(contender.name, contender.url, {"Authorization": f"Bearer {admin}"}, contender.process_id, {})
    async with aiohttp.ClientSession() as session:
        answer = await ask(session, operator, body)
    if answer["data"]["connectSystem"]["errors"]:
        raise RuntimeError(str(answer))
