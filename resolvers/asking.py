"""Asks one resource of one connection: its plan, its reader, its calls and what became of it."""

import asyncio
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from connectors.errors import BadAnswer, Sent, TimedOut
from connectors.plan import Position, ReadPlan, plan_read
from connectors.protocols.walking import Walk
from connectors.reading import RecordReader, RowReader
from connectors.scan import Batch, Scan
from connectors.spec import Resource
from connectors.tally import Tally
from resolvers.cached_reads import Torn, at_the_source, reads_of
from resolvers.locality import hide_deleted, localize
from resolvers.outcomes import explain
from resolvers.ports import Context, LiveSource
from resolvers.tracing import note_answer, source_step
from schema.errors import ErrorCode, Problem, problem
from schema.filters import Tree
from schema.freshness import Freshness
from schema.model import Entity
from schema.selection import Selection
from schema.sorting import Order
from schema.sources import PagingGuarantee, SourceCall, SourceCallPurpose, SourceStatus

_GUARANTEES = {
    Walk.KEYS: PagingGuarantee.KEYSET,
    Walk.WHOLE: PagingGuarantee.KEYSET,
    Walk.LINKS: PagingGuarantee.TOKEN,
    Walk.ROWS: PagingGuarantee.OFFSET,
}


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

    @property
    def paging(self) -> PagingGuarantee:
        """How surely its pages give each row once."""
        return PagingGuarantee.KEYSET if self.plan.sorts_here else _GUARANTEES[self.plan.walk]

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
    key: str,
    live: LiveSource,
    resource: Resource,
    tree: Tree,
    order: Order,
    selection: Selection,
    now: datetime,
) -> Asked:
    """Plan a question to one resource, as of now; ids in the filter are made its own."""
    entity = resource.model
    local = localize(hide_deleted(tree, entity), entity, str(live.connection.id))
    plan = plan_read(resource, local, order)
    wire, added = live.source.system.protocol, live.source.effective.fields_of(resource)
    reader = RecordReader(resource, wire, str(live.connection.id), selection, plan.needed, now, added)
    return Asked(key, live, resource, plan, reader, Tally(entity=entity.name))


async def ask(
    asked: Asked,
    after: Position | None,
    count: int,
    deadline: float,
    context: Context,
    freshness: Freshness,
    gate: asyncio.Semaphore | None = None,
    purpose: SourceCallPurpose = SourceCallPurpose.ROWS,
) -> None:
    """Read up to `count` rows after a place; whatever goes wrong is the outcome of this source alone."""
    started = time.monotonic()
    context.tallies.append(asked.tally)
    with source_step(asked.live, asked.resource.model.name, purpose) as span:
        try:
            async with asyncio.timeout_at(deadline), gate or nullcontext():
                asked.batch = await _scan(asked, after, count, deadline, context, freshness)
        except Exception as error:
            asked.status, asked.problem = explain(as_trouble(error, asked.tally), asked.live, context.request_id)
        else:
            if asked.tally.trouble is not None:
                _, asked.problem = explain(asked.tally.trouble, asked.live, context.request_id)
                asked.status = SourceStatus.STALE
            elif asked.batch.is_limited:
                asked.status, asked.problem = SourceStatus.PARTIAL, _too_expensive(asked, context)
        rows = len(asked.batch.records) if asked.batch is not None else 0
        note_answer(span, asked.status, asked.problem, rows, asked.tally.requests)
    asked.duration_ms = round((time.monotonic() - started) * 1000)


async def _scan(
    asked: Asked, after: Position | None, count: int, deadline: float, context: Context, freshness: Freshness
) -> Batch:
    """Scan the source; kept answers of several ages that contradict each other are given up for live ones."""
    reads = reads_of(asked.live, freshness, context)
    scan = Scan(reads, asked.plan, asked.reader, asked.tally, deadline, context.limits.max_scan_rows)
    try:
        return await scan.run(after, count)
    except (Torn, BadAnswer):
        if asked.tally.served is None:
            raise
    asked.tally.begin_again()
    scan.source = at_the_source(reads)
    return await scan.run(after, count)


def as_trouble(error: Exception, tally: Tally) -> Exception:
    """The meaning of a deadline that passed, also before it was this source's turn."""
    if not isinstance(error, TimeoutError):
        return error
    if tally.requests == 0:
        return TimedOut(
            "The time was over before it was this system's turn, so that it was not asked.", sent=Sent.NOT_SENT
        )
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


def has_no_such_records(live: LiveSource, entity: Entity, context: Context) -> Problem:
    """Why a system is not asked that does not know such records; the answer is complete without it."""
    return problem(
        ErrorCode.ENTITY_UNSUPPORTED,
        f"{live.source.system.title} has no {entity.plural}.",
        connection_id=live.connection.id,
        system=live.source.system.key,
        request_id=context.request_id,
    )
