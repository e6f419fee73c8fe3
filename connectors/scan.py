"""Reads one source page by page until enough rows have passed, keeping its place exactly."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import Any, cast

from connectors.beside import fill_beside
from connectors.errors import BadAnswer, WrongSystem
from connectors.extras import REFUSALS
from connectors.plan import (
    Continuation,
    KeyPosition,
    Phase,
    Position,
    ReadPlan,
    RowNumber,
    has_own_paths,
    own_read,
    plan_keys,
)
from connectors.ports import Reads
from connectors.protocols.base import Row
from connectors.protocols.walking import Walk
from connectors.query import Page, Read, Request
from connectors.reading import RecordReader, RowReader
from connectors.tally import Tally
from schema.matching import attribute_path, compile_test
from schema.ordering import order_key
from schema.records import Served, weaker

Placed = list[tuple[Position, Any]]
"""Records, each with its place."""
OnRows = Callable[[Sequence[Row]], None]

_GROUP_GROWTH = 8
"""How many times as many rows are read next where all rows of an answer look alike."""

_MOST_ALIKE = 10_000
"""Rows that look alike can only be put in order together; more of them are not read."""


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

    directions: tuple[bool, ...]
    keys: set[str] = field(default_factory=set)
    last: tuple[Any, ...] | None = None

    def go(self, place: KeyPosition) -> None:
        """Go on to a place; BadAnswer where the scan has been there, or should have been before."""
        step = order_key(place.values, self.directions)
        if place.key in self.keys or (self.last is not None and step < self.last):
            raise BadAnswer("The system's rows come twice, or in another order than was asked for.")
        self.keys.add(place.key)
        self.last = step


@dataclass(eq=False)
class Scan:
    """The reading of one source for one page of one query; `on_rows` is shown all rows, once they are whole."""

    source: Reads
    plan: ReadPlan
    reader: RowReader
    tally: Tally
    deadline: float
    max_rows: int
    on_rows: OnRows | None = None

    async def run(self, after: Position | None, count: int) -> Batch:
        """Up to `count` rows that come after a place; raises the source's trouble."""
        if self.plan.finds_nothing:
            return Batch()
        if self.plan.sorts_here:
            return await self._sort_here(cast(KeyPosition | None, after), count)
        batch = Batch(resume=after)
        passes = compile_test(self.plan.left, self.reader.value_of)
        scanned = 0
        async for rows, is_last in self._from(after, count):
            scanned += len(rows)
            for place, record in rows:
                is_found = passes(record)
                if is_found and len(batch.records) == count:
                    batch.has_more = True
                    return batch
                batch.resume = place
                if is_found:
                    batch.records.append(record)
                    batch.places.append(place)
            if not is_last and (len(batch.records) == count or scanned >= self.max_rows):
                batch.has_more = True
                batch.is_limited = len(batch.records) < count
                return batch
        return batch

    def _from(self, after: Position | None, count: int) -> AsyncIterator[tuple[Placed, bool]]:
        """Rows with their places, from a place on, an answer at a time, and whether it is the last of its part."""
        if self.plan.walk is Walk.KEYS:
            return self._by_keys(cast(KeyPosition | None, after), count)
        return self._walk(after)

    async def _by_keys(self, after: KeyPosition | None, count: int) -> AsyncIterator[tuple[Placed, bool]]:
        for phase, start in self.plan.parts(after):
            trail = self._trail(start)
            async for records, is_last in self._pages(phase, start, count):
                places = [self._place(phase, record) for record in records]
                for place in places:
                    trail.go(place)
                yield list(zip(places, records, strict=True)), is_last

    def _trail(self, after: KeyPosition | None) -> Trail:
        trail = Trail(self._directions)
        if after is not None:
            trail.go(after)
        return trail

    def _place(self, phase: Phase, record: Any) -> KeyPosition:
        """The place of a row; BadAnswer where the source has sorted it by a value that cannot be read."""
        values = self._sort_values(record)
        if any(values[sorter.index] is None for sorter in self.plan.sorters_in(phase)):
            raise BadAnswer(f"The row {record.origin.key} is sorted by a value that cannot be read.")
        return KeyPosition(phase, values, record.origin.key)

    @cached_property
    def _directions(self) -> tuple[bool, ...]:
        return tuple(step.descending for step in self.plan.order)

    @cached_property
    def _sort_values(self) -> Callable[[Any], tuple[Any, ...]]:
        """How the values of the order's steps are read from a record; what the source does not fill is None."""
        readers = [attribute_path(step.path) for step in self.plan.order]
        return lambda record: tuple([read(record) for read in readers])

    async def _pages(self, phase: Phase, after: KeyPosition | None, count: int) -> Any:
        """Pages of records of one phase, each with whether it is the last; groups that look alike come whole."""
        has_spans = self.plan.shows_spans(phase)
        limit = self.plan.limit(phase, count)
        while True:
            read = self.plan.read(phase, after, self.reader.paths, limit)
            records, is_last = await self._read_whole(read, limit)
            if has_spans:
                records, has_progress = self._whole_groups(records, is_last)
                if not has_progress:
                    if limit >= _MOST_ALIKE:
                        raise SortTooLarge
                    limit *= _GROUP_GROWTH
                    continue
            yield records, is_last
            if is_last:
                return
            after = self._place(phase, records[-1])

    async def _read_whole(self, read: Read, limit: int) -> tuple[list[Any], bool]:
        """All rows of one question, although the source may cut its answer; and whether there are no more."""
        read, page = await fetch(self.source, self.reader, read, self.tally, self.deadline)
        self.tally.count(page)
        rows = list(page.rows)
        served = page.served
        rest: Request | None = page.next
        while rest is not None and len(rows) < limit:
            page = await self.source.follow(read, rest, self.tally, self.deadline)
            self.tally.count(page)
            rows.extend(page.rows)
            served = weaker(served, page.served)
            rest = page.next
        return await self._read(rows, served), rest is None and len(rows) < limit

    async def _read(self, rows: list[Row], served: Served | None) -> list[Any]:
        """Make records of rows, once what belongs beside them is there."""
        beside: Served | None = None
        if isinstance(self.reader, RecordReader):
            beside = await fill_beside(self.source, self.reader, rows, self.tally, self.deadline)
        if self.on_rows is not None:
            self.on_rows(rows)
        records = self.reader.read(rows)
        label(records, weaker(served, beside))
        return records

    def _whole_groups(self, records: list[Any], is_last: bool) -> tuple[list[Any], bool]:
        """Hold back the last group unless it is whole, and put each group in the order of its keys."""
        groups = [list(group) for _, group in groupby(records, key=self._sort_values)]
        whole = groups if is_last else groups[:-1]
        ordered = [record for group in whole for record in sorted(group, key=self._key_order)]
        return ordered, is_last or bool(ordered)

    def _key_order(self, record: Any) -> Any:
        return self.plan.resource.key_form.order(record.origin.key)

    async def _sort_here(self, after: KeyPosition | None, count: int) -> Batch:
        """Read everything that passes, sort it, and go on after a place."""
        unsorted = await self._read_all()

        def place_key(values: tuple[Any, ...], key: str) -> tuple[Any, ...]:
            return (order_key(values, self._directions), self.plan.resource.key_form.order(key))

        keyed = sorted(
            ((place_key(self._sort_values(record), record.origin.key), record) for record in unsorted),
            key=lambda pair: pair[0],
        )
        if after is not None:
            behind = place_key(after.values, after.key)
            keyed = [pair for pair in keyed if pair[0] > behind]
        chosen = [record for _, record in keyed[:count]]
        places: list[Position] = [self._place_of_value(record) for record in chosen]
        return Batch(chosen, places, places[-1] if places else after, has_more=len(keyed) > count)

    def _place_of_value(self, record: Any) -> KeyPosition:
        values = self._sort_values(record)
        return KeyPosition(Phase.NULLS if values[:1] == (None,) else Phase.VALUES, values, record.origin.key)

    async def _read_all(self) -> Sequence[Any]:
        passes = compile_test(self.plan.left, self.reader.value_of)
        found: list[Any] = []
        scanned = 0
        async for records, is_last in self._everything():
            scanned += len(records)
            found.extend(record for record in records if passes(record))
            if not is_last and scanned >= self.max_rows:
                raise SortTooLarge
        return found

    async def _everything(self) -> AsyncIterator[tuple[list[Any], bool]]:
        """All rows from the beginning on, in the order that is cheapest."""
        if self.plan.walk is not Walk.KEYS:
            async for rows, is_last in self._walk(None):
                yield [record for _, record in rows], is_last
            return
        size = self.plan.resource.page_size
        after: KeyPosition | None = None
        trail = Trail(())
        while True:
            records, is_last = await self._read_whole(self.plan.read(Phase.NULLS, after, self.reader.paths, size), size)
            for record in records:
                trail.go(KeyPosition(Phase.NULLS, (), record.origin.key))
            yield records, is_last
            if is_last:
                return
            after = KeyPosition(Phase.NULLS, (), records[-1].origin.key)

    async def _walk(self, after: Position | None) -> AsyncIterator[tuple[Placed, bool]]:
        """Rows in the source's own order; one that comes again, because others moved meanwhile, is left out."""
        size = self.plan.resource.page_size
        begin = self.plan.start(after)
        start, query, skipped = begin.rows, begin.query, begin.skipped
        known: set[str] = set()
        while True:
            page = await self._answer(start, query)
            self.tally.count(page)
            records = await self._read(page.rows, page.served)
            keys = [record.origin.key for record in records]
            if len(set(keys)) < len(keys) or (keys and known.issuperset(keys)):
                raise BadAnswer("The system's rows come twice: one key stands for two, or a page is another one again.")
            if start and isinstance(after, RowNumber) and skipped == 0 and keys[:1] == [after.first]:
                raise BadAnswer("The system's rows come twice: asked for later rows, it begins again.")
            places = [self._walked(start, query, number, keys[0]) for number in range(1, len(records) + 1)]
            rows = [pair for pair in zip(places, records, strict=True) if pair[1].origin.key not in known][skipped:]
            is_last = page.next is None and (self.plan.walk is not Walk.ROWS or len(records) < size)
            yield rows, is_last
            if is_last:
                return
            known.update(keys)
            start, skipped = start + len(records), 0
            query = page.next.query if page.next is not None else None

    async def _answer(self, start: int, query: str | None) -> Page:
        """The answer for the rows after so many, or to a query that the source has given."""
        size = self.plan.resource.page_size
        if query is None:
            read = self.plan.read_on(start, self.reader.paths, size)
            return (await fetch(self.source, self.reader, read, self.tally, self.deadline))[1]
        await self.reader.extras.prepare(self.source, self.tally, self.deadline)
        return await self.source.resume(self.plan.read_on(0, self.reader.paths, size), query, self.tally, self.deadline)

    def _walked(self, start: int, query: str | None, number: int, first: str) -> Position:
        """The place of a row of an answer."""
        return RowNumber(start + number, first) if self.plan.walk is Walk.ROWS else Continuation(query, number)


def label(records: Sequence[Any], served: Served | None) -> None:
    """Note in records where their rows came from."""
    for record in records:
        record.origin.served = served


async def fetch(source: Reads, reader: RowReader, read: Read, tally: Tally, deadline: float) -> tuple[Read, Page]:
    """The first answer to a question and the question itself, with as many extras as the source lets us ask for."""
    await reader.extras.prepare(source, tally, deadline)
    while True:
        read = replace(read, paths=reader.paths)
        try:
            return read, await source.fetch(read, tally, deadline)
        except REFUSALS as trouble:
            # Another question of the same reader may have found out meanwhile what is refused.
            is_told = reader.paths != read.paths
            if not is_told and not await reader.narrow(trouble, source, tally, deadline):
                raise


async def read_row(source: Reads, reader: RowReader, read: Read, tally: Tally, deadline: float) -> list[Any]:
    """What is made of the rows of a question that should find one."""
    _, page = await fetch(source, reader, read, tally, deadline)
    tally.count(page)
    return reader.read(page.rows)


async def read_by_keys(
    source: Reads,
    reader: RecordReader,
    keys: Sequence[str],
    tally: Tally,
    deadline: float,
    on_rows: OnRows | None = None,
) -> list[Any]:
    """The records with these keys, in as few requests as the source takes; missing ones are left out."""
    resource = reader.resource
    if has_own_paths(resource):
        return await _read_one_by_one(source, reader, keys, tally, deadline, on_rows)
    found: list[Any] = []
    for start in range(0, len(keys), resource.max_keys):
        chunk = keys[start : start + resource.max_keys]
        plan = plan_keys(resource, chunk)
        scan = Scan(source, plan, reader, tally, deadline, max_rows=len(chunk), on_rows=on_rows)
        records = (await scan.run(None, len(chunk))).records
        if any(record.origin.key not in chunk for record in records):
            raise BadAnswer("The system answers with other records than were asked for by key.")
        found.extend(records)
    return found


async def _read_one_by_one(
    source: Reads,
    reader: RecordReader,
    keys: Sequence[str],
    tally: Tally,
    deadline: float,
    on_rows: OnRows | None,
) -> list[Any]:
    """The records at the paths of their keys; a path that is not known is that of a missing record."""
    resource = reader.resource
    found: list[Any] = []
    for key in dict.fromkeys(keys):
        read = own_read(resource, reader.paths, key)
        if read is None:
            continue
        try:
            _, page = await fetch(source, reader, read, tally, deadline)
        except WrongSystem as trouble:
            if trouble.upstream is None or trouble.upstream.status != 404:
                raise
            continue
        tally.count(page)
        beside = await fill_beside(source, reader, page.rows, tally, deadline)
        if on_rows is not None:
            on_rows(page.rows)
        records = [record for record in reader.read(page.rows) if record.origin.key == key]
        label(records, weaker(page.served, beside))
        found.extend(records)
    return found
