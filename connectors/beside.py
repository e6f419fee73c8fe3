"""Reads collections that lie beside a resource's rows: for all rows together, and only where a field needs them."""

import asyncio
from collections.abc import Sequence

from connectors.errors import BadAnswer, NoSuchRecords, PermissionDenied, Trouble
from connectors.ports import Reads
from connectors.protocols.base import Row
from connectors.query import Compare, Comparison, OrderBy, Read, all_of
from connectors.reading import RecordReader
from connectors.spec import Beside
from connectors.tally import Tally
from schema.records import FieldGapReason, Served, weaker

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
    wire, resource = source.system.protocol, reader.resource
    read_key, decode = wire.getter(beside.key), wire.decoders[str]
    found: dict[str, list[Row]] = {}
    served: Served | None = None
    keys = list(dict.fromkeys(key for row in rows if (key := reader.key_of(row)) is not None))
    for start in range(0, len(keys), resource.max_keys):
        chunk = tuple(resource.key_form.read(key) for key in keys[start : start + resource.max_keys])
        belong = Compare(beside.key, Comparison.IN, chunk, resource.key_form.kind)
        order = tuple(map(OrderBy, (beside.key, *beside.order_paths)))
        read = Read(beside.source, paths | {beside.key}, all_of(beside.where, belong), order)
        page = await source.fetch(read, tally, deadline)
        while True:
            served = weaker(served, page.served)
            for row in page.rows:
                try:
                    key = decode(read_key(row))
                except ValueError:
                    raise BadAnswer("A row of the answer does not say where it belongs.") from None
                found.setdefault(key, []).append(row)
            if page.next is None:
                break
            page = await source.follow(read, page.next, tally, deadline)
    return found, served
