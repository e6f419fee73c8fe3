"""The root of custom objects: rows of a collection that one connection's settings allow to be read."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import strawberry

from connectors.custom_objects import CustomReader, CustomResource, CustomRow, resource_of
from connectors.discovery import did_you_mean
from connectors.plan import plan_read
from connectors.query import Read, Where
from connectors.scan import Batch, read_row
from connectors.tally import Tally
from resolvers.asking import Asked, ask
from resolvers.building import build_page
from resolvers.cached_reads import reads_of
from resolvers.cursors import Place, fingerprint, read_cursor, write_cursor
from resolvers.lists import Timeout, checked_timeout
from resolvers.merge import Picked
from resolvers.outcomes import explain, failed, origin_of
from resolvers.planning import Select, plan_of, planned_by
from resolvers.ports import Context, LiveSource
from resolvers.totals import Total, count_all
from resolvers.tracing import note_answer, source_step
from schema.absent import given
from schema.custom_objects import CustomObject, CustomObjectConnection, CustomObjectFilter, FilterReader
from schema.errors import ErrorCode, failure
from schema.freshness import UNSAID, Freshness, FreshnessInput
from schema.freshness import parse as parse_freshness
from schema.ids import CustomObjectId
from schema.pages import After, First, checked_first
from schema.selection import Selection, rows_of, uses
from schema.sources import SourceCallPurpose, SourceOutcome, SourceStatus

_Connection = Annotated[strawberry.ID, strawberry.argument(description="The connection.")]
_Object = Annotated[str, strawberry.argument(description="The name of the object.")]
_Fields = Annotated[
    list[str] | None, strawberry.argument(description="The fields to read; by default those of the settings.")
]
_Filter = Annotated[CustomObjectFilter | None, strawberry.argument(description="Which rows; without it, all.")]
_Freshness = Annotated[FreshnessInput | None, strawberry.argument(description="How old the answer may be.")]


@dataclass(frozen=True, eq=False)
class CustomListPlan:
    """How a page of an object will be read; `query` is what its cursors fit."""

    object: str
    asked: Asked
    place: Place
    count: int
    after: str | None
    selection: Selection
    query: str
    timeout_ms: int | None
    freshness: Freshness

    @property
    def counts_all(self) -> bool:
        """Whether it is also asked how many rows there are."""
        return "totalCount" in self.selection


@dataclass(frozen=True, eq=False)
class CustomRowPlan:
    """How one row of an object will be read, by what only it meets."""

    wanted: CustomObjectId
    live: LiveSource
    reader: CustomReader
    where: Where

    @property
    def read(self) -> Read:
        """The question for it."""
        return Read(self.reader.resource.source, self.reader.paths, self.where)


def plan_custom_objects(context: Context, arguments: Mapping[str, Any], select: Select) -> CustomListPlan:
    """Plan a page of an object; raises what is wrong with the arguments."""
    context.directory.require("READ")
    wanted = {name: given(value) for name, value in arguments.items()}
    live, name = _live(context, wanted["connection_id"]), wanted["object"]
    resource = _resource(live, name)
    tree = FilterReader(dict(resource.types), did_you_mean).read(wanted.get("filter"))
    after, key = wanted.get("after"), str(live.connection.id)
    query = fingerprint(context.directory.tenant, "customObjects", name, tree, live.source.effective.digest, key)
    place = Place() if after is None else read_cursor(context.cursor_key, query, after, ())[key]
    selection = select(None)
    rows = rows_of(selection)
    plan = plan_read(resource, tree)
    names = _selected(_checked_names(resource, wanted.get("fields")), rows)
    reader = _reader(live, resource, rows, names, plan.needed)
    return CustomListPlan(
        object=name,
        asked=Asked(key, live, resource, plan, reader, Tally(entity=resource.model.name)),
        place=place,
        count=checked_first(wanted["first"]),
        after=after,
        selection=selection,
        query=query,
        timeout_ms=checked_timeout(wanted.get("timeout_ms")),
        freshness=parse_freshness(wanted.get("freshness")),
    )


def custom_objects_root() -> Any:
    """Make the root field that reads the objects of a connection."""

    async def resolve(
        info: strawberry.Info[Context, None],
        connection_id: _Connection,
        object: _Object,
        fields: _Fields = strawberry.UNSET,
        filter: _Filter = strawberry.UNSET,
        first: First = 50,
        after: After = strawberry.UNSET,
        freshness: _Freshness = strawberry.UNSET,
        timeout_ms: Timeout = strawberry.UNSET,
    ) -> Any:
        return await _read_page(info.context, plan_of(info))

    resolve.__annotations__["return"] = CustomObjectConnection | None
    about = "Rows of an object that a connection's settings have added."
    return strawberry.field(resolver=resolve, description=about, metadata=planned_by(plan_custom_objects))


async def _read_page(context: Context, plan: CustomListPlan) -> Any:
    """One page; what its system cannot answer is the outcome of the source."""
    asked, place, total = plan.asked, plan.place, Total()
    if place.is_done:
        asked.batch = Batch()
    end = context.deadline_for(asked.live, plan.timeout_ms)
    gate = asyncio.Semaphore(context.limits.max_sources_at_once)
    async with asyncio.TaskGroup() as tasks:
        if not place.is_done:
            tasks.create_task(ask(asked, place.position, plan.count, end, context, plan.freshness, gate))
        if plan.counts_all:
            counting = tasks.create_task(count_all([asked], {asked.key: end}, context, gate))
    if plan.counts_all:
        total = counting.result()
    context.is_complete &= asked.status is SourceStatus.OK
    batch = asked.batch or Batch()
    return build_page(
        CustomObjectConnection,
        [Picked(asked.key, index, _shown(row, plan.object, asked.live)) for index, row in enumerate(batch.records)],
        {} if asked.batch is None else {asked.key: batch},
        {asked.key: place},
        plan.selection,
        lambda places: write_cursor(context.cursor_key, plan.query, places),
        outcomes=[_outcome(asked, total, context)],
        is_complete=asked.status is SourceStatus.OK,
        after=plan.after,
        total=total.rows,
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


def _outcome(asked: Asked, total: Total, context: Context) -> SourceOutcome:
    calls = [asked.call(SourceCallPurpose.ROWS, "nodes"), *total.calls.get(asked.connection_id, ())]
    has_answered = asked.batch is not None
    source, fetched_at = origin_of(asked.tally.served, context)
    return SourceOutcome(
        connection=asked.live.connection,
        status=asked.status,
        count=len(asked.batch.records) if asked.batch is not None else 0,
        duration_ms=asked.duration_ms,
        upstream_calls=sum(call.requests for call in calls),
        served_from=source if has_answered else None,
        fetched_at=fetched_at if has_answered else None,
        filtered_here=list(asked.plan.filtered_here),
        truncated=asked.batch is not None and asked.batch.is_limited,
        paging=asked.paging,
        calls=calls,
        error=asked.problem,
    )


def plan_custom_object(context: Context, wanted: CustomObjectId, selection: Selection) -> CustomRowPlan | None:
    """Plan the reading of a row by its id; None where its object or its connection is not there any more."""
    live = next((live for live in context.directory.sources() if live.connection.id == wanted.connection_id), None)
    added = live.source.effective.object_named(wanted.object) if live is not None else None
    if live is None or added is None:
        return None
    resource = resource_of(added, live.source.effective.system.protocol)
    where = resource.is_key(wanted.key)
    if where is None:
        return None
    reader = _reader(live, resource, selection, _selected(added.fields, selection), frozenset())
    return CustomRowPlan(wanted, live, reader, where)


async def find_custom_object(context: Context, plan: CustomRowPlan) -> CustomObject | None:
    """One row; null where there is none, an error where its system could not tell."""
    live, reader, resource = plan.live, plan.reader, plan.reader.resource
    tally = Tally(entity=resource.model.name)
    context.tallies.append(tally)
    with source_step(live, resource.model.name, SourceCallPurpose.ROWS) as span:
        status, problem, cause, found = SourceStatus.OK, None, None, []
        try:
            reads = reads_of(live, UNSAID, context)
            found = await read_row(reads, reader, plan.read, tally, context.deadline_for(live, None))
        except Exception as error:
            cause = error
            status, problem = explain(error, live, context.request_id)
        note_answer(span, status, problem, len(found), tally.requests)
    if problem is not None:
        raise failed(problem) from cause
    return next((_shown(row, plan.wanted.object, live) for row in found if row.remote_id == plan.wanted.key), None)
