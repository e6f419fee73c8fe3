"""Domains: random ones mean what they say, and each rule of Odoo that one would not guess."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sandbox.odoo_json2 import Environment, User, compile_domain
from tests.connectors.sandbox.odoo_plant import MODELS, Caller, plant

MODEL = MODELS["maintenance.request"]
TEXTS = ["", "a", "A", "ab", "Äb", "50%", "a_b", "a\\b", "V-10", "V-2"]
DAYS = [date(2024, 2, 9), date(2024, 2, 10), date(2024, 2, 11)]
MOMENTS = [
    datetime(2024, 2, 9, 23, 59, 59, 999_999, UTC),
    datetime(2024, 2, 10, 0, 0, 0, 250_021, UTC),
    datetime(2024, 2, 10, 12, 30, tzinfo=UTC),
    datetime(2024, 2, 11, 0, 30, tzinfo=timezone(timedelta(hours=1))),
    datetime(2024, 2, 11, tzinfo=UTC),
]
NUMBERS = [Decimal("0"), Decimal("0.125"), Decimal("-2"), Decimal("833.52")]
SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
ROWS = st.fixed_dictionaries(
    {"id": st.integers(1, 3)},
    optional={
        "name": st.sampled_from(TEXTS),
        "priority": st.sampled_from(["0", "1", "3"]),
        "request_date": st.sampled_from(DAYS),
        "schedule_date": st.sampled_from(MOMENTS),
        "duration": st.sampled_from(NUMBERS),
        "archive": st.booleans(),
        "user_id": st.sampled_from([2, 5]),
    },
)
VALUES: dict[str, list[Any]] = {
    "name": TEXTS,
    "priority": ["0", "1", "9"],
    "request_date": [f"{day}" for day in DAYS],
    "schedule_date": ["2024-02-10", "2024-02-10 00:00:00", "2024-02-10T23:30:00", "2024-02-10 12:30:00.9"],
    "duration": [0, 0.125, -2, 833.52, "833.52"],
    "archive": [True, False, 1, 0],
    "user_id": [2, 5, 6],
}
Case = tuple[list[Any], Callable[[dict[str, Any]], bool]]
"""A domain in prefix notation, and what it means."""


def plain(name: str, value: Any) -> Any:
    """What a condition says, in the terms of the rows; empty is None, and numbers are never empty."""
    if name == "duration":
        return Decimal(str(value or 0))
    if name == "archive":
        return bool(value)
    if value in (False, None, ""):
        return None
    if name == "request_date":
        return date.fromisoformat(value)
    if name == "schedule_date":
        return datetime.fromisoformat(value).replace(microsecond=0)
    return value


def kept(name: str, row: dict[str, Any]) -> Any:
    """What a row has there, in the same terms."""
    value = row.get(name)
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    return plain(name, value) if name in ("duration", "archive", "name") else value


def ordered(name: str, sign: str, value: Any) -> Callable[[dict[str, Any]], bool]:
    bound = plain(name, value)
    if name == "schedule_date" and len(value) == 10 and sign in ("<=", ">"):
        bound += timedelta(hours=23, minutes=59, seconds=59)

    def meaning(row: dict[str, Any]) -> bool:
        found = kept(name, row)
        if name == "name":
            return SIGNS[sign](found or "", value)
        return found is not None and SIGNS[sign](found, bound)

    return meaning


def pattern(operator: str, text: str) -> Callable[[dict[str, Any]], bool]:
    fold = "ilike" in operator
    parts = re.findall(r"\\.|.", text, re.DOTALL)
    source = "".join(".*" if p == "%" else "." if p == "_" else re.escape(p[-1]) for p in parts)
    whole = source if operator.startswith("=") else f".*{source}.*"
    found = re.compile(whole, re.DOTALL | (re.IGNORECASE if fold else 0))
    return lambda row: bool(row.get("name")) and found.fullmatch(row["name"]) is not None


def negate(meaning: Callable[[dict[str, Any]], bool]) -> Callable[[dict[str, Any]], bool]:
    return lambda row: not meaning(row)


@st.composite
def conditions(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(sorted(VALUES)))
    value = draw(st.sampled_from([*VALUES[name], False]))
    wanted = draw(st.lists(st.sampled_from([*VALUES[name], False]), max_size=3))
    kind = draw(st.sampled_from(["=", "in", "order", "like"]))
    negated = draw(st.booleans())
    if kind == "like" and name == "name":
        operator = draw(st.sampled_from(["like", "ilike", "=like", "=ilike"]))
        text = draw(st.sampled_from(["a", "A", "b", "%b", "a_b", "a\\_b", "50\\%", "a\\\\b", "ÄB", "_"]))
        meaning = pattern(operator, text)
        return [[name, f"not {operator}" if negated else operator, text]], negate(meaning) if negated else meaning
    if kind == "order" and name not in ("archive", "user_id", "priority"):
        sign, bound = draw(st.sampled_from(sorted(SIGNS))), draw(st.sampled_from(VALUES[name]))
        return [[name, sign, bound]], ordered(name, sign, bound)
    if kind == "in":
        allowed = {plain(name, each) for each in wanted}
        return [[name, "not in" if negated else "in", wanted]], lambda row: (kept(name, row) in allowed) != negated
    return [[name, "!=" if negated else "=", value]], lambda row: (kept(name, row) == plain(name, value)) != negated


def joined(cases: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    both = st.tuples(cases, cases)
    return st.one_of(
        both.map(lambda pair: (["&", *pair[0][0], *pair[1][0]], lambda row: pair[0][1](row) and pair[1][1](row))),
        both.map(lambda pair: (["|", *pair[0][0], *pair[1][0]], lambda row: pair[0][1](row) or pair[1][1](row))),
        cases.map(lambda case: (["!", *case[0]], negate(case[1]))),
    )


@settings(max_examples=400, deadline=None)
@given(
    rows=st.lists(ROWS, max_size=6),
    cases=st.lists(st.recursive(conditions(), joined, max_leaves=6), max_size=3),
)
def test_a_domain_means_what_it_says(rows: list[dict[str, Any]], cases: list[Case]) -> None:
    domain = [item for said, _ in cases for item in said]
    environment = Environment(MODELS, {MODEL.name: rows}, User("reader"), {}, lambda *_: lambda row: True)
    fits = compile_domain(domain, MODEL, environment)
    assert [fits(row) for row in rows] == [all(meaning(row) for _, meaning in cases) for row in rows]


@pytest.mark.parametrize(
    ("domain", "ids"),
    [
        ([], [3, 4, 5]),
        ([[1, "=", 1]], [3, 4, 5]),
        ([[0, "=", 1]], []),
        ([["id", "in", []]], []),
        ([["id", "not in", []]], [3, 4, 5]),
        ([["id", "in", [3, "5", 99_999]]], [3, 5]),
        ([["receipt_status", "!=", "full"]], [3, 4]),
        ([["receipt_status", "not in", ["full", False]]], [3]),
        ([["receipt_status", "=", False]], [4]),
        ([["receipt_status", "=", None]], [4]),
        ([["receipt_status", "!=", False]], [3, 5]),
        ([["receipt_status", "=", "nonsense"]], []),
        (["!", ["receipt_status", "=", "full"]], [3, 4]),
        (["|", ["state", "=", "draft"], ["locked", "=", True]], [4, 5]),
        (["!", "|", ["state", "=", "draft"], ["locked", "=", 1]], [3]),
        ([["locked", "in", [True]]], [5]),
        ([["partner_ref", "=", ""]], [4, 5]),
        ([["partner_ref", "<", "HP"]], [4, 5]),
        ([["partner_ref", ">=", "HP"]], [3]),
        ([["date_planned", "<", "2030-01-01"]], [3, 5]),
        (["!", ["date_planned", "<", "2030-01-01"]], [4]),
        ([["amount_total", "=", 833.52]], [3]),
        ([["amount_total", "=", "833.52"]], [3]),
        ([["amount_total", "=", False]], [5]),
        ([["date_order", "=", "2024-02-10"]], [3]),
        ([["date_order", "=", "2024-02-10 00:00:00.9"]], [3]),
        ([["date_order", ">", "2024-02-10 00:00:00"]], [4, 5]),
        ([["date_order", "<=", "2024-02-10"]], [3, 4]),
        ([["date_order", ">", "2024-02-10"]], [5]),
        ([["date_order", ">=", "2024-02-10T23:59:59"]], [4, 5]),
        ([["date_order", "<", "2024-02-10"]], []),
        ([["partner_id", "=", 7]], [3]),
        ([["partner_id", "in", [8, False]]], [5]),
        ([["partner_id", "=", "MÜLLER"]], [3]),
        ([["partner_id", "ilike", "müller"]], [3, 4]),
        ([["partner_id.ref", "=", "V-2"]], [5]),
        ([["partner_id.parent_id.ref", "=", "V-1"]], [4]),
        ([["partner_id.country_id.code", "=", "DE"]], [3]),
        ([["partner_id.active", "=", False]], [5]),
        ([["user_id", "!=", 5]], [4, 5]),
        ([["user_id.login", "!=", "buyer"]], [5]),
        (["!", ["user_id.login", "=", "buyer"]], [4, 5]),
        ([["user_id", "=", False]], [4]),
        ([["order_line", "=", False]], [4]),
        ([["order_line", "!=", False]], [3, 5]),
        ([["order_line", "in", [4, 6]]], [3, 5]),
        ([["order_line.product_id.default_code", "=", "BRG"]], [3, 5]),
        ([["order_line.product_id.default_code", "!=", "BRG"]], [3]),
        ([["order_line", "any", [["product_id", "=", 41], ["product_qty", ">", 5]]]], [5]),
        ([["order_line", "not any", [["product_id", "=", 41]]]], [4]),
        ([["name", "=?", False]], [3, 4, 5]),
        ([["name", "=?", "P00003"]], [3]),
    ],
)
async def test_orders_that_a_domain_finds(domain: list[Any], ids: list[int]) -> None:
    assert await Caller().ids("purchase.order", domain) == ids


@pytest.mark.parametrize(
    ("operator", "text", "ids"),
    [
        ("ilike", "müller", [7, 10]),
        ("ilike", "muller", []),
        ("ilike", "émile", [8]),
        ("ilike", "emile", []),
        ("ilike", "ÉMILE", [8]),
        ("ilike", "giesserei", []),
        ("like", "müller", []),
        ("ilike", "", [1, 7, 8, 9, 10, 11]),
        ("ilike", False, [1, 7, 8, 9, 10, 11]),
        ("=ilike", "mill", [1]),
        ("=ilike", "mil", []),
        ("=like", "M%", [1, 7, 10]),
        ("not ilike", "m", [9, 11]),
        ("like", "100\\%\\_pure\\\\fine", [9]),
        ("like", "pure\\fine", []),
        ("=", "100%_pure\\fine", [9]),
        ("like", "0__pure", [9]),
        ("=like", "_eta", [11]),
    ],
)
async def test_patterns(operator: str, text: Any, ids: list[int]) -> None:
    domain = [["complete_name", operator, text], ["active", "in", [True, False]]]
    assert await Caller().ids("res.partner", domain) == ids


async def test_a_server_that_ignores_accents() -> None:
    caller = Caller(plant(unaccent=True))
    everything = {"context": {"active_test": False}}
    assert await caller.ids("res.partner", [["name", "ilike", "muller"]]) == [7]
    assert await caller.ids("res.partner", [["name", "=ilike", "giesserei emile"]], **everything) == [8]
    assert await caller.ids("res.partner", [["name", "like", "Emile"]], **everything) == []


async def test_archived_records_are_found_only_by_who_asks() -> None:
    caller = Caller()
    assert await caller.ids("res.partner", []) == [1, 7, 9, 10]
    assert await caller.ids("res.partner", [], context={"active_test": False}) == [1, 7, 8, 9, 10, 11]
    assert await caller.ids("res.partner", ["|", ["id", "=", 8], ["active", "=", True]]) == [1, 7, 8, 9, 10]
    assert await caller.ids("res.partner", [["parent_id.active", "=", True]]) == [10]
    assert await caller.ids("maintenance.request", []) == [1, 2, 3]


@pytest.mark.parametrize(
    ("model", "domain", "ids"),
    [
        ("maintenance.request", [["done", "=", True]], [2]),
        ("maintenance.request", [["done", "=", False]], [1, 3]),
        ("maintenance.request", [["equipment_id.name", "=", "Fan"]], [2]),
        ("maintenance.request", [["request_date", "=", "2024-03-04 23:00:00"]], [1]),
        ("maintenance.request", [["close_date", ">", "2000-01-01"]], [2]),
        ("product.product", [["name", "=", "Bearing"]], [41]),
        ("product.product", [["list_price", ">", 8]], [41]),
        ("product.product", [["qty_available", ">", 6]], [41]),
        ("product.product", [["standard_price", "=", 5.125]], [41]),
        ("stock.quant", [["location_id.usage", "in", ["internal", "transit"]]], [1, 2, 3]),
        ("stock.quant", [["quantity", "<", 0]], [4]),
        ("purchase.order.line", [["state", "=", "purchase"]], [3, 4, 5, 6]),
        ("purchase.order", [["is_late", "=", True]], [3]),
    ],
)
async def test_fields_that_come_from_elsewhere(model: str, domain: list[Any], ids: list[int]) -> None:
    assert await Caller().ids(model, domain) == ids


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ([["nope", "=", 1]], "Invalid field purchase.order.nope in condition ('nope', '=', 1)"),
        ([["partner_id.nope", "=", 1]], "Invalid field res.partner.nope in condition ('nope', '=', 1)"),
        ([["name.nope", "=", 1]], "Invalid field purchase.order.name.nope in condition"),
        ([["tax_totals", "=", 1]], "Cannot convert purchase.order.tax_totals to SQL because it is not stored"),
        ([["incoming_picking_count", "=", 1]], "because it is not stored"),
        (["|", ["name", "=", "a"]], "malformed domain"),
        (["&"], "malformed domain"),
        (["!"], "malformed domain"),
        ([["name", "=", "a"], "|"], "malformed domain"),
        (["and", ["name", "=", "a"]], "invalid item in domain: 'and'"),
        ([["name", "="]], "invalid item in domain: ['name', '=']"),
        ([[2, "=", 2]], "invalid item in domain"),
        ("[('name', '=', 'a')]", "invalid argument type"),
        (None, "invalid argument type"),
        ([["name", "==", "a"]], "Invalid operator"),
        ([["name", "ILIKE", "a"]], "Invalid operator"),
        ([["name", "contains", "a"]], "Invalid operator"),
        ([["name", "any", [["id", "=", 1]]]], "non-relational"),
        ([["date_order", ">", "2024-02-10T00:00:00Z"]], "does not match format"),
        ([["date_order", ">", "2024-02-10 00:00:00+01:00"]], "does not match format"),
        ([["date_order", ">", "2024-02-10T00:00"]], "does not match format"),
        ([["date_order", ">", 5]], "does not match format"),
        ([["date_order", ">", "2024-02-30"]], "day is out of range"),
        ([["date_order", ">", "2024-02-10 25:00:00"]], "hour must be in"),
        ([["amount_total", "=", "much"]], "could not convert string to float: 'much'"),
        ([["amount_total", "=", "NaN"]], "could not convert string to float"),
    ],
)
async def test_domains_that_odoo_refuses(domain: Any, message: str) -> None:
    status, name, said = await Caller().refused("purchase.order", "search", domain=domain)
    assert (status, name) == (500, "ValueError")
    assert message in said


@pytest.mark.parametrize(
    ("model", "domain"),
    [
        ("res.partner", [["parent_id", "child_of", 7]]),
        ("purchase.order", [["amount_total", "ilike", "8"]]),
        ("purchase.order", [["partner_id", ">", 7]]),
        ("purchase.order", [["date_order", "<", False]]),
        ("purchase.order", [["product_id", "=", 41]]),
        ("purchase.order", [["fiscal_position_id.name", "=", "x"]]),
    ],
)
async def test_what_the_sandbox_does_not_know_is_not_guessed(model: str, domain: list[Any]) -> None:
    status, name, _ = await Caller().refused(model, "search", domain=domain)
    assert (status, name) == (501, "NotImplementedError")


async def test_a_pattern_may_not_end_with_an_escape() -> None:
    domain = [["name", "=like", "a\\"]]
    assert (await Caller().refused("purchase.order", "search", domain=domain))[0] == 500


async def test_long_domains() -> None:
    caller = Caller()
    assert await caller.ids("purchase.order", [["id", "in", list(range(60_000))]]) == [3, 4, 5]
    chain = ["|"] * 2_999 + [["id", "=", number] for number in range(3_000)]
    assert await caller.ids("purchase.order", chain) == [3, 4, 5]
    nested = [item for number in range(2_999) for item in ("|", ["id", "=", number])] + [["id", "=", 5]]
    assert await caller.ids("purchase.order", nested) == [3, 4, 5]
