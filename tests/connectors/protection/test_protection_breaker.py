"""The breaker: when it opens, whom it lets through, when it closes; by the monotonic clock alone."""

import time
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connectors.errors import CircuitOpen, Sent
from connectors.ports import BreakerState
from connectors.protection.breaker import Breaker, Outcome
from connectors.protection.limits import DEFAULTS, Thresholds
from tests.connectors.protection.simulated import SetClock

SUCCESS, FAILURE, NEITHER = Outcome.SUCCESS, Outcome.FAILURE, Outcome.NEITHER


def breaker(clock: SetClock, jitter: float = 1.0, **changes: Any) -> tuple[Breaker, list[float]]:
    told: list[float] = []
    return Breaker(Thresholds(**changes), clock, lambda: jitter, told.append), told


def state(subject: Breaker) -> BreakerState:
    return subject.state


def call(subject: Breaker, *outcomes: Outcome) -> None:
    for outcome in outcomes:
        subject.leave(subject.enter(), outcome, "It is on fire.")


def test_it_opens_at_the_fifth_failure_in_a_row_and_says_until_when() -> None:
    subject, told = breaker(SetClock())
    call(subject, *[FAILURE] * 4, SUCCESS, *[FAILURE] * 4)
    assert state(subject) is BreakerState.CLOSED
    call(subject, FAILURE)
    assert (subject.state, subject.wait, subject.failures, told) == (BreakerState.OPEN, 5.0, 5, [5.0])
    with pytest.raises(CircuitOpen, match=r"on fire") as refused:
        subject.enter()
    assert (refused.value.retry_after, refused.value.sent) == (5.0, Sent.NOT_SENT)


def test_it_opens_at_half_of_twenty_calls_within_the_window() -> None:
    subject, _ = breaker(SetClock())
    call(subject, *[FAILURE, SUCCESS] * 9, SUCCESS)
    assert state(subject) is BreakerState.CLOSED
    call(subject, FAILURE)
    assert state(subject) is BreakerState.OPEN


def test_failures_of_long_ago_do_not_count() -> None:
    clock = SetClock()
    subject, _ = breaker(clock)
    call(subject, *[FAILURE, FAILURE, FAILURE, SUCCESS] * 4)
    clock.now += 31
    call(subject, *[SUCCESS, FAILURE] * 4, SUCCESS)
    assert state(subject) is BreakerState.CLOSED


def test_half_open_lets_one_through_and_two_successes_close_it() -> None:
    clock = SetClock()
    subject, told = breaker(clock)
    call(subject, *[FAILURE] * 5)
    clock.now += 5.0
    assert state(subject) is BreakerState.HALF_OPEN
    probe = subject.enter()
    with pytest.raises(CircuitOpen):
        subject.enter()
    subject.leave(probe, SUCCESS)
    assert state(subject) is BreakerState.HALF_OPEN
    call(subject, SUCCESS)
    assert (subject.state, subject.opened_at, told[-1]) == (BreakerState.CLOSED, None, 0.0)


def test_a_probe_that_says_nothing_makes_way_for_the_next() -> None:
    clock = SetClock()
    subject, _ = breaker(clock)
    call(subject, *[FAILURE] * 5)
    clock.now += 5.0
    call(subject, NEITHER, SUCCESS, NEITHER, SUCCESS)
    assert state(subject) is BreakerState.CLOSED


def test_it_stays_open_twice_as_long_each_time_up_to_ten_minutes() -> None:
    clock = SetClock()
    subject, told = breaker(clock)
    call(subject, *[FAILURE] * 5)
    for _ in range(9):
        clock.now += subject.wait
        call(subject, FAILURE)
    assert told == [5, 10, 20, 40, 80, 160, 320, 600, 600, 600]
    assert subject.opened_at == 1_000.0


def test_chance_shortens_the_wait_and_never_prolongs_it() -> None:
    for jitter in (0.0, 0.5, 1.0):
        subject, told = breaker(SetClock(), jitter)
        call(subject, *[FAILURE] * 5)
        assert 3.75 <= told[0] <= 5.0


def test_calls_that_began_before_it_opened_say_nothing_afterwards() -> None:
    clock = SetClock()
    subject, _ = breaker(clock)
    late = [subject.enter() for _ in range(2)]
    call(subject, *[FAILURE] * 5)
    clock.now += 5.0
    for ticket in late:
        subject.leave(ticket, SUCCESS)
    assert state(subject) is BreakerState.HALF_OPEN
    subject.leave(late[0], FAILURE)
    assert state(subject) is BreakerState.HALF_OPEN


def test_what_others_tell_is_believed_unless_one_knows_better() -> None:
    clock = SetClock()
    subject, told = breaker(clock, jitter=0.0)
    call(subject, SUCCESS)
    subject.hear_open(30.0)
    assert state(subject) is BreakerState.CLOSED
    clock.now += 6.0
    subject.hear_open(30.0)
    assert (subject.state, subject.wait) == (BreakerState.OPEN, 30.0)
    subject.hear_open(3.0)
    assert subject.wait == 30.0
    subject.hear_closed()
    assert state(subject) is BreakerState.HALF_OPEN
    call(subject, SUCCESS, SUCCESS)
    assert (subject.state, told) == (BreakerState.CLOSED, [0.0])


def test_the_wall_clock_may_jump(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SetClock()
    subject, _ = breaker(clock)
    call(subject, *[FAILURE] * 5)
    for jump in (3_600.0, -3_600.0):
        now = time.time() + jump
        monkeypatch.setattr(time, "time", lambda now=now: now)
        assert (subject.state, subject.wait) == (BreakerState.OPEN, 5.0)


class BreakerMachine(RuleBasedStateMachine):
    """Any calls at any time: the breaker keeps its promises."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = SetClock()
        self.told: list[float] = []
        self.subject = Breaker(DEFAULTS, self.clock, lambda: 0.5, self.told.append)
        self.tickets: list[tuple[int, bool]] = []
        self.probes = 0
        self.failures = 0

    @rule(seconds=st.sampled_from([0.001, 0.5, 1.0, 4.0, 5.0, 31.0, 700.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def enter(self) -> None:
        before = self.subject.state
        try:
            ticket = self.subject.enter()
        except CircuitOpen as refused:
            assert before is not BreakerState.CLOSED
            wait = refused.retry_after
        else:
            wait = 1.0
            assert before is not BreakerState.OPEN
            is_probe = before is BreakerState.HALF_OPEN
            assert not (is_probe and any(known for _, known in self.tickets)), "two probes at a time"
            self.tickets.append((ticket, is_probe))
        assert wait is not None
        assert 0 < wait <= DEFAULTS.longest_open_seconds

    @precondition(lambda self: self.tickets)
    @rule(data=st.data(), outcome=st.sampled_from(Outcome))
    def leave(self, data: st.DataObject, outcome: Outcome) -> None:
        ticket, is_probe = self.tickets.pop(data.draw(st.integers(0, len(self.tickets) - 1)))
        before = self.subject.state
        self.subject.leave(ticket, outcome)
        after = self.subject.state
        if is_probe and outcome is FAILURE:
            assert after is BreakerState.OPEN
        if before is BreakerState.OPEN:
            assert after is BreakerState.OPEN, "only a probe ends it"
        if before is BreakerState.HALF_OPEN and after is BreakerState.CLOSED:
            assert is_probe
            assert outcome is SUCCESS

    @invariant()
    def never_open_for_longer_than_said(self) -> None:
        assert self.subject.wait <= DEFAULTS.longest_open_seconds
        assert (self.subject.opened_at is None) == (self.subject.state is BreakerState.CLOSED)


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
