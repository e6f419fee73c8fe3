"""The root of custom objects: rows of a collection that one connection's settings allow to be read."""

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry

from connectors.client import Tally
from connectors.custom_objects import CustomReader, CustomResource, CustomRow, resource_of
from connectors.discovery import did_you_mean
from connectors.plan import plan_read
from connectors.scan import Batch, read_row
from resolvers.asking import Asked, ask
from resolvers.building import build_page
from resolvers.cursors import Place, fingerprint, read_cursor, write_cursor
from resolvers.lists import Timeout, checked_timeout
from resolvers.merge import Picked
from resolvers.outcomes import failed
from resolvers.ports import Context, LiveSource
from resolvers.selection import selection_of
from schema.absent import given
from schema.custom_objects import CustomObject, CustomObjectConnection, CustomObjectFilter, FilterReader
from schema.errors import ErrorCode, failure
from schema.ids import CustomObjectId
from schema.pages import After, First, checked_first
from schema.records import ServedFrom
from schema.selection import Selection, rows_of, uses
from schema.sources import SourceCallPurpose, SourceOutcome, SourceStatus

_Connection = Annotated[strawberry.ID, strawberry.argument(description="The connection.")]
_Object = Annotated[str, strawberry.argument(description="The name of the object.")]
_Fields = Annotated[
    list[str] | None, strawberry.argument(description="The fields to read; by default those of the settings.")
]
_Filter = Annotated[CustomObjectFilter | None, strawberry.argument(description="Which rows; without it, all.")]


async def list_custom_objects(
    self: Any,
    info: strawberry.Info[Context, Any],
    connection_id: _Connection,
    object: _Object,
    fields: _Fields = strawberry.UNSET,
    filter: _Filter = strawberry.UNSET,
    first: First = 50,
    after: After = strawberry.UNSET,
    timeout_ms: Timeout = strawberry.UNSET,
) -> Any:
    """Read one page; what its system cannot answer is the outcome of the source."""
    context = info.context
    context.directory.require("READ")
    live = _live(context, connection_id)
    resource = _resource(live, object)
    tree = FilterReader(dict(resource.types), did_you_mean).read(given(filter))
    count, cursor = checked_first(first), given(after)
    deadline = context.deadline_for(live, checked_timeout(given(timeout_ms)))
    key = str(live.connection.id)
    query = fingerprint(context.directory.tenant, "customObjects", object, tree, live.source.effective.digest, key)
    place = Place() if cursor is None else read_cursor(context.cursor_key, query, cursor, None)[key]
    selection = selection_of(info)
    plan = plan_read(resource, tree, None)
    names = _selected(_checked_names(resource, given(fields)), rows_of(selection))
    reader = _reader(live, resource, rows_of(selection), names, plan.needed)
    asked = Asked(key, live, resource, plan, reader, batch=Batch() if place.is_done else None)
    if not place.is_done:
        await ask(asked, place.position, count, deadline, context)
    batch = asked.batch or Batch()
    return build_page(
        CustomObjectConnection,
        [Picked(key, index, _shown(row, object, live)) for index, row in enumerate(batch.records)],
        {} if asked.batch is None else {key: batch},
        {key: place},
        selection,
        lambda places: write_cursor(context.cursor_key, query, places),
        has_more=batch.has_more,
        outcomes=[_outcome(asked, context)],
        is_complete=asked.status is SourceStatus.OK,
        after=cursor,
    )


def _live(context: Context, connection_id: str) -> LiveSource:
    live = next((live for live in context.directory.sources() if live.connection.id == connection_id), None)
    if live is None:
        raise failure(
            ErrorCode.CONNECTION_NOT_FOUND,
            f"There is no connection {connection_id!r} in use that this token can see.",
            field="connectionId",
        )
    return live


def _resource(live: LiveSource, name: str) -> CustomResource:
    effective = live.source.effective
    added = effective.object_named(name)
    if added is None:
        known = ", ".join(item.object for item in effective.objects) or "none"
        message = f"The connection's settings have no object {name!r}; they have: {known}."
        raise failure(ErrorCode.VALIDATION_FAILED, message, field="object")
    return resource_of(added, effective.system.protocol)


def _checked_names(resource: CustomResource, fields: Sequence[str] | None) -> Sequence[str]:
    if fields is None:
        return resource.added.fields
    wrong = next((name for name in fields if name not in resource.types), None)
    if wrong is not None:
        message = f"The object has no field {wrong!r}{did_you_mean(wrong, resource.types)}"
        raise failure(ErrorCode.VALIDATION_FAILED, message, field="fields")
    return list(dict.fromkeys(fields))


def _selected(names: Sequence[str], selection: Selection) -> Sequence[str]:
    """Of the fields those that the query shows: where every use of `fields` names keys, only these."""
    chosen = [given(use.arguments.get("keys")) for use in uses(selection, "fields").values()]
    if None in chosen:
        return names
    return [name for name in names if any(name in keys for keys in chosen)]


def _reader(
    live: LiveSource, resource: CustomResource, selection: Selection, names: Sequence[str], needed: frozenset[str]
) -> CustomReader:
    wire = live.source.effective.system.protocol
    return CustomReader(resource, wire, str(live.connection.id), selection, names, needed)


def _shown(row: CustomRow, name: str, live: LiveSource) -> CustomObject:
    return CustomObject(
        id=strawberry.ID(row.id),
        object=name,
        remote_id=row.remote_id,
        display_name=row.display_name,
        connection=live.connection,
        origin=row.origin,
    )


def _outcome(asked: Asked, context: Context) -> SourceOutcome:
    has_answered = asked.batch is not None
    return SourceOutcome(
        connection=asked.live.connection,
        status=asked.status,
        count=len(asked.batch.records) if asked.batch is not None else 0,
        duration_ms=asked.duration_ms,
        upstream_calls=asked.tally.requests,
        served_from=ServedFrom.LIVE if has_answered else None,
        fetched_at=context.fetched_at if has_answered else None,
        filtered_here=list(asked.plan.filtered_here),
        truncated=asked.batch is not None and asked.batch.is_limited,
        calls=[asked.call(SourceCallPurpose.ROWS, "nodes")],
        error=asked.problem,
    )


async def find_custom_object(context: Context, wanted: CustomObjectId, selection: Selection) -> CustomObject | None:
    """One row by its id; null where it, its object or its connection is not there any more."""
    live = next((live for live in context.directory.sources() if live.connection.id == wanted.connection_id), None)
    added = live.source.effective.object_named(wanted.object) if live is not None else None
    if live is None or added is None:
        return None
    resource = resource_of(added, live.source.effective.system.protocol)
    where = resource.is_key(wanted.key)
    if where is None:
        return None
    reader = _reader(live, resource, selection, _selected(added.fields, selection), frozenset())
    try:
        rows = await read_row(live.source, reader, where, Tally(), context.deadline_for(live, None))
    except Exception as error:
        raise failed(error, live, context.request_id) from error
    return next((_shown(row, wanted.object, live) for row in rows if row.remote_id == wanted.key), None)
