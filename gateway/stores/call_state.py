"""What processes tell each other about calls to systems, and the process that has nobody to tell."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from connectors.ports import CallState, Hint, HintKind


class Listener(Protocol):
    """Who wants to know what others have learned."""

    def hear(self, hint: Hint) -> None:
        """Take note of a hint."""

    def keys(self) -> Iterable[tuple[tuple[str, ...], HintKind]]:
        """Everything that a hint may be about."""


class Audience(Protocol):
    """Who wants to know which calls others have made."""

    def overhear(self, connection_id: str, words: Any) -> None:
        """Take note of a call, which was told in these words; it may be told more than once."""

    def followed(self) -> Iterable[tuple[str, str]]:
        """The customer and the id of every connection whose calls matter."""


class SharedCallState(CallState, Protocol):
    """A call state with a life of its own."""

    def tell_call(self, customer_id: str, connection_id: str, words: Callable[[], Any]) -> None:
        """Have the others told of a call to a connection; `words` gives JSON, if anybody is told."""

    async def forget_calls(self, customer_id: str, connection_id: str) -> None:
        """Forget the calls to a connection that has ended; what cannot be forgotten now ends by itself."""

    async def run(self, listener: Listener, audience: Audience) -> None:
        """Listen until cancelled."""

    async def close(self) -> None:
        """Let go of everything."""


class MemoryCallState:
    """For one process alone, which shares nothing."""

    processes = 1

    def tell(self, hint: Hint) -> None:
        """There is nobody to tell."""

    def tell_call(self, customer_id: str, connection_id: str, words: Callable[[], Any]) -> None:
        """There is nobody to tell."""

    async def forget_calls(self, customer_id: str, connection_id: str) -> None:
        """Nothing was told."""

    async def run(self, listener: Listener, audience: Audience) -> None:
        """There is nothing to hear."""

    async def close(self) -> None:
        """There is nothing to let go of."""
