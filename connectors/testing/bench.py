"""What the contract suite needs to know of a system: how to reach it, what is true in it, and how it fails."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any, Self

import httpx

from connectors.beside import PLACE
from connectors.client import Source
from connectors.protection.guard import Guard
from connectors.protection.limits import Thresholds
from connectors.protection.protections import lone_guard
from connectors.query import Page, Read, Request
from connectors.spec import Resource, System
from connectors.testing.wire import Script, Wire, always, break_off, garble, refuse_connection, stall, stay_silent

CONNECTION = "con_bench"
PATIENCE_SECONDS = 30.0
RETRY_AFTER_SECONDS = 7


class Misfortune(Enum):
    """What can go wrong between a connector and its system."""

    REFUSED_CREDENTIALS = "the password was changed"
    MISSING_RIGHT = "the user may not read this"
    TOO_MANY_CALLS = "too many calls, with a time to come back after"
    FAILURE = "the program failed"
    MAINTENANCE = "the system is down for maintenance"
    TRUNCATED = "the answer ends in the middle"
    WEB_PAGE = "a web page answers, as if all were well"
    UNKNOWN_SHAPE = "good JSON answers, but nothing that this system would say"
    GARBLED = "the answer is not compressed as it says"
    TOO_LONG = "the answer has no end"
    REDIRECT = "the address sends elsewhere, such as to a login page"
    UNKNOWN_ADDRESS = "the address is not known there"
    NOBODY_LISTENS = "the connection is refused"
    BREAKS_OFF = "the connection is closed before an answer"
    SILENCE = "nothing is answered"
    STALLS = "the answer begins and never ends"


@dataclass(frozen=True, slots=True)
class PathFacts:
    """What the system says about one path; text may be never null and yet empty."""

    is_filterable: bool
    is_sortable: bool
    is_never_null: bool
    is_never_empty: bool


@dataclass(frozen=True)
class NumberSample:
    """An answer as the system writes it, with `%s` in the place of one exact number.

    `numbers` are ways of writing a number there, with what they mean; `path` leads from the record to the number,
    through the attributes and list indexes of Python objects.
    """

    entity: type[Any]
    answer: str
    path: tuple[str | int, ...]
    numbers: Mapping[str, str]


@dataclass(eq=False)
class WatchedSource(Source):
    """A source that keeps the questions that it was asked, and counts the rows that came."""

    reads: list[Read] = field(default_factory=list)
    received: int = 0

    async def fetch(self, read: Read, *arguments: Any) -> Page:
        """Keep the question, and count what it brings."""
        self.reads.append(read)
        return self._count(await super().fetch(read, *arguments))

    async def follow(self, read: Read, rest: Request, *arguments: Any) -> Page:
        """Count what the rest of an answer brings."""
        return self._count(await super().follow(read, rest, *arguments))

    def _count(self, page: Page) -> Page:
        self.received += len(page.rows)
        return page


@dataclass(frozen=True)
class Opened:
    """A connection to the system under test, and the line to it."""

    bench: "Bench"
    source: WatchedSource
    wire: Wire

    def deadline(self, seconds: float = PATIENCE_SECONDS) -> float:
        """A time of the event loop."""
        return asyncio.get_running_loop().time() + seconds

    def questions(self) -> list[frozenset[str]]:
        """The fields that each question asked for, oldest first; logins are no questions."""
        found = (self.bench.asked_fields(request) for request in self.wire.asked)
        return [fields for fields in found if fields is not None]


@dataclass(eq=False)
class Bench(ABC):
    """One system under test.

    `rows` is the folder of the rows that are known to be right. `secrets` must appear nowhere. `unseen` names cases
    and codes that no sample shows, and `always_filled` paths that the facts do not call required, each with the
    reason. `can_cut` says that the system may answer a question in pieces.
    """

    system: System
    rows: Path
    secrets: Sequence[str]
    numbers: Sequence[NumberSample]
    unseen: Mapping[str, str] = field(default_factory=dict)
    always_filled: Mapping[str, str] = field(default_factory=dict)
    can_cut: bool = False
    update_rows: bool = False

    @abstractmethod
    def address(self) -> str:
        """The base address of all calls."""

    @abstractmethod
    def login(self) -> httpx.Auth:
        """A login that has not been used yet."""

    @abstractmethod
    def transport(self, cut: int | None) -> httpx.AsyncBaseTransport:
        """The way to the system; with `cut` it answers in pieces of so many rows, if it can."""

    @abstractmethod
    def truth(self, resource: Resource) -> Mapping[str, Mapping[str, Any]]:
        """What is known of every record without the connector: by key, values by unified path."""

    @abstractmethod
    def facts(self, resource: Resource, path: str) -> PathFacts | None:
        """What the contract facts say about a path of the source; None where they do not know it."""

    def facts_at(self, resource: Resource, path: str) -> PathFacts | None:
        """The facts about a path of a resource, or of a collection beside it."""
        if not path.startswith("@"):
            return self.facts(resource, path)
        name, _, rest = path[1:].partition(".")
        beside = resource.beside[name]
        if beside.places is not None and rest.startswith(PLACE):
            return self.facts(replace(resource, source=beside.places.source), rest.removeprefix(PLACE))
        return self.facts(replace(resource, source=beside.source), rest)

    @abstractmethod
    def asked_fields(self, request: httpx.Request) -> frozenset[str] | None:
        """The source's fields that a question asks for, as dotted paths; None where it asks for no rows."""

    @abstractmethod
    def cause(self, misfortune: Misfortune, opened: Opened) -> AbstractContextManager[None]:
        """Let one of the system's own misfortunes, the first five, last for a block."""

    def end_sessions(self) -> bool:
        """End what logins have opened, as if it had expired; False where logins open nothing."""
        return False

    def is_value(self, found: Mapping[str, Any]) -> bool:
        """Whether a JSON object in a row is one value, such as a marked date, and no row of its own."""
        return False

    @asynccontextmanager
    async def open(self, *, cut: int | None = None) -> AsyncIterator[Opened]:
        """Connect to the system."""
        wire = Wire(self.transport(cut))
        async with httpx.AsyncClient(transport=wire, base_url=self.address()) as client:
            source = WatchedSource(CONNECTION, self.system, client, self.login(), guard=_fresh_guard())
            yield Opened(self, source, wire)

    @contextmanager
    def suffer(self, misfortune: Misfortune, opened: Opened) -> Iterator[None]:
        """Let any misfortune last for a block, and be forgotten; what the network does is alike for all systems."""
        common = _COMMON.get(misfortune)
        with self.cause(misfortune, opened) if common is None else opened.wire.scripted(common):
            yield
        opened.source.guard = _fresh_guard()

    def with_system(self, system: System) -> Self:
        """The same bench for another description of the system."""
        changed = object.__new__(type(self))
        changed.__dict__.update(self.__dict__, system=system)
        return changed


def _fresh_guard() -> Guard:
    """A guard without memories; nothing is repeated, so that each misfortune shows as it is."""
    return lone_guard(Thresholds(retries=0))


_JSON = {"content-type": "application/json"}
_COMMON: dict[Misfortune, Script] = {
    Misfortune.TRUNCATED: always(200, b'{"d":{"results":[{"id":1,"name":"pum', _JSON),
    Misfortune.WEB_PAGE: always(200, b"<html><title>Sign in</title></html>", {"content-type": "text/html"}),
    Misfortune.UNKNOWN_SHAPE: always(200, b'["all", "is", "well"]', _JSON),
    Misfortune.GARBLED: garble,
    Misfortune.REDIRECT: always(302, b"", {"location": "https://login.example.com/?back=here"}),
    Misfortune.UNKNOWN_ADDRESS: always(
        404, b"<html><title>404 Not Found</title></html>", {"content-type": "text/html"}
    ),
    Misfortune.TOO_LONG: always(200, b" " * 4_096 + b"{}", _JSON),
    Misfortune.NOBODY_LISTENS: refuse_connection,
    Misfortune.BREAKS_OFF: break_off,
    Misfortune.SILENCE: stay_silent,
    Misfortune.STALLS: stall,
}
