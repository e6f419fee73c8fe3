"""Reads `Retry-After` in both of its forms: seconds, or an HTTP date."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_SECONDS = 24 * 3_600.0
"""A wait that is longer is taken for this one: nobody asks for more in earnest."""


def read_retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds to wait, from 0 to a day; None where the header is absent or unreadable."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return min(float(value), LONGEST_SECONDS)
    moment = _moment(value)
    if moment is None:
        return None
    return min(max(0.0, (moment - (now or datetime.now(UTC))).total_seconds()), LONGEST_SECONDS)


def wait_of(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by the headers of an answer; where it is dated, its own clock counts and not ours."""
    return read_retry_after(headers.get("retry-after"), _moment(headers.get("date")))


def _moment(value: str | None) -> datetime | None:
    """The moment of an HTTP date, in UTC where it does not say; None where it is absent or unreadable."""
    try:
        moment = parsedate_to_datetime(value) if value is not None else None
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
