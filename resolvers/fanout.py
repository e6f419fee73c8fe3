"""One question to many systems: planned, asked at the same time, each with a deadline and an outcome of its own."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.client import Tally
from connectors.errors import Sent, TimedOut
from connectors.plan import ReadPlan, plan_read
from connectors.reading import RecordReader
from connectors.scan import Batch, Scan
from resolvers.cursors import Place
from resolvers.links import finish_records, link_names, load_links
from resolvers.locality import hide_deleted, localize
from resolvers.merge import Picked, merge
from resolvers.outcomes import explain
from resolvers.ports import Context, LiveSource
from schema.errors import ErrorCode, Problem, problem
from schema.filters import Tree
from schema.model import Entity
from schema.records import ServedFrom
from schema.selection import Selection
from schema.sorting import SortStep
from schema.sources import SourceCall, SourceCallPurpose, SourceOutcome, SourceStatus

_LINK_SHARE = 0.25
"""The part of the time that is kept for linked records, so that a slow source cannot take it from the others."""


@dataclass(frozen=True)
class Question:
    """What is asked of every source; `places` says where each of them stands."""

    entity: Entity
    tree: Tree
    order: SortStep | None
    count: int
    selection: Selection
    timeout_ms: int | None
    places: Mapping[str, Place]


@dataclass(eq=False)
class Asked:
    """One source being asked, and what became of it."""

    live: LiveSource
    plan: ReadPlan | None
    reader: RecordReader | None
    tally: Tally = field(default_factory=Tally)
    batch: Batch | None = None
    status: SourceStatus = SourceStatus.OK
    problem: Problem | None = None
    duration_ms: int = 0
    calls: list[SourceCall] = field(default_factory=list)

    @property
    def connection_id(self) -> str:
        """The id of the connection."""
        return str(self.live.connection.id)


@dataclass(frozen=True)
class FanOut:
    """The answer of all sources together."""

    picked: list[Picked]
    batches: dict[str, Batch]
    outcomes: list[SourceOutcome]
    is_complete: bool
    has_more: bool


async def fan_out(lives: Sequence[LiveSource], question: Question, context: Context) -> FanOut:
    """Ask all sources, merge what came, and load the links of the page before it is returned."""
    asked = [_prepare(live, question, context) for live in lives]
    gate = asyncio.Semaphore(context.limits.max_sources_at_once)
    await asyncio.gather(*(_ask(item, question, context, gate) for item in asked if item.plan is not None))
    batches = {item.connection_id: item.batch for item in asked if item.batch is not None}
    picked = merge(batches, question.order, question.count)
    await _complete_rows(picked, {item.connection_id: item for item in asked}, question, context)
    outcomes = [_outcome(item, picked, context) for item in asked]
    used = _used(picked)
    return FanOut(
        picked,
        batches,
        outcomes,
        is_complete=all(_is_complete(item) for item in asked),
        has_more=any(
            batch.has_more or used.get(connection_id, 0) < len(batch.records)
            for connection_id, batch in batches.items()
        ),
    )


def _prepare(live: LiveSource, question: Question, context: Context) -> Asked:
    resource = live.source.system.resource(question.entity.cls)
    if resource is None:
        refusal = problem(
            ErrorCode.ENTITY_UNSUPPORTED,
            f"{live.source.system.title} has no {question.entity.plural}.",
            connection_id=live.connection.id,
            system=live.source.system.key,
            request_id=context.request_id,
        )
        return Asked(live, None, None, status=SourceStatus.UNSUPPORTED, problem=refusal)
    tree = localize(hide_deleted(question.tree, question.entity), question.entity, str(live.connection.id))
    plan = plan_read(resource, tree, question.order)
    links = link_names(question.entity, question.selection)
    reader = RecordReader(
        resource,
        live.source.system.protocol,
        str(live.connection.id),
        question.selection,
        [*plan.needed, *links],
    )
    return Asked(live, plan, reader)


async def _ask(asked: Asked, question: Question, context: Context, gate: asyncio.Semaphore) -> None:
    place = question.places.get(asked.connection_id, Place())
    if place.is_done or asked.plan is None or asked.reader is None:
        asked.batch = Batch()
        return
    started = time.monotonic()
    deadline = _rows_deadline(asked, question, context)
    scan = Scan(asked.live.source, asked.plan, asked.reader, asked.tally, deadline, context.limits.max_scan_rows)
    try:
        async with asyncio.timeout_at(deadline), gate:
            asked.batch = await scan.run(place.position, question.count)
    except Exception as error:
        asked.status, asked.problem = explain(_as_timeout(error, asked), asked.live, context.request_id)
    else:
        if asked.batch.is_limited:
            asked.status, asked.problem = _too_expensive(asked, context)
    asked.duration_ms = round((time.monotonic() - started) * 1000)
    asked.calls.append(
        SourceCall(
            purpose=SourceCallPurpose.ROWS,
            path="nodes",
            requests=asked.tally.requests,
            status=asked.status,
            error=asked.problem,
        )
    )


def _as_timeout(error: Exception, asked: Asked) -> Exception:
    """The meaning of a deadline that passed, also before it was this source's turn."""
    if not isinstance(error, TimeoutError):
        return error
    if asked.tally.requests == 0:
        return TimedOut("Other systems took all of the time, so that this one was not asked.", sent=Sent.NOT_SENT)
    return TimedOut("The system did not answer within the deadline.")


def _rows_deadline(asked: Asked, question: Question, context: Context) -> float:
    """The source's deadline, less the share of the links where any are selected."""
    end = context.deadline_for(asked.live, question.timeout_ms)
    has_links = bool(link_names(question.entity, question.selection))
    return end - (end - context.started) * _LINK_SHARE if has_links else end


def _too_expensive(asked: Asked, context: Context) -> tuple[SourceStatus, Problem]:
    names = ", ".join(asked.plan.filtered_here) if asked.plan else ""
    return SourceStatus.PARTIAL, problem(
        ErrorCode.FILTER_TOO_EXPENSIVE,
        f"The system cannot apply {names or 'the whole filter'}; {context.limits.max_scan_rows} rows were looked at "
        "here, and there are more.",
        connection_id=asked.live.connection.id,
        system=asked.live.source.system.key,
        request_id=context.request_id,
    )


async def _complete_rows(
    picked: Sequence[Picked], asked: Mapping[str, Asked], question: Question, context: Context
) -> None:
    rows: dict[str, list[Any]] = {}
    for item in picked:
        rows.setdefault(item.connection_id, []).append(item.record)
    for connection_id, records in rows.items():
        source = asked[connection_id]
        if source.reader is not None:
            finish_records(records, source.reader, source.live, context)
    lives = {connection_id: asked[connection_id].live for connection_id in rows}
    calls = await load_links(rows, lives, question.entity, question.selection, context, "nodes", question.timeout_ms)
    for connection_id, made in calls.items():
        asked[connection_id].calls.extend(made)


def _used(picked: Sequence[Picked]) -> dict[str, int]:
    used: dict[str, int] = {}
    for item in picked:
        used[item.connection_id] = item.index + 1
    return used


def _outcome(asked: Asked, picked: Sequence[Picked], context: Context) -> SourceOutcome:
    has_answered = asked.batch is not None
    return SourceOutcome(
        connection=asked.live.connection,
        status=asked.status,
        count=sum(item.connection_id == asked.connection_id for item in picked),
        duration_ms=asked.duration_ms,
        upstream_calls=sum(call.requests for call in asked.calls),
        served_from=ServedFrom.LIVE if has_answered else None,
        fetched_at=context.fetched_at if has_answered else None,
        filtered_here=list(asked.plan.filtered_here) if asked.plan else [],
        truncated=asked.batch is not None and asked.batch.is_limited,
        calls=asked.calls,
        error=asked.problem,
    )


def _is_complete(asked: Asked) -> bool:
    """A source that has no such records does not make the answer incomplete."""
    return asked.status is SourceStatus.OK or asked.plan is None
