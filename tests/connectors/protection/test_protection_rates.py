"""Rates and concurrency: never more than allowed in any span, halves under load, and comes back."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.protection.concurrency import AdaptiveConcurrency
from connectors.protection.limits import Identity, Limits, Rate, Share
from connectors.protection.rate_limiter import RateLimiter
from tests.connectors.protection.simulated import SetClock


def sent(rate: Rate, pauses: list[float], processes: int = 1) -> list[float]:
    """When calls that wish to be sent after these pauses are sent."""
    clock = SetClock(0.0)
    limiter = RateLimiter(rate, clock, lambda: processes)
    times = []
    for pause in pauses:
        clock.now += pause
        clock.now += limiter.delay()
        limiter.take()
        times.append(clock.now)
    return times


@given(
    calls=st.integers(1, 40),
    seconds=st.sampled_from([1.0, 60.0, 3_600.0]),
    share=st.floats(0, 1),
    pauses=st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.1, 1.0, 7.0, 100.0]), min_size=1, max_size=120),
)
def test_no_span_holds_more_calls_than_the_rate_allows(
    calls: int, seconds: float, share: float, pauses: list[float]
) -> None:
    rate = Rate(calls, seconds, burst=max(1, int(calls * share)))
    times = sent(rate, pauses)
    for first, beyond in zip(times, times[calls:], strict=False):
        assert beyond - first > seconds * (1 - 1e-9)


def test_a_burst_goes_at_once_and_the_rest_is_spread() -> None:
    times = sent(Rate(100, 60.0), [0.0] * 100)
    assert times[24] == 0.0
    gaps = [later - earlier for earlier, later in pairwise(times[24:])]
    assert gaps == pytest.approx([60.0 / 76] * 75)


def test_processes_divide_a_rate() -> None:
    alone, shared = sent(Rate(100, 60.0), [0.0] * 60), sent(Rate(100, 60.0), [0.0] * 60, processes=4)
    assert sum(time < 60.0 for time in alone) == 60
    assert sum(time < 60.0 for time in shared) == 25


def test_those_ahead_count() -> None:
    limiter = RateLimiter(Rate(2, 10.0, burst=1), SetClock())
    assert [limiter.delay(ahead) for ahead in range(3)] == [0.0, 5.0, 10.0]


def test_a_verb_may_have_a_rate_of_its_own() -> None:
    rate = Rate(60, 60.0, methods=("DELETE",))
    assert (rate.counts("DELETE"), rate.counts("GET"), Rate(1, 1.0).counts("GET")) == (True, False, True)


@pytest.mark.parametrize(("calls", "seconds", "burst"), [(0, 1.0, None), (1, 0.0, None), (3, 1.0, 4), (3, 1.0, 0)])
def test_impossible_rates_are_refused(calls: int, seconds: float, burst: int | None) -> None:
    with pytest.raises(ValueError, match="no rate"):
        Rate(calls, seconds, burst=burst)


def test_who_shares_a_limit_is_said_by_its_key_and_the_customer_comes_first() -> None:
    one = Identity("cus_1", "con_1", "user", "account", "host")
    assert {share: one.shared_by(share) for share in Share} == {
        Share.CONNECTION: ("cus_1", "connection", "con_1"),
        Share.USER: ("cus_1", "user", "user"),
        Share.ACCOUNT: ("cus_1", "account", "account"),
        Share.HOST: ("cus_1", "host", "host"),
    }
    assert Limits() == Limits(Share.ACCOUNT, None, ())


@given(st.lists(st.sampled_from(["well", "slow", "refused"]), max_size=200), st.integers(1, 20))
def test_concurrency_stays_within_its_bounds_and_always_recovers(events: list[str], ceiling: int) -> None:
    subject = AdaptiveConcurrency(ceiling)
    now = 0.0
    for event in events:
        now += 1.0
        if event == "refused":
            subject.suffered(now, now)
        else:
            subject.answered(now, 9.0 if event == "slow" else 0.1, is_full=True)
        assert 1 <= subject.limit <= ceiling
    for _ in range(ceiling * ceiling + ceiling):
        now += 10.0
        subject.answered(now, 0.1, is_full=False)
    assert subject.limit == ceiling


def test_calls_that_suffer_together_count_once() -> None:
    subject = AdaptiveConcurrency(8)
    for _ in range(8):
        subject.suffered(started=1.0, now=2.0)
    assert subject.limit == 4
    subject.suffered(started=2.1, now=3.0)
    assert subject.limit == 2


def test_an_answer_that_is_slow_beyond_the_usual_shrinks_it_only_where_it_is_full() -> None:
    subject = AdaptiveConcurrency(10)
    for moment in range(20):
        subject.answered(float(moment), 0.2, is_full=True)
    subject.answered(20.0, 5.0, is_full=False)
    assert subject.limit == 10
    subject.answered(21.0, 5.0, is_full=True)
    assert subject.limit == 8


def test_processes_divide_concurrency() -> None:
    present = [1]
    subject = AdaptiveConcurrency(8, lambda: present[-1])
    limits = []
    for processes in (1, 2, 3, 100):
        present.append(processes)
        limits.append(subject.limit)
    assert limits == [8, 4, 2, 1]
