"""Values of the Edm types: what is initial, what the database compares, and how JSON and URIs write them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import quote

from connectors.sandbox.odata_v2.service import EntitySet, Property, Row

CURRENCY_DECIMALS = {"BHD": 3, "JPY": 0, "KRW": 0, "KWD": 3, "TND": 3}
"""Currencies that do not have two decimals, as far as samples and demo data use them."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_DATE = date.min
NO_INSTANT = datetime.min.replace(tzinfo=UTC)
FIRST_DAY = -62_135_769_600_000
"""The milliseconds that the system sends for 1 January of the year 1: it counts two days more than today's calendar."""
MOST_DECIMALS_OF_A_UNIT = 3
NUMBERS = ("Edm.Byte", "Edm.SByte", "Edm.Int16", "Edm.Int32", "Edm.Int64")


def initial(prop: Property) -> Any:
    """Return the value of a property that nothing was written to: texts are empty, dates are null."""
    match prop.type:
        case "Edm.String":
            return "0" if prop.conversion == "NUMC" else ""
        case "Edm.Boolean":
            return False
        case "Edm.Decimal":
            return Decimal(0)
        case "Edm.Double" | "Edm.Single":
            return 0.0
        case "Edm.Time":
            return time(0)
        case kind if kind in NUMBERS:
            return 0
        case _:
            return None


def value_of(prop: Property, row: Row) -> Any:
    """Return what the row holds for the property, or its initial value."""
    value = row.get(prop.name)
    return initial(prop) if value is None else value


def comparable(prop: Property) -> Callable[[Any], Any]:
    """Return a function from a value to what the database compares and sorts by.

    Texts compare by code point; keys with a conversion compare in their inner, padded form; what is null
    outside is the smallest value inside.
    """
    length = prop.max_length or 0
    match prop.type, prop.conversion:
        case "Edm.String", "ALPHA":
            return lambda value: value.zfill(length) if _is_number(value) else value or ""
        case "Edm.String", "NUMC":
            return lambda value: (value or "0").zfill(length)
        case "Edm.String", _:
            return lambda value: value or ""
        case "Edm.DateTime", _:
            return _comparable_date if prop.format == "Date" else _comparable_instant
        case "Edm.DateTimeOffset", _:
            return _comparable_instant
        case "Edm.Time", _:
            return lambda value: value or time(0)
        case "Edm.Guid", _:
            return lambda value: str(value or "").lower()
        case _:
            return lambda value: value or 0


def key_of(entity_set: EntitySet, row: Row) -> tuple[Any, ...]:
    """Return the comparable key of a row."""
    properties = [entity_set.properties[name] for name in entity_set.key]
    return tuple(comparable(prop)(value_of(prop, row)) for prop in properties)


def outer(prop: Property, value: Any) -> Any:
    """Return a text as the service shows it: numbers with a conversion lose their leading zeros."""
    if prop.conversion and _is_number(value):
        return value.lstrip("0") or "0"
    if prop.conversion == "NUMC" and not value:
        return "0"
    return value


def to_json(prop: Property, row: Row) -> Any:
    """Write the value of a property as OData V2 does in JSON."""
    value = value_of(prop, row)
    match prop.type:
        case "Edm.String":
            return outer(prop, value)
        case "Edm.Decimal":
            return format(_rounded(prop, Decimal(value), row), "f")
        case "Edm.Double" | "Edm.Single" | "Edm.Int64":
            return str(value)
        case "Edm.DateTime":
            return None if value is None else f"/Date({_milliseconds(value)})/"
        case "Edm.DateTimeOffset":
            return None if value is None else f"/Date({_milliseconds(value)}+0000)/"
        case "Edm.Time":
            return f"PT{value:%H}H{value:%M}M{value:%S}S"
        case "Edm.Guid":
            return None if value is None else str(value)
        case _:
            return value


def to_literal(prop: Property, row: Row) -> str:
    """Write the value of a property as a literal in a URI or an ETag, percent-encoded."""
    value = value_of(prop, row)
    if value is None:
        return "''"
    match prop.type:
        case "Edm.String":
            return "'" + quote(str(outer(prop, value)).replace("'", "''"), safe="") + "'"
        case "Edm.DateTime":
            return f"datetime'{quote(f'{_comparable_date(value).isoformat()}T00:00:00')}'"
        case "Edm.DateTimeOffset":
            return f"datetimeoffset'{quote(instant_text(prop, value), safe='')}'"
        case "Edm.Time":
            return f"time'{to_json(prop, row)}'"
        case "Edm.Guid":
            return f"guid'{value}'"
        case "Edm.Decimal":
            return f"{to_json(prop, row)}m"
        case "Edm.Boolean":
            return "true" if value else "false"
        case _:
            return str(value)


def etag(entity_set: EntitySet, row: Row) -> str | None:
    """Return the ETag of a row; None where the set has none."""
    if entity_set.etag is None:
        return None
    return f'W/"{to_literal(entity_set.properties[entity_set.etag], row)}"'


def instant_text(prop: Property, value: datetime) -> str:
    """Write an instant with the seven decimals that the system keeps, or with none if the property has none."""
    decimals = "" if prop.precision == 0 else f".{value.microsecond:06d}0"
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}{decimals}Z"


def in_language(entity_set: EntitySet, row: Row, language: str) -> Row:
    """Return the row with its words in the language of the logon, each in a column of four, cut to the length."""
    worded = [prop for prop in entity_set.properties.values() if language in prop.words]
    if not worded:
        return row
    translated = {}
    for prop in worded:
        known = prop.words[language]
        said = " ".join(f"{known.get(word, word):<4}" for word in str(value_of(prop, row)).split())
        translated[prop.name] = said[: prop.max_length].rstrip()
    return {**row, **translated}


def moment(milliseconds: int) -> datetime:
    """Read what the system sends as a moment; OverflowError if no calendar has it."""
    return NO_INSTANT if milliseconds == FIRST_DAY else EPOCH + timedelta(milliseconds=milliseconds)


def decimals(value: Decimal) -> int:
    """Return how many decimals a finite number needs."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _is_number(value: str | None) -> bool:
    return bool(value) and value is not None and value.isascii() and value.isdigit()


def _comparable_date(value: date | datetime | None) -> date:
    if value is None:
        return NO_DATE
    return value.date() if isinstance(value, datetime) else value


def _comparable_instant(value: date | datetime | None) -> datetime:
    if value is None:
        return NO_INSTANT
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _milliseconds(value: date | datetime) -> int:
    if _comparable_date(value) == NO_DATE:
        return FIRST_DAY
    passed = _comparable_instant(value) - EPOCH
    return passed.days * 86_400_000 + passed.seconds * 1_000 + passed.microseconds // 1_000


def _rounded(prop: Property, value: Decimal, row: Row) -> Decimal:
    places = prop.scale
    if prop.is_amount and prop.unit:
        places = CURRENCY_DECIMALS.get(row.get(prop.unit) or "", 2)
    elif prop.whole_units is not None and places is not None:
        usual = 0 if row.get(prop.unit or "") in prop.whole_units else min(places, MOST_DECIMALS_OF_A_UNIT)
        places = min(places, max(usual, decimals(value)))
    if places is None:
        return value
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
