"""Sources that are tables in memory, as able or as unable as a test wants them: what is asked is done to the letter."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from typing import Any, NoReturn

import httpx

from connectors.client import Source
from connectors.composites import money
from connectors.decisions import Codes
from connectors.errors import TimedOut, Trouble
from connectors.fields import At, Can, Pushed, Ref
from connectors.keys import NUMBER, TEXT, KeyForm
from connectors.protocols.base import Row, WireProtocol, read_text
from connectors.query import AllOf, Answer, AnyOf, Compare, Comparison, Page, Read, Request, Where
from connectors.spec import Resource, System
from connectors.tally import Tally
from resolvers.ports import LiveSource
from schema.filters import Operator
from schema.model import FieldModel, entity_of
from schema.purchasing import PurchaseOrder, PurchaseOrderStatus
from schema.systems import Deployment, SystemCategory
from schema.vendors import Vendor
from tests.resolvers.graph import live_source

STATES = {
    "D": PurchaseOrderStatus.DRAFT,
    "I": PurchaseOrderStatus.ISSUED,
    "C": PurchaseOrderStatus.CANCELED,
}
"""Codes of a table's column `state`; any other is UNKNOWN."""

RESOLUTION = timedelta(seconds=1)
"""Tables keep moments finer than they show them."""


@dataclass(frozen=True)
class Abilities:
    """What a table can do.

    `filters` and `sorts` are of the table itself; `is_loose` makes it find more than it was asked for. `cut` is how
    many rows it sends at once, `page_size` how many are asked for. It may keep no `updatedAt` and no vendors;
    with `names_all` it has no order without a number.
    """

    filters: bool = True
    sorts: bool = True
    is_loose: bool = False
    has_moments: bool = True
    has_numbers: bool = False
    names_all: bool = False
    counts: bool = True
    has_vendors: bool = True
    cut: int | None = None
    page_size: int = 4


class TableWire(WireProtocol):
    """Rows are dictionaries of Python values; moments are shown in whole seconds."""

    version_path = "version"

    def __init__(self, counts: bool) -> None:
        self.counts = counts
        self.decoders = {
            str: read_text,
            Decimal: lambda value: value,
            bool: lambda value: value,
            date: lambda value: value,
            datetime: lambda value: value.replace(microsecond=0),
        }

    def getter(self, path: str) -> Callable[[Row], Any]:
        return lambda row: row.get(path)

    def children(self, path: str) -> Callable[[Row], list[Row] | None]:
        return lambda row: row.get(path)

    def request(self, read: Read, options: Mapping[str, str]) -> Request:
        raise AssertionError("a table is asked by no request")

    def count(self, read: Read, options: Mapping[str, str]) -> Request | None:
        return Request("GET", read.source) if self.counts else None

    def page(self, read: Read, answer: Answer) -> Page:
        raise AssertionError("a table gives no answer")

    def trouble(self, answer: Answer) -> Trouble | None:
        raise AssertionError("a table gives no answer")


class Loose(At):
    """The table finds these rows and some more."""

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        pushed = super().push(operator, value, model)
        return None if pushed is None else Pushed(AnyOf((pushed.where, Compare("state", Comparison.EQ, "I"))), False)


@cache
def table_system(able: Abilities) -> System:
    """A system with orders and vendors in tables of these abilities."""
    plain, text, ranges = _filters(able)
    word = Loose if able.is_loose else At
    orders = {
        "number": word("number", filter=text, sort=able.sorts, required=able.names_all),
        "title": word("title", filter=text),
        "status": Codes("state", STATES, filter=plain & Can.EQ),
        "isDeleted": At("deleted", filter=plain),
        "orderDate": word("day", filter=ranges, sort=able.sorts),
        "vendor": Ref("vendor", filter=plain),
        "total": money(At("amount", filter=ranges, sort=able.sorts), At("currency", filter=text)),
    }
    if able.has_moments:
        orders["updatedAt"] = word("changed", filter=ranges, sort=able.sorts, resolution=RESOLUTION)
    vendors = {"number": At("key"), "name": At("name")}
    key_form = NUMBER if able.has_numbers else TEXT
    return System(
        key="table",
        title="Table",
        vendor="nobody",
        category=SystemCategory.OTHER,
        tier=1,
        deployments=(Deployment.CLOUD,),
        protocol=TableWire(able.counts),
        resources=(
            _resource(PurchaseOrder, "orders", orders, key_form, able.page_size),
            *([_resource(Vendor, "vendors", vendors, TEXT, able.page_size)] if able.has_vendors else []),
        ),
        auth_methods=(),
        guide=(),
        address=lambda answers: "",
    )


def _filters(able: Abilities) -> tuple[Can, Can, Can]:
    """What the table filters of plain values, of texts, and of what has an order."""
    plain = Can.EQ | Can.NULL if able.filters else Can.NOTHING
    return plain, plain | Can.TEXT if plain else plain, plain | Can.RANGE if plain else plain


def _resource(entity: type[Any], source: str, fields: Mapping[str, Any], key_form: KeyForm, size: int) -> Resource:
    unmapped = tuple(item.name for item in entity_of(entity).mapped_fields() if item.name not in fields)
    return Resource(
        entity=entity,
        source=source,
        key="key",
        key_form=key_form,
        fields=fields,
        unmapped=unmapped,
        max_keys=size,
        page_size=size,
    )


@dataclass(eq=False)
class TableSource(Source):
    """A source whose rows are in memory.

    `troubles` are raised by its next calls, None lets one pass; `silent` names tables that never answer.
    """

    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    able: Abilities = field(default_factory=Abilities)
    troubles: Iterator[Exception | None] = field(default_factory=lambda: iter(()))
    silent: frozenset[str] = frozenset()
    reads: list[Read] = field(default_factory=list)

    async def fetch(self, read: Read, tally: Tally, deadline: float) -> Page:
        self.reads.append(read)
        if read.source in self.silent or asyncio.get_running_loop().time() >= deadline:
            tally.requests += 1
            await _nothing_until(deadline)
        return self._page(read, 0, tally)

    async def count(self, read: Read, tally: Tally, deadline: float) -> int | None:
        tally.requests += 1
        trouble = next(self.troubles, None)
        if trouble is not None:
            raise trouble
        return sum(holds(read.where, row) for row in self.tables[read.source])

    async def follow(self, read: Read, rest: Request, tally: Tally, deadline: float) -> Page:
        return self._page(read, int(rest.query), tally)

    def _page(self, read: Read, start: int, tally: Tally) -> Page:
        tally.requests += 1
        trouble = next(self.troubles, None)
        if trouble is not None:
            raise trouble
        rows = [row for row in self.tables[read.source] if holds(read.where, row)]
        for step in reversed(read.order):
            rows.sort(key=partial(_null_first, step.path), reverse=step.descending)
        rows = rows[: read.limit]
        end = len(rows) if self.able.cut is None else start + self.able.cut
        sent = [{path: row.get(path) for path in read.paths} for row in rows[start:end]]
        return Page(sent, Request("GET", read.source, str(end)) if end < len(rows) else None)


async def _nothing_until(deadline: float) -> NoReturn:
    with suppress(TimeoutError):
        async with asyncio.timeout_at(deadline):
            await asyncio.Event().wait()
    raise TimedOut("The table did not answer within the deadline.")


def _null_first(path: str, row: Row) -> Any:
    """Where a table puts nulls is not ours."""
    value = row.get(path)
    return (value is not None, value)


def holds(where: Where, row: Row) -> bool:
    """Whether a row meets conditions, as `connectors.query` defines them."""
    match where:
        case AllOf(terms):
            return all(holds(term, row) for term in terms)
        case AnyOf(terms):
            return any(holds(term, row) for term in terms)
        case Compare(path, comparison, value):
            return _compares(row.get(path), comparison, value)


def _compares(found: Any, comparison: Comparison, value: Any) -> bool:
    match comparison:
        case Comparison.MISSING:
            return found in (None, "")
        case Comparison.PRESENT:
            return found not in (None, "")
        case Comparison.EQ:
            return bool(found == value)
        case Comparison.NOT_EQ:
            return bool(found != value)
        case Comparison.IN:
            return found in value
        case Comparison.NOT_IN:
            return found not in value
    if found is None:
        return False
    match comparison:
        case Comparison.GT:
            return bool(found > value)
        case Comparison.GTE:
            return bool(found >= value)
        case Comparison.LT:
            return bool(found < value)
        case Comparison.LTE:
            return bool(found <= value)
        case Comparison.CONTAINS:
            return value.lower() in found.lower()
        case Comparison.STARTS_WITH:
            return bool(found.lower().startswith(value.lower()))
    raise AssertionError(comparison)


def order_row(key: str | int, **values: Any) -> Row:
    """A row of the table of orders; what is not given is null, and the state is that of an open order."""
    absent = dict.fromkeys(("number", "title", "deleted", "day", "vendor", "amount", "currency", "changed"))
    return {**absent, "state": "I", **values, "key": key}


def moment(seconds: float) -> datetime:
    """A moment of one certain day."""
    return datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(seconds=seconds)


def table(name: str, rows: Sequence[Row], able: Abilities | None = None, vendors: Sequence[Row] = ()) -> LiveSource:
    """A connection to a table."""
    able = able or Abilities()
    system = table_system(able)
    source = TableSource(
        connection_id=f"con_{name}",
        system=system,
        http=None,  # type: ignore[arg-type] # nothing is sent
        auth=httpx.Auth(),
        tables={"orders": rows, "vendors": vendors},
        able=able,
    )
    return live_source(name, system, source)


def source_of(live: LiveSource) -> TableSource:
    """The table behind a connection."""
    assert isinstance(live.source, TableSource)
    return live.source
