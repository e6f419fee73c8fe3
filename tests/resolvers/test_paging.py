"""Every page together is the whole answer: for any rows, filter, order, page size and abilities of the sources."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, repeat
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.errors import TimedOut, Unavailable
from resolvers.ports import LiveSource, ReadLimits
from schema.scalars import print_datetime
from tests.resolvers.graph import Graph
from tests.resolvers.oracle import Record, arranged, is_shown, passes
from tests.resolvers.tables import STATES, Abilities, moment, order_row, source_of, table
from tests.resolvers.walking import walk

PROPERTY = settings(
    max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)

TEXTS = ["A", "a", "B-1", "b", "ab", "É", ""]
DAYS = [date(2026, 1, day) for day in (1, 2, 9)]
SECONDS = [0, 0.25, 0.75, 1, 1.5, 60]
AMOUNTS = [Decimal(text) for text in ("-1", "0", "2.50", "2.5", "1000")]


@dataclass(frozen=True)
class Table:
    """A generated source."""

    name: str
    able: Abilities
    rows: Sequence[Mapping[str, Any]]

    def open(self) -> LiveSource:
        return table(self.name, [dict(row) for row in self.rows], self.able)

    def records(self) -> list[Record]:
        return [record_of(row, self) for row in self.rows]


def record_of(row: Mapping[str, Any], source: Table) -> Record:
    """What a client should see of a row."""
    changed = row["changed"] if source.able.has_moments else None
    status = STATES.get(row["state"])
    return {
        "connection": f"con_{source.name}",
        "key": row["key"],
        "number": row["number"] or None,
        "title": row["title"] or None,
        "status": status.name if status is not None else "UNKNOWN",
        "isDeleted": row["deleted"],
        "orderDate": row["day"],
        "updatedAt": None if changed is None else changed.replace(microsecond=0),
        "amount": row["amount"],
        "currency": None if row["amount"] is None else row["currency"] or None,
    }


abilities = st.builds(
    Abilities,
    filters=st.booleans(),
    sorts=st.booleans(),
    is_loose=st.booleans(),
    has_moments=st.booleans(),
    has_numbers=st.booleans(),
    names_all=st.booleans(),
    cut=st.sampled_from([None, 1, 3]),
    page_size=st.sampled_from([1, 2, 4, 50]),
)
values: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "number": st.none() | st.sampled_from(TEXTS),
        "title": st.none() | st.sampled_from(TEXTS),
        "state": st.sampled_from([*STATES, "?"]),
        "deleted": st.sampled_from([None, False, False, True]),
        "day": st.none() | st.sampled_from(DAYS),
        "money": st.none() | st.tuples(st.sampled_from(AMOUNTS), st.sampled_from([None, "EUR", "USD"])),
        "changed": st.none() | st.sampled_from(SECONDS).map(moment),
    }
)


def _row(key: str | int, money: Any, **others: Any) -> Mapping[str, Any]:
    amount, currency = money or (None, "EUR")
    return order_row(key, amount=amount, currency=currency, **others)


@st.composite
def tables(draw: st.DrawFn) -> list[Table]:
    found = []
    for name in draw(st.permutations("abcd"))[: draw(st.integers(1, 4))]:
        able = draw(abilities)
        contents = draw(st.lists(values, max_size=9))
        numbers = draw(st.permutations(range(8, 8 + len(contents))))
        if able.names_all:
            contents = [{**row, "number": row["number"] or "none"} for row in contents]
        keys = [number if able.has_numbers else f"k{number}" for number in numbers]
        found.append(Table(name, able, [_row(key, **row) for key, row in zip(keys, contents, strict=True)]))
    return found


def conditions_on(values: Sequence[Any], *, ranges: bool = False, texts: bool = False) -> st.SearchStrategy[Any]:
    one, some = st.sampled_from(values), st.lists(st.sampled_from(values), max_size=2)
    words: dict[str, st.SearchStrategy[Any]] = {
        "eq": one,
        "ne": one,
        "in": some,
        "notIn": some,
        "isNull": st.booleans(),
    }
    if ranges:
        words |= dict.fromkeys(("gt", "gte", "lt", "lte"), one)
    if texts:
        words |= dict.fromkeys(("contains", "startsWith"), one)
    return st.dictionaries(st.sampled_from(sorted(words)), st.none(), min_size=1, max_size=2).flatmap(
        lambda chosen: st.fixed_dictionaries({word: words[word] for word in chosen})
    )


leaves = st.one_of(
    st.fixed_dictionaries({"number": conditions_on(TEXTS, texts=True)}),
    st.fixed_dictionaries({"status": conditions_on(["DRAFT", "ISSUED", "CANCELED", "UNKNOWN", "BILLED"])}),
    st.fixed_dictionaries({"orderDate": conditions_on(DAYS, ranges=True)}),
    st.fixed_dictionaries({"updatedAt": conditions_on([moment(at) for at in SECONDS], ranges=True)}),
    st.fixed_dictionaries({"total": st.fixed_dictionaries({"amount": conditions_on(AMOUNTS, ranges=True)})}),
    st.fixed_dictionaries({"total": st.fixed_dictionaries({"currency": conditions_on(["EUR", "CHF"])})}),
    st.fixed_dictionaries({"isDeleted": st.fixed_dictionaries({"eq": st.booleans()})}),
    st.fixed_dictionaries({"text": st.sampled_from(["a", "b A", " ", "é"])}),
)
filters = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"and": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"or": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=4,
)
maybe_filters: st.SearchStrategy[dict[str, Any]] = st.just({}) | filters
Order = list[tuple[str, str]]
orders: st.SearchStrategy[Order] = st.lists(
    st.tuples(st.sampled_from(["NUMBER", "ORDER_DATE", "UPDATED_AT", "TOTAL"]), st.sampled_from(["ASC", "DESC"])),
    min_size=1,
    max_size=3,
    unique_by=lambda step: step[0],
)
SORTED_BY = {"NUMBER": "number", "ORDER_DATE": "orderDate", "UPDATED_AT": "updatedAt", "TOTAL": "amount"}


def spelled(condition: Any) -> Any:
    """A filter as JSON spells it."""
    match condition:
        case dict():
            return {name: spelled(value) for name, value in condition.items()}
        case list():
            return [spelled(item) for item in condition]
        case datetime():
            return print_datetime(condition)
        case date():
            return condition.isoformat()
        case Decimal():
            return str(condition)
        case _:
            return condition


def answer_to(sources: Sequence[Table], condition: Mapping[str, Any]) -> list[Record]:
    records = [record for source in sources for record in source.records()]
    return [record for record in records if passes(record, condition) and is_shown(record, condition)]


def sorted_answer(sources: Sequence[Table], condition: Mapping[str, Any], order: Order) -> list[Record]:
    found = answer_to(sources, condition)
    return arranged(found, [(SORTED_BY[field], direction == "DESC") for field, direction in order])


def names_of(records: Sequence[Record]) -> list[tuple[str, str]]:
    return [(record["connection"], str(record["key"])) for record in records]


@PROPERTY
@given(tables(), maybe_filters, orders, st.integers(1, 7))
def test_pages_in_an_order_are_the_sorted_answer(
    sources: list[Table], condition: dict[str, Any], order: Order, first: int
) -> None:
    graph = Graph([source.open() for source in sources])
    walked = asyncio.run(walk(graph, first, condition=spelled(condition), order=order))
    assert walked.rows == names_of(sorted_answer(sources, condition, order))
    assert all(answer["isComplete"] for answer in walked.answers)


@PROPERTY
@given(tables(), maybe_filters, st.integers(1, 7))
def test_pages_without_an_order_hold_each_row_once_and_every_source_comes_first(
    sources: list[Table], condition: dict[str, Any], first: int
) -> None:
    graph = Graph([source.open() for source in sources])
    walked = asyncio.run(walk(graph, first, condition=spelled(condition)))
    expected = names_of(answer_to(sources, condition))
    assert Counter(walked.rows) == Counter(expected)
    if first >= len(sources):
        assert {name for name, _ in walked.pages[0]} == {name for name, _ in expected}
    for source in sources:
        own = [key for name, key in walked.rows if name == f"con_{source.name}"]
        assert own == sorted(own, key=int if source.able.has_numbers else str)


@PROPERTY
@given(tables(), filters, st.integers(1, 5), st.integers(1, 4))
def test_a_bounded_scan_goes_on_where_it_stopped(
    sources: list[Table], condition: dict[str, Any], first: int, bound: int
) -> None:
    graph = Graph([source.open() for source in sources], limits=ReadLimits(max_scan_rows=bound))
    walked = asyncio.run(walk(graph, first, condition=spelled(condition)))
    assert Counter(walked.rows) == Counter(names_of(answer_to(sources, condition)))
    for answer in walked.answers:
        assert answer["isComplete"] is all(source["status"] == "OK" for source in answer["sources"])
        codes = {source["status"]: source["error"] for source in answer["sources"]}
        assert codes.get("PARTIAL", {"code": "FILTER_TOO_EXPENSIVE"}) == {"code": "FILTER_TOO_EXPENSIVE"}


@PROPERTY
@given(tables(), filters, orders.map(lambda order: order[:1]), st.integers(1, 5), st.integers(1, 4))
def test_a_bounded_scan_keeps_the_order_of_the_whole_walk(
    sources: list[Table], condition: dict[str, Any], order: Order, first: int, bound: int
) -> None:
    # So little is done by the sources, and so little at once, that the bound is met often.
    sources = [replace(source, able=replace(source.able, sorts=True, filters=False, page_size=2)) for source in sources]
    graph = Graph([source.open() for source in sources], limits=ReadLimits(max_scan_rows=bound))
    walked = asyncio.run(walk(graph, first, condition=spelled(condition), order=order))
    assert walked.rows == names_of(sorted_answer(sources, condition, order))


@PROPERTY
@given(tables(), maybe_filters, st.none() | orders, st.integers(1, 5), st.data())
def test_a_source_that_fails_and_comes_back_loses_nothing_and_repeats_nothing(
    sources: list[Table], condition: dict[str, Any], order: Order | None, first: int, data: st.DataObject
) -> None:
    lives = [source.open() for source in sources]
    for live in lives:
        fails = data.draw(st.lists(st.booleans(), max_size=6))
        troubles = [Unavailable("down") if index % 2 else TimedOut("slow") for index in range(len(fails))]
        source = source_of(live)
        source.troubles = chain(
            (trouble if is_failing else None for trouble, is_failing in zip(troubles, fails, strict=True)),
            repeat(None),
        )
    walked = asyncio.run(walk(Graph(lives), first, condition=spelled(condition), order=order, is_patient=True))
    assert Counter(walked.rows) == Counter(names_of(answer_to(sources, condition)))


@PROPERTY
@given(tables(), maybe_filters, st.none() | orders, st.integers(1, 7), st.integers(1, 5), st.data())
def test_every_row_has_a_cursor_that_continues_exactly_after_it(
    sources: list[Table],
    condition: dict[str, Any],
    order: Order | None,
    first: int,
    then: int,
    data: st.DataObject,
) -> None:
    graph = Graph([source.open() for source in sources])
    arguments: dict[str, Any] = {"condition": spelled(condition), "order": order}

    async def check() -> None:
        whole = await walk(graph, first, **arguments)
        edges = [edge for answer in whole.answers for edge in answer["edges"]]
        if not edges:
            return
        place = data.draw(st.integers(0, len(edges) - 1))
        rest = await walk(graph, then, after=edges[place]["cursor"], **arguments)
        if order is not None:
            assert rest.rows == whole.rows[place + 1 :]
        assert Counter(rest.rows) == Counter(whole.rows[place + 1 :])

    asyncio.run(check())
