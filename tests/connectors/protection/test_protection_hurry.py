"""Time-outs of callers that hurry, in simulated time: what they say of a system, and what they do not."""

import asyncio

import pytest

from connectors.errors import TimedOut
from connectors.ports import BreakerState, Call, Observer
from tests.connectors.protection.peers import Peer, ask, source, state, told


class Hurries(Observer):
    """Keeps of every time-out whether it was the caller's hurry."""

    def __init__(self) -> None:
        self.told: list[bool] = []

    def called(self, call: Call) -> None:
        if isinstance(call.trouble, TimedOut):
            self.told.append(call.is_hurried)


def test_a_system_that_answers_others_has_not_failed_who_hurry() -> None:
    async def story() -> None:
        heard = Hurries()
        subject = source(Peer(then=3.0), observer=heard)
        for _ in range(7):
            patient = asyncio.create_task(ask(subject))
            await asyncio.sleep(1.5)
            assert isinstance(await ask(subject, 2.0), TimedOut)
            assert not isinstance(await patient, TimedOut)
        assert (state(subject), subject.guard.breaker.failures) == (BreakerState.CLOSED, 0)
        assert heard.told == [True] * 7

    told(story)


def test_a_system_that_answers_nobody_has_failed_also_who_hurry() -> None:
    async def story() -> None:
        heard = Hurries()
        subject = source(Peer(then=3_600.0), observer=heard)
        for _ in range(5):
            assert isinstance(await ask(subject, 2.0), TimedOut)
        assert (state(subject), heard.told) == (BreakerState.OPEN, [False] * 5)

    told(story)


@pytest.mark.parametrize(("usual_ms", "expected"), [(30, BreakerState.OPEN), (None, BreakerState.CLOSED)])
def test_how_little_time_is_too_little_goes_by_what_is_usual(usual_ms: int | None, expected: BreakerState) -> None:
    async def story() -> None:
        subject = source(Peer(then=3_600.0), timeout_ms=usual_ms)
        for _ in range(7):
            await ask(subject, 0.02)
        assert state(subject) is expected

    told(story)
