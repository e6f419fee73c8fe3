"""Foretells what each source would be asked for a planned query, links included, without asking any.

Each source is counted as though it filled the page alone, and each row as though it pointed to a record of its own.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from connectors.composites import Many
from connectors.expense import NOTHING, Expense, of_keys, of_scan
from connectors.plan import Position, ReadPlan, has_own_paths, own_read, plan_keys
from connectors.query import Read, Request
from connectors.reading import RowReader
from connectors.spec import Resource
from resolvers.asking import Asked, resources_of
from resolvers.cursors import Place
from resolvers.custom_objects import CustomListPlan, CustomRowPlan
from resolvers.links import loader_for
from resolvers.lists import ListPlan
from resolvers.pages import pointing_resources, prepare_pages
from resolvers.ports import Context, LiveSource
from resolvers.singles import NodePlan, RecordPlan
from resolvers.steps import InTree, Links, OfChildren, ToMany, ToOne
from resolvers.totals import PATH as TOTAL
from resolvers.totals import can_count, counting_request
from resolvers.trails import MOST_LEVELS
from schema.freshness import Freshness
from schema.model import Entity

CHILD_ROWS = 20
"""How many child rows a record is taken to have where each may point to a record of its own."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Forecast:
    """What one source would be asked at most for one field of a query.

    Without a `reader` the source has no such records. Without a `plan` records are read by keys that other rows tell.
    `first` is the first request, where it is known before any answer; `links` are those of the rows. One that `counts`
    asks for the number of rows alone.
    """

    path: str
    live: LiveSource
    entity: Entity
    expense: Expense = NOTHING
    reader: RowReader | None = None
    plan: ReadPlan | None = None
    first: Callable[[], Request | None] | None = None
    links: Links = ()
    counts: bool = False


def forecast(plan: Any, path: str, context: Context) -> Iterator[Forecast]:
    """What the plan of a root field comes to; `path` is the name that the answer gives the field."""
    match plan:
        case ListPlan():
            yield from _of_list(plan, f"{path}.nodes", context)
            if plan.question.counts_all:
                yield from _of_total(plan.asked, plan.question.entity, f"{path}.{TOTAL}")
        case CustomListPlan():
            yield _of_objects(plan, f"{path}.nodes", context)
            if plan.counts_all:
                yield from _of_total([plan.asked], plan.asked.resource.model, f"{path}.{TOTAL}")
        case RecordPlan():
            yield from _of_record(plan, path, context)
        case CustomRowPlan():
            yield _of_row(plan, path)
        case NodePlan():
            yield from forecast(plan.record or plan.row, path, context)
        case list():
            for item in plan:
                yield from forecast(item, path, context)


def _of_list(plan: ListPlan, path: str, context: Context) -> Iterator[Forecast]:
    question = plan.question
    for live in plan.lives:
        asked = [item for item in plan.asked if item.live is live]
        if not asked:
            yield Forecast(path=path, live=live, entity=question.entity)
            continue
        found = [_of_asked(item, plan, path, context) for item in asked]
        yield from found
        rows = question.count if any(item.expense.calls for item in found) else 0
        follow = _Links(context, live, question.timeout_ms, question.freshness)
        yield from follow.of(question.links, [item.resource for item in asked], rows, path)


def _of_asked(asked: Asked, plan: ListPlan, path: str, context: Context) -> Forecast:
    question = plan.question
    place = question.places.get(asked.key, Place())
    return _of_page(asked, place, question.count, question.links, path, context)


def _of_objects(plan: CustomListPlan, path: str, context: Context) -> Forecast:
    return _of_page(plan.asked, plan.place, plan.count, (), path, context)


def _of_page(asked: Asked, place: Place, count: int, links: Links, path: str, context: Context) -> Forecast:
    scan = (place.position, count, context.limits.max_scan_rows)
    expense = NOTHING if place.is_done else of_scan(asked.plan, asked.reader, *scan)
    return Forecast(
        path=path,
        live=asked.live,
        entity=asked.resource.model,
        expense=_with_looks(expense, asked.reader, asked.live),
        reader=asked.reader,
        plan=asked.plan,
        first=None if place.is_done else partial(_first_request, asked, place.position, count),
        links=links,
    )


def _with_looks(expense: Expense, reader: RowReader, live: LiveSource) -> Expense:
    """The same with the questions about the fields of the source's own record, which come before it."""
    if not expense.calls or reader.extras.looking(live.source.options) is None:
        return expense
    return expense + Expense(calls=reader.extras.most_looks)


def _first_request(asked: Asked, after: Position | None, count: int) -> Request | None:
    read = asked.plan.first_read(after, asked.reader.paths, count)
    return None if read is None else _request(asked.live, asked.reader, read, asked.plan.start(after).query)


def _request(live: LiveSource, reader: RowReader, read: Read, query: str | None = None) -> Request:
    return reader.extras.looking(live.source.options) or live.source.request(read, query)


def _of_total(all_asked: Sequence[Asked], entity: Entity, path: str) -> Iterator[Forecast]:
    """One call for each source, where all of them can tell how many rows they have."""
    if not can_count(all_asked):
        return
    for asked in all_asked:
        if not asked.plan.finds_nothing:
            yield Forecast(
                path=path,
                live=asked.live,
                entity=entity,
                expense=Expense(calls=1),
                reader=asked.reader,
                plan=asked.plan,
                first=partial(counting_request, asked),
                counts=True,
            )


def _of_record(plan: RecordPlan, path: str, context: Context) -> Iterator[Forecast]:
    resource = plan.reader.resource
    yield Forecast(
        path=path,
        live=plan.live,
        entity=plan.entity,
        expense=_with_looks(of_keys(plan.reader, 1), plan.reader, plan.live),
        reader=plan.reader,
        first=partial(_first_of_record, plan),
        links=plan.links,
    )
    yield from _Links(context, plan.live, plan.timeout_ms, plan.freshness).of(plan.links, [resource], 1, path)


def _first_of_record(plan: RecordPlan) -> Request | None:
    resource, paths = plan.reader.resource, plan.reader.paths
    if has_own_paths(resource):
        read = own_read(resource, paths, plan.key)
    else:
        read = plan_keys(resource, [plan.key]).first_read(None, paths, 1)
    return None if read is None else _request(plan.live, plan.reader, read)


def _of_row(plan: CustomRowPlan, path: str) -> Forecast:
    return Forecast(
        path=path,
        live=plan.live,
        entity=plan.reader.resource.model,
        expense=_with_looks(Expense(calls=1, records=1), plan.reader, plan.live),
        reader=plan.reader,
        first=partial(_request, plan.live, plan.reader, plan.read),
    )


@dataclass(frozen=True, eq=False)
class _Links:
    """Follows the links of one connection's rows."""

    context: Context
    live: LiveSource
    timeout_ms: int | None
    freshness: Freshness

    def of(self, links: Links, parents: Collection[Resource], rows: int, path: str) -> Iterator[Forecast]:
        """The links of so many rows of these resources."""
        for step in links:
            below = f"{path}.{step.field.name}"
            match step:
                case ToOne():
                    if any(step.field.name in resource.fields for resource in parents):
                        yield from self._to_one(step, rows, below)
                case ToMany():
                    yield from self._to_many(step, parents, rows, below)
                case InTree():
                    yield from self._of_place(step, rows, below)
                case OfChildren():
                    yield from self._of_children(step, parents, rows, below)

    def _to_one(self, step: ToOne, rows: int, path: str) -> Iterator[Forecast]:
        resources = resources_of(self.live, step.target).values()
        if not resources:
            yield Forecast(path=path, live=self.live, entity=step.target)
        for resource in resources:
            # Execution takes the same loader again, so that nothing is prepared twice.
            loader = loader_for(self.live, resource, step.selection, self.context, self.timeout_ms, self.freshness)
            reader = loader.reader
            yield Forecast(
                path=path,
                live=self.live,
                entity=step.target,
                expense=_with_looks(of_keys(reader, rows), reader, self.live),
                reader=reader,
                links=step.links,
            )
        yield from self.of(step.links, resources, rows, path)

    def _to_many(self, step: ToMany, parents: Collection[Resource], rows: int, path: str) -> Iterator[Forecast]:
        pointing = pointing_resources(self.live, step)
        if not resources_of(self.live, step.target):
            yield Forecast(path=path, live=self.live, entity=step.target)
        for key, resource in pointing.items():
            # Any references will do: how many there are in a question does not change what the source does with it.
            asked = prepare_pages(self.live, key, resource, step, [f"{item.prefix}1" for item in parents], self.context)
            yield Forecast(
                path=path,
                live=self.live,
                entity=step.target,
                expense=_with_looks(self._of_pages(asked, step, rows), asked.reader, self.live),
                reader=asked.reader,
                plan=asked.plan,
                links=step.links,
            )
        yield from self.of(step.links, pointing.values(), rows * step.count, path)

    def _of_place(self, step: InTree, rows: int, path: str) -> Iterator[Forecast]:
        """Each level above the rows is one read by keys; how many there are is not known before."""
        for resource in resources_of(self.live, step.target).values():
            chosen = step.selection
            loader = loader_for(self.live, resource, chosen, self.context, self.timeout_ms, self.freshness)
            expense = of_keys(loader.reader, rows).times(MOST_LEVELS)
            yield Forecast(path=path, live=self.live, entity=step.target, expense=expense, reader=loader.reader)

    def _of_pages(self, asked: Asked, step: ToMany, rows: int) -> Expense:
        """Chunks of rows together; and where those bring too much, or go on from a cursor, each row on its own."""
        most = self.context.limits.max_scan_rows
        each = of_scan(asked.plan, asked.reader, None, step.count, most).times(rows)
        if step.after is not None:
            return each
        together = of_scan(asked.plan, asked.reader, None, most, most)
        return each + together.times(-(-rows // asked.resource.max_keys))

    def _of_children(self, step: OfChildren, parents: Collection[Resource], rows: int, path: str) -> Iterator[Forecast]:
        specs = [spec for item in parents if isinstance(spec := item.fields.get(step.field.name), Many)]
        for inner in step.links:
            if isinstance(inner, ToOne) and any(inner.field.name in spec.fields for spec in specs):
                yield from self._to_one(inner, rows * CHILD_ROWS, f"{path}.{inner.field.name}")
