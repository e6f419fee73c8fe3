"""Keeps a rate: at most so many calls in any span of time, spread out after a first burst (GCRA)."""

from collections.abc import Callable

from connectors.ports import Clock
from connectors.protection.limits import Rate


class RateLimiter:
    """Counts calls against a rate; `processes` says among how many processes the rate is divided.

    Calls are put an interval apart, and the burst may run ahead of that. Burst and interval are such that any span as
    long as the rate's has at most as many calls as the rate allows, wherever it begins.
    """

    def __init__(self, rate: Rate, clock: Clock, processes: Callable[[], int] = lambda: 1) -> None:
        self.rate = rate
        self._clock = clock
        self._processes = processes
        self._next = float("-inf")

    def delay(self, ahead: int = 0) -> float:
        """Seconds until a call may be sent, where so many others go before it."""
        interval, burst = self._shape()
        earliest = max(self._next, self._clock.time()) + (ahead - burst + 1) * interval
        return max(0.0, earliest - self._clock.time())

    def take(self) -> None:
        """Count a call that is sent now; one that had to be sent at once delays those after it."""
        interval, _ = self._shape()
        self._next = max(self._next, self._clock.time()) + interval

    def _shape(self) -> tuple[float, int]:
        """The interval and the burst of this process."""
        processes = self._processes()
        calls = max(1, self.rate.calls // processes)
        burst = min(calls, max(1, self.rate.at_once // processes))
        return self.rate.seconds / (calls - burst + 1), burst
