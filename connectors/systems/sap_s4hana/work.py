"""What S/4HANA says of the work of an order and its operations: how long it takes, when it was done, and by whom."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from schema.maintenance import Assignee, AssigneeType
from schema.scalars import Currency, Duration
from schema.values import Money

Rows = Sequence[Mapping[str, Any]]

_PER_HOUR = {"H": 1, "HR": 1, "HUR": 1, "STD": 1, "MIN": 60}
_NOBODY = "0"
_VENDOR = ("VN", "LF")
"""The partner function of a vendor, as SAP shows it in English and in German."""
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


def hours(work: Decimal | None, unit: str | None) -> Decimal | None:
    """Work in hours; in a unit that has no fixed number of them, such as a day's work, nothing is known."""
    units = _PER_HOUR.get(unit or "")
    return None if work is None or units is None else work / units


def total_hours(operations: Rows) -> Decimal | None:
    """The work of all operations in hours; null where that of one is not known."""
    each = [hours(row["work"], row["unit"]) for row in _kept(operations) if row["work"]]
    known = [found for found in each if found is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(each) else None


def started_at(operations: Rows) -> datetime | None:
    """When the first operation was begun."""
    return min((row["start"] for row in _kept(operations) if row["start"] is not None), default=None)


def time_taken(operations: Rows) -> Duration | None:
    """From the beginning of the first operation to the end of the last, once all of them have both."""
    kept = list(_kept(operations))
    if not kept or any(row["start"] is None or row["end"] is None for row in kept):
        return None
    taken = max(row["end"] for row in kept) - min(row["start"] for row in kept)
    return Duration(f"PT{taken // _HOUR}H{taken % _HOUR // _MINUTE}M") if taken >= timedelta(0) else None


def _kept(operations: Rows) -> Iterator[Mapping[str, Any]]:
    """Those that are not marked for deletion."""
    return (row for row in operations if not row["is_deleted"])


def superior(leading: str | None, own: str | None) -> str | None:
    """The order that leads this one, which leads none itself."""
    return None if leading == own else leading


def person(number: str | None) -> Assignee | None:
    """Whoever has this number of personnel, which is zero where nobody is named."""
    if number is None or number == _NOBODY:
        return None
    return Assignee(remote_id=number, name=None, type=AssigneeType.PERSON)


def assignees(operations: Rows | None, partners: Rows | None) -> list[Assignee] | None:
    """The people whom operations name, then the vendors of operations and of the order; each once."""
    people = dict.fromkeys(row["person"] for row in _kept(operations or ()))
    found = [assignee for number in sorted(people, key=str) if (assignee := person(number)) is not None]
    vendors = sorted({*_partners(partners), *_suppliers(operations)})
    found += [Assignee(remote_id=number, name=None, type=AssigneeType.VENDOR) for number in vendors]
    return found or None


def vendor(operations: Rows | None, partners: Rows | None) -> str | None:
    """The vendor of the order, else that of its operations; several are no one vendor."""
    numbers = _partners(partners) or _suppliers(operations)
    return min(numbers) if len(numbers) == 1 else None


def _partners(partners: Rows | None) -> set[str]:
    return {row["number"] for row in partners or () if row["function"] in _VENDOR and row["number"] is not None}


def _suppliers(operations: Rows | None) -> set[str]:
    return {row["supplier"] for row in _kept(operations or ()) if row["supplier"] is not None}


def unit_cost(price: Decimal | None, per: Decimal | None, currency: str | None) -> Money | None:
    """The price of one unit of a part; an initial price, which is zero, says nothing."""
    if not price or currency is None:
        return None
    return Money(amount=price / (per or 1), currency=Currency(currency))
