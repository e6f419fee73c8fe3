"""Stands between the reading of a source and the source itself, and answers from the cache where that is allowed."""

import asyncio
import math
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from connectors.client import Source
from connectors.errors import PermissionDenied
from connectors.ports import Reads
from connectors.protection.limits import Priority
from connectors.protocols.base import Row
from connectors.protocols.shapes import Shape
from connectors.query import Page, Read, Request
from connectors.reading import RecordReader
from connectors.scan import label, read_by_keys
from connectors.spec import System
from connectors.tally import Tally
from resolvers.cache import Answer, Body, ReadCache, Wanted
from resolvers.kept import CannotKeep, digest_of, read_page, read_row, write_page, write_row
from resolvers.ports import CacheEntry, CacheScope, Context, LiveSource
from schema.freshness import Freshness
from schema.records import FieldGapReason, Served, ServedFrom

_NEGATIVE_SECONDS = 30.0
"""How long it is remembered that a system has no record with a key: it may be created at any time."""
_CONTINUES_SECONDS = 10.0
"""How long an answer that was cut may still be continued by the system; later, its rows have moved on."""
_MOST_RESERVED_SECONDS = 0.1
"""How long before the deadline a system is given up, so that there is time for an older answer to stand in."""

Found = TypeVar("Found")


class Torn(Exception):
    """The rest of a kept answer is not there any more; the whole has to be read again."""


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer that was cut: what holds its parts together, when it was begun, and where it came from."""

    name: str
    as_of: float
    served: Served | None


@dataclass(eq=False)
class LiveReads:
    """The source itself, watched: a right that is lost ends what was read with it."""

    source: Source
    cache: ReadCache
    scope: CacheScope

    @property
    def system(self) -> System:
        """The system behind it."""
        return self.source.system

    async def fetch(self, read: Read, tally: Tally, deadline: float) -> Page:
        """Ask one question."""
        return await self._watched(read, self.source.fetch(read, tally, deadline))

    async def follow(self, read: Read, rest: Request, tally: Tally, deadline: float) -> Page:
        """Ask for the rest of a question."""
        return await self._watched(read, self.source.follow(read, rest, tally, deadline))

    async def resume(self, read: Read, query: str, tally: Tally, deadline: float) -> Page:
        """Go on where the source has said how."""
        return await self._watched(read, self.source.resume(read, query, tally, deadline))

    async def shape(self, name: str, tally: Tally, deadline: float, *, is_fresh: bool = False) -> Shape | None:
        """What the system tells of a collection."""
        return await self.source.shape(name, tally, deadline, is_fresh=is_fresh)

    async def count(self, read: Read, tally: Tally, deadline: float) -> int | None:
        """How many rows a question finds."""
        return await self._watched(read, self.source.count(read, tally, deadline))

    async def _watched(self, read: Read, call: Awaitable[Found]) -> Found:
        try:
            return await call
        except PermissionDenied:
            await self.cache.forget(self.scope, read.source)
            raise


@dataclass(eq=False)
class CachedReads:
    """One piece of work's reading of a source: each answer may be as old as `freshness` says, counted from `begun`.

    `begun` is a time of the cache's monotonic clock.
    """

    live: LiveReads
    freshness: Freshness
    begun: float
    _wholes: dict[Request, Whole] = field(default_factory=dict)

    @property
    def system(self) -> System:
        """The system behind it."""
        return self.live.system

    async def fetch(self, read: Read, tally: Tally, deadline: float) -> Page:
        """A page of rows, from the cache or from the system."""
        wanted = self._wanted((read.source,), (digest_of("page", read),), tally, deadline)
        return await self._page(wanted, partial(self.live.fetch, read), secrets.token_hex(8), tally)

    async def follow(self, read: Read, rest: Request, tally: Tally, deadline: float) -> Page:
        """The rest of a page, of the same age as its beginning; raises Torn where it cannot be had any more."""
        whole = self._wholes[rest]

        async def call(tally: Tally, deadline: float) -> Page:
            if self._cache.monotonic() - whole.as_of > _CONTINUES_SECONDS:
                raise Torn
            return await self.live.follow(read, rest, tally, deadline)

        digest = digest_of("rest", read, rest, whole.name)
        oldest = -math.inf if whole.served is not None or self.freshness.max_age else math.inf
        wanted = self._wanted((read.source,), (digest,), tally, deadline, oldest)
        return await self._page(wanted, call, whole.name, tally, whole.served)

    async def resume(self, read: Read, query: str, tally: Tally, deadline: float) -> Page:
        """A later page of a question, from the cache or from the system."""
        wanted = self._wanted((read.source,), (digest_of("resumed", read, query),), tally, deadline)
        return await self._page(wanted, partial(self.live.resume, read, query), secrets.token_hex(8), tally)

    async def shape(self, name: str, tally: Tally, deadline: float, *, is_fresh: bool = False) -> Shape | None:
        """What the system tells of a collection, which it remembers itself."""
        return await self.live.shape(name, tally, self._end_of_calls(deadline), is_fresh=is_fresh)

    async def _page(
        self,
        wanted: Wanted,
        call: Callable[[Tally, float], Awaitable[Page]],
        whole: str,
        tally: Tally,
        of_whole: Served | None = None,
    ) -> Page:
        (digest,) = wanted.digests
        pages: list[Page] = []

        async def ask(tally: Tally, _: Sequence[str], deadline: float) -> Mapping[str, Body]:
            page = await call(tally, deadline)
            pages.append(page)
            try:
                return {digest: Body(write_page(page, whole), self._cache.keep_seconds)}
            except CannotKeep:
                return {}

        answer = await self._cache.answer(wanted, partial(ask, tally))
        if digest in answer.asked:
            page, name, served = pages[0], whole, None
        else:
            entry = answer.entries[digest]
            kept = read_page(entry.content)
            served = of_whole or _served(answer, digest, entry)
            page, name = Page(kept.page.rows, kept.page.next, served), kept.whole
            tally.note(served)
            if page.next is None and not answer.stale and of_whole is None:
                unhurried = Tally(entity=tally.entity, priority=Priority.BACKGROUND)
                self._cache.refresh_early(wanted, entry, partial(ask, unhurried))
        tally.trouble = tally.trouble or answer.trouble
        if page.next is not None:
            as_of = answer.entries[digest].as_of if digest in answer.entries else self._cache.monotonic()
            self._wholes[page.next] = Whole(name, as_of, served)
        return page

    async def by_keys(self, reader: RecordReader, keys: Sequence[str], tally: Tally, deadline: float) -> list[Any]:
        """The records with these keys: the system is asked for those only that are not there."""
        await reader.extras.prepare(self, tally, deadline)
        paths = reader.paths
        digests = {_key_digest(reader, key): key for key in keys}
        areas = (reader.resource.source, *sorted({area for name in reader.beside for area in _areas(reader, name)}))
        records: list[Any] = []

        async def ask(missing: Sequence[str], deadline: float) -> Mapping[str, Body]:
            rows: list[Row] = []
            wanted_keys = [digests[digest] for digest in missing]
            records.extend(await read_by_keys(self.live, reader, wanted_keys, tally, deadline, rows.extend))
            if reader.paths != paths:
                # The source has refused some of it: under this name there would be less than it says.
                return {}
            by_key = {reader.key_of(row): row for row in rows}
            return _row_bodies({digest: by_key.get(digests[digest]) for digest in missing}, reader.failed_beside)

        answer = await self._cache.answer(self._wanted(areas, tuple(digests), tally, deadline), ask)
        tally.trouble, tally.lacks_some = answer.trouble, len(answer.entries.keys() | answer.asked) < len(digests)
        for digest, entry in answer.entries.items():
            if digest not in answer.asked:
                records.extend(self._kept_record(reader, entry, _served(answer, digest, entry), tally))
        return records

    def _kept_record(self, reader: RecordReader, entry: CacheEntry, served: Served, tally: Tally) -> list[Any]:
        kept = read_row(entry.content)
        reader.failed_beside.update(kept.failed)
        tally.note(served)
        records = reader.read([] if kept.row is None else [kept.row])
        label(records, served)
        return records

    @property
    def _cache(self) -> ReadCache:
        return self.live.cache

    def _wanted(
        self,
        areas: tuple[str, ...],
        digests: tuple[str, ...],
        tally: Tally,
        deadline: float,
        oldest: float | None = None,
    ) -> Wanted:
        max_age = self.freshness.max_age
        if oldest is None:
            oldest = self.begun - max_age if max_age else math.inf
        end, accepts_stale = self._end_of_calls(deadline), self.freshness.accepts_stale
        heard = partial(self.live.source.observer.cached, tally.entity)
        return Wanted(self.live.scope, areas, digests, oldest, accepts_stale, end, tally.trouble, heard)

    def _end_of_calls(self, deadline: float) -> float:
        """Until when the system may answer, so that there is time left for an older answer to stand in."""
        if not self.freshness.accepts_stale:
            return deadline
        left = deadline - asyncio.get_running_loop().time()
        return deadline - min(_MOST_RESERVED_SECONDS, max(left, 0) / 10)


def live_reads_of(live: LiveSource, context: Context) -> Source | LiveReads:
    """How a connection is read past the cache, which still learns of a right that is lost."""
    if context.cache is None or live.scope is None:
        return live.source
    return LiveReads(live.source, context.cache, live.scope)


def reads_of(live: LiveSource, freshness: Freshness, context: Context) -> Source | LiveReads | CachedReads:
    """How a connection is read: at its source, or through the cache where an answer may be, or become, an older one."""
    reads = live_reads_of(live, context)
    wish = freshness.otherwise(live.freshness)
    if context.cache is None or isinstance(reads, Source) or not (wish.max_age or wish.accepts_stale):
        return reads
    return CachedReads(reads, wish, context.cache.monotonic())


def at_the_source(reads: Reads) -> Reads:
    """The same without any kept answers."""
    return reads.live if isinstance(reads, CachedReads) else reads


async def read_keys(
    reads: Reads, reader: RecordReader, keys: Sequence[str], tally: Tally, deadline: float
) -> list[Any]:
    """The records with these keys; missing ones are left out."""
    if isinstance(reads, CachedReads):
        return await reads.by_keys(reader, keys, tally, deadline)
    return await read_by_keys(reads, reader, keys, tally, deadline)


def _areas(reader: RecordReader, name: str) -> Iterator[str]:
    """The collections that are read for one that lies beside the rows."""
    beside = reader.resource.beside[name]
    yield beside.source
    if beside.places is not None:
        yield beside.places.source


def _key_digest(reader: RecordReader, key: str) -> str:
    """The name of one row, with the fields that are read of it and what is read beside it."""
    resource = reader.resource
    beside = [
        (name, item.source, item.key, item.order_paths, item.where, item.context, item.places, sorted(paths))
        for name, paths in sorted(reader.beside.items())
        for item in [resource.beside[name]]
    ]
    return digest_of("key", resource.source, sorted(reader.paths), resource.where, beside, key)


def _row_bodies(rows: Mapping[str, Row | None], failed: Mapping[str, FieldGapReason]) -> dict[str, Body]:
    """Rows to keep; that there is none is kept for a short time, and what could not be read in full only shared."""
    lifetime = 0.0 if FieldGapReason.SOURCE_ERROR in failed.values() else math.inf
    bodies = {}
    for digest, row in rows.items():
        with suppress(CannotKeep):
            content = write_row(row, {} if row is None else failed)
            bodies[digest] = Body(content, _NEGATIVE_SECONDS if row is None else lifetime)
    return bodies


def _served(answer: Answer, digest: str, entry: CacheEntry) -> Served:
    source = ServedFrom.STALE if digest in answer.stale else ServedFrom.CACHE
    return Served(source, datetime.fromtimestamp(entry.fetched_at, UTC))
