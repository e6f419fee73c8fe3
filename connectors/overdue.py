"""When work is overdue, by one rule for every system: it is not done, and the moment that it was due at is over."""

from datetime import datetime
from functools import partial
from typing import Any

from connectors.derived import AsOf, FromWords
from connectors.fields import FieldSpec
from connectors.query import Where
from schema.filters import Operator
from schema.maintenance import WorkOrder, WorkOrderStatus
from schema.model import entity_of

DONE = (
    WorkOrderStatus.COMPLETED,
    WorkOrderStatus.CLOSED,
    WorkOrderStatus.CANCELED,
    WorkOrderStatus.REJECTED,
    WorkOrderStatus.SKIPPED,
)
"""What has come to an end is not overdue, however late it was."""


def is_overdue(
    now: datetime,
    status: WorkOrderStatus | None,
    dueAt: datetime | None = None,  # noqa: N803 - fields are named as in the schema
    scheduledFinish: datetime | None = None,  # noqa: N803
) -> bool | None:
    """Past `dueAt`, or past the scheduled finish where nothing is due; unknown without a status or a moment."""
    if status in DONE:
        return False
    due = dueAt or scheduledFinish
    if status in (None, WorkOrderStatus.UNKNOWN) or due is None:
        return None
    return due < now


def overdue(**words: FieldSpec) -> AsOf:
    """The word for `isOverdue` by those for `status`, `dueAt` and `scheduledFinish`, as far as a system has them."""

    def narrowed(operator: Operator, value: Any) -> Where | None:
        """What is overdue is not done, which the source may know."""
        if value not in (True, (True,)) or operator not in (Operator.EQ, Operator.IN):
            return None
        pushed = words["status"].push(Operator.NOT_IN, DONE, entity_of(WorkOrder).fields["status"])
        return None if pushed is None else pushed.where

    return AsOf(lambda now: FromWords(partial(is_overdue, now), words, of=WorkOrder, narrowed=narrowed))
