"""What processes tell each other about calls to systems, and the process that has nobody to tell."""

from collections.abc import Iterable
from typing import Protocol

from connectors.ports import CallState, Hint, HintKind


class Listener(Protocol):
    """Who wants to know what others have learned."""

    def hear(self, hint: Hint) -> None:
        """Take note of a hint."""

    def keys(self) -> Iterable[tuple[tuple[str, ...], HintKind]]:
        """Everything that a hint may be about."""


class SharedCallState(CallState, Protocol):
    """A call state with a life of its own."""

    async def run(self, listener: Listener) -> None:
        """Listen until cancelled."""

    async def close(self) -> None:
        """Let go of everything."""


class MemoryCallState:
    """For one process alone, which shares nothing."""

    processes = 1

    def tell(self, hint: Hint) -> None:
        """There is nobody to tell."""

    async def run(self, listener: Listener) -> None:
        """There is nothing to hear."""

    async def close(self) -> None:
        """There is nothing to let go of."""
