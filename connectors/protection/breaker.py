"""Keeps a failing system from more calls: closed, open for a while, then one call at a time to see."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from connectors.errors import CircuitOpen, Sent
from connectors.ports import BreakerState, Clock
from connectors.protection.limits import Thresholds

_PROBE_SECONDS = 1.0
"""What is told to those who come while another call finds out how the system is."""
_CONFIDENCE_SECONDS = 5.0
"""For so long a success of our own weighs more than what another process tells."""


class Outcome(Enum):
    """What a call says about the health of the system."""

    SUCCESS = "It is well."
    FAILURE = "It fails."
    NEITHER = "Nothing."


@dataclass(slots=True)
class _Second:
    """The calls that ended within one second."""

    at: int
    calls: int = 0
    failures: int = 0


class Breaker:
    """The state machine; `jitter` gives numbers from 0 to 1, `tell` is called with the seconds of every opening.

    On closing `tell` is called with 0. A call enters before it is sent and leaves with its outcome; outcomes of calls
    that entered before the last change of state say nothing any more.
    """

    def __init__(
        self,
        thresholds: Thresholds,
        clock: Clock,
        jitter: Callable[[], float],
        tell: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._thresholds = thresholds
        self._clock = clock
        self._jitter = jitter
        self._tell = tell
        self._open_until: float | None = None
        self._openings = 0
        self._generation = 0
        self._is_probing = False
        self._successes = 0
        self._succeeded_at = float("-inf")
        self._seconds: deque[_Second] = deque()
        self.failures = 0
        """How many calls have failed in a row."""
        self.opened_at: float | None = None
        """Since when calls are held back, by the clock; None while they go through."""
        self.reason = ""
        """How the last failure was described."""

    @property
    def state(self) -> BreakerState:
        """The present state."""
        if self._open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._clock.time() < self._open_until else BreakerState.HALF_OPEN

    @property
    def wait(self) -> float:
        """Seconds until a call may go through; 0 when one may now."""
        if self._open_until is None:
            return 0.0
        left = self._open_until - self._clock.time()
        return left if left > 0 else _PROBE_SECONDS * self._is_probing

    @property
    def held_seconds(self) -> float | None:
        """For how many seconds calls have been held back; None while they go through."""
        return None if self.opened_at is None else self._clock.time() - self.opened_at

    def check(self) -> None:
        """Raise CircuitOpen unless a call may go through now."""
        wait = self.wait
        if wait > 0:
            last = f" Last it failed like this: {self.reason}" if self.reason else ""
            message = f"The system has been failing and is not asked for now.{last}"
            raise CircuitOpen(message, sent=Sent.NOT_SENT, retry_after=wait)

    def enter(self) -> int:
        """Begin a call, which gets a ticket; raises CircuitOpen where none may begin."""
        self.check()
        self._is_probing = self._open_until is not None
        return self._generation

    def has_succeeded_since(self, moment: float) -> bool:
        """Whether a call has gone well since then."""
        return self._succeeded_at >= moment

    def leave(self, ticket: int, outcome: Outcome, reason: str = "") -> None:
        """End a call."""
        if ticket != self._generation:
            return
        self._is_probing = False
        if outcome is Outcome.NEITHER:
            return
        if outcome is Outcome.FAILURE:
            self.failures += 1
            self.reason = reason
        else:
            self.failures = 0
            self._succeeded_at = self._clock.time()
        if self._open_until is None:
            self._count(outcome)
            if self._is_failing():
                self._open()
        elif outcome is Outcome.FAILURE:
            self._open()
        else:
            self._successes += 1
            if self._successes >= self._thresholds.successes_to_close:
                self._close()

    def hear_open(self, seconds: float) -> None:
        """Another process holds calls back; so does this one, unless it knows better by itself."""
        now = self._clock.time()
        if now - self._succeeded_at < _CONFIDENCE_SECONDS:
            return
        if self._open_until is None or self._open_until < now + seconds:
            self._hold_back(seconds * (1.0 + 0.25 * self._jitter()))  # whoever told it goes first

    def hear_closed(self) -> None:
        """Another process has found the system well; this one tries at once."""
        if self._open_until is not None:
            self._open_until = min(self._open_until, self._clock.time())

    def _count(self, outcome: Outcome) -> None:
        second = int(self._clock.time())
        if not self._seconds or self._seconds[-1].at != second:
            self._seconds.append(_Second(second))
        self._seconds[-1].calls += 1
        self._seconds[-1].failures += outcome is Outcome.FAILURE
        while self._seconds[0].at <= second - self._thresholds.window_seconds:
            self._seconds.popleft()

    def _is_failing(self) -> bool:
        if self.failures >= self._thresholds.failures_in_a_row:
            return True
        calls = sum(item.calls for item in self._seconds)
        failures = sum(item.failures for item in self._seconds)
        return calls >= self._thresholds.window_calls and failures >= calls * self._thresholds.failing_share

    def _open(self) -> None:
        """Hold calls back, twice as long each time; never longer than said, so that recovery has a bound."""
        doubled = self._thresholds.first_open_seconds * 2.0 ** min(self._openings, 32)
        seconds = min(doubled, self._thresholds.longest_open_seconds) * (0.75 + 0.25 * self._jitter())
        self._openings += 1
        self._hold_back(seconds)
        self._tell(seconds)

    def _hold_back(self, seconds: float) -> None:
        now = self._clock.time()
        self._change()
        self._open_until = now + seconds
        self.opened_at = now if self.opened_at is None else self.opened_at

    def _close(self) -> None:
        self._change()
        self._open_until = self.opened_at = None
        self._openings = 0
        self._seconds.clear()
        self._tell(0.0)

    def _change(self) -> None:
        self._generation += 1
        self._is_probing = False
        self._successes = 0
