"""A source whose system is a list of answers, in simulated time."""

import asyncio
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Any

import httpx

from connectors.client import Source
from connectors.errors import Trouble
from connectors.ports import BreakerState, Hint
from connectors.protection.limits import Identity, Limits, Thresholds
from connectors.protection.protections import Protections
from connectors.query import Page, Read
from connectors.systems.sap_s4hana.spec import sap_s4hana
from connectors.tally import Tally
from tests.connectors.protection.simulated import LoopClock, simulate

READ = Read("A_PurchaseOrder", frozenset({"PurchaseOrder"}))
WELL = httpx.Response(200, json={"d": {"results": []}})
BUSY = httpx.Response(503)


class Peer(httpx.AsyncBaseTransport):
    """A system that answers from a list, each after some seconds, and keeps when it was asked."""

    def __init__(self, *answers: Any, then: Any = WELL, takes: float = 0.0) -> None:
        self.takes = takes
        self.answers: Iterator[Any] = chain(answers, repeat(then))
        self.asked: list[float] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(now())
        answer = next(self.answers)
        await asyncio.sleep(self.takes)
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            answer = WELL
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


class Notes:
    """Keeps what is told to other processes."""

    processes = 1

    def __init__(self) -> None:
        self.hints: list[Hint] = []

    def tell(self, hint: Hint) -> None:
        self.hints.append(hint)


def now() -> float:
    return asyncio.get_running_loop().time()


def protections(jitter: float = 0.0, state: Any = None, **changes: Any) -> Protections:
    return Protections(Thresholds(**changes), state, LoopClock(), lambda: jitter)


def source(
    peer: Peer, known: Protections | None = None, *, limits: Limits | None = None, name: str = "1", **changes: Any
) -> Source:
    guard = (known or protections()).guard(
        limits or Limits(), Identity("cus", f"con_{name}", f"user {name}", "account", "host")
    )
    client = httpx.AsyncClient(transport=peer, base_url="https://sap.example.com")
    return Source(f"con_{name}", sap_s4hana, client, changes.pop("auth", httpx.Auth()), guard=guard, **changes)


def state(subject: Source) -> BreakerState:
    return subject.guard.breaker.state


async def ask(subject: Source, patience: float = 10.0, tally: Tally | None = None) -> Page | Trouble:
    """The page, or the trouble."""
    try:
        return await subject.fetch(READ, tally or Tally(), now() + patience)
    except Trouble as trouble:
        return trouble


def told(story: Callable[[], Any]) -> Any:
    return simulate(story())
