"""Paged links: the records that point to each row, read for all rows together and cut into a page for each."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from connectors.reading import RowReader
from connectors.scan import Batch
from connectors.spec import Resource
from resolvers.asking import Asked, ask, prepare, resources_of
from resolvers.building import build_page
from resolvers.cursors import Place, check_places, fingerprint, read_cursor, value_types, write_cursor
from resolvers.links import finish_records
from resolvers.merge import merge
from resolvers.outcomes import gap_of, origin_of
from resolvers.ports import Context, LiveSource
from resolvers.steps import ToMany
from schema.records import FieldGapReason, Served, weaker
from schema.selection import below
from schema.sources import SourceCall, SourceCallPurpose, SourceOutcome, SourceStatus, page_of

if TYPE_CHECKING:
    from resolvers.linking import Linker

_SINGLES_AT_ONCE = 4
_LINK = SourceCallPurpose.LINK


@dataclass(frozen=True, eq=False)
class Siblings:
    """What the pages of all rows of a connection share: how they were read, and `before` them any place.

    `outcome` counts no rows yet.
    """

    live: LiveSource
    readers: Mapping[str, RowReader]
    before: Mapping[str, Place]
    outcome: SourceOutcome

    @classmethod
    def of(cls, linker: "Linker", live: LiveSource, wanted: ToMany, asked: Sequence[Asked]) -> "Siblings":
        """What there is to say of these calls, worked out once."""
        served: Served | None = None
        for item in asked:
            served = weaker(served, item.tally.served)
        source, fetched_at = origin_of(served, linker.context)
        status = next((item.status for item in asked if item.status is not SourceStatus.OK), SourceStatus.OK)
        requests = sum(item.tally.requests for item in asked)
        outcome = SourceOutcome(
            connection=live.connection,
            status=status,
            duration_ms=max((item.duration_ms for item in asked), default=0),
            upstream_calls=requests,
            served_from=source,
            fetched_at=fetched_at,
            filtered_here=list(dict.fromkeys(name for item in asked for name in item.plan.filtered_here)),
            truncated=any(item.batch is not None and item.batch.is_limited for item in asked),
            calls=[SourceCall(purpose=_LINK, path=wanted.field.name, requests=requests, status=status)],
            error=next((item.problem for item in asked if item.problem is not None), None),
        )
        before = {key: Place() for key in resources_of(live, wanted.target)}
        return cls(live, {item.key: item.reader for item in asked}, before, outcome)


async def load_pages(linker: "Linker", connection_id: str, parents: Sequence[Any], wanted: ToMany, path: str) -> None:
    """Give every row its page of the records that point to it; a failure is null with a reason."""
    live = linker.lives[connection_id]
    found: dict[str, dict[str, Batch]] = {parent.origin.reference: {} for parent in parents}
    asked: list[Asked] = []
    for key, resource in pointing_resources(live, wanted).items():
        asked += await _ask_resource(linker, live, key, resource, wanted, found, path)
    failed = next((item for item in asked if item.batch is None), None)
    siblings = Siblings.of(linker, live, wanted, asked)
    shown: list[Any] = []
    for parent in parents:
        if not asked or failed is not None:
            parent.origin.pages[wanted.alias] = None
            reason = FieldGapReason.NOT_SUPPORTED_BY_SYSTEM if failed is None else gap_of(failed.status)
            parent.origin.failed_links[wanted.field.attribute] = reason
            continue
        page, records = _page(linker, siblings, wanted, parent, found[parent.origin.reference])
        parent.origin.pages[wanted.alias] = page
        shown.extend(records)
    await linker.fill({connection_id: shown}, wanted.links, path)


async def _ask_resource(
    linker: "Linker",
    live: LiveSource,
    key: str,
    resource: Resource,
    wanted: ToMany,
    found: dict[str, dict[str, Batch]],
    path: str,
) -> list[Asked]:
    """Read what points to the parents, in chunks; where there is too much for one read, each parent on its own.

    So is a parent that clients may go on from, where a place in the rows of the whole chunk is none in its own rows.
    """
    deadline = linker.context.deadline_for(live, linker.timeout_ms)
    parents = list(found)
    made: list[Asked] = []
    for start in range(0, len(parents), resource.max_keys):
        chunk = parents[start : start + resource.max_keys]
        if wanted.after is not None:
            made += await _ask_each(linker, live, key, resource, wanted, chunk, found, deadline)
            continue
        asked = prepare_pages(live, key, resource, wanted, chunk, linker.context)
        most = linker.context.limits.max_scan_rows
        await ask(asked, None, most, deadline, linker.context, linker.freshness, purpose=_LINK)
        made.append(asked)
        if asked.batch is not None and asked.batch.has_more:
            asked.status, asked.problem, asked.batch = SourceStatus.OK, None, Batch()
            made += await _ask_each(linker, live, key, resource, wanted, chunk, found, deadline)
        elif asked.batch is not None:
            _group(asked.batch, wanted, key, found)
            if not asked.plan.has_places_by_key:
                apart = [parent for parent in chunk if _can_be_gone_on_from(wanted, found[parent].get(key, Batch()))]
                made += await _ask_each(linker, live, key, resource, wanted, apart, found, deadline)
    for item in made:
        linker.note(str(live.connection.id), item.tally.served)
        linker.account(str(live.connection.id), item.call(_LINK, path))
    return made


def pointing_resources(live: LiveSource, wanted: ToMany) -> dict[str, Resource]:
    """The resources whose rows know what they point to, each under its key among all sources."""
    return {key: item for key, item in resources_of(live, wanted.target).items() if wanted.by.name in item.fields}


def prepare_pages(
    live: LiveSource, key: str, resource: Resource, wanted: ToMany, references: Sequence[str], context: Context
) -> Asked:
    """Plan the question for what points to these rows."""
    selection = {**wanted.rows, wanted.by.name: wanted.rows.get(wanted.by.name)}
    tree = wanted.of_parents(live, references)
    return prepare(key, live, resource, tree, wanted.order, selection, context.fetched_at)


def _group(batch: Batch, wanted: ToMany, key: str, found: dict[str, dict[str, Batch]]) -> None:
    for record, place in zip(batch.records, batch.places, strict=True):
        parent = record.origin.links.get(wanted.by.attribute)
        if parent in found:
            own = found[parent].setdefault(key, Batch())
            own.records.append(record)
            own.places.append(place)
            own.resume = place


def _can_be_gone_on_from(wanted: ToMany, batch: Batch) -> bool:
    """Whether the page of these rows will have a cursor that stands before its last row."""
    page, rows = below(wanted.selection, "pageInfo"), len(batch.records)
    if "startCursor" in page or "cursor" in below(wanted.selection, "edges"):
        return rows > 1
    return "endCursor" in page and rows > wanted.count


async def _ask_each(
    linker: "Linker",
    live: LiveSource,
    key: str,
    resource: Resource,
    wanted: ToMany,
    parents: Sequence[str],
    found: dict[str, dict[str, Batch]],
    deadline: float,
) -> list[Asked]:
    gate = asyncio.Semaphore(_SINGLES_AT_ONCE)

    async def ask_one(parent: str) -> Asked:
        asked = prepare_pages(live, key, resource, wanted, [parent], linker.context)
        places = _places(linker, wanted, live, parent)
        check_places(places, {key: asked.plan})
        place = places.get(key, Place())
        if place.is_done:
            asked.batch = Batch()
        else:
            await ask(asked, place.position, wanted.count, deadline, linker.context, linker.freshness, gate, _LINK)
        if asked.batch is not None:
            found[parent][key] = asked.batch
        return asked

    return list(await asyncio.gather(*(ask_one(parent) for parent in parents)))


def _query(linker: "Linker", wanted: ToMany, live: LiveSource, parent: str) -> str:
    tenant = linker.context.directory.tenant
    return fingerprint(tenant, wanted.field.name, live.connection.id, parent, wanted.tree, wanted.order)


def _places(linker: "Linker", wanted: ToMany, live: LiveSource, parent: str) -> Mapping[str, Place]:
    if wanted.after is None:
        return {}
    query = _query(linker, wanted, live, parent)
    return read_cursor(linker.context.cursor_key, query, wanted.after, value_types(wanted.target, wanted.order))


def _page(
    linker: "Linker", siblings: Siblings, wanted: ToMany, parent: Any, batches: dict[str, Batch]
) -> tuple[Any, list[Any]]:
    context, live = linker.context, siblings.live
    picked = merge(batches, wanted.order, wanted.count)
    for item in picked:
        finish_records([item.record], siblings.readers[item.source], live, context)
    query = _query(linker, wanted, live, parent.origin.reference)
    outcome = replace(siblings.outcome, count=len(picked))
    page = build_page(
        page_of(wanted.target.cls),
        picked,
        batches,
        {**siblings.before, **_places(linker, wanted, live, parent.origin.reference)},
        wanted.selection,
        lambda places: write_cursor(context.cursor_key, query, places),
        outcomes=[outcome],
        is_complete=outcome.status is SourceStatus.OK,
        after=wanted.after,
        total=_total(batches) if wanted.after is None else None,
    )
    return page, [item.record for item in picked]


def _total(batches: Mapping[str, Batch]) -> int | None:
    """All rows are here already, or nobody knows how many there are."""
    is_whole = not any(batch.has_more for batch in batches.values())
    return sum(len(batch.records) for batch in batches.values()) if is_whole else None
