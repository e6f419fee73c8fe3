"""Loads the records that rows point to: distinct keys of the whole page, batched per connection, once a request."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiodataloader import DataLoader

from connectors.client import Tally
from connectors.reading import RecordReader
from connectors.scan import read_by_keys
from connectors.spec import Resource
from resolvers.outcomes import explain, gap_of
from resolvers.ports import Context, LiveSource
from schema.errors import Problem
from schema.model import ENTITIES, Entity, FieldModel, Kind
from schema.records import FieldGapReason
from schema.selection import Selection
from schema.sources import SourceCall, SourceCallPurpose, SourceStatus


@dataclass(eq=False)
class Chunk:
    """Some records read by key at once: what it took, how it went, and whether a field has told of it yet."""

    tally: Tally = field(default_factory=Tally)
    status: SourceStatus = SourceStatus.OK
    error: Problem | None = None
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of one key; the record is null where there is none, or where its chunk failed."""

    record: Any
    chunk: Chunk


class KeyLoader(DataLoader[str, Loaded]):
    """Reads records of one resource by key; a failed chunk leaves its keys without a record, and says why."""

    def __init__(
        self, live: LiveSource, resource: Resource, selection: Selection, context: Context, timeout_ms: int | None
    ) -> None:
        super().__init__(max_batch_size=resource.max_keys)
        self.reader = RecordReader(
            resource,
            live.source.system.protocol,
            str(live.connection.id),
            selection,
            link_names(resource.model, selection),
        )
        self._live = live
        self._request_id = context.request_id
        self._deadline = context.deadline_for(live, timeout_ms)

    async def batch_load_fn(self, keys: list[str]) -> list[Loaded]:
        """One chunk of keys."""
        chunk = Chunk()
        by_key = {}
        try:
            found = await read_by_keys(self._live.source, self.reader, keys, chunk.tally, self._deadline)
        except Exception as error:
            chunk.status, chunk.error = explain(error, self._live, self._request_id)
        else:
            by_key = {record.origin.key: record for record in found}
        return [Loaded(by_key.get(key), chunk) for key in keys]


def link_names(entity: Entity, selection: Selection) -> list[str]:
    """The selected links of an entity."""
    return [name for name in selection if name in entity.fields and entity.fields[name].kind is Kind.LINK]


async def load_links(
    records: Mapping[str, Sequence[Any]],
    lives: Mapping[str, LiveSource],
    entity: Entity,
    selection: Selection,
    context: Context,
    path: str,
    timeout_ms: int | None,
) -> dict[str, list[SourceCall]]:
    """Fill every selected link of the records, given by connection, and tell what it took for each connection.

    `timeout_ms` is what the query allows for the whole field, rows and links together.
    """
    calls: dict[str, list[SourceCall]] = {connection_id: [] for connection_id in records}
    await asyncio.gather(
        *(
            _load_link(
                rows, lives[connection_id], entity.fields[name], selection[name] or {}, context, path, timeout_ms, calls
            )
            for name in link_names(entity, selection)
            for connection_id, rows in records.items()
        )
    )
    return calls


async def _load_link(
    rows: Sequence[Any],
    live: LiveSource,
    model: FieldModel,
    selection: Selection,
    context: Context,
    path: str,
    timeout_ms: int | None,
    calls: dict[str, list[SourceCall]],
) -> None:
    keys = list(dict.fromkeys(row.origin.links[model.attribute] for row in rows if model.attribute in row.origin.links))
    target = next(item for item in ENTITIES.values() if item.name == model.type)
    resource = live.source.system.resource(target.cls)
    if not keys or resource is None:
        return
    loader = _loader(live, resource, selection, context, timeout_ms)
    found = dict(zip(keys, await loader.load_many(keys), strict=True))
    _attach(rows, model.attribute, found)
    present = [item.record for item in found.values() if item.record is not None]
    finish_records(present, loader.reader, live, context)
    link_path = f"{path}.{model.name}"
    connection_id = str(live.connection.id)
    calls[connection_id].extend(_tell(dict.fromkeys(item.chunk for item in found.values()), link_path))
    deeper = await load_links(
        {connection_id: present}, {connection_id: live}, target, selection, context, link_path, timeout_ms
    )
    calls[connection_id].extend(deeper[connection_id])


def _loader(
    live: LiveSource, resource: Resource, selection: Selection, context: Context, timeout_ms: int | None
) -> KeyLoader:
    key = (live.connection.id, resource.source, _frozen(selection), timeout_ms)
    if key not in context.loaders:
        context.loaders[key] = KeyLoader(live, resource, selection, context, timeout_ms)
    loader: KeyLoader = context.loaders[key]
    return loader


def _frozen(selection: Selection) -> frozenset[Any]:
    return frozenset((name, _frozen(inner or {})) for name, inner in selection.items())


def _tell(chunks: Iterable[Chunk], path: str) -> Iterator[SourceCall]:
    """The account of chunks that no other field of the request has told of: each request counts once."""
    new = [chunk for chunk in chunks if not chunk.is_told]
    if not new:
        return
    for chunk in new:
        chunk.is_told = True
    worst = next((chunk for chunk in new if chunk.status is not SourceStatus.OK), new[0])
    yield SourceCall(
        purpose=SourceCallPurpose.LINK,
        path=path,
        requests=sum(chunk.tally.requests for chunk in new),
        status=worst.status,
        error=worst.error,
    )


def _attach(rows: Iterable[Any], attribute: str, found: Mapping[str, Loaded]) -> None:
    """Point every row to its record; where there is none, remember why."""
    for row in rows:
        key = row.origin.links.get(attribute)
        if key is None:
            continue
        loaded = found[key]
        setattr(row, attribute, loaded.record)
        if loaded.record is None:
            has_failed = loaded.chunk.status is not SourceStatus.OK
            reason = gap_of(loaded.chunk.status) if has_failed else FieldGapReason.EMPTY_AT_SOURCE
            row.origin.failed_links[attribute] = reason


def finish_records(records: Iterable[Any], reader: RecordReader, live: LiveSource, context: Context) -> None:
    """Give records what follows from the connection and the request rather than from their row."""
    for record in records:
        record.connection = live.connection
        if "meta" in reader.selection:
            record.meta = reader.meta_of(record, context.fetched_at)
