"""The lane: whose turn it is, who is refused at once, and that nobody is sent before a system has rested."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import RateLimited, Sent, TimedOut
from connectors.protection.concurrency import AdaptiveConcurrency
from connectors.protection.lane import Lane
from connectors.protection.limits import Priority, Rate
from connectors.protection.rate_limiter import RateLimiter
from tests.connectors.protection.simulated import LoopClock, simulate

Log = list[tuple[str, float]]

INTERACTIVE, BACKGROUND = Priority.INTERACTIVE, Priority.BACKGROUND


def lane(at_once: int = 2, *, most_waiting: int = 100, jitter: float = 0.0, told: Any = None) -> Lane:
    tell = told.append if told is not None else lambda seconds: None
    return Lane(AdaptiveConcurrency(at_once), LoopClock(), most_waiting, lambda: jitter, tell)


def now() -> float:
    return asyncio.get_running_loop().time()


async def go(
    subject: Lane,
    name: str,
    log: Log,
    *,
    rates: Sequence[RateLimiter] = (),
    priority: Priority = INTERACTIVE,
    patience: float = 1_000.0,
    takes: float = 1.0,
) -> None:
    await subject.enter(rates, priority, now() + patience)
    log.append((name, now() - 1_000.0))
    try:
        await asyncio.sleep(takes)
    finally:
        subject.leave()


def test_few_go_at_a_time_in_the_order_of_coming() -> None:
    async def story() -> Log:
        subject, log = lane(2), Log()
        await asyncio.gather(*(go(subject, str(index), log) for index in range(5)))
        assert (subject.running, subject.waiting) == (0, 0)
        return log

    assert simulate(story()) == [("0", 0.0), ("1", 0.0), ("2", 1.0), ("3", 1.0), ("4", 2.0)]


def test_interactive_goes_before_background_and_one_place_is_kept_for_it() -> None:
    async def story() -> Log:
        subject, log = lane(2), Log()
        slow = [go(subject, f"background {index}", log, priority=BACKGROUND) for index in range(3)]
        async with asyncio.TaskGroup() as group:
            for item in slow:
                group.create_task(item)
            await asyncio.sleep(0.5)
            for index in range(2):
                group.create_task(go(subject, f"interactive {index}", log))
        return log

    assert simulate(story()) == [
        ("background 0", 0.0),
        ("interactive 0", 0.5),
        ("interactive 1", 1.0),
        ("background 1", 2.0),
        ("background 2", 3.0),
    ]


def test_background_is_not_shut_out_where_one_goes_at_a_time() -> None:
    async def story() -> Log:
        subject, log = lane(1), Log()
        await go(subject, "background", log, priority=BACKGROUND)
        return log

    assert simulate(story()) == [("background", 0.0)]


def test_whoever_cannot_have_a_turn_in_time_is_refused_at_once() -> None:
    async def story() -> None:
        subject, log = lane(8), Log()
        rates = [RateLimiter(Rate(2, 20.0, burst=1), LoopClock())]
        async with asyncio.TaskGroup() as group:
            for index in range(3):
                group.create_task(go(subject, str(index), log, rates=rates))
            await asyncio.sleep(0)
            with pytest.raises(RateLimited) as refused:
                await go(subject, "late", log, rates=rates, patience=29.0)
            assert (refused.value.retry_after, refused.value.sent, now()) == (30.0, Sent.NOT_SENT, 1_000.0)
            await go(subject, "patient", log, rates=rates, patience=31.0)
        assert log == [("0", 0.0), ("1", 10.0), ("2", 20.0), ("patient", 30.0)]

    simulate(story())


def test_other_rates_do_not_hold_up_a_call() -> None:
    async def story() -> Log:
        subject, log = lane(8), Log()
        writes, reads = (RateLimiter(Rate(1, 60.0), LoopClock()) for _ in range(2))
        await asyncio.gather(
            go(subject, "write", log, rates=[writes]),
            go(subject, "another write", log, rates=[writes]),
            go(subject, "read", log, rates=[reads]),
        )
        return log

    assert simulate(story()) == [("write", 0.0), ("read", 0.0), ("another write", 60.0)]


def test_two_rates_both_count() -> None:
    async def story() -> Log:
        user, account = RateLimiter(Rate(1, 10.0), LoopClock()), RateLimiter(Rate(1, 25.0), LoopClock())
        subject, log = lane(8), Log()
        await asyncio.gather(*(go(subject, str(index), log, rates=[user, account]) for index in range(3)))
        return log

    assert simulate(story()) == [("0", 0.0), ("1", 25.0), ("2", 50.0)]


def test_nobody_goes_before_the_system_has_rested_and_those_who_cannot_wait_are_told_at_once() -> None:
    async def story() -> None:
        told: list[float] = []
        subject, log = lane(1, told=told), Log()
        async with asyncio.TaskGroup() as group:
            group.create_task(go(subject, "first", log))
            await asyncio.sleep(0.1)
            waiting = group.create_task(go(subject, "waiting", log))
            hasty = asyncio.create_task(go(subject, "hasty", log, patience=5.0))
            await asyncio.sleep(0.1)
            subject.throttled(now(), 30.0)
            with pytest.raises(RateLimited) as refused:
                await hasty
            assert (refused.value.retry_after, now()) == (30.0, 1_000.2)
            with pytest.raises(RateLimited):
                await go(subject, "comes later", log, patience=29.0)
            await waiting
        assert told == [30.0]
        assert log == [("first", 0.0), ("waiting", pytest.approx(30.2))]

    simulate(story())


@pytest.mark.parametrize(("seconds", "most"), [(0.5, 0.05), (5.0, 0.5), (600.0, 1.0)])
def test_chance_spreads_the_return_and_never_makes_it_early(seconds: float, most: float) -> None:
    async def rest(jitter: float) -> float:
        subject = lane(jitter=jitter)
        subject.throttled(now(), seconds)
        return subject.rest

    assert simulate(rest(0.0)) == pytest.approx(seconds)
    assert simulate(rest(1.0)) == pytest.approx(seconds + most)


@pytest.mark.parametrize("said", [None, 0.0])
def test_a_system_that_does_not_say_for_how_long_rests_longer_each_time(said: float | None) -> None:
    async def story() -> list[float]:
        subject, rests = lane(jitter=1.0), []
        for _ in range(8):
            together = now()
            await asyncio.sleep(0.01)
            subject.throttled(together, said)
            await asyncio.sleep(0.01)
            subject.throttled(together, said)  # was under way at the same time
            rests.append(round(subject.rest + 0.01))
            await asyncio.sleep(subject.rest)
        subject.answered()
        subject.throttled(now(), said)
        return [*rests, round(subject.rest)]

    assert simulate(story()) == [1, 2, 4, 8, 16, 32, 60, 60, 1]


def test_a_rest_that_begins_in_the_moment_of_a_turn_is_kept() -> None:
    async def story() -> Log:
        subject, log = lane(1), Log()
        first = asyncio.create_task(go(subject, "first", log))
        second = asyncio.create_task(go(subject, "second", log))
        await asyncio.sleep(0.5)
        first.cancel()
        await asyncio.sleep(0)  # first has left, and the turn of the second is given but not taken
        subject.throttled(now(), 30.0)
        await asyncio.gather(first, second, return_exceptions=True)
        return log

    assert simulate(story()) == [("first", 0.0), ("second", 30.5)]


def test_a_longer_rest_is_not_cut_short_by_a_shorter_one() -> None:
    async def story() -> float:
        subject = lane()
        subject.throttled(now(), 30.0)
        subject.hear(1.0)
        return subject.rest

    assert simulate(story()) == 30.0


def test_the_queue_is_bounded() -> None:
    async def story() -> None:
        subject, log = lane(1, most_waiting=2), Log()
        async with asyncio.TaskGroup() as group:
            for index in range(3):
                group.create_task(go(subject, str(index), log))
            await asyncio.sleep(0)
            with pytest.raises(RateLimited) as refused:
                await go(subject, "one too many", log)
            assert refused.value.retry_after == 1.0
        assert len(log) == 3

    simulate(story())


def test_whoever_waited_until_the_deadline_was_not_sent() -> None:
    async def story() -> None:
        subject, log = lane(1), Log()
        async with asyncio.TaskGroup() as group:
            group.create_task(go(subject, "long", log, takes=60.0))
            await asyncio.sleep(0)
            with pytest.raises(TimedOut) as late:
                await go(subject, "late", log, patience=2.0)
            assert (late.value.sent, now(), subject.waiting) == (Sent.NOT_SENT, 1_002.0, 0)

    simulate(story())


def test_whoever_goes_away_makes_room_also_when_the_turn_came_at_that_moment() -> None:
    async def story() -> None:
        subject, log = lane(1), Log()
        first = asyncio.create_task(go(subject, "first", log))
        gone = asyncio.create_task(go(subject, "gone", log))
        third = asyncio.create_task(go(subject, "third", log))
        await asyncio.sleep(0.5)
        first.cancel()
        await asyncio.sleep(0)  # first has left, and the turn of the second is given but not taken
        gone.cancel()
        await asyncio.gather(first, gone, return_exceptions=True)
        await third
        assert [name for name, _ in log] == ["first", "third"]
        assert (subject.running, subject.waiting) == (0, 0)

    simulate(story())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.3, 2.0]),
            st.sampled_from(Priority),
            st.sampled_from([0.5, 3.0, 100.0]),
            st.sampled_from(["well", "cancelled", "throttled", "refused"]),
        ),
        max_size=40,
    ),
    st.integers(1, 4),
)
def test_whatever_happens_the_bounds_hold_and_the_lane_ends_empty(calls: list[Any], at_once: int) -> None:
    async def story() -> None:
        subject = lane(at_once)
        rate = RateLimiter(Rate(20, 10.0), LoopClock())
        running = 0
        earliest = 0.0

        async def one(priority: Priority, patience: float, fate: str) -> None:
            nonlocal running, earliest
            end = now() + patience
            await subject.enter([rate], priority, end)
            assert earliest <= now() <= end
            running += 1
            assert running <= subject.running <= at_once
            try:
                await asyncio.sleep(0.7)
                if fate == "throttled":
                    subject.concurrency.suffered(now() - 0.7, now())
                    subject.throttled(now() - 0.7, 4.0)
                    earliest = max(earliest, now() + 4.0)
            finally:
                running -= 1
                subject.leave()

        tasks = []
        for pause, priority, patience, fate in calls:
            await asyncio.sleep(pause)
            task = asyncio.create_task(one(priority, patience, fate))
            tasks.append(task)
            if fate == "cancelled":
                asyncio.get_running_loop().call_later(0.4, task.cancel)
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert outcome is None or isinstance(outcome, RateLimited | TimedOut | asyncio.CancelledError), outcome
        assert (subject.running, subject.waiting) == (0, 0)

    simulate(story())
