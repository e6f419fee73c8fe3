"""Reads a resource page by page as the product does, and once more here, so that both can be compared."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from connectors.beside import fill_beside
from connectors.plan import plan_read
from connectors.query import Read, Request
from connectors.reading import RecordReader
from connectors.scan import Scan, read_by_keys
from connectors.spec import Resource
from connectors.tally import Tally
from connectors.testing.bench import CONNECTION, Opened
from schema.filters import EVERYTHING, Tree
from schema.matching import attribute_path, compile_test
from schema.model import Entity, FieldModel, Kind, fields_of
from schema.ordering import sort_key
from schema.selection import Selection
from schema.sorting import Order

MAX_ROWS = 5_000
NOW = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
"""The moment that records are read for, so that what depends on it is always the same."""


def whole(entity: Entity) -> Selection:
    """Everything that a client can select of a record."""
    return {item.name: _below(item) for item in entity.mapped_fields()} | {"version": None, "displayName": None}


def _below(item: FieldModel) -> Selection | None:
    match item.kind:
        case Kind.VALUE | Kind.VALUES:
            return dict.fromkeys(fields_of(item.type))
        case Kind.CHILDREN:
            return {"nodes": {name: _below(inner) for name, inner in fields_of(item.type).items()}}
        case Kind.LINK:
            return {"id": None}
        case _:
            return None


def reader_for(opened: Opened, resource: Resource, selection: Selection, needed: Iterable[str] = ()) -> RecordReader:
    """What makes records of the resource's rows."""
    return RecordReader(resource, opened.source.system.protocol, CONNECTION, selection, needed, NOW)


async def walk(
    opened: Opened,
    resource: Resource,
    tree: Tree = EVERYTHING,
    order: Order = (),
    *,
    selection: Selection | None = None,
    page: int = MAX_ROWS,
    max_rows: int = MAX_ROWS,
    tally: Tally | None = None,
    deadline: float | None = None,
) -> list[Any]:
    """All records that a question finds, read in pages of so many; a walk without end is a failure.

    `max_rows` is how many rows may be looked at for one page, `deadline` a time of the event loop.
    """
    plan = plan_read(resource, tree, order)
    reader = reader_for(opened, resource, selection or {}, plan.needed)
    end = opened.deadline() if deadline is None else deadline
    scan = Scan(opened.source, plan, reader, tally or Tally(), end, max_rows)
    records: list[Any] = []
    place = None
    for _ in range(MAX_ROWS):
        batch = await scan.run(place, page)
        records.extend(batch.records)
        if not batch.has_more:
            return records
        assert batch.resume != place, "a page led nowhere"
        place = batch.resume
    raise AssertionError("the pages have no end")


async def everything(opened: Opened, resource: Resource) -> list[Any]:
    """All records of a resource with all their fields."""
    return await walk(opened, resource, selection=whole(resource.model))


async def by_keys(opened: Opened, resource: Resource, keys: list[str], selection: Selection | None = None) -> list[Any]:
    """The records with these keys."""
    reader = reader_for(opened, resource, selection or {})
    return await read_by_keys(opened.source, reader, keys, Tally(), opened.deadline())


async def raw_rows(opened: Opened, resource: Resource) -> list[dict[str, Any]]:
    """All rows as the source sends them, with everything that any field is made of, also from beside them."""
    reader = reader_for(opened, resource, whole(resource.model))
    read = Read(resource.source, reader.paths, resource.where)
    page = await opened.source.fetch(read, Tally(), opened.deadline())
    rows = list(page.rows)
    rest: Request | None = page.next
    while rest is not None:
        page = await opened.source.follow(read, rest, Tally(), opened.deadline())
        rows.extend(page.rows)
        rest = page.next
    await fill_beside(opened.source, reader, rows, Tally(), opened.deadline())
    return rows


def value_of(resource: Resource) -> Callable[[str], Callable[[Any], Any]]:
    """How a path is read from a record; a link is its key, and what leads into child rows gives a list."""
    return partial(_reader_of, resource.model.fields)


def _reader_of(fields: Mapping[str, FieldModel], path: str) -> Callable[[Any], Any]:
    name, _, rest = path.partition(".")
    model = fields.get(name)
    if model is not None and model.kind is Kind.LINK:
        return lambda row: row.origin.links.get(model.attribute)
    if model is not None and model.kind is Kind.CHILDREN:
        read = _reader_of(fields_of(model.type), rest)
        return lambda row: [read(child) for child in row.origin.children[model.attribute]]
    return attribute_path(path)


def found_here(resource: Resource, records: Iterable[Any], tree: Tree) -> list[Any]:
    """The records that a filter means, decided here."""
    test = compile_test(tree, value_of(resource))
    return [record for record in records if test(record)]


def sorted_here(resource: Resource, records: Iterable[Any], order: Order) -> list[Any]:
    """The records as an order means it, sorted here; ties come in the order of the source's keys."""
    found = sorted(records, key=lambda record: resource.key_form.order(record.origin.key))
    for step in reversed(order):
        read, descending = attribute_path(step.path), step.descending
        found.sort(key=lambda record: sort_key(read(record), descending=descending))
    return found


def keys_of(records: Iterable[Any]) -> list[str]:
    """The keys of records, in their order."""
    return [record.origin.key for record in records]


def by_key(records: Iterable[Any]) -> Mapping[str, Any]:
    """Records by key."""
    return {record.origin.key: record for record in records}
