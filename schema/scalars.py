"""The scalars of the contract: exact numbers, moments, days, currencies, countries, addresses and JSON."""

import contextlib
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NewType
from urllib.parse import urlsplit

import strawberry
from graphql import GraphQLError
from graphql.language import IntValueNode, StringValueNode, ValueNode
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

Currency = NewType("Currency", str)
CountryCode = NewType("CountryCode", str)
URL = NewType("URL", str)
Duration = NewType("Duration", str)


_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MAX_DIGITS = 100


def parse_decimal(value: object) -> Decimal:
    """Read an exact, finite number from a string or a whole number; a float has lost digits already."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise GraphQLError(f'Decimal takes a string such as "12.50", not {value!r}.')
    if isinstance(value, str) and not (len(value) <= 2 * _MAX_DIGITS and _DECIMAL.fullmatch(value)):
        raise GraphQLError(f'Decimal takes a string such as "12.50", not {value[:_MAX_DIGITS]!r}.')
    number = Decimal(value)
    # An exponent makes a short text a number that fills the memory as soon as it is printed.
    if number.adjusted() >= _MAX_DIGITS or number.as_tuple().exponent < -_MAX_DIGITS:  # type: ignore[operator]
        raise GraphQLError(f"Decimal takes numbers with at most {_MAX_DIGITS} digits on each side of the point.")
    return number


def _parse_decimal_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Decimal:
    if isinstance(node, StringValueNode | IntValueNode):
        return parse_decimal(node.value)
    raise GraphQLError('Decimal takes a string such as "12.50".', node)


def print_decimal(value: Decimal) -> str:
    """Write an exact number without an exponent."""
    return format(value, "f")


def parse_datetime(value: object) -> datetime:
    """Read a moment as RFC 3339 writes it; without an offset it would not be a moment."""
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        with contextlib.suppress(ValueError, OverflowError):
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
    raise GraphQLError(f"DateTime takes a moment with an offset such as 2026-11-20T07:04:00Z, not {value!r}.")


def print_datetime(value: datetime) -> str:
    """Write a moment in UTC with the letter Z."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_date(value: object) -> date:
    """Read a calendar day such as 2026-11-20."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(value)
    raise GraphQLError(f"Date takes a day such as 2026-11-20, not {value!r}.")


def parse_url(value: object) -> str:
    """Read a complete web address."""
    if isinstance(value, str):
        try:
            parts = urlsplit(value)
        except ValueError:
            parts = None
        if parts is not None and parts.scheme and parts.netloc:
            return value
    raise GraphQLError(f"URL takes a complete web address such as https://example.com, not {value!r}.")


SCALARS: dict[object, ScalarDefinition] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact number, written as a string such as "12.50".',
        serialize=print_decimal,
        parse_value=parse_decimal,
        parse_literal=_parse_decimal_literal,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment in UTC, such as 2026-11-20T07:04:00Z.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=print_datetime,
        parse_value=parse_datetime,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar day without a time zone, such as 2026-11-20.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
        serialize=date.isoformat,
        parse_value=parse_date,
    ),
    Duration: strawberry.scalar(
        name="Duration",
        description="A length of time as ISO 8601 writes it, such as PT2H30M.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339#appendix-A",
    ),
    Currency: strawberry.scalar(
        name="Currency",
        description="A currency code of ISO 4217, such as EUR.",
    ),
    CountryCode: strawberry.scalar(
        name="CountryCode",
        description="A country code of ISO 3166-1 with two letters, such as DE.",
    ),
    URL: strawberry.scalar(
        name="URL",
        description="A complete web address.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3986",
        parse_value=parse_url,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
    ),
}
"""Which scalar stands for which Python type; given to strawberry once, when the schema is built."""

__all__ = ["JSON", "SCALARS", "URL", "CountryCode", "Currency", "Duration"]
