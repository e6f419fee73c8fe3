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
    async def entered(self, method: str, priority: Priority, deadline: float) -> AsyncIterator[float]:
        """Wait for a turn, and learn from how the call ends; raises CircuitOpen or RateLimited where it may not begin.

        Gives the seconds that it waited. The breaker is asked twice, because it may open while the call waits.
        """
        self.breaker.check()
        waited = await self.lane.enter([rate for rate in self.rates if rate.rate.counts(method)], priority, deadline)
        try:
            ticket = self.breaker.enter()
            started = self.clock.time()
            try:
                yield waited
            except BaseException as error:
                self._learn(ticket, started, self._meaning(error, deadline))
                raise
            self._learn(ticket, started, None)
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
        wait = backoff(attempts, self.jitter)
        if isinstance(trouble, Unavailable) and trouble.retry_after is not None:
            wait += trouble.retry_after
        earliest = max(wait, self.lane.rest, self.breaker.wait)
        if self.clock.time() + earliest >= deadline or self.breaker.wait > 0 or not self.budget.withdraw():
            return None
        return wait

    def _meaning(self, error: BaseException, deadline: float) -> BaseException:
        """A cancellation by the caller's own deadline is an answer that did not come in time."""
        if isinstance(error, asyncio.CancelledError) and self.clock.time() >= deadline:
            return TimedOut("The system did not answer within the deadline.")
        return error

    def _learn(self, ticket: int, started: float, error: BaseException | None) -> None:
        now = self.clock.time()
        is_unfair = isinstance(error, TimedOut) and now - started < self.thresholds.fair_seconds
        match error:
            case None:
                self.lane.answered()
                self.lane.concurrency.answered(started, now - started, is_full=self.lane.is_full)
            case RateLimited():
                self.lane.throttled(started, error.retry_after)
                self.lane.concurrency.suffered(started, now)
                error.retry_after = error.retry_after or self.lane.rest
            case TimedOut() if not is_unfair:
                self.lane.concurrency.suffered(started, now)
        self.breaker.leave(ticket, Outcome.NEITHER if is_unfair else _outcome(error), str(error or ""))


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
