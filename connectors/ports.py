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


class BreakerState(Enum):
    """Whether calls to a system go through."""

    CLOSED = "Calls go through."
    HALF_OPEN = "One call at a time is tried."
    OPEN = "Calls are refused without being made."


class CacheOutcome(Enum):
    """What a cache had of a question."""

    HIT = "It had the answer."
    MISS = "The system was asked."
    STALE = "It had an answer whose time was over, and that is what was given."
    JOINED = "Somebody else was asking the same, and both took that answer."


@dataclass(slots=True)
class Call:
    """One call to a system; filled in while it is made.

    `entity` is the kind of record that it is for, or empty. `outcome` is `ok`, or the meaning of the failure, such as
    `timed_out`. `status` is that of the last HTTP answer, if there was one. `requests` counts logins and repetitions.
    """

    entity: str = ""
    outcome: str = "ok"
    status: int | None = None
    requests: int = 0
    rows: int = 0
    seconds: float = 0.0


class Observer:
    """Hears what happens at one connection, for which it was made; this one does nothing about it.

    It must neither raise nor wait. It is told no values, only what is named here.
    """

    def called(self, call: Call) -> None:
        """A call has ended, well or badly."""

    def answered(self, status: int | None) -> None:
        """One HTTP request of a call has ended, with this status, or without an answer."""

    def retried(self, outcome: str) -> None:
        """A call is repeated, because it ended like this."""

    def waited(self, seconds: float) -> None:
        """A call has waited for its turn before it was made; told where it had to."""

    def broke(self, state: BreakerState) -> None:
        """The circuit breaker has changed to this state; it begins closed."""

    def cached(self, entity: str, outcome: CacheOutcome) -> None:
        """A cache was asked before the system was."""

    def closed(self) -> None:
        """The connection is no longer in use; nothing follows."""
