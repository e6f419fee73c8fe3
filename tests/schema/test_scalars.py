"""Scalars: what is taken in, what is refused, and how values are written."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError, parse_value

from schema.scalars import (
    SCALARS,
    parse_date,
    parse_datetime,
    parse_decimal,
    parse_url,
    print_datetime,
    print_decimal,
)

DECIMAL_LITERAL = SCALARS[Decimal].parse_literal


@pytest.mark.parametrize(
    ("given", "number"),
    [("12.50", "12.50"), ("-0.1", "-0.1"), ("1e3", "1000"), (7, "7"), ("0", "0"), (10**30, "1" + "0" * 30)],
)
def test_exact_numbers_are_read_and_printed_plain(given: Any, number: str) -> None:
    assert print_decimal(parse_decimal(given)) == number


@pytest.mark.parametrize(
    "given",
    [
        1.5,
        True,
        None,
        [],
        {},
        "",
        " ",
        "x",
        "1,5",
        "NaN",
        "-Infinity",
        "sNaN",
        "1_000",
        " 1",
        "1 ",
        "\u0661",
        "0x10",
        "--1",
    ],
)
def test_what_is_no_exact_number_is_refused(given: Any) -> None:
    with pytest.raises(GraphQLError, match="Decimal takes"):
        parse_decimal(given)


@pytest.mark.parametrize(
    "given", ["1e9999999", "1e-9999999", "9" * 5_000, 10**5_000], ids=["large", "small", "text", "int"]
)
def test_a_number_that_would_fill_the_memory_is_refused(given: Any) -> None:
    with pytest.raises(GraphQLError, match="Decimal takes") as caught:
        parse_decimal(given)
    assert len(caught.value.message) < 300


def test_a_literal_is_text_or_a_whole_number() -> None:
    assert DECIMAL_LITERAL is not None
    assert DECIMAL_LITERAL(parse_value('"1.50"'), None) == Decimal("1.50")
    assert DECIMAL_LITERAL(parse_value("12"), None) == Decimal(12)
    for text in ("1.5", "true", "[1]", "null", "ONE"):
        with pytest.raises(GraphQLError):
            DECIMAL_LITERAL(parse_value(text), None)


@pytest.mark.parametrize(
    "given",
    ["2026-11-20T07:04:00Z", "2026-11-20T07:04:00+00:00", "2026-11-20T12:34:00.000+05:30", "2026-11-20t07:04:00z"],
)
def test_a_moment_is_read_whatever_its_offset(given: str) -> None:
    moment = parse_datetime(given)
    assert moment == datetime(2026, 11, 20, 7, 4, tzinfo=UTC)
    assert print_datetime(moment) == "2026-11-20T07:04:00Z"


@pytest.mark.parametrize(
    "given",
    [
        "2026-11-20T07:04:00",
        "2026-11-20 07:04:00Z",
        "2026-11-20",
        "2026-13-20T07:04:00Z",
        "2026-W47-5T07:04:00Z",
        "20261120T070400Z",
        "0001-01-01T00:00:00+14:00",
        "",
        "now",
        None,
        1763622240,
    ],
)
def test_what_is_no_moment_is_refused(given: Any) -> None:
    with pytest.raises(GraphQLError, match="DateTime takes a moment"):
        parse_datetime(given)


def test_a_moment_is_printed_in_utc_to_its_last_digit() -> None:
    moment = datetime(2026, 1, 1, 1, 30, 0, 120, timezone(timedelta(hours=2)))
    assert print_datetime(moment) == "2025-12-31T23:30:00.000120Z"


def test_a_day_is_a_day() -> None:
    assert parse_date("2026-02-28") == date(2026, 2, 28)


@pytest.mark.parametrize("given", ["2026-02-30", "2026-W47-5", "20261120", "2026-2-28", "28.02.2026", "", None, 2026])
def test_what_is_no_day_is_refused(given: Any) -> None:
    with pytest.raises(GraphQLError, match="Date takes a day"):
        parse_date(given)


def test_a_web_address_is_complete() -> None:
    assert parse_url("https://example.com/a?b#c") == "https://example.com/a?b#c"
    for wrong in ("example.com", "/path", "https://", "http://[::1", "", None, 5):
        with pytest.raises(GraphQLError, match="URL takes"):
            parse_url(wrong)
