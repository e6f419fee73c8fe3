"""What an observer hears of protection: repetitions, waits and breakers, all within one call and one span."""

import asyncio

import httpx
import pytest

from connectors.errors import CircuitOpen, RateLimited
from connectors.ports import BreakerState, Call, Observer
from connectors.protection.limits import Limits, Rate
from connectors.query import Page
from connectors.tracing import SOURCE, started
from tests.connectors.protection.peers import BUSY, WELL, Peer, ask, protections, source, told
from tests.connectors.traced import recorded


class Heard(Observer):
    """Keeps what it hears, the changes of the breaker only."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.retries: list[str] = []
        self.waits: list[float] = []
        self.states = [BreakerState.CLOSED]

    def called(self, call: Call) -> None:
        self.calls.append(call)

    def retried(self, outcome: str) -> None:
        self.retries.append(outcome)

    def waited(self, seconds: float) -> None:
        self.waits.append(seconds)

    def broke(self, state: BreakerState) -> None:
        if state is not self.states[-1]:
            self.states.append(state)


def test_one_call_and_one_span_hold_all_attempts() -> None:
    heard = Heard()

    async def story() -> None:
        assert isinstance(await ask(source(Peer(BUSY), observer=heard)), Page)

    with recorded() as spans, started(SOURCE):
        told(story)
    (call,) = heard.calls
    assert (call.outcome, call.status, call.requests) == ("ok", 200, 2)
    assert (heard.retries, heard.waits, heard.states) == (["unavailable"], [], [BreakerState.CLOSED])
    attempts = [dict(span.attributes or {}) for span in spans.named("attempt")]
    assert [item["http.response.status_code"] for item in attempts] == [503, 200]
    assert [item["http.request.resend_count"] for item in attempts] == [0, 1]
    assert dict(spans.one("source call").attributes or {})["switchgear.requests"] == 2


def test_a_wait_for_a_turn_is_told_where_there_was_one() -> None:
    heard = Heard()

    async def story() -> None:
        limits = Limits(rates=(Rate(2, 8.0, burst=1),))
        subject = source(Peer(), limits=limits, observer=heard)
        await asyncio.gather(*(ask(subject) for _ in range(2)))

    told(story)
    assert heard.waits == [pytest.approx(4.0)]


def test_every_change_of_a_breaker_is_told() -> None:
    heard = Heard()

    async def story() -> None:
        subject = source(Peer(*[BUSY] * 5), protections(jitter=1.0, retries=0), observer=heard)
        for _ in range(5):
            await ask(subject)
        assert heard.states[-1] is BreakerState.OPEN
        refused = await ask(subject)
        assert isinstance(refused, CircuitOpen)
        await asyncio.sleep(refused.retry_after or 0.0)
        for _ in range(2):
            assert isinstance(await ask(subject), Page)

    told(story)
    assert heard.states == [BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED]
    assert [call.outcome for call in heard.calls] == ["unavailable"] * 5 + ["circuit_open", "ok", "ok"]
    assert heard.calls[5].requests == 0


def test_a_source_that_is_opened_again_tells_how_its_breaker_stands() -> None:
    heard = Heard()

    async def story() -> None:
        known = protections(retries=0)
        first = source(Peer(then=BUSY), known)
        for _ in range(5):
            await ask(first)
        assert isinstance(await ask(source(Peer(), known, observer=heard)), CircuitOpen)

    told(story)
    assert heard.states == [BreakerState.CLOSED, BreakerState.OPEN]


def test_a_refusal_for_lack_of_time_makes_no_request() -> None:
    heard = Heard()

    async def story() -> None:
        peer = Peer(httpx.Response(429, headers={"Retry-After": "60"}), then=WELL)
        subject = source(peer, observer=heard)
        for _ in range(2):
            assert isinstance(await ask(subject), RateLimited)
        assert len(peer.asked) == 1

    told(story)
    assert [(call.outcome, call.requests) for call in heard.calls] == [("rate_limited", 1), ("rate_limited", 0)]
    assert heard.retries == []
