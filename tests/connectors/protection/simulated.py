"""Time for tests: a clock that is set by hand, and an event loop in which waiting takes no time."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class SetClock:
    """A clock that moves when it is told to."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def time(self) -> float:
        """What it shows."""
        return self.now


class LoopClock:
    """The time of the running loop."""

    def time(self) -> float:
        """What the loop counts."""
        return asyncio.get_running_loop().time()


class _Selector(selectors.SelectSelector):
    """Moves the loop's time on instead of waiting."""

    loop: "SimulatedLoop"

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if not found:
            assert timeout is not None, "everybody waits, and nothing will ever happen"
            self.loop.now += max(timeout, 0.0)
        return found


class SimulatedLoop(asyncio.SelectorEventLoop):
    """A loop whose time moves on whenever nothing else is to do."""

    def __init__(self) -> None:
        self.now = 1_000.0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now


def simulate(coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """Run to the end without waiting."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(coroutine)
