"""What is overdue: one rule for every system, and never a guess."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.decisions import Case, First
from connectors.fields import At, Can
from connectors.overdue import DONE, is_overdue, overdue
from connectors.protocols.odata_v2 import ODataV2
from connectors.query import ALWAYS
from connectors.reading import RecordReader
from connectors.systems.sap_s4hana.maintenance import maintenance_orders
from schema.filters import Operator
from schema.maintenance import WorkOrder, WorkOrderStatus
from schema.model import fields_of

NOW = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
PAST, FUTURE = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
MODEL = fields_of(WorkOrder)["isOverdue"]
STATUS = First(
    (Case("isDone", True, WorkOrderStatus.COMPLETED), Case("isDone", False, WorkOrderStatus.RELEASED)), Can.EQ
)


@pytest.mark.parametrize("status", [item for item in WorkOrderStatus if item not in {*DONE, WorkOrderStatus.UNKNOWN}])
def test_open_work_is_overdue_once_it_was_due(status: WorkOrderStatus) -> None:
    assert is_overdue(NOW, status, dueAt=PAST) is True
    assert is_overdue(NOW, status, dueAt=FUTURE) is False
    assert is_overdue(NOW, status, dueAt=NOW) is False
    assert is_overdue(NOW, status, dueAt=FUTURE, scheduledFinish=PAST) is False
    assert is_overdue(NOW, status, scheduledFinish=PAST) is True
    assert is_overdue(NOW, status) is None


@pytest.mark.parametrize("status", DONE)
def test_what_has_come_to_an_end_is_not_overdue(status: WorkOrderStatus) -> None:
    assert is_overdue(NOW, status, dueAt=PAST) is False
    assert is_overdue(NOW, status) is False


@pytest.mark.parametrize("status", [None, WorkOrderStatus.UNKNOWN])
def test_without_a_status_nothing_is_known(status: WorkOrderStatus | None) -> None:
    assert is_overdue(NOW, status, dueAt=PAST) is None


def test_the_moment_is_that_of_the_request() -> None:
    word = overdue(status=STATUS, dueAt=At("due"))
    row = {"isDone": False, "due": f"/Date({int(NOW.timestamp() * 1000)})/"}
    assert set(word.paths()) == {"isDone", "due"}
    assert word.at(NOW).reader(MODEL, ODataV2())(row) is False
    assert word.at(FUTURE).reader(MODEL, ODataV2())(row) is True


def test_what_is_done_need_not_be_sent() -> None:
    word = overdue(status=STATUS, dueAt=At("due"))
    pushed = word.push(Operator.EQ, True, MODEL)
    assert pushed is not None
    assert not pushed.is_exact
    assert pushed.where != ALWAYS
    assert word.push(Operator.EQ, False, MODEL) is None
    assert word.push(Operator.IS_NULL, False, MODEL) is None


@pytest.mark.parametrize(("now", "is_late"), [(FUTURE, True), (PAST, False)])
def test_a_reader_reads_for_the_moment_that_it_is_given(now: datetime, is_late: bool) -> None:
    moment = f"/Date({int(NOW.timestamp() * 1000)})/"
    row = {"MaintenanceOrder": "1", "SystemStatusText": "REL", "MaintOrdBasicEndDateTime": moment}
    reader = RecordReader(maintenance_orders, ODataV2(), "con_1", {"isOverdue": None}, now=now)
    (record,) = reader.read([row])
    assert record.is_overdue is is_late
