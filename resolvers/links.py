"""Loads the records that rows point to: distinct keys of the whole page, batched per connection, once a request."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiodataloader import DataLoader

from connectors.client import Tally
from connectors.reading import RecordReader, RowReader
from connectors.scan import read_by_keys
from connectors.spec import Resource
from resolvers.outcomes import explain
from resolvers.ports import Context, LiveSource
from schema.errors import Problem
from schema.model import FieldModel, Kind, fields_of
from schema.selection import Selection, Use, below, rows_of
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
        added = live.source.effective.fields_of(resource)
        wire = live.source.system.protocol
        self.reader = RecordReader(resource, wire, str(live.connection.id), selection, added=added)
        self._live = live
        self._context = context
        self._deadline = context.deadline_for(live, timeout_ms)

    async def batch_load_fn(self, keys: list[str]) -> list[Loaded]:
        """One chunk of keys."""
        chunk = Chunk()
        by_key = {}
        try:
            own = [self.reader.resource.own_key(key) for key in keys]
            found = await read_by_keys(self._live.source, self.reader, own, chunk.tally, self._deadline)
        except Exception as error:
            chunk.status, chunk.error = explain(error, self._live, self._context.request_id)
        else:
            finish_records(found, self.reader, self._live, self._context)
            by_key = {record.origin.reference: record for record in found}
        return [Loaded(by_key.get(key), chunk) for key in keys]


def loader_for(
    live: LiveSource, resource: Resource, selection: Selection, context: Context, timeout_ms: int | None
) -> KeyLoader:
    """The one loader of this request for such records, so that no key is read twice."""
    key = (live.connection.id, resource.source, _frozen(selection), timeout_ms)
    if key not in context.loaders:
        context.loaders[key] = KeyLoader(live, resource, selection, context, timeout_ms)
    loader: KeyLoader = context.loaders[key]
    return loader


def _frozen(selection: Selection) -> Any:
    """A selection as a key, arguments and all."""
    return frozenset(
        (name, (repr(inner.arguments), _frozen(inner.selection)) if isinstance(inner, Use) else _frozen(inner or {}))
        for name, inner in selection.items()
    )


def tell(chunks: Iterable[Chunk], path: str) -> Iterator[SourceCall]:
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


def selects_links(fields: Mapping[str, FieldModel], selection: Selection) -> bool:
    """Whether other records have to be read for what is selected of rows with these fields."""
    models = [(fields[name], name) for name in selection if name in fields]
    return any(
        model.kind in (Kind.LINK, Kind.LINKS)
        or (model.kind is Kind.CHILDREN and selects_links(fields_of(model.type), rows_of(below(selection, name))))
        for model, name in models
    )


def finish_records(records: Iterable[Any], reader: RowReader, live: LiveSource, context: Context) -> None:
    """Give records what follows from the connection and the request rather than from their row."""
    for record in records:
        record.connection = live.connection
        if isinstance(reader, RecordReader) and "meta" in reader.selection:
            record.meta = reader.meta_of(record, context.fetched_at)
