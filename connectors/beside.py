"""Reads collections that lie beside a resource's rows: for all rows together, and only where a field needs them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.errors import BadAnswer, NoSuchRecords, PermissionDenied, Rejected, Trouble
from connectors.ports import Reads
from connectors.protocols.base import Row
from connectors.query import Compare, Comparison, OrderBy, Read, all_of
from connectors.reading import RecordReader
from connectors.spec import Beside, Places
from connectors.tally import Tally
from schema.records import FieldGapReason, Served, weaker

PLACE = "@place."
"""What begins the paths of a row's place, where its values are worked out at each place apart."""

_AT_ONCE = 4
"""How many places are asked about at the same time."""

_REASONS: dict[type[Trouble], FieldGapReason] = {
    PermissionDenied: FieldGapReason.NOT_PERMITTED,
    NoSuchRecords: FieldGapReason.NOT_SUPPORTED_BY_SYSTEM,
}


async def fill_beside(
    source: Reads, reader: RecordReader, rows: Sequence[Row], tally: Tally, deadline: float
) -> Served | None:
    """Put into every row what belongs to it; a collection that cannot be read leaves its fields null, with why.

    Where a filter or an order looks at such a field, the trouble is raised: rows would be left out without a word.
    Says where the collections came from, unless they were read live.
    """
    served: Served | None = None
    if not rows:
        return served
    collections = [
        _read_collection(source, reader, reader.resource.beside[name], paths, rows, tally, deadline)
        for name, paths in reader.beside.items()
    ]
    for name, found in zip(reader.beside, await asyncio.gather(*collections, return_exceptions=True), strict=True):
        if isinstance(found, Trouble) and name not in reader.decisive:
            reader.failed_beside[name] = _REASONS.get(type(found), FieldGapReason.SOURCE_ERROR)
            continue
        if isinstance(found, BaseException):
            raise found
        belonging, found_served = found
        served = weaker(served, found_served)
        for row in rows:
            source.system.protocol.attach(row, name, belonging.get(reader.key_of(row) or "", []))
    return served


async def _read_collection(
    source: Reads,
    reader: RecordReader,
    beside: Beside,
    paths: frozenset[str],
    rows: Sequence[Row],
    tally: Tally,
    deadline: float,
) -> tuple[dict[str, list[Row]], Served | None]:
    """The rows of the collection, grouped by the row that they belong to, and where they came from."""
    keys = list(dict.fromkeys(key for row in rows if (key := reader.key_of(row)) is not None))
    collection = _Collection(source, reader, beside, paths, keys, tally, deadline)
    return await collection.read_all(), collection.served


Context = tuple[tuple[str, Any], ...]


@dataclass(eq=False)
class _Collection:
    """A collection beside the rows with these keys, what of it is needed, and where its rows came from."""

    source: Reads
    reader: RecordReader
    beside: Beside
    paths: frozenset[str]
    keys: Sequence[str]
    tally: Tally
    deadline: float
    served: Served | None = None

    async def read_all(self) -> dict[str, list[Row]]:
        """All rows by the key that they belong to, those of every place together."""
        context, places = tuple(self.beside.context.items()), self.beside.places
        if places is None:
            return await self.read(context)
        found_places = await self.read_places(places)
        if not places.apart:
            return await self.read((*context, (places.name, [key for key, _ in found_places])))
        turns = asyncio.Semaphore(_AT_ONCE)
        questions = [self.read_at(place, (*context, (places.name, [key])), turns) for key, place in found_places]
        found: dict[str, list[Row]] = {}
        for answer in await asyncio.gather(*questions, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer
            for key, inner in answer.items():
                found.setdefault(key, []).extend(inner)
        return found

    async def read(self, context: Context) -> dict[str, list[Row]]:
        """The rows by the key that they belong to, as the source works them out in a context."""
        beside, resource = self.beside, self.reader.resource
        wire = self.source.system.protocol
        read_key, decode = wire.getter(beside.key), wire.decoders[str]
        own = frozenset(path for path in self.paths if not path.startswith(PLACE))
        order = tuple(map(OrderBy, (beside.key, *beside.order_paths)))
        found: dict[str, list[Row]] = {}
        for start in range(0, len(self.keys), resource.max_keys):
            chunk = tuple(resource.key_form.read(key) for key in self.keys[start : start + resource.max_keys])
            belong = Compare(beside.key, Comparison.IN, chunk, resource.key_form.kind)
            where = all_of(beside.where, belong)
            async for row in self._rows(Read(beside.source, own | {beside.key}, where, order, context=context)):
                try:
                    key = decode(read_key(row))
                except ValueError:
                    raise BadAnswer("A row of the answer does not say where it belongs.") from None
                found.setdefault(key, []).append(row)
        return found

    async def read_at(self, place: Row, context: Context, turns: asyncio.Semaphore) -> dict[str, list[Row]]:
        """The rows as the source works them out at one place, which is put into each."""
        async with turns:
            found = await self.read(context)
        for rows in found.values():
            for row in rows:
                self.source.system.protocol.attach_one(row, "place", place)
        return found

    async def read_places(self, places: Places) -> list[tuple[Any, Row]]:
        """The places by their keys; those that would have to be asked about one by one may be too many."""
        own = {path.removeprefix(PLACE) for path in self.paths if path.startswith(PLACE)}
        read_key = self.source.system.protocol.getter(places.key)
        read = Read(places.source, frozenset(own | {places.key}), places.where, (OrderBy(places.key),))
        found = [(read_key(row), row) async for row in self._rows(read)]
        if places.apart and len(found) > places.most:
            raise Rejected(
                f"There are {len(found)} places, and more than {places.most} are not asked about one by one."
            )
        return found

    async def _rows(self, read: Read) -> AsyncIterator[Row]:
        """All rows of a question, although the source may cut its answer."""
        page = await self.source.fetch(read, self.tally, self.deadline)
        while True:
            self.served = weaker(self.served, page.served)
            for row in page.rows:
                yield row
            if page.next is None:
                return
            page = await self.source.follow(read, page.next, self.tally, self.deadline)
