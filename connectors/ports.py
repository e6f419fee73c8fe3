"""What one call to a system needs from outside; the process implements it, tests bring their own."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import httpx


class Transport(Protocol):
    """Gives network clients whose every connection is guarded; nothing below the process builds one."""

    def client(self, base_url: str) -> httpx.AsyncClient:
        """A client for one address; it never follows redirects and never repeats a request.

        A refused address is raised as `connectors.errors.AddressRefused`, whatever httpx would make of it.
        """


class Clock(Protocol):
    """Time as the event loop counts it."""

    def time(self) -> float:
        """Seconds that only ever grow."""


class HintKind(Enum):
    """What processes tell each other about calls to a system."""

    REST = "It asked for a rest, for so many seconds from now on."
    OPEN = "It has been failing, and is left alone for so many seconds from now on."
    CLOSED = "It is well again."


@dataclass(frozen=True, slots=True)
class Hint:
    """What one process has learned; `key` begins with the customer, and durations need no clocks that agree."""

    key: tuple[str, ...]
    kind: HintKind
    seconds: float = 0.0


class CallState(Protocol):
    """What processes share about calls: hints, on which each decides alone, as it does when there are none."""

    @property
    def processes(self) -> int:
        """How many processes there are, at least this one; rates and concurrency are divided among them."""

    def tell(self, hint: Hint) -> None:
        """Tell the others, without waiting for anything."""
