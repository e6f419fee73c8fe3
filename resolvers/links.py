"""Loads the records that rows point to: distinct keys of the whole page, batched per connection, once a request."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiodataloader import DataLoader

from connectors.client import Tally
from connectors.reading import RecordReader
from connectors.scan import read_by_keys
from connectors.spec import Resource
from resolvers.outcomes import explain
from resolvers.ports import Context, LiveSource
from schema.errors import Problem
from schema.model import FieldModel, Kind, fields_of
from schema.selection import Selection, Use, below, rows_of
from schema.sources import SourceStatus


@dataclass(eq=False)
class LinkCalls:
    """What loading one kind of link from one connection took, and how it went."""

    tally: Tally = field(default_factory=Tally)
    status: SourceStatus = SourceStatus.OK
    error: Problem | None = None


class KeyLoader(DataLoader[str, Any]):
    """Reads records of one resource by key; a failed chunk leaves its keys without a record, and says why."""

    def __init__(
        self, live: LiveSource, resource: Resource, selection: Selection, context: Context, timeout_ms: int | None
    ) -> None:
        super().__init__(max_batch_size=resource.max_keys)
        self.calls = LinkCalls()
        self.reader = RecordReader(resource, live.source.system.protocol, str(live.connection.id), selection)
        self._live = live
        self._request_id = context.request_id
        self._deadline = context.deadline_for(live, timeout_ms)

    async def batch_load_fn(self, keys: list[str]) -> list[Any]:
        """One chunk of keys."""
        try:
            found = await read_by_keys(self._live.source, self.reader, keys, self.calls.tally, self._deadline)
        except Exception as error:
            self.calls.status, self.calls.error = explain(error, self._live, self._request_id)
            return [None] * len(keys)
        by_key = {record.origin.key: record for record in found}
        return [by_key.get(key) for key in keys]


def selects_links(fields: Mapping[str, FieldModel], selection: Selection) -> bool:
    """Whether other records have to be read for what is selected of rows with these fields."""
    models = [(fields[name], name) for name in selection if name in fields]
    return any(
        model.kind in (Kind.LINK, Kind.LINKS)
        or (model.kind is Kind.CHILDREN and selects_links(fields_of(model.type), rows_of(below(selection, name))))
        for model, name in models
    )


def finish_records(records: Iterable[Any], reader: RecordReader, live: LiveSource, context: Context) -> None:
    """Give records what follows from the connection and the request rather than from their row."""
    for record in records:
        record.connection = live.connection
        if "meta" in reader.selection:
            record.meta = reader.meta_of(record, context.fetched_at)


def frozen(selection: Selection) -> Any:
    """A selection as a key, arguments and all."""
    return frozenset(
        (name, (repr(inner.arguments), frozen(inner.selection)) if isinstance(inner, Use) else frozen(inner or {}))
        for name, inner in selection.items()
    )
