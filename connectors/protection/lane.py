"""Where calls wait for their turn: one lane for everybody whose calls a system counts together."""

import asyncio
from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connectors.errors import RateLimited, Sent, TimedOut
from connectors.ports import Clock
from connectors.protection.concurrency import AdaptiveConcurrency
from connectors.protection.limits import Priority
from connectors.protection.rate_limiter import RateLimiter

_FIRST_REST_SECONDS = 1.0
_LONGEST_OWN_REST_SECONDS = 60.0
_JITTER_SHARE = 0.1
_JITTER_SECONDS = 1.0
_FULL_SECONDS = 1.0
"""What is told to those who find too many waiting already."""


@dataclass(eq=False, slots=True)
class _Waiter:
    """A call that waits."""

    priority: Priority
    number: int
    rates: Sequence[RateLimiter]
    deadline: float
    turn: asyncio.Future[None]

    @property
    def place(self) -> tuple[int, int]:
        """The most urgent goes first, and of these the first that came."""
        return self.priority.value, self.number


class Lane:
    """Lets calls through: not before a system has rested, within its rates, and a few at a time.

    `most_waiting` bounds the queue, `jitter` gives numbers from 0 to 1, and `tell` is called with the seconds of every
    rest that the system has asked for.
    """

    def __init__(
        self,
        concurrency: AdaptiveConcurrency,
        clock: Clock,
        most_waiting: int,
        jitter: Callable[[], float],
        tell: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self.concurrency = concurrency
        self.running = 0
        """How many calls are under way."""
        self._clock = clock
        self._most_waiting = most_waiting
        self._jitter = jitter
        self._tell = tell
        self._waiting: list[_Waiter] = []
        self._count = 0
        self._not_before = float("-inf")
        self._rests_in_a_row = 0
        self._rested_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn."""
        return len(self._waiting)

    @property
    def rest(self) -> float:
        """Seconds for which no call is sent, because the system has had too many."""
        return max(0.0, self._not_before - self._clock.time())

    @property
    def is_full(self) -> bool:
        """Whether as many calls are under way as may be."""
        return self.running >= self.concurrency.limit

    async def enter(self, rates: Sequence[RateLimiter], priority: Priority, deadline: float) -> float:
        """Wait for a turn, and give the seconds that it took; who could not have it before the deadline is refused."""
        waited = await self._wait(rates, priority, deadline)
        while self.rest > 0:  # the rest began between the turn and its taking
            self.leave()
            waited += await self._wait(rates, priority, deadline)
        return waited

    async def _wait(self, rates: Sequence[RateLimiter], priority: Priority, deadline: float) -> float:
        self._count += 1
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(priority, self._count, rates, deadline, turn)
        self._refuse_the_late(waiter)
        insort(self._waiting, waiter, key=lambda item: item.place)
        self._dispatch()
        began = self._clock.time()
        is_at_once = turn.done()
        try:
            async with asyncio.timeout_at(deadline):
                await turn
        except BaseException as error:
            self._withdraw(waiter)
            if isinstance(error, TimeoutError):
                message = "Other calls to the system took all of the time, so that this one was not sent."
                raise TimedOut(message, sent=Sent.NOT_SENT) from None
            raise
        return 0.0 if is_at_once else self._clock.time() - began

    def leave(self) -> None:
        """Make room for the next."""
        self.running -= 1
        self._dispatch()

    def throttled(self, started: float, retry_after: float | None) -> None:
        """The system has had too many calls: let it rest as long as it says, or longer each time if it says nothing.

        `started` is when the call was sent; of calls that were under way together one alone makes rests longer. A
        little is added by chance, so that not everybody comes back at one moment.
        """
        is_first = started > self._rested_at
        if is_first:
            self._rests_in_a_row += 1
            self._rested_at = self._clock.time()
        if retry_after:
            seconds = self._scattered(retry_after)
            self._hold(seconds)
            self._tell(seconds)
        elif is_first:
            doubled = _FIRST_REST_SECONDS * 2.0 ** min(self._rests_in_a_row - 1, 32)
            seconds = min(doubled, _LONGEST_OWN_REST_SECONDS) * (0.5 + 0.5 * self._jitter())
            self._hold(seconds)

    def answered(self) -> None:
        """The system takes calls again."""
        self._rests_in_a_row = 0

    def hear(self, seconds: float) -> None:
        """Another process was told to let the system rest."""
        self._hold(self._scattered(seconds))

    def _scattered(self, seconds: float) -> float:
        return seconds + min(_JITTER_SECONDS, _JITTER_SHARE * seconds) * self._jitter()

    def _hold(self, seconds: float) -> None:
        """Let nobody through before a moment, and refuse those who cannot wait for it."""
        self._not_before = max(self._not_before, self._clock.time() + seconds)
        for waiter in list(self._waiting):
            if waiter.deadline <= self._not_before and not waiter.turn.done():
                self._waiting.remove(waiter)
                waiter.turn.set_exception(_refusal(self.rest))

    def _refuse_the_late(self, waiter: _Waiter) -> None:
        wait = max(self.rest, *(self._delay(rate, waiter) for rate in waiter.rates), 0.0)
        if self._clock.time() + wait >= waiter.deadline:
            raise _refusal(wait)
        if len(self._waiting) >= self._most_waiting:
            raise _refusal(max(wait, _FULL_SECONDS))

    def _delay(self, rate: RateLimiter, waiter: _Waiter) -> float:
        return rate.delay(sum(rate in other.rates for other in self._waiting if other.place < waiter.place))

    def _withdraw(self, waiter: _Waiter) -> None:
        """Take back a place in the queue, or the turn that was given in the same moment."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        elif waiter.turn.done() and not waiter.turn.cancelled() and waiter.turn.exception() is None:
            self.leave()

    def _dispatch(self) -> None:
        """Give turns to all who may go now, and come back when the next may."""
        if self.rest > 0:
            self._come_back(self.rest)
            return
        soonest = float("inf")
        for waiter in list(self._waiting):
            if self._has_no_room(waiter):
                break
            delay = max((rate.delay() for rate in waiter.rates), default=0.0)
            if delay > 0:
                soonest = min(soonest, delay)
            elif not waiter.turn.done():
                self._waiting.remove(waiter)
                self._let_go(waiter)
        if soonest < float("inf"):
            self._come_back(soonest)

    def _let_go(self, waiter: _Waiter) -> None:
        for rate in waiter.rates:
            rate.take()
        self.running += 1
        waiter.turn.set_result(None)

    def _has_no_room(self, waiter: _Waiter) -> bool:
        """Whether a call has to wait for others to end; one place is kept for those that somebody waits for."""
        limit = self.concurrency.limit
        kept = 1 if waiter.priority is Priority.BACKGROUND and limit > 1 else 0
        return self.running >= limit - kept

    def _come_back(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._dispatch) if self._waiting else None


def _refusal(seconds: float) -> RateLimited:
    return RateLimited("The system has had too many calls for now.", retry_after=seconds, sent=Sent.NOT_SENT)
