"""How plain JSON writes days and moments, each source in its own way, and how they are read and written back."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from connectors.protocols.base import Decoder, plain_decoders


class Moments(Enum):
    """How a source writes moments."""

    ISO = "iso"
    UNIX_SECONDS = "unix-seconds"
    UNIX_MILLISECONDS = "unix-milliseconds"


@dataclass(frozen=True, slots=True)
class Times:
    """How a source writes its times; `zone` is where its clock stands, for moments that do not say."""

    moments: Moments = Moments.ISO
    zone: str = "UTC"

    def read_moment(self, value: Any) -> datetime | None:
        """A moment in UTC; empty text is none, and neither is zero seconds since 1970."""
        if value == "":
            return None
        if self.moments is Moments.ISO:
            return self._read_iso(value)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise ValueError("not a moment")
        seconds = Decimal(value) / (1_000 if self.moments is Moments.UNIX_MILLISECONDS else 1)
        return datetime.fromtimestamp(float(seconds), UTC) if seconds else None

    def _read_iso(self, value: Any) -> datetime:
        if not isinstance(value, str) or len(value) <= len("2026-01-01"):
            raise ValueError("not a moment")
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(self.zone))).astimezone(UTC)

    def read_day(self, value: Any) -> date | None:
        """A day; of a moment, the day on which it falls where the source's clock stands."""
        if value == "":
            return None
        if isinstance(value, str) and len(value) == len("2026-01-01"):
            return date.fromisoformat(value)
        moment = self.read_moment(value)
        return moment.astimezone(ZoneInfo(self.zone)).date() if moment else None

    def can_compare(self, value: Any) -> bool:
        """Whether a source that may compare moments as text finds those that are meant.

        It does not where it writes them by a clock of its own, and none of them has a part of a second to go by.
        """
        if self.moments is not Moments.ISO or not isinstance(value, datetime):
            return True
        return self.zone == "UTC" and value.microsecond == 0

    def write(self, value: Any) -> str:
        """A value as the source compares it."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, datetime):
            return self._write_moment(value)
        if isinstance(value, date):
            return value.isoformat()
        return f"{value:f}" if isinstance(value, Decimal) else str(value)

    def _write_moment(self, moment: datetime) -> str:
        if self.moments is Moments.ISO:
            return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
        whole = Decimal(int(moment.timestamp())) + Decimal(moment.microsecond) / 1_000_000
        return f"{whole * (1_000 if self.moments is Moments.UNIX_MILLISECONDS else 1):f}"

    def decoders(self) -> dict[type[Any], Decoder]:
        """How the values of a row are read."""
        return plain_decoders() | {date: self.read_day, datetime: self.read_moment}
