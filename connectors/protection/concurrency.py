"""Finds out how many calls at a time a system bears: one more with every good round, half after a bad one."""

from collections.abc import Callable

_LESS = 0.5
_SLIGHTLY_LESS = 0.8
_LEARNING = 0.1
_SLOW_TIMES = 4.0
_SLOW_SECONDS = 1.0


class AdaptiveConcurrency:
    """The present limit; it never leaves 1 to `ceiling`, which is divided among `processes`.

    Of calls that were under way together only the first that suffers makes the limit smaller.
    """

    def __init__(self, ceiling: int, processes: Callable[[], int] = lambda: 1) -> None:
        self.ceiling = ceiling
        self._processes = processes
        self._limit = float(ceiling)
        self._shrunk_at = float("-inf")
        self._usual_seconds: float | None = None

    @property
    def limit(self) -> int:
        """How many calls may be under way at a time."""
        return max(1, min(int(self._limit), self.ceiling // self._processes()))

    def answered(self, started: float, seconds: float, *, is_full: bool) -> None:
        """An answer came after so long; `is_full` says that as many calls were under way as may be."""
        usual = seconds if self._usual_seconds is None else self._usual_seconds
        self._usual_seconds = usual + _LEARNING * (seconds - usual)
        if is_full and seconds > max(_SLOW_SECONDS, _SLOW_TIMES * usual):
            self._shrink(started, started + seconds, _SLIGHTLY_LESS)
        else:
            self._limit = min(float(self.ceiling), self._limit + 1 / self._limit)

    def suffered(self, started: float, now: float) -> None:
        """The system has had too many calls, or did not answer in time."""
        self._shrink(started, now, _LESS)

    def _shrink(self, started: float, now: float, factor: float) -> None:
        if started > self._shrunk_at:
            self._limit = max(1.0, min(self._limit, float(self.limit)) * factor)
            self._shrunk_at = now
