"""One question to many systems: planned, asked at the same time, each with a deadline and an outcome of its own."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from connectors.scan import Batch
from connectors.tracing import FAN_OUT, Attribute, note, step
from resolvers.asking import Asked, ask, has_no_such_records, prepare, resources_of
from resolvers.cursors import Place
from resolvers.linking import Linker
from resolvers.links import finish_records
from resolvers.merge import Picked, merge
from resolvers.outcomes import origin_of
from resolvers.ports import Context, LiveSource
from resolvers.steps import Links
from resolvers.totals import Total, count_all
from schema.errors import ErrorCode
from schema.filters import Tree
from schema.freshness import UNSAID, Freshness
from schema.model import Entity
from schema.records import weaker
from schema.selection import Selection
from schema.sorting import Order
from schema.sources import PagingGuarantee, SourceCallPurpose, SourceOutcome, SourceStatus

_LINK_SHARE = 0.25
"""The part of the time that is kept for linked records, so that a slow source cannot take it from the others."""


@dataclass(frozen=True)
class Question:
    """What is asked of every source; `places` says where each of them stands, `links` what follows from the rows.

    `counts_all` asks also how many rows there are in all.
    """

    entity: Entity
    tree: Tree
    order: Order
    count: int
    selection: Selection
    links: Links
    timeout_ms: int | None
    places: Mapping[str, Place]
    counts_all: bool = False
    freshness: Freshness = UNSAID


@dataclass(frozen=True)
class FanOut:
    """The answer of all sources together; batches are by the key that names a source."""

    picked: list[Picked]
    batches: dict[str, Batch]
    outcomes: list[SourceOutcome]
    is_complete: bool
    total: int | None


def source_keys(lives: Sequence[LiveSource], entity: Entity) -> Iterator[str]:
    """The keys of everything that would be asked."""
    for live in lives:
        yield from resources_of(live, entity)


def prepare_all(lives: Sequence[LiveSource], question: Question, context: Context) -> list[Asked]:
    """Plan a question to every resource of every source that has such records."""
    return [
        prepare(key, live, resource, question.tree, question.order, question.selection, context.fetched_at)
        for live in lives
        for key, resource in resources_of(live, question.entity).items()
    ]


async def fan_out(lives: Sequence[LiveSource], question: Question, asked: Sequence[Asked], context: Context) -> FanOut:
    """Ask all sources, merge what came, and load the links of the page before it is returned."""
    with step(FAN_OUT, {Attribute.ENTITY: question.entity.name}) as span:
        answer = await _fan_out(lives, question, asked, context)
        context.is_complete &= answer.is_complete
        note(
            span,
            {
                Attribute.SOURCES: len(answer.outcomes),
                Attribute.ROWS: len(answer.picked),
                Attribute.COMPLETE: answer.is_complete,
            },
        )
        return answer


async def _fan_out(lives: Sequence[LiveSource], question: Question, asked: Sequence[Asked], context: Context) -> FanOut:
    gate = asyncio.Semaphore(context.limits.max_sources_at_once)
    ends = {item.key: _end_of_rows(item.live, question, context) for item in asked}
    total = Total()
    reading = asyncio.gather(*(_ask(item, question, ends[item.key], context, gate) for item in asked))
    if question.counts_all:
        _, total = await asyncio.gather(reading, count_all(asked, ends, context, gate))
    else:
        await reading
    batches = {item.key: item.batch for item in asked if item.batch is not None}
    picked = merge(batches, question.order, question.count)
    linker = await _complete_rows(picked, {item.key: item for item in asked}, question, context)
    for connection_id, counted in total.calls.items():
        linker.calls.setdefault(connection_id, []).extend(counted)
    by_connection = {key: list(items) for key, items in groupby(asked, lambda item: item.connection_id)}
    outcomes = [
        _outcome(by_connection[str(live.connection.id)], picked, linker, context)
        if str(live.connection.id) in by_connection
        else SourceOutcome(
            connection=live.connection,
            status=SourceStatus.UNSUPPORTED,
            error=has_no_such_records(live, question.entity, context),
        )
        for live in lives
    ]
    return FanOut(
        picked,
        batches,
        outcomes,
        is_complete=all(_is_complete(item) for item in asked),
        total=total.rows,
    )


async def _ask(asked: Asked, question: Question, end: float, context: Context, gate: asyncio.Semaphore) -> None:
    place = question.places.get(asked.key, Place())
    if place.is_done:
        asked.batch = Batch()
        return
    await ask(asked, place.position, question.count, end, context, question.freshness, gate)


def _end_of_rows(live: LiveSource, question: Question, context: Context) -> float:
    """Until when rows may come: linked records need a part of the time."""
    end = context.deadline_for(live, question.timeout_ms)
    if question.links:
        end -= (end - context.started) * _LINK_SHARE
    return end


async def _complete_rows(
    picked: Sequence[Picked], asked: Mapping[str, Asked], question: Question, context: Context
) -> Linker:
    """Give the rows of the page what does not come with them, and account for what it took of each connection."""
    rows: dict[str, list[Any]] = {}
    for item in picked:
        rows.setdefault(item.source, []).append(item.record)
    lives = {source.connection_id: source.live for source in asked.values()}
    by_connection: dict[str, list[Any]] = {}
    for key, records in rows.items():
        finish_records(records, asked[key].reader, asked[key].live, context)
        by_connection.setdefault(asked[key].connection_id, []).extend(records)
    linker = Linker(context, lives, question.timeout_ms, question.freshness)
    await linker.fill_page(by_connection, question.entity, question.links, "nodes")
    return linker


def _outcome(asked: Sequence[Asked], picked: Sequence[Picked], linker: Linker, context: Context) -> SourceOutcome:
    """The outcome of a connection; where it has several resources for the entity, of all of them together."""
    first = asked[0]
    keys = {item.key for item in asked}
    failed = [item for item in asked if item.status is not SourceStatus.OK]
    has_answered = any(item.batch is not None for item in asked)
    rows = [item.call(SourceCallPurpose.ROWS, "nodes") for item in asked]
    made = rows + linker.calls.get(first.connection_id, [])
    served = linker.served.get(first.connection_id)
    for item in asked:
        served = weaker(served, item.tally.served)
    source, fetched_at = origin_of(served, context)
    return SourceOutcome(
        connection=first.live.connection,
        status=_status(asked),
        count=sum(item.source in keys for item in picked),
        duration_ms=max(item.duration_ms for item in asked),
        upstream_calls=sum(call.requests for call in made),
        served_from=source if has_answered else None,
        fetched_at=fetched_at if has_answered else None,
        filtered_here=list(dict.fromkeys(name for item in asked for name in item.plan.filtered_here)),
        truncated=any(item.batch is not None and item.batch.is_limited for item in asked),
        paging=max((item.paging for item in asked), key=list(PagingGuarantee).index),
        calls=made,
        error=failed[0].problem if failed else None,
    )


def _status(asked: Sequence[Asked]) -> SourceStatus:
    """How a connection answered as a whole: in part, unless its resources agree or all of its rows are there."""
    statuses = {item.status for item in asked}
    if statuses == {SourceStatus.OK, SourceStatus.STALE}:
        return SourceStatus.STALE
    if SourceStatus.OK in statuses:
        return SourceStatus.OK if len(statuses) == 1 else SourceStatus.PARTIAL
    return SourceStatus.PARTIAL if SourceStatus.STALE in statuses and len(statuses) > 1 else asked[0].status


def _is_complete(asked: Asked) -> bool:
    """A system that has no such records does not make the answer incomplete; one that cannot sort them does."""
    has_none = asked.problem is not None and asked.problem.code is ErrorCode.ENTITY_UNSUPPORTED
    return asked.status is SourceStatus.OK or has_none
