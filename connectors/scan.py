"""Reads one source page by page until enough rows have passed, keeping its place exactly."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any

from connectors.beside import fill_beside
from connectors.client import Source, Tally
from connectors.errors import BadAnswer, WrongSystem
from connectors.extras import REFUSALS
from connectors.plan import NarrowResource, Phase, Position, ReadPlan, plan_read
from connectors.protocols.base import Row
from connectors.protocols.walking import Walk
from connectors.query import Compare, Comparison, Page, Read, Request, Where
from connectors.reading import RecordReader, RowReader
from schema.filters import Condition, Operator
from schema.matching import attribute_path, compile_test
from schema.ordering import sort_key

Ask = Callable[[frozenset[str]], Read]
"""Makes a question of the paths that are to be sent."""

_GROUP_SLACK = 16
"""Rows read beyond a page where the last rows may look alike, so that their group is mostly whole at once."""


class SortTooLarge(Exception):
    """More rows than may be read would have to be sorted here."""


@dataclass
class Batch:
    """Rows of one source in the order asked for, each with its place.

    `resume` is where to go on when all of them are used; `has_more` says that the source has further rows, and
    `is_limited` that the scan stopped at its bound before it had enough.
    """

    records: list[Any] = field(default_factory=list)
    places: list[Position] = field(default_factory=list)
    resume: Position | None = None
    has_more: bool = False
    is_limited: bool = False


@dataclass
class Trail:
    """Where a scan has been; a source that repeats rows, or sorts otherwise than asked, would make its pages lie."""

    descending: bool
    keys: set[str] = field(default_factory=set)
    last: tuple[Any, ...] | None = None

    def go(self, place: Position) -> None:
        """Go on to a place; BadAnswer where the scan has been there, or should have been before."""
        step = sort_key(place.value, descending=self.descending)
        if place.key in self.keys or (self.last is not None and step < self.last):
            raise BadAnswer("The system's rows come twice, or in another order than was asked for.")
        self.keys.add(place.key)
        self.last = step


@dataclass(eq=False)
class Scan:
    """The reading of one source for one page of one query."""

    source: Source
    plan: ReadPlan
    reader: RowReader
    tally: Tally
    deadline: float
    max_rows: int

    async def run(self, after: Position | None, count: int) -> Batch:
        """Up to `count` rows that come after a place; raises the source's trouble."""
        if self.plan.finds_nothing:
            return Batch()
        if self.plan.sorts_here:
            return await self._sort_here(after, count)
        batch = Batch(resume=after)
        passes = compile_test(self.plan.left, self.reader.value_of)
        scanned = 0
        for phase in self.plan.phases:
            if after is not None and after.phase is Phase.NULLS and phase is Phase.VALUES:
                continue
            start = after if after is not None and after.phase is phase else None
            trail = self._trail(start)
            async for records, is_last in self._pages(phase, start, count):
                scanned += len(records)
                for record in records:
                    place = self._place(phase, record)
                    trail.go(place)
                    if len(batch.records) == count:
                        batch.has_more = True
                        return batch
                    batch.resume = place
                    if passes(record):
                        batch.records.append(record)
                        batch.places.append(place)
                if is_last:
                    break
                if len(batch.records) == count or scanned >= self.max_rows:
                    batch.has_more = True
                    batch.is_limited = len(batch.records) < count
                    return batch
        return batch

    def _trail(self, after: Position | None) -> Trail:
        trail = Trail(self.plan.order is not None and self.plan.order.descending)
        if after is not None:
            trail.go(after)
        return trail

    def _place(self, phase: Phase, record: Any) -> Position:
        value = self._sort_value(record) if phase is Phase.VALUES else None
        return Position(phase, value, record.origin.key)

    def _sort_value(self, record: Any) -> Any:
        return attribute_path(self.plan.order.path)(record) if self.plan.order else None

    async def _pages(self, phase: Phase, after: Position | None, count: int) -> Any:
        """Pages of records of one phase, each with whether it is the last; groups that look alike come whole."""
        has_spans = phase is Phase.VALUES and self.plan.sorter is not None and self.plan.sorter.resolution is not None
        limit = count + 1 + (_GROUP_SLACK if has_spans else 0) if self.plan.is_exact else self.plan.resource.page_size
        limit = min(limit, self.plan.resource.page_size)
        while True:
            ask = partial(self.plan.read, phase, after, limit=limit)
            records, is_last = await self._read_whole(ask, limit)
            if has_spans:
                records, has_progress = self._whole_groups(records, is_last)
                if not has_progress:
                    limit *= 2
                    continue
            yield records, is_last
            if is_last:
                return
            after = self._place(phase, records[-1])

    async def _read_whole(self, ask: Ask, limit: int) -> tuple[list[Any], bool]:
        """All rows of one question, although the source may cut its answer; and whether there are no more."""
        read, page = await fetch(self.source, self.reader, ask, self.tally, self.deadline)
        rows = list(page.rows)
        rest: Request | None = page.next
        while rest is not None and len(rows) < limit:
            page = await self.source.follow(read, rest, self.tally, self.deadline)
            rows.extend(page.rows)
            rest = page.next
        return await self._read(rows), rest is None and len(rows) < limit

    async def _read(self, rows: list[Row]) -> list[Any]:
        """Make records of rows, once what belongs beside them is there."""
        if isinstance(self.reader, RecordReader):
            await fill_beside(self.source, self.reader, rows, self.tally, self.deadline)
        return self.reader.read(rows)

    def _whole_groups(self, records: list[Any], is_last: bool) -> tuple[list[Any], bool]:
        """Hold back the last group unless it is whole, and put each group in the order of its keys."""
        groups = [list(group) for _, group in groupby(records, key=self._sort_value)]
        whole = groups if is_last else groups[:-1]
        ordered = [record for group in whole for record in sorted(group, key=self._key_order)]
        return ordered, is_last or bool(ordered)

    def _key_order(self, record: Any) -> Any:
        return self.plan.resource.key_form.order(record.origin.key)

    async def _sort_here(self, after: Position | None, count: int) -> Batch:
        """Read everything that passes, sort it, and go on after a place."""
        unsorted = await self._read_all()
        order = self.plan.order
        is_descending = order is not None and order.descending

        def place_key(value: Any, key: str) -> tuple[Any, ...]:
            return (*sort_key(value, descending=is_descending), self.plan.resource.key_form.order(key))

        keyed = sorted(
            ((place_key(self._sort_value(record), record.origin.key), record) for record in unsorted),
            key=lambda pair: pair[0],
        )
        if after is not None:
            behind = place_key(after.value, after.key)
            keyed = [pair for pair in keyed if pair[0] > behind]
        chosen = [record for _, record in keyed[:count]]
        places = [self._place_of_value(record) for record in chosen]
        return Batch(chosen, places, places[-1] if places else after, has_more=len(keyed) > count)

    def _place_of_value(self, record: Any) -> Position:
        value = self._sort_value(record)
        return Position(Phase.NULLS if value is None else Phase.VALUES, value, record.origin.key)

    async def _read_all(self) -> Sequence[Any]:
        passes = compile_test(self.plan.left, self.reader.value_of)
        if self.plan.walk is not Walk.KEYS:
            return [record async for records in self._walk() for record in records if passes(record)]
        size = self.plan.resource.page_size
        found: list[Any] = []
        scanned = 0
        after: Position | None = None
        trail = self._trail(None)
        while True:
            records, is_last = await self._read_whole(partial(self.plan.read, Phase.NULLS, after, limit=size), size)
            for record in records:
                trail.go(Position(Phase.NULLS, None, record.origin.key))
            scanned += len(records)
            found.extend(record for record in records if passes(record))
            if is_last:
                return found
            if scanned >= self.max_rows:
                raise SortTooLarge
            after = Position(Phase.NULLS, None, records[-1].origin.key)

    async def _walk(self) -> AsyncIterator[list[Any]]:
        """All rows from the beginning on; a row that comes again, because others moved meanwhile, is left out."""
        size = self.plan.resource.page_size
        ask = partial(self.plan.read_on, limit=size)
        read, page = await fetch(self.source, self.reader, partial(ask, 0), self.tally, self.deadline)
        known: set[str] = set()
        scanned = 0
        while True:
            records = {record.origin.key: record for record in await self._read(page.rows)}
            if len(records) < len(page.rows) or (records and records.keys() <= known):
                raise BadAnswer("The system's rows come twice: one key stands for two, or a page is another one again.")
            yield [record for key, record in records.items() if key not in known]
            known.update(records)
            scanned += len(records)
            is_short = self.plan.walk is Walk.LINKS or len(records) < size
            if page.next is None and is_short:
                return
            if scanned >= self.max_rows:
                raise SortTooLarge
            if page.next is not None:
                page = await self.source.follow(read, page.next, self.tally, self.deadline)
            else:
                read, page = await fetch(self.source, self.reader, partial(ask, scanned), self.tally, self.deadline)


def _read_one(collection: str, where: Where, paths: frozenset[str]) -> Read:
    return Read(collection, paths, where)


async def fetch(source: Source, reader: RowReader, ask: Ask, tally: Tally, deadline: float) -> tuple[Read, Page]:
    """The first page of a question and the question itself, for as many of the extras as the source lets us ask."""
    await reader.extras.prepare(source, tally, deadline)
    while True:
        read = ask(reader.paths)
        try:
            return read, await source.fetch(read, tally, deadline)
        except REFUSALS as trouble:
            if not await reader.extras.narrow(trouble, source, tally, deadline):
                raise


async def read_row(source: Source, reader: RowReader, where: Where, tally: Tally, deadline: float) -> list[Any]:
    """What is made of the rows that meet a condition, of which there should be one."""
    _, page = await fetch(source, reader, partial(_read_one, reader.resource.source, where), tally, deadline)
    return reader.read(page.rows)


async def read_by_keys(
    source: Source, reader: RecordReader, keys: Sequence[str], tally: Tally, deadline: float
) -> list[Any]:
    """The records with these keys, in as few requests as the source takes; missing ones are left out."""
    resource = reader.resource
    if isinstance(resource, NarrowResource) and resource.has_own_paths:
        return await _read_one_by_one(source, reader, keys, tally, deadline)
    found: list[Any] = []
    for start in range(0, len(keys), resource.max_keys):
        chunk = tuple(keys[start : start + resource.max_keys])
        plan = plan_read(resource, Condition("remoteId", Operator.IN, chunk), None)
        scan = Scan(source, plan, reader, tally, deadline, max_rows=len(chunk))
        records = (await scan.run(None, len(chunk))).records
        if any(record.origin.key not in chunk for record in records):
            raise BadAnswer("The system answers with other records than were asked for by key.")
        found.extend(records)
    return found


async def _read_one_by_one(
    source: Source, reader: RecordReader, keys: Sequence[str], tally: Tally, deadline: float
) -> list[Any]:
    """The records at the paths of their keys; a path that is not known is that of a missing record."""
    resource = reader.resource
    found: list[Any] = []
    for key in dict.fromkeys(keys):
        value = resource.key_form.read(key)
        if value is None:
            continue
        where = Compare(resource.key, Comparison.EQ, value, resource.key_form.kind)
        try:
            _, page = await fetch(source, reader, partial(_read_one, resource.source, where), tally, deadline)
        except WrongSystem as trouble:
            if trouble.upstream is None or trouble.upstream.status != 404:
                raise
            continue
        await fill_beside(source, reader, page.rows, tally, deadline)
        found.extend(record for record in reader.read(page.rows) if record.origin.key == key)
    return found
