"""The company that the demo data are about, and how its days are told."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from connectors.sandbox.demo import DemoGood, Region

Row = dict[str, Any]
Tables = defaultdict[str, list[Row]]
"""Rows by entity set."""

UNITS = {"EU": {"piece": "ST"}, "US": {"piece": "PC"}}
FOREVER = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class Company:
    """A company with one plant, both under the same code."""

    code: str
    currency: str
    region: Region
    today: date

    @property
    def midnight(self) -> datetime:
        """The beginning of today: nothing has changed later."""
        return datetime.combine(self.today, time(0), UTC)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that its texts are kept in."""
        return ("EN", "DE") if self.region == "EU" else ("EN",)

    def unit(self, good: DemoGood) -> str:
        """Return the unit's key in this system."""
        return UNITS[self.region].get(good.unit, good.unit)

    def working_time(self, random: Random, day: date) -> datetime:
        """Return some instant of a day's working time, none in the future."""
        return min(datetime.combine(day, time(0), UTC) + time_of_day(random), self.midnight)


def time_of_day(random: Random) -> timedelta:
    """Return the time since midnight of something that people did at work."""
    return timedelta(
        hours=random.randint(6, 17), seconds=random.randint(0, 3_599), microseconds=random.randint(0, 999_999)
    )


def clock(moment: datetime) -> time:
    """Return the time of day of a moment without its fraction of a second."""
    return moment.time().replace(microsecond=0)
