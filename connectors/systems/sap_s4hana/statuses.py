"""What S/4HANA's system statuses mean: several are active at once, and the most telling decides."""

from collections.abc import Sequence
from enum import Enum
from typing import TypeVar

from schema.maintenance import WorkOrderStatus, WorkOrderTaskStatus

Status = TypeVar("Status", bound=Enum)
Telling = Sequence[tuple[str, Status]]
"""English codes, the most telling first; they differ by language, so English is asked for."""

_DELETED = "DLFL"
_ORDER: Telling[WorkOrderStatus] = (
    (_DELETED, WorkOrderStatus.CANCELED),
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
_OPERATION: Telling[WorkOrderTaskStatus] = (
    ("CNF", WorkOrderTaskStatus.COMPLETED),
    ("PCNF", WorkOrderTaskStatus.IN_PROGRESS),
    ("REL", WorkOrderTaskStatus.OPEN),
    ("CRTD", WorkOrderTaskStatus.OPEN),
)


def order_status(text: str | None) -> WorkOrderStatus:
    """The status of a maintenance order."""
    return _first(_ORDER, text, WorkOrderStatus.UNKNOWN)


def task_status(text: str | None, is_deleted: bool | None) -> WorkOrderTaskStatus:
    """The status of an operation."""
    return WorkOrderTaskStatus.CANCELED if is_deleted else _first(_OPERATION, text, WorkOrderTaskStatus.UNKNOWN)


def is_flagged(text: str | None) -> bool | None:
    """Whether an order carries the deletion flag; without a text nothing is known."""
    return None if text is None else _DELETED in text.split()


def _first(telling: Telling[Status], text: str | None, unknown: Status) -> Status:
    codes = (text or "").split()
    return next((status for code, status in telling if code in codes), unknown)
