"""Asks one resource of one connection: its plan, its reader, its calls and what became of it."""

import asyncio
import time
from contextlib import nullcontext
from dataclasses import dataclass, field

from connectors.client import Tally
from connectors.errors import Sent, TimedOut
from connectors.plan import Position, ReadPlan, plan_read
from connectors.reading import RecordReader, RowReader
from connectors.scan import Batch, Scan
from connectors.spec import Resource
from resolvers.locality import hide_deleted, localize
from resolvers.outcomes import explain
from resolvers.ports import Context, LiveSource
from schema.errors import ErrorCode, Problem, problem
from schema.filters import Tree
from schema.model import Entity
from schema.selection import Selection
from schema.sorting import SortStep
from schema.sources import SourceCall, SourceCallPurpose, SourceStatus


@dataclass(eq=False)
class Asked:
    """One resource being asked. `key` names it among all: its connection, and which of its resources."""

    key: str
    live: LiveSource
    resource: Resource
    plan: ReadPlan
    reader: RowReader
    tally: Tally = field(default_factory=Tally)
    batch: Batch | None = None
    status: SourceStatus = SourceStatus.OK
    problem: Problem | None = None
    duration_ms: int = 0

    @property
    def connection_id(self) -> str:
        """The id of the connection."""
        return str(self.live.connection.id)

    def call(self, purpose: SourceCallPurpose, path: str) -> SourceCall:
        """The account of its calls that clients see."""
        return SourceCall(
            purpose=purpose, path=path, requests=self.tally.requests, status=self.status, error=self.problem
        )


def resources_of(live: LiveSource, entity: Entity) -> dict[str, Resource]:
    """The resources that fill an entity, each under the key that names it among all sources."""
    resources = live.source.system.resources_of(entity.cls)
    if len(resources) == 1:
        return {str(live.connection.id): resources[0]}
    return {f"{live.connection.id}#{resource.prefix}": resource for resource in resources}


def prepare(
    key: str, live: LiveSource, resource: Resource, tree: Tree, order: SortStep | None, selection: Selection
) -> Asked:
    """Plan a question to one resource; ids in the filter are made its own."""
    entity = resource.model
    local = localize(hide_deleted(tree, entity), entity, str(live.connection.id))
    plan = plan_read(resource, local, order)
    added = live.source.effective.fields_of(resource)
    wire = live.source.system.protocol
    reader = RecordReader(resource, wire, str(live.connection.id), selection, plan.needed, added)
    return Asked(key, live, resource, plan, reader)


async def ask(
    asked: Asked,
    after: Position | None,
    count: int,
    deadline: float,
    context: Context,
    gate: asyncio.Semaphore | None = None,
) -> None:
    """Read up to `count` rows after a place; whatever goes wrong is the outcome of this source alone."""
    started = time.monotonic()
    limits = context.limits
    scan = Scan(asked.live.source, asked.plan, asked.reader, asked.tally, deadline, limits.max_scan_rows)
    try:
        async with asyncio.timeout_at(deadline), gate or nullcontext():
            asked.batch = await scan.run(after, count)
    except Exception as error:
        asked.status, asked.problem = explain(_as_trouble(error, asked), asked.live, context.request_id)
    else:
        if asked.batch.is_limited:
            asked.status, asked.problem = SourceStatus.PARTIAL, _too_expensive(asked, context)
    asked.duration_ms = round((time.monotonic() - started) * 1000)


def _as_trouble(error: Exception, asked: Asked) -> Exception:
    """The meaning of a deadline that passed, also before it was this source's turn."""
    if not isinstance(error, TimeoutError):
        return error
    if asked.tally.requests == 0:
        return TimedOut("Other systems took all of the time, so that this one was not asked.", sent=Sent.NOT_SENT)
    return TimedOut("The system did not answer within the deadline.")


def _too_expensive(asked: Asked, context: Context) -> Problem:
    names = ", ".join(asked.plan.filtered_here)
    return problem(
        ErrorCode.FILTER_TOO_EXPENSIVE,
        f"The system cannot apply {names or 'the whole filter'}; {context.limits.max_scan_rows} rows were looked at "
        "here, and there are more.",
        connection_id=asked.live.connection.id,
        system=asked.live.source.system.key,
        request_id=context.request_id,
    )
