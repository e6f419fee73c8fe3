"""What processes tell each other about the database: only that something has changed, never what."""

from collections.abc import Callable
from typing import Protocol


class Bus(Protocol):
    """Carries hints between processes.

    The truth is read from the database by whoever hears one. A hint that is lost costs time, because everybody also
    looks there by themselves now and then.
    """

    def tell(self) -> None:
        """Have the others told that something was changed; nothing waits for it."""

    async def run(self, hear: Callable[[], None]) -> None:
        """Tell and listen until cancelled; `hear` is called when another process may have changed something."""

    async def close(self) -> None:
        """Let go of everything."""


class MemoryBus:
    """For one process alone."""

    def tell(self) -> None:
        """There is nobody to tell."""

    async def run(self, hear: Callable[[], None]) -> None:
        """There is nothing to hear."""

    async def close(self) -> None:
        """There is nothing to let go of."""
