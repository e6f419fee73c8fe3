"""Keeps the protection of a process: connections that share a limit share its state, also when they are reopened."""

import random
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar
from weakref import WeakValueDictionary

from connectors.ports import CallState, Clock, Hint, HintKind
from connectors.protection.breaker import Breaker
from connectors.protection.concurrency import AdaptiveConcurrency
from connectors.protection.guard import Guard
from connectors.protection.lane import Lane
from connectors.protection.limits import DEFAULTS, UNPUBLISHED, Identity, Limits, Rate, Thresholds
from connectors.protection.rate_limiter import RateLimiter
from connectors.protection.retries import RetryBudget

Key = tuple[str, ...]
_Part = TypeVar("_Part", Breaker, Lane, RateLimiter, RetryBudget)
_KEPT = 1_000
"""Guards that are remembered although no connection has them any more."""


class MonotonicClock:
    """The time that event loops count by."""

    def time(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()


class Alone:
    """A process that shares nothing."""

    processes = 1

    def tell(self, hint: Hint) -> None:
        """There is nobody to tell."""


class Protections:
    """Makes guards; `state` tells other processes, `jitter` gives numbers from 0 to 1."""

    def __init__(
        self,
        thresholds: Thresholds = DEFAULTS,
        state: CallState | None = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.thresholds = thresholds
        self._state: CallState = state or Alone()
        self._clock = clock or MonotonicClock()
        self._jitter = jitter
        self._breakers: WeakValueDictionary[Key, Breaker] = WeakValueDictionary()
        self._lanes: WeakValueDictionary[Key, Lane] = WeakValueDictionary()
        self._rates: WeakValueDictionary[Key, RateLimiter] = WeakValueDictionary()
        self._budgets: WeakValueDictionary[Key, RetryBudget] = WeakValueDictionary()
        self._recent: deque[Guard] = deque(maxlen=_KEPT)

    def guard(self, limits: Limits, identity: Identity) -> Guard:
        """The guard of a connection, with the state that its limits have already."""
        own = (identity.tenant, "connection", identity.connection, identity.account)
        guard = self._guard(limits, identity, self._breaker(own), self._budget(own))
        self._recent.append(guard)
        return guard

    def check(self, limits: Limits, identity: Identity) -> Guard:
        """The guard of a connection that is only tried out: it keeps the limits, but nothing is held back for long."""
        breaker = Breaker(self.thresholds, self._clock, self._jitter)
        return self._guard(limits, identity, breaker, RetryBudget(self.thresholds.retry_share))

    def hear(self, hint: Hint) -> None:
        """Take note of what another process has learned."""
        lane, breaker = self._lanes.get(hint.key), self._breakers.get(hint.key)
        match hint.kind:
            case HintKind.REST if lane is not None:
                lane.hear(hint.seconds)
            case HintKind.OPEN if breaker is not None:
                breaker.hear_open(hint.seconds)
            case HintKind.CLOSED if breaker is not None:
                breaker.hear_closed()

    def keys(self) -> Iterable[tuple[Key, HintKind]]:
        """Everything that other processes may have learned something about."""
        yield from ((key, HintKind.REST) for key in list(self._lanes))
        yield from ((key, HintKind.OPEN) for key in list(self._breakers))

    def _guard(self, limits: Limits, identity: Identity, breaker: Breaker, budget: RetryBudget) -> Guard:
        return Guard(
            breaker,
            self._lane(limits, identity.shared_by(limits.share)),
            [self._rate(rate, identity.shared_by(rate.share)) for rate in limits.rates],
            budget,
            self.thresholds,
            self._clock,
            self._jitter,
        )

    def _processes(self) -> int:
        return self._state.processes

    def _lane(self, limits: Limits, key: Key) -> Lane:
        ceiling = limits.at_once or self.thresholds.calls_at_once

        def make() -> Lane:
            concurrency = AdaptiveConcurrency(ceiling, self._processes)
            most = self.thresholds.calls_waiting
            return Lane(concurrency, self._clock, most, self._jitter, self._telling(HintKind.REST, key))

        return _kept(self._lanes, key, make)

    def _rate(self, rate: Rate, key: Key) -> RateLimiter:
        own = (*key, str(rate.calls), str(rate.seconds), *rate.methods)
        return _kept(self._rates, own, lambda: RateLimiter(rate, self._clock, self._processes))

    def _breaker(self, key: Key) -> Breaker:
        def tell(seconds: float) -> None:
            self._telling(HintKind.OPEN if seconds else HintKind.CLOSED, key)(seconds)

        return _kept(self._breakers, key, lambda: Breaker(self.thresholds, self._clock, self._jitter, tell))

    def _budget(self, key: Key) -> RetryBudget:
        return _kept(self._budgets, key, lambda: RetryBudget(self.thresholds.retry_share))

    def _telling(self, kind: HintKind, key: Key) -> Callable[[float], None]:
        return lambda seconds: self._state.tell(Hint(key, kind, seconds))


def _kept(known: "WeakValueDictionary[Key, _Part]", key: Key, make: Callable[[], _Part]) -> _Part:
    """The part that a key has, made at first."""
    part = known.get(key)
    if part is None:
        part = known[key] = make()
    return part


def lone_guard(thresholds: Thresholds = DEFAULTS, limits: Limits = UNPUBLISHED) -> Guard:
    """The guard of a source that stands alone, such as one of a command."""
    return Protections(thresholds).guard(limits, Identity("", "", "", "", ""))
