"""Loads the records that rows point to: distinct keys of the whole page, batched per connection, once a request."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aiodataloader import DataLoader

from connectors.reading import RecordReader, RowReader
from connectors.spec import Resource
from connectors.tally import Tally
from resolvers.cached_reads import read_keys, reads_of
from resolvers.outcomes import explain
from resolvers.ports import Context, LiveSource
from resolvers.tracing import note_answer, source_step
from schema.errors import Problem
from schema.freshness import Freshness
from schema.selection import Selection, Use
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
        self,
        live: LiveSource,
        resource: Resource,
        selection: Selection,
        context: Context,
        timeout_ms: int | None,
        freshness: Freshness,
    ) -> None:
        super().__init__(max_batch_size=resource.max_keys)
        wire, added = live.source.system.protocol, live.source.effective.fields_of(resource)
        connection_id = str(live.connection.id)
        self.reader = RecordReader(resource, wire, connection_id, selection, now=context.fetched_at, added=added)
        self._live = live
        self._context = context
        self._deadline = context.deadline_for(live, timeout_ms)
        self._freshness = freshness

    async def batch_load_fn(self, keys: list[str]) -> list[Loaded]:
        """One chunk of keys."""
        resource = self.reader.resource
        chunk = Chunk(Tally(entity=resource.model.name))
        self._context.tallies.append(chunk.tally)
        by_key = {}
        with source_step(self._live, resource.model.name, SourceCallPurpose.LINK) as span:
            try:
                own = [resource.own_key(key) for key in keys]
                reads = reads_of(self._live, self._freshness, self._context)
                found = await read_keys(reads, self.reader, own, chunk.tally, self._deadline)
            except Exception as error:
                chunk.status, chunk.error = explain(error, self._live, self._context.request_id)
            else:
                if chunk.tally.trouble is not None:
                    chunk.status, chunk.error = explain(chunk.tally.trouble, self._live, self._context.request_id)
                    chunk.status = chunk.status if chunk.tally.lacks_some else SourceStatus.STALE
                finish_records(found, self.reader, self._live, self._context)
                by_key = {record.origin.reference: record for record in found}
            note_answer(span, chunk.status, chunk.error, len(by_key), chunk.tally.requests)
        return [Loaded(by_key.get(key), chunk) for key in keys]


def loader_for(
    live: LiveSource,
    resource: Resource,
    selection: Selection,
    context: Context,
    timeout_ms: int | None,
    freshness: Freshness,
) -> KeyLoader:
    """The one loader of this request for such records, so that no key is read twice."""
    key = (live.connection.id, resource.model.name, resource.source, _frozen(selection), timeout_ms, freshness)
    if key not in context.loaders:
        context.loaders[key] = KeyLoader(live, resource, selection, context, timeout_ms, freshness)
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


def finish_records(records: Iterable[Any], reader: RowReader, live: LiveSource, context: Context) -> None:
    """Give records what follows from the connection and the request rather than from their row."""
    for record in records:
        record.connection = live.connection
        if isinstance(reader, RecordReader) and "meta" in reader.selection:
            record.meta = reader.meta_of(record, context.fetched_at)
