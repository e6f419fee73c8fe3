"""Literals of OData V2, in filters, keys and written bodies: cut into tokens and read with their types."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from connectors.sandbox.odata_v2 import refusals

TOKEN = re.compile(
    r"""(?P<typed>(?:datetimeoffset|datetime|time|guid)'[^']*')
    |(?P<text>'(?:[^']|'')*')
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[mMdDfFlL]?(?![\w.]))
    |(?P<name>[A-Za-z_]\w*(?:/[A-Za-z_]\w*)*)
    |(?P<mark>[(),])""",
    re.VERBOSE,
)
INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,7}))?(Z|[+-]\d{2}:\d{2})?", re.ASCII)
DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the filter with its position, counted from 1."""

    kind: str
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant with the type that its spelling gives it."""

    type: str
    value: Any


def tokenize(text: str) -> list[Token]:
    """Cut a filter into pieces; words and literals must stand apart."""
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        if text[position] == " ":
            position += 1
            continue
        found = TOKEN.match(text, position)
        touches = bool(tokens) and position > 0 and text[position - 1] not in " (),"
        if found is None or (touches and found.lastgroup != "mark"):
            raise refusals.invalid_token(position + 1)
        tokens.append(Token(str(found.lastgroup), found.group(), position + 1))
        position = found.end()
    return tokens


def literal_of(token: Token) -> Literal | None:
    """Read the token as a literal; None if it is a name or a mark."""
    match token.kind, token.text:
        case "name", "true" | "false":
            return Literal("Edm.Boolean", token.text == "true")
        case "name", "null":
            return Literal("null", None)
        case "typed", _:
            return typed(token)
        case "text", _:
            return text_value(token)
        case "number", _:
            return number(token)
    return None


def parse_literal(text: str) -> Literal:
    """Read one literal that stands alone, as in a key predicate; ODataRefusal if it is none."""
    tokens = tokenize(text)
    literal = literal_of(tokens[0]) if len(tokens) == 1 else None
    if literal is None:
        raise refusals.malformed(text)
    return literal


def text_value(token: Token) -> Literal:
    """Read a quoted text; a doubled quote is one quote."""
    return Literal("Edm.String", token.text[1:-1].replace("''", "'"))


def number(token: Token) -> Literal:
    """Read a number; its suffix or its look decides the type."""
    digits, suffix = token.text.rstrip("mMdDfFlL"), token.text[-1].lower()
    if suffix == "m":
        return Literal("Edm.Decimal", Decimal(digits))
    if suffix in "df" or not digits.lstrip("-").isdigit():
        return Literal("Edm.Double", float(digits))
    return Literal("integer", int(digits))


def typed(token: Token) -> Literal:
    """Read a literal with its type in front, such as datetime'2026-11-20T00:00:00'."""
    prefix, _, quoted = token.text.partition("'")
    text = quoted[:-1]
    try:
        match prefix:
            case "guid":
                return Literal("Edm.Guid", UUID(text))
            case "time":
                return Literal("Edm.Time", duration(text))
            case _:
                return Literal(
                    "Edm.DateTime" if prefix == "datetime" else "Edm.DateTimeOffset",
                    instant(text, offset=prefix == "datetimeoffset"),
                )
    except (ValueError, OverflowError):
        raise refusals.invalid_token(token.position) from None


def instant(text: str, *, offset: bool) -> datetime:
    """Read a date with its time of day, as UTC; ValueError unless an offset is there exactly if expected."""
    found = INSTANT.fullmatch(text)
    if found is None or bool(found[3]) != offset:
        raise ValueError(text)
    value = datetime.fromisoformat(found[1] + (found[3] or "Z").replace("Z", "+00:00"))
    return value.astimezone(UTC) + timedelta(microseconds=int((found[2] or "0").ljust(7, "0")) // 10)


def duration(text: str) -> time:
    """Read a time of day, written as a duration since midnight."""
    found = DURATION.fullmatch(text)
    if found is None or text == "PT":
        raise ValueError(text)
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return time(hours, minutes, seconds)
