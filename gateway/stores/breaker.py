"""A small breaker for a store that can be done without: after a few failures it is left alone for a while."""

import time
from collections.abc import Callable
from enum import Enum


class State(Enum):
    """Whether calls are let through."""

    CLOSED = "Everything is let through."
    OPEN = "Nothing is let through until some time has passed."
    HALF_OPEN = "One call has been let through to try; all others wait for what becomes of it."


class Breaker:
    """Opens after so many failures in a row; then one call at a time is let through to try, ever more rarely."""

    def __init__(
        self,
        failures: int = 2,
        first_pause: float = 1.0,
        longest_pause: float = 15.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = State.CLOSED
        self._most_failures = failures
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._monotonic = monotonic
        self._failures = 0
        self._pause = first_pause
        self._opened = 0.0

    def admits(self) -> bool:
        """Whether a call may be made now; whoever makes it has to say what became of it."""
        if self.state is State.OPEN and self._monotonic() - self._opened >= self._pause:
            self.state = State.HALF_OPEN
            return True
        return self.state is State.CLOSED

    def succeeded(self) -> bool:
        """A call went well; whether that has closed the breaker."""
        self._failures = 0
        if self.state is not State.HALF_OPEN:
            return False
        self.state, self._pause = State.CLOSED, self._first_pause
        return True

    def failed(self) -> bool:
        """A call went wrong; whether that has opened a breaker that was closed."""
        self._failures += 1
        if self.state is State.HALF_OPEN:
            self._pause = min(self._pause * 2, self._longest_pause)
            self._open()
            return False
        if self.state is State.CLOSED and self._failures >= self._most_failures:
            self._open()
            return True
        return False

    def abandoned(self) -> None:
        """A call was cancelled, and says nothing; one that was let through to try can be made again at once."""
        if self.state is State.HALF_OPEN:
            self.state = State.OPEN

    def _open(self) -> None:
        self.state, self._opened = State.OPEN, self._monotonic()
