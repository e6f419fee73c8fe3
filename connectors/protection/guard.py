"""What stands before the calls of one connection, in one order: breaker, then limits; and what is learned from each."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from connectors.errors import (
    AddressRefused,
    BadAnswer,
    Disconnected,
    LoginRefused,
    Paused,
    RateLimited,
    RefreshFailed,
    TimedOut,
    Trouble,
    Unavailable,
)
from connectors.ports import Clock
from connectors.protection.breaker import Breaker, Outcome
from connectors.protection.lane import Lane
from connectors.protection.limits import Priority, Thresholds
from connectors.protection.rate_limiter import RateLimiter
from connectors.protection.retries import RetryBudget, backoff, may_pass


@dataclass(slots=True)
class Turn:
    """One call's turn; `is_hurried` says once it has ended that it had too little time to tell of the system."""

    waited: float
    ticket: int
    started: float
    usual_seconds: float
    is_hurried: bool = False


@dataclass(eq=False)
class Guard:
    """The protection of one connection; its parts may be shared with others, and are there to be read.

    `jitter` gives numbers from 0 to 1.
    """

    breaker: Breaker
    lane: Lane
    rates: Sequence[RateLimiter]
    budget: RetryBudget
    thresholds: Thresholds
    clock: Clock
    jitter: Callable[[], float]

    @asynccontextmanager
    async def entered(
        self, method: str, priority: Priority, deadline: float, usual_seconds: float | None = None
    ) -> AsyncIterator[Turn]:
        """Wait for a turn, and learn from how the call ends; raises CircuitOpen or RateLimited where it may not begin.

        `usual_seconds` is how long the connection usually has for an answer. The breaker is asked twice, because it
        may open while the call waits.
        """
        self.breaker.check()
        waited = await self.lane.enter([rate for rate in self.rates if rate.rate.counts(method)], priority, deadline)
        try:
            turn = Turn(waited, self.breaker.enter(), self.clock.time(), usual_seconds or self.thresholds.usual_seconds)
            try:
                yield turn
            except BaseException as error:
                self._learn(turn, self._meaning(error, deadline))
                raise
            self._learn(turn, None)
        finally:
            self.lane.leave()

    def count(self, method: str) -> None:
        """Count a call that came without waiting for a turn, such as a login in the course of another one."""
        for rate in self.rates:
            if rate.rate.counts(method):
                rate.take()

    def retry_delay(self, trouble: Trouble, attempts: int, deadline: float) -> float | None:
        """Seconds to wait before a call that does no harm is repeated; None where it is not."""
        if attempts > self.thresholds.retries or not may_pass(trouble):
            return None
        wait = backoff(attempts, self.jitter) + (trouble.retry_after or 0.0)
        earliest = max(wait, self.lane.rest, self.breaker.wait)
        if self.clock.time() + earliest >= deadline or self.breaker.wait > 0 or not self.budget.withdraw():
            return None
        return wait

    def _meaning(self, error: BaseException, deadline: float) -> BaseException:
        """A cancellation by the caller's own deadline is an answer that did not come in time."""
        if isinstance(error, asyncio.CancelledError) and self.clock.time() >= deadline:
            return TimedOut("The system did not answer within the deadline.")
        return error

    def _learn(self, turn: Turn, error: BaseException | None) -> None:
        now, started = self.clock.time(), turn.started
        turn.is_hurried = isinstance(error, TimedOut) and self._is_hurried(turn, now)
        match error:
            case None:
                self.lane.answered()
                self.lane.concurrency.answered(started, now - started, is_full=self.lane.is_full)
            case RateLimited():
                self.lane.throttled(started, error.retry_after)
                self.lane.concurrency.suffered(started, now)
                error.retry_after = error.retry_after or self.lane.rest
            case TimedOut() if not turn.is_hurried:
                self.lane.concurrency.suffered(started, now)
        self.breaker.leave(turn.ticket, Outcome.NEITHER if turn.is_hurried else _outcome(error), str(error or ""))

    def _is_hurried(self, turn: Turn, now: float) -> bool:
        """Whether a time-out says more of the caller than of the system, which had little time or was answering."""
        had, half = now - turn.started, turn.usual_seconds / 2
        if had < min(self.thresholds.fair_seconds, half):
            return True
        return had < half and self.breaker.has_succeeded_since(turn.started)


def _outcome(error: BaseException | None) -> Outcome:
    """What a call says of the system's health: whoever refuses in good order is well."""
    match error:
        case Unavailable() | TimedOut() | BadAnswer():
            return Outcome.FAILURE
        case RateLimited() | AddressRefused() | Paused() | Disconnected() | RefreshFailed() | LoginRefused():
            return Outcome.NEITHER
        case None | Trouble():
            return Outcome.SUCCESS
        case _:
            return Outcome.NEITHER
