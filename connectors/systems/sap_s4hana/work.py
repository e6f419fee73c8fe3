"""What S/4HANA says of the work of an operation: how long it takes, and who does it."""

from decimal import Decimal

from schema.maintenance import Assignee, AssigneeType

_PER_HOUR = {"H": 1, "HR": 1, "HUR": 1, "STD": 1, "MIN": 60}
_NOBODY = "0"


def hours(work: Decimal | None, unit: str | None) -> Decimal | None:
    """Work in hours; in a unit that has no fixed number of them, such as a day's work, nothing is known."""
    units = _PER_HOUR.get(unit or "")
    return None if work is None or units is None else work / units


def person(number: str | None) -> Assignee | None:
    """Whoever has this number of personnel, which is zero where nobody is named."""
    if number is None or number == _NOBODY:
        return None
    return Assignee(remote_id=number, name=None, type=AssigneeType.PERSON)
