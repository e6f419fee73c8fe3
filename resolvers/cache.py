"""The read cache: finds, asks, shares and keeps answers, and leaves to others what an answer is."""

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors.errors import (
    BadAnswer,
    CircuitOpen,
    RateLimited,
    Reauthorize,
    RefreshFailed,
    TimedOut,
    Trouble,
    Unavailable,
)
from connectors.ports import CacheOutcome
from resolvers.flights import Flights, Land
from resolvers.kept import digest_of
from resolvers.ports import CacheEntry, CacheScope, CacheStore

_LOGGER = logging.getLogger(__name__)
STANDS_IN = (TimedOut, Unavailable, CircuitOpen, RateLimited, Reauthorize, RefreshFailed, BadAnswer)
"""The troubles that an older answer may stand in for; a right that was lost is none of them."""
_LOCK_SECONDS = 5.0
"""How long a question is another process's alone."""
_POLL_SECONDS = 0.02
_MAX_POLL_SECONDS = 0.2
_REFRESHES_AT_ONCE = 16


Observer = Callable[[CacheOutcome], None]


@dataclass(frozen=True, slots=True)
class Body:
    """An answer to keep; one with a lifetime of 0 seconds is shared with those who wait for it, and not kept."""

    content: bytes = field(repr=False)
    lifetime: float


Ask = Callable[[Sequence[str], float], Awaitable[Mapping[str, Body]]]
"""Asks the system for what is named by digests, until a deadline; what cannot be kept is left out of the answer."""


@dataclass(frozen=True)
class Wanted:
    """What is looked for: entries of a scope, made of these areas.

    `oldest` is a time of the monotonic clock: entries as of then or later will do, and infinity stands for none.
    `trouble` is one that the system has already had, so that it is not asked where an older answer can stand in.
    `observe` is told what became of it.
    """

    scope: CacheScope
    areas: tuple[str, ...]
    digests: tuple[str, ...]
    oldest: float
    accepts_stale: bool
    deadline: float
    trouble: Trouble | None = None
    observe: Observer = lambda outcome: None

    @property
    def may_be_shared(self) -> bool:
        """Whether an answer to another request will do; those who read live never join one, nor are they joined."""
        return self.oldest < math.inf and self.trouble is None

    @property
    def question(self) -> str:
        """The name of all of it together."""
        return self.digests[0] if len(self.digests) == 1 else digest_of(self.digests)

    def will_do(self, entry: CacheEntry) -> bool:
        """Whether an entry is young enough."""
        return entry.as_of >= self.oldest


@dataclass(frozen=True)
class Landed:
    """What a question has brought: entries, those that are too old but might stand in, and what went wrong."""

    entries: Mapping[str, CacheEntry]
    older: Mapping[str, CacheEntry]
    asked: frozenset[str]
    trouble: Trouble | None = None


@dataclass(frozen=True)
class Look:
    """What the store has of a question: what will do, what is too old, and what it lacks."""

    stamp: str | None
    found: Mapping[str, CacheEntry]
    older: Mapping[str, CacheEntry]
    missing: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing has to be asked."""
        return not self.missing

    @property
    def has_all_older(self) -> bool:
        """Whether older answers could stand in for everything."""
        return all(digest in self.older for digest in self.missing)

    def landed(self, trouble: Trouble | None = None) -> Landed:
        """This as the answer, without anything asked."""
        return Landed(self.found, self.older, frozenset(), trouble)


@dataclass(frozen=True)
class Answer:
    """The answer to one caller.

    `asked` are the entries that this caller's own call has brought, `stale` those that stand in because of `trouble`.
    """

    entries: Mapping[str, CacheEntry]
    asked: frozenset[str] = frozenset()
    stale: frozenset[str] = frozenset()
    trouble: Trouble | None = None


@dataclass(eq=False)
class ReadCache:
    """The cache of one process over a store that others may share.

    Entries longer than `max_entry_bytes` are not kept. `keep_seconds` is how long an answer can stand in for a system
    that fails, and so how long it is kept at most.
    """

    store: CacheStore
    max_entry_bytes: int = 1_000_000
    keep_seconds: float = 86_400
    observe: Observer = lambda outcome: None
    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    flights: Flights[Landed] = field(default_factory=Flights, repr=False)
    _refreshing: dict[tuple[CacheScope, str], asyncio.Task[None]] = field(default_factory=dict, repr=False)

    async def answer(self, wanted: Wanted, ask: Ask) -> Answer:
        """Find what is wanted, or ask for it; raises the trouble that nothing can stand in for."""
        if not wanted.may_be_shared:
            return self._answer(wanted, await self._look_or_ask(wanted, ask, lambda landed: None), True)
        try:
            landed, is_own = await self.flights.share(
                (wanted.scope, wanted.question),
                lambda land: self._look_or_ask(wanted, ask, land),
                lambda landed: _is_use_to(wanted, landed),
                wanted.deadline,
            )
        except TimedOut as trouble:
            landed, is_own = (await self._look(wanted)).landed(trouble), True
        return self._answer(wanted, landed, is_own)

    def _answer(self, wanted: Wanted, landed: Landed, is_own: bool) -> Answer:
        entries = {digest: entry for digest, entry in landed.entries.items() if is_own or wanted.will_do(entry)}
        if landed.trouble is None:
            asked = landed.asked if is_own else frozenset()
            self._tell(wanted, CacheOutcome.MISS if asked else CacheOutcome.HIT if is_own else CacheOutcome.JOINED)
            return Answer(entries, asked)
        stands_in = wanted.accepts_stale and isinstance(landed.trouble, STANDS_IN)
        stale = {digest: entry for digest, entry in landed.older.items() if digest not in entries} if stands_in else {}
        if not entries and not stale:
            raise landed.trouble.with_traceback(None)
        self._tell(wanted, CacheOutcome.STALE if stale else CacheOutcome.MISS)
        return Answer({**stale, **entries}, stale=frozenset(stale), trouble=landed.trouble)

    def _tell(self, wanted: Wanted, outcome: CacheOutcome) -> None:
        self.observe(outcome)
        wanted.observe(outcome)

    async def _look_or_ask(self, wanted: Wanted, ask: Ask, land: Land[Landed]) -> Landed:
        look, token = await self._look(wanted), None
        if look.is_whole:
            return look.landed()
        if wanted.trouble is not None and look.has_all_older:
            return look.landed(wanted.trouble)
        try:
            if wanted.may_be_shared and look.stamp is not None:
                token, look = await self._alone(wanted, look)
                if look.is_whole:
                    return look.landed()
            landed = await self._ask(wanted, ask, look)
            land(landed)
            if look.stamp is not None and landed.trouble is None:
                await self._keep(wanted, landed, look.stamp)
            return landed
        finally:
            if token is not None:
                await self.store.unlock(wanted.scope, wanted.question, token)

    async def _look(self, wanted: Wanted) -> Look:
        recalled = await self.store.get(wanted.scope, wanted.areas, wanted.digests)
        found = {digest: entry for digest, entry in recalled.entries.items() if wanted.will_do(entry)}
        older = {digest: entry for digest, entry in recalled.entries.items() if digest not in found}
        missing = tuple(digest for digest in wanted.digests if digest not in found)
        return Look(recalled.stamp, found, older, missing)

    async def _alone(self, wanted: Wanted, look: Look) -> tuple[str | None, Look]:
        """A lock on the question, and what is there once we have it, since others may just have been asking the same.

        While another process asks, its answer is waited for; where that takes too long there is no lock.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + min(_LOCK_SECONDS, (wanted.deadline - loop.time()) / 2)
        step = _POLL_SECONDS
        while (token := await self.store.lock(wanted.scope, wanted.question, _LOCK_SECONDS)) is None:
            if loop.time() >= until or look.is_whole:
                return None, look
            await self.pause(step)
            step = min(step * 1.5, _MAX_POLL_SECONDS)
            look = await self._look(wanted)
        return token, await self._look(wanted)

    async def _ask(self, wanted: Wanted, ask: Ask, look: Look) -> Landed:
        """Ask the system for what is missing; what it answers is as old as the beginning of the call."""
        wall, began = self.wall(), self.monotonic()
        try:
            bodies = await ask(look.missing, wanted.deadline)
        except Trouble as trouble:
            return look.landed(trouble)
        cost = self.monotonic() - began
        entries = {
            digest: CacheEntry(body.content, wall, began, cost, min(body.lifetime, self.keep_seconds))
            for digest, body in bodies.items()
        }
        return Landed({**look.found, **entries}, look.older, frozenset(look.missing))

    async def _keep(self, wanted: Wanted, landed: Landed, stamp: str) -> None:
        entries = {
            digest: entry
            for digest, entry in landed.entries.items()
            if digest in landed.asked and entry.lifetime > 0 and len(entry.content) <= self.max_entry_bytes
        }
        if entries:
            await self.store.put(wanted.scope, wanted.areas, entries, stamp)

    async def forget(self, scope: CacheScope, area: str | None = None) -> None:
        """Make what is kept of a connection, or of one of its collections, unreachable; after a write, for example."""
        await self.store.forget(scope, area)

    def refresh_early(self, wanted: Wanted, entry: CacheEntry, ask: Ask) -> None:
        """Now and then ask again behind an entry that will soon be too old, so that nobody has to wait for it.

        The nearer its end and the dearer it was, the likelier (XFetch): with many readers one of them does so in time.
        """
        max_age = self.monotonic() - wanted.oldest
        age = self.monotonic() - entry.as_of
        if age - entry.cost * math.log(1 - self.chance()) < max_age:
            return
        key = (wanted.scope, wanted.question)
        if key not in self._refreshing and len(self._refreshing) < _REFRESHES_AT_ONCE:
            task = asyncio.create_task(self._refresh(wanted, ask))
            self._refreshing[key] = task
            task.add_done_callback(lambda _: self._refreshing.pop(key))

    async def _refresh(self, wanted: Wanted, ask: Ask) -> None:
        look = await self._look(wanted)
        token = await self.store.lock(wanted.scope, wanted.question, _LOCK_SECONDS)
        if token is None or look.stamp is None:
            return
        try:
            landed = await self._ask(wanted, ask, replace(look, missing=wanted.digests))
            if landed.trouble is None:
                self._tell(wanted, CacheOutcome.REFRESHED)
                await self._keep(wanted, landed, look.stamp)
        except Exception:
            _LOGGER.warning("an early refresh failed", exc_info=True)
        finally:
            await self.store.unlock(wanted.scope, wanted.question, token)

    async def close(self) -> None:
        """End what is under way behind requests, and close the store."""
        tasks = list(self._refreshing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.store.close()


def _is_use_to(wanted: Wanted, landed: Landed) -> bool:
    """Whether another request's answer will do for this one.

    Its trouble will, since the system has had it just now; but that its time was up says nothing of ours.
    """
    if landed.trouble is not None:
        return not isinstance(landed.trouble, TimedOut)
    return all(digest in landed.entries and wanted.will_do(landed.entries[digest]) for digest in wanted.digests)
