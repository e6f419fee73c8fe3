"""What S/4HANA's system statuses mean: several are active at once, and the most telling decides."""

from decimal import Decimal
from enum import Enum

from schema.assets import AssetKind
from schema.maintenance import WorkOrderStatus, WorkOrderTaskStatus

_ORDER = (
    ("DLFL", WorkOrderStatus.CANCELED),
    ("NOEX", WorkOrderStatus.CANCELED),
    ("CLSD", WorkOrderStatus.CLOSED),
    ("TECO", WorkOrderStatus.COMPLETED),
    ("LKD", WorkOrderStatus.ON_HOLD),
    ("CNF", WorkOrderStatus.COMPLETED),
    ("PCNF", WorkOrderStatus.IN_PROGRESS),
    ("MWCP", WorkOrderStatus.IN_PROGRESS),
    ("REL", WorkOrderStatus.RELEASED),
    ("CRTD", WorkOrderStatus.PLANNED),
)
"""English codes, the most telling first; they differ by language, so the connection asks in English."""


def order_status(text: str | None) -> WorkOrderStatus:
    """The status of a maintenance order."""
    codes = (text or "").split()
    return next((status for code, status in _ORDER if code in codes), WorkOrderStatus.UNKNOWN)


def is_flagged(text: str | None) -> bool | None:
    """Whether an order carries the deletion flag; without a text nothing is known."""
    return None if text is None else "DLFL" in text.split()


def task_status(text: str | None) -> Enum:
    """The status of an operation."""
    codes = (text or "").split()
    known = WorkOrderTaskStatus.__members__
    for code, name in (("CNF", "DONE"), ("PCNF", "IN_PROGRESS"), ("REL", "OPEN"), ("CRTD", "OPEN")):
        if code in codes and name in known:
            return known[name]
    return WorkOrderTaskStatus["UNKNOWN"]


_HOURS = {"H": Decimal(1), "HR": Decimal(1), "HUR": Decimal(1), "STD": Decimal(1), "MIN": Decimal(1) / 60}


def hours(work: Decimal | None, unit: str | None) -> Decimal | None:
    """Work in hours; in a unit that is not one of time, nothing is known."""
    factor = _HOURS.get(unit or "")
    return None if work is None or factor is None else work * factor


def equipment() -> AssetKind:
    """Whatever the equipment service has is equipment."""
    return AssetKind.EQUIPMENT


def functional_location() -> AssetKind:
    """Whatever the service of functional locations has is one."""
    return AssetKind.FUNCTIONAL_LOCATION
