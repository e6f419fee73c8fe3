"""Single things by id: records, child rows, connections, customers and keys."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import strawberry
from graphql import GraphQLError

from connectors.reading import RecordReader
from connectors.registry import find_system
from connectors.tally import Tally
from resolvers.cached_reads import read_keys, reads_of
from resolvers.custom_objects import CustomRowPlan, find_custom_object, plan_custom_object
from resolvers.describing import describe_system
from resolvers.linking import Linker
from resolvers.links import finish_records
from resolvers.lists import Timeout, checked_timeout
from resolvers.outcomes import explain, failed
from resolvers.planning import Select, plan_of, planned_by
from resolvers.ports import Context, LiveSource
from resolvers.steps import Links, plan_links
from resolvers.tracing import note_answer, source_step
from schema.absent import given
from schema.custom_objects import CustomObject
from schema.errors import ErrorCode, failure
from schema.freshness import UNSAID, Freshness, FreshnessInput
from schema.freshness import parse as parse_freshness
from schema.ids import RecordId, read_custom_object_id, read_record_id
from schema.model import ENTITIES, Entity, Kind, entity_of
from schema.selection import Selection
from schema.sources import SourceCallPurpose, SourceStatus

_MAX_NODES = 200

GlobalId = Annotated[strawberry.ID, strawberry.argument(description="The global id.")]
RecordFreshness = Annotated[FreshnessInput | None, strawberry.argument(description="How old the answer may be.")]


@dataclass(frozen=True, eq=False)
class RecordPlan:
    """How one record will be read: its source, its key there, and the links to fill."""

    entity: Entity
    live: LiveSource
    reader: RecordReader
    key: str
    links: Links
    timeout_ms: int | None
    freshness: Freshness


@dataclass(frozen=True, eq=False)
class NodePlan:
    """How something will be found by its id: its record, if it is one or a row of one that the caller may see.

    A `row` is one of a custom object. An `error` is that of this thing alone, also among others.
    """

    wanted: str
    record: RecordPlan | None = None
    row: CustomRowPlan | None = None
    error: GraphQLError | None = None


def plan_record(
    context: Context,
    wanted: RecordId,
    selection: Selection,
    timeout_ms: int | None = None,
    freshness: Freshness = UNSAID,
) -> RecordPlan | None:
    """Plan the reading of a record; None where the caller sees no such connection, or it has no such records."""
    live = next((live for live in context.directory.sources() if live.connection.id == wanted.connection_id), None)
    entity = ENTITIES[wanted.entity]
    if live is None:
        return None
    resource = next((item for item in live.source.system.resources_of(entity.cls) if item.owns(wanted.key)), None)
    if resource is None:
        return None
    wire, added = live.source.system.protocol, live.source.effective.fields_of(resource)
    reader = RecordReader(resource, wire, wanted.connection_id, selection, now=context.fetched_at, added=added)
    links = plan_links(entity.fields, selection)
    return RecordPlan(entity, live, reader, resource.own_key(wanted.key), links, timeout_ms, freshness)


def plan_single(entity: Entity, context: Context, arguments: Mapping[str, Any], select: Select) -> RecordPlan | None:
    """Plan the single root of an entity; raises what is wrong with the arguments."""
    context.directory.require("READ")
    found = read_record_id(arguments["id"])
    if found is None or found.entity is not entity.type or found.child is not None:
        raise failure(ErrorCode.VALIDATION_FAILED, f"This is not the id of a {_singular(entity)}.", field="id")
    freshness = parse_freshness(arguments.get("freshness"))
    timeout_ms = checked_timeout(given(arguments.get("timeout_ms")))
    return plan_record(context, found, select(None), timeout_ms, freshness)


def single_root(entity: Entity) -> Any:
    """Make the root field that reads one record of an entity, such as purchaseOrder."""

    async def resolve(
        info: strawberry.Info[Context, None],
        id: Any,
        freshness: Any = strawberry.UNSET,
        timeout_ms: Any = strawberry.UNSET,
    ) -> Any:
        return await read_record(info.context, plan_of(info))

    resolve.__annotations__ |= {
        "id": GlobalId,
        "freshness": RecordFreshness,
        "timeout_ms": Timeout,
        "return": entity.cls | None,
    }
    about = f"{'An' if entity.name[0] in 'AEIOU' else 'A'} {_singular(entity)}, by id."
    return strawberry.field(resolver=resolve, description=about, metadata=planned_by(partial(plan_single, entity)))


def _singular(entity: Entity) -> str:
    return entity.plural.removesuffix("s")


async def read_record(context: Context, plan: RecordPlan | None) -> Any:
    """One record with its links; null where there is none, an error where its system could not tell."""
    if plan is None:
        return None
    live, entity, connection_id = plan.live, plan.entity, str(plan.live.connection.id)
    deadline = context.deadline_for(live, plan.timeout_ms)
    tally = Tally(entity=entity.name)
    context.tallies.append(tally)
    with source_step(live, entity.name, SourceCallPurpose.ROWS) as span:
        status, problem, cause, found = SourceStatus.OK, None, None, []
        try:
            reads = reads_of(live, plan.freshness, context)
            found = await read_keys(reads, plan.reader, [plan.key], tally, deadline)
        except Exception as error:
            cause = error
            status, problem = explain(error, live, context.request_id)
        note_answer(span, status, problem, len(found), tally.requests)
    if problem is not None:
        raise failed(problem) from cause
    finish_records(found, plan.reader, live, context)
    linker = Linker(context, {connection_id: live}, plan.timeout_ms, plan.freshness)
    await linker.fill_page({connection_id: found}, entity, plan.links, entity.root)
    return next(iter(found), None)


def plan_node(context: Context, arguments: Mapping[str, Any], select: Select) -> NodePlan:
    """Plan the finding of one thing; only records take reading."""
    wanted = arguments["id"]
    found, row = read_record_id(wanted), read_custom_object_id(wanted)
    if found is None and row is None:
        return NodePlan(wanted)
    try:
        context.directory.require("READ")
        if row is not None:
            return NodePlan(wanted, row=plan_custom_object(context, row, select(CustomObject.__name__)))
        return NodePlan(wanted, _plan_record_or_child(context, found, select) if found is not None else None)
    except GraphQLError as error:
        return NodePlan(wanted, error=error)


def plan_nodes(context: Context, arguments: Mapping[str, Any], select: Select) -> list[NodePlan]:
    """Plan the finding of several things; too many are an error."""
    wanted = arguments["ids"]
    if len(wanted) > _MAX_NODES:
        raise failure(
            ErrorCode.VALIDATION_FAILED, f"`ids` takes at most {_MAX_NODES} ids, not {len(wanted)}.", field="ids"
        )
    return [plan_node(context, {"id": item}, select) for item in wanted]


def _plan_record_or_child(context: Context, wanted: RecordId, select: Select) -> RecordPlan | None:
    entity = ENTITIES[wanted.entity]
    if wanted.child is None:
        return plan_record(context, wanted, select(entity.name))
    name, _ = wanted.child
    model = entity.fields.get(name)
    if model is None or model.kind is not Kind.CHILDREN:
        return None
    selected = {name: {"nodes": select(model.type.__name__)}}
    return plan_record(context, RecordId(wanted.entity, wanted.connection_id, wanted.key), selected)


async def find_node(context: Context, plan: NodePlan) -> Any:
    """Anything by its global id; null where there is nothing that the caller may see."""
    if plan.error is not None:
        raise plan.error
    wanted = plan.wanted
    record = read_record_id(wanted)
    if record is not None:
        found = await read_record(context, plan.record)
        return found if record.child is None or found is None else _child(found, record.child[0], wanted)
    if plan.row is not None:
        return await find_custom_object(context, plan.row)
    if wanted.startswith("con_"):
        return await context.directory.connection(wanted)
    if wanted.startswith("cus_"):
        return next((item for item in await context.directory.customers() if item.id == wanted), None)
    if wanted.startswith("key_"):
        return await context.directory.key(wanted)
    if wanted.startswith("evt_"):
        return await context.history.event(wanted)
    if wanted.startswith("crd_"):
        return await context.history.entry(wanted)
    if wanted.startswith("crp_"):
        pool = await context.history.pool_node()
        return pool if pool is not None and pool.id == wanted else None
    if wanted.startswith("sys_"):
        system = find_system(wanted.removeprefix("sys_"))
        return describe_system(system) if system is not None else None
    return None


async def find_nodes(context: Context, plans: Sequence[NodePlan]) -> list[Any]:
    """Several things by their ids, in the same order, read at the same time; an error stands for its item alone."""
    return list(await asyncio.gather(*(find_node(context, plan) for plan in plans), return_exceptions=True))


def _child(parent: Any, name: str, wanted: str) -> Any:
    """A child row among those of its record."""
    rows = parent.origin.children.get(entity_of(type(parent)).fields[name].attribute) or []
    return next((row for row in rows if row.id == wanted), None)
