"""One question to many systems: planned, asked at the same time, each with a deadline and an outcome of its own."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from connectors.scan import Batch
from resolvers.asking import Asked, ask, has_no_such_records, prepare, resources_of
from resolvers.cursors import Place
from resolvers.linking import Linker
from resolvers.links import finish_records
from resolvers.merge import Picked, merge
from resolvers.ports import Context, LiveSource
from resolvers.steps import Links
from schema.errors import ErrorCode
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
    """What is asked of every source; `places` says where each of them stands, `links` what follows from the rows."""

    entity: Entity
    tree: Tree
    order: SortStep | None
    count: int
    selection: Selection
    links: Links
    timeout_ms: int | None
    places: Mapping[str, Place]


@dataclass(frozen=True)
class FanOut:
    """The answer of all sources together; batches are by the key that names a source."""

    picked: list[Picked]
    batches: dict[str, Batch]
    outcomes: list[SourceOutcome]
    is_complete: bool
    has_more: bool


def source_keys(lives: Sequence[LiveSource], entity: Entity) -> Iterator[str]:
    """The keys of everything that would be asked."""
    for live in lives:
        yield from resources_of(live, entity)


def prepare_all(lives: Sequence[LiveSource], question: Question) -> list[Asked]:
    """Plan a question to every resource of every source that has such records."""
    return [
        prepare(key, live, resource, question.tree, question.order, question.selection)
        for live in lives
        for key, resource in resources_of(live, question.entity).items()
    ]


async def fan_out(lives: Sequence[LiveSource], question: Question, asked: Sequence[Asked], context: Context) -> FanOut:
    """Ask all sources, merge what came, and load the links of the page before it is returned."""
    gate = asyncio.Semaphore(context.limits.max_sources_at_once)
    await asyncio.gather(*(_ask(item, question, context, gate) for item in asked))
    batches = {item.key: item.batch for item in asked if item.batch is not None}
    picked = merge(batches, question.order, question.count)
    calls = await _complete_rows(picked, {item.key: item for item in asked}, question, context)
    by_connection = {key: list(items) for key, items in groupby(asked, lambda item: item.connection_id)}
    outcomes = [
        _outcome(by_connection[str(live.connection.id)], picked, calls, context)
        if str(live.connection.id) in by_connection
        else SourceOutcome(
            connection=live.connection,
            status=SourceStatus.UNSUPPORTED,
            error=has_no_such_records(live, question.entity, context),
        )
        for live in lives
    ]
    used = {item.source: item.index + 1 for item in picked}
    return FanOut(
        picked,
        batches,
        outcomes,
        is_complete=all(_is_complete(item) for item in asked),
        has_more=any(batch.has_more or used.get(key, 0) < len(batch.records) for key, batch in batches.items()),
    )


async def _ask(asked: Asked, question: Question, context: Context, gate: asyncio.Semaphore) -> None:
    place = question.places.get(asked.key, Place())
    if place.is_done:
        asked.batch = Batch()
        return
    end = context.deadline_for(asked.live, question.timeout_ms)
    if question.links:
        end -= (end - context.started) * _LINK_SHARE
    await ask(asked, place.position, question.count, end, context, gate)


async def _complete_rows(
    picked: Sequence[Picked], asked: Mapping[str, Asked], question: Question, context: Context
) -> dict[str, list[SourceCall]]:
    """Give the rows of the page what does not come with them, and tell what it took for each connection."""
    rows: dict[str, list[Any]] = {}
    for item in picked:
        rows.setdefault(item.source, []).append(item.record)
    lives = {source.connection_id: source.live for source in asked.values()}
    by_connection: dict[str, list[Any]] = {}
    for key, records in rows.items():
        finish_records(records, asked[key].reader, asked[key].live, context)
        by_connection.setdefault(asked[key].connection_id, []).extend(records)
    linker = Linker(context, lives, question.timeout_ms)
    await linker.fill(by_connection, question.links, "nodes")
    return linker.calls


def _outcome(
    asked: Sequence[Asked], picked: Sequence[Picked], calls: Mapping[str, list[SourceCall]], context: Context
) -> SourceOutcome:
    """The outcome of a connection; where it has several resources for the entity, of all of them together."""
    first = asked[0]
    keys = {item.key for item in asked}
    failed = [item for item in asked if item.status is not SourceStatus.OK]
    status = SourceStatus.OK
    if failed:
        status = failed[0].status if len(failed) == len(asked) else SourceStatus.PARTIAL
    has_answered = any(item.batch is not None for item in asked)
    made = [item.call(SourceCallPurpose.ROWS, "nodes") for item in asked] + calls.get(first.connection_id, [])
    return SourceOutcome(
        connection=first.live.connection,
        status=status,
        count=sum(item.source in keys for item in picked),
        duration_ms=max(item.duration_ms for item in asked),
        upstream_calls=sum(call.requests for call in made),
        served_from=ServedFrom.LIVE if has_answered else None,
        fetched_at=context.fetched_at if has_answered else None,
        filtered_here=list(dict.fromkeys(name for item in asked for name in item.plan.filtered_here)),
        truncated=any(item.batch is not None and item.batch.is_limited for item in asked),
        calls=made,
        error=failed[0].problem if failed else None,
    )


def _is_complete(asked: Asked) -> bool:
    """A system that has no such records does not make the answer incomplete; one that cannot sort them does."""
    has_none = asked.problem is not None and asked.problem.code is ErrorCode.ENTITY_UNSUPPORTED
    return asked.status is SourceStatus.OK or has_none
