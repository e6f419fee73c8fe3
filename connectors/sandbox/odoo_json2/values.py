"""Values on their way out and in: what Odoo writes for a plain Python value, and how it reads those of a domain."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.sandbox.odoo_json2 import refusals
from connectors.sandbox.odoo_json2.models import Field

MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
ONE_DAY = timedelta(days=1)
ONE_SECOND = timedelta(seconds=1)


def to_json(field: Field, value: Any) -> Any:
    """Write a value that is no relation; the empty value of all but numbers and booleans is false."""
    match value:
        case None:
            return False
        case datetime():
            return f"{whole_seconds(value):%Y-%m-%d %H:%M:%S}"
        case date():
            return f"{value:%Y-%m-%d}"
        case Decimal() | int() if field.type in ("float", "monetary"):
            return float(value)
        case _:
            return value


def whole_seconds(moment: datetime) -> datetime:
    """Return a moment as Odoo shows and compares it: UTC without saying so, and no fraction."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.replace(microsecond=0)


def read_number(value: Any) -> Decimal:
    """Read the number of a condition; empty is zero, and text may be a number."""
    try:
        number = Decimal(str(int(value) if isinstance(value, bool) else value or 0))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise refusals.value_error(f"could not convert string to float: {value!r}")
    return number


def read_date(value: Any) -> date:
    """Read the date of a condition; of a date with a time the time is cut off."""
    if isinstance(value, str) and (DAY.fullmatch(value) or MOMENT.fullmatch(value)):
        return _date(value)
    raise refusals.value_error(f"time data {value!r} does not match format '%Y-%m-%d'")


def read_datetime(value: Any) -> datetime:
    """Read the moment of a condition: no zone, and its fraction does not count; a date is its midnight."""
    if isinstance(value, str) and DAY.fullmatch(value):
        return datetime.combine(_date(value), datetime.min.time())
    if not isinstance(value, str) or not MOMENT.fullmatch(value):
        raise refusals.value_error(f"time data {value!r} does not match format '%Y-%m-%d %H:%M:%S'")
    try:
        return datetime.fromisoformat(value[:19])
    except ValueError as error:
        raise refusals.value_error(str(error)) from None


def read_bound(operator: str, value: Any) -> datetime:
    """Read what moments are compared with; a date bounds by its end in `<=` and `>`."""
    bound = read_datetime(value)
    if DAY.fullmatch(value) and operator in ("<=", ">"):
        return bound + ONE_DAY - ONE_SECOND
    return bound


def _date(value: str) -> date:
    try:
        return date.fromisoformat(value[:10])
    except ValueError as error:
        raise refusals.value_error(str(error)) from None
