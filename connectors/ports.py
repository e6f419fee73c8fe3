"""What one call to a system needs from outside; the process implements it, tests bring their own."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import httpx

from connectors.errors import Trouble
from connectors.protocols.shapes import Shape
from connectors.query import Page, Read, Request
from connectors.spec import System
from connectors.tally import Tally


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


class Reads(Protocol):
    """A source that can be asked, whether it answers itself or something that keeps its answers stands before it."""

    @property
    def system(self) -> System:
        """The system behind it."""

    async def fetch(self, read: Read, tally: Tally, deadline: float) -> Page:
        """Ask one question; raises the meaning of whatever goes wrong."""

    async def follow(self, read: Read, rest: Request, tally: Tally, deadline: float) -> Page:
        """Ask for the rest of a question whose answer was cut."""

    async def resume(self, read: Read, query: str, tally: Tally, deadline: float) -> Page:
        """Go on with a question where the source itself has said, in an earlier piece of work, how to go on."""

    async def shape(self, name: str, tally: Tally, deadline: float, *, is_fresh: bool = False) -> Shape | None:
        """What the system tells of a collection, asked anew with `is_fresh`; None where it does not tell."""


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """What a login has given: the value of a header, what it is renewed with, and for how many seconds it holds."""

    header: str = field(repr=False)
    renewal: str | None = field(default=None, repr=False)
    lifetime: float | None = None


class Turn(Protocol):
    """The right to log in, while nobody else does; where another one has just done so, its `session`."""

    @property
    def session(self) -> Session | None:
        """What is to be used, without logging in; the refused one again where logging in would not help."""

    @property
    def renewal(self) -> str | None:
        """What the latest login has given to log in with the next time."""

    async def keep(self, session: Session) -> Session:
        """Share a new session; it is kept before it is used."""

    async def failed(self, trouble: Trouble) -> Session:
        """Take note that there is no new session; gives one that will still do, or raises what is to be told."""


class Sessions(Protocol):
    """The session of one connection, shared by all that use the connection."""

    @property
    def current(self) -> Session | None:
        """The session as it is known here, without asking anyone; None where there is none to be used."""

    def turn(self, refused: Session | None) -> AbstractAsyncContextManager[Turn]:
        """Wait for a session other than the one that was refused, or for the right to log in."""


class BreakerState(Enum):
    """Whether calls to a system go through."""

    CLOSED = "Calls go through."
    HALF_OPEN = "One call at a time is tried."
    OPEN = "Calls are refused without being made."


class CacheOutcome(Enum):
    """What the cache did for a question."""

    HIT = "Everything was there."
    MISS = "The system was asked for what was not there."
    JOINED = "Another request was asking the same, and its answer was used."
    STALE = "The system failed, and an older answer stood in."
    REFRESHED = "The system was asked early, behind an answer from the cache."
    ERROR = "The store of the cache did not do what it was told."


@dataclass(slots=True)
class Call:
    """One call to a system; filled in while it is made.

    `entity` is the kind of record that it is for, or empty, and `about` the method and the collection that were asked,
    without values. `outcome` is `ok`, or the meaning of the failure, such as `timed_out`, and `trouble` the failure
    itself; a time-out that `is_hurried` came after so little time that it says nothing of the system. `status` is that
    of the last HTTP answer, if there was one. `requests` counts logins and repetitions; a call without any has not
    reached the system.
    """

    entity: str = ""
    outcome: str = "ok"
    status: int | None = None
    requests: int = 0
    rows: int = 0
    seconds: float = 0.0
    about: str = field(default="", compare=False)
    trouble: Trouble | None = field(default=None, compare=False)
    is_hurried: bool = field(default=False, compare=False)


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
        """The circuit breaker is in this state; told around each call, changed or not, and it begins closed."""

    def cached(self, entity: str, outcome: CacheOutcome) -> None:
        """A cache was asked before the system was."""

    def closed(self) -> None:
        """The connection is no longer in use; only calls that are still under way follow."""


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
