"""A day stands for a moment, and comparing moments is comparing days: at the source as here."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.days import AtDay
from connectors.fields import Can
from connectors.protocols.base import WireProtocol
from connectors.protocols.odoo_json2 import OdooJson2
from connectors.query import ALWAYS, NEVER, AllOf, AnyOf, Compare, Comparison, Where
from schema.filters import Operator
from schema.maintenance import WorkOrder
from schema.model import fields_of

DUE = fields_of(WorkOrder)["dueAt"]
DAYS = st.dates(date(2024, 2, 27), date(2024, 3, 2))
MOMENTS = st.one_of(
    st.datetimes(datetime(2024, 2, 26), datetime(2024, 3, 3)).map(lambda moment: moment.replace(tzinfo=UTC)),
    DAYS.map(lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC)),
    DAYS.map(lambda day: datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)),
)
HERE = {
    Operator.EQ: lambda one, other: one == other,
    Operator.NE: lambda one, other: one != other,
    Operator.GT: lambda one, other: one > other,
    Operator.GTE: lambda one, other: one >= other,
    Operator.LT: lambda one, other: one < other,
    Operator.LTE: lambda one, other: one <= other,
}


def holds(where: Where, day: date) -> bool:
    """Whether a source that keeps this day finds it."""
    match where:
        case AllOf(terms):
            return all(holds(term, day) for term in terms)
        case AnyOf(terms):
            return any(holds(term, day) for term in terms)
        case Compare(_, Comparison.PRESENT):
            return True
        case Compare(_, comparison, value):
            assert type(value) is date
            name = "NE" if comparison is Comparison.NOT_EQ else comparison.name
            return bool(HERE[Operator[name]](day, value))
    raise AssertionError(where)


@pytest.mark.parametrize("is_deadline", [False, True])
@pytest.mark.parametrize("operator", HERE)
@given(day=DAYS, moment=MOMENTS)
def test_days_compare_as_their_moments(is_deadline: bool, operator: Operator, day: date, moment: datetime) -> None:
    word = AtDay("day", filter=Can.EQ | Can.RANGE, is_deadline=is_deadline)
    wire: WireProtocol = OdooJson2()
    shown = word.reader(DUE, wire)({"day": day.isoformat()})
    pushed = word.push(operator, moment, DUE)
    assert pushed is not None
    assert pushed.is_exact
    assert holds(pushed.where, day) == HERE[operator](shown, moment)


@pytest.mark.parametrize("operator", [Operator.IN, Operator.NOT_IN])
@given(day=DAYS, moments=st.lists(MOMENTS, max_size=3).map(tuple))
def test_one_of_several_days(operator: Operator, day: date, moments: tuple[datetime, ...]) -> None:
    pushed = AtDay("day", filter=Can.EQ).push(operator, moments, DUE)
    assert pushed is not None
    is_among = datetime(day.year, day.month, day.day, tzinfo=UTC) in moments
    assert holds(pushed.where, day) == (is_among if operator is Operator.IN else not is_among)


@pytest.mark.parametrize("moment", [datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
@pytest.mark.parametrize("operator", HERE)
def test_the_ends_of_time_are_days_too(moment: datetime, operator: Operator) -> None:
    word: Any = AtDay("day", is_deadline=True)
    found = word.compare(operator, moment, datetime)
    is_of_all_days = found in (ALWAYS, NEVER, Compare("day", Comparison.PRESENT, kind=date))
    assert is_of_all_days or abs(found.value - moment.date()) <= timedelta(1)


def test_only_moments_are_told_by_days() -> None:
    (mistake,) = AtDay("day").mistakes("Asset.installedDate", fields_of(WorkOrder)["title"])
    assert mistake == "Asset.installedDate is no moment, which is all that AtDay tells"
