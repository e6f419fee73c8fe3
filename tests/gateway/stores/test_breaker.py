"""The breaker before a store: it opens, tries one call at a time, and closes."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.stores.breaker import Breaker, State


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_opens_after_failures_in_a_row_and_closes_after_one_good_try() -> None:
    clock = Clock()
    breaker = Breaker(failures=2, first_pause=1.0, longest_pause=3.0, monotonic=clock)
    assert not breaker.failed()
    assert not breaker.succeeded()
    assert not breaker.failed()
    assert breaker.failed()
    for pause in (1.0, 2.0, 3.0, 3.0):
        clock.now += pause - 0.01
        assert not breaker.admits()
        clock.now += 0.02
        assert [breaker.admits() for _ in range(3)] == [True, False, False]
        assert not breaker.failed()
    clock.now += 3.0
    assert breaker.admits()
    breaker.abandoned()
    assert [breaker.admits() for _ in range(2)] == [True, False]
    assert breaker.succeeded()
    assert breaker.admits()


class BreakerMachine(RuleBasedStateMachine):
    """While it is not closed, at most one call is under way that it has let through since it opened."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker(monotonic=self.clock)
        self.trying = 0

    @rule(seconds=st.integers(0, 80).map(lambda quarters: quarters / 4))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def call(self) -> None:
        was = self.breaker.state
        if self.breaker.admits() and was is not State.CLOSED:
            self.trying += 1

    @precondition(lambda self: self.trying or self.breaker.state is State.CLOSED)
    @rule(how=st.sampled_from(["succeeded", "failed", "abandoned"]))
    def end(self, how: str) -> None:
        getattr(self.breaker, how)()
        self.trying = 0

    @invariant()
    def one_try_at_a_time(self) -> None:
        assert self.trying <= 1
        assert (self.breaker.state is State.HALF_OPEN) == (self.trying == 1)

    @invariant()
    def it_never_stays_open_for_ever(self) -> None:
        if self.breaker.state is State.OPEN:
            later = Clock()
            later.now = self.clock.now + 15.0
            assert later.now - self.breaker._opened >= self.breaker._pause


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(max_examples=60, deadline=None)
