"""Maintenance orders of S/4HANA with their operations, their material, and who does the work."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.composites import Calculated, Many, OverChildren, Parts, quantity
from connectors.days import AtDay
from connectors.decisions import Codes
from connectors.derived import FromWords
from connectors.fields import At, Can, FirstRef, Joined, Lookup, Ref
from connectors.keys import TEXT, padded
from connectors.overdue import overdue
from connectors.query import Where
from connectors.spec import Resource
from connectors.systems.sap_s4hana.statuses import is_flagged, order_status, task_status
from connectors.systems.sap_s4hana.texts import english
from connectors.systems.sap_s4hana.units import UNITS
from connectors.systems.sap_s4hana.words import TIME, equipment_at, location_at, moment
from connectors.systems.sap_s4hana.work import (
    assignees,
    hours,
    person,
    started_at,
    superior,
    time_taken,
    total_hours,
    unit_cost,
    vendor,
)
from schema.filters import Operator
from schema.maintenance import WorkOrder
from schema.model import fields_of
from schema.severity import Priority

_ORDER = padded(12)
_OPERATIONS = "to_MaintenanceOrderOperation"
_START, _END = ("OpActualExecutionStartDateTime", datetime), ("OpActualExecutionEndDateTime", datetime)
_WORK_UNIT = ("MaintOrdOpWorkDurationUnit", str)


def _of_operations(function: Callable[..., Any], **arguments: tuple[str, type[Any]]) -> OverChildren:
    """A value made of the operations of an order, which also say whether they are to be deleted."""
    return OverChildren(_OPERATIONS, function, {**arguments, "is_deleted": ("IsMarkedForDeletion", bool)})


_TASKS = Many(
    _OPERATIONS,
    key=("MaintenanceOrderOperation", "MaintenanceOrderSubOperation"),
    key_form=TEXT,
    fields={
        "number": Joined(("MaintenanceOrderOperation", "MaintenanceOrderSubOperation")),
        "title": At("OperationDescription"),
        "sourceType": At("OperationControlKey"),
        "status": Calculated(
            task_status, {"text": ("SystemStatusText", str), "is_deleted": ("IsMarkedForDeletion", bool)}
        ),
        "sourceStatus": At("SystemStatusText"),
        "plannedHours": Calculated(
            hours, {"work": ("MaintOrdOperationWorkDuration", Decimal), "unit": ("MaintOrdOpWorkDurationUnit", str)}
        ),
        "actualHours": Calculated(
            hours, {"work": ("ActualWorkQuantity", Decimal), "unit": ("MaintOrdOpWorkDurationUnit", str)}
        ),
        "assignee": Calculated(person, {"number": ("OperationPersonResponsible", str)}),
    },
)

_PARTS = Many(
    f"{_OPERATIONS}.to_MaintOrderOpComponent_2",
    key=("MaintenanceOrderOperation", "MaintenanceOrderSubOperation", "MaintOrderComponentInternalID"),
    key_form=TEXT,
    fields={
        "item": Ref("Product"),
        "itemNumber": At("Product"),
        "description": At("MaintOrdOperationComponentText"),
        "quantityPlanned": quantity("QuantityInUnitOfEntry", "UnitOfEntry", Lookup("UnitOfEntry", UNITS)),
        "quantityUsed": quantity("QuantityWithdrawnInBaseUnit", "BaseUnit", Lookup("BaseUnit", UNITS)),
        "unitCost": Calculated(
            unit_cost,
            {
                "price": ("MaintOrderOpComponentPrice", Decimal),
                "per": ("MaintOrdOpCompPriceUnitQty", Decimal),
                "currency": ("MaintOrdOpComponentCurrency", str),
            },
        ),
        "location": Parts({"code": At("StorageLocation"), "parentCode": At("Plant")}),
    },
)

_DOERS = {
    "operations": _of_operations(
        list,
        person=("OperationPersonResponsible", str),
        supplier=("OperationSupplier", str),
    ),
    "partners": OverChildren(
        "to_MaintenanceOrderPartner",
        list,
        {"function": ("PartnerFunction", str), "number": ("MaintenanceOrderPartner", str)},
    ),
}
# The status is told in a text that SAP neither filters nor sorts.
_STATUS = Calculated(order_status, {"text": ("SystemStatusText", str)})
_DUE = AtDay("LatestAcceptableCompletionDate", filter=TIME, sort=True, is_deadline=True)
_SCHEDULED_FINISH = moment("MaintOrdBasicEndDateTime")

_LEADING = Ref("LeadingOrder", filter=Can.EQ, form=_ORDER)


def _led_by(operator: Operator, value: Any) -> Where | None:
    """The orders below these may be asked for; an order that leads may name itself."""
    pushed = _LEADING.push(operator, value, fields_of(WorkOrder)["parent"])
    return pushed.where if pushed is not None and operator in (Operator.EQ, Operator.IN) else None


maintenance_orders = Resource(
    entity=WorkOrder,
    source="API_MAINTENANCEORDER;v=2/MaintenanceOrder",
    key="MaintenanceOrder",
    key_form=_ORDER,
    title="title",
    page_size=100,
    is_asked_by_address=True,
    max_keys=60,
    fields={
        "number": Ref("MaintenanceOrder", filter=Can.EQ | Can.NULL, form=_ORDER),
        "title": At("MaintenanceOrderDesc", filter=Can.EQ | Can.NULL),
        "description": OverChildren(
            "to_MaintenanceOrderLongText",
            english,
            {"language": ("Language", str), "text": ("MaintenanceOrderLongText", str)},
        ),
        "sourceType": At("MaintenanceOrderType"),
        "status": _STATUS,
        "sourceStatus": At("SystemStatusText"),
        "isDeleted": Calculated(is_flagged, {"text": ("SystemStatusText", str)}),
        "priority": Codes(
            "MaintPriority",
            {"1": Priority.CRITICAL, "2": Priority.HIGH, "3": Priority.MEDIUM, "4": Priority.LOW, "": Priority.NONE},
            filter=Can.EQ,
        ),
        "sourcePriority": At("MaintPriority"),
        "asset": FirstRef(equipment_at("Equipment"), location_at("FunctionalLocation")),
        "parent": FromWords(superior, {"leading": _LEADING, "own": Ref("MaintenanceOrder")}, narrowed=_led_by),
        "location": Parts({"code": At("AssetLocation"), "parentCode": At("MaintenancePlant")}),
        "organization": Parts({"code": At("CompanyCode")}),
        "supervisor": Parts({"remoteId": At("MaintOrdPersonResponsible")}),
        "assignees": FromWords(assignees, _DOERS),
        "vendor": FromWords(vendor, _DOERS),
        "workCenter": Parts({"code": At("MainWorkCenter")}),
        "plannerGroup": Parts({"code": At("MaintenancePlannerGroup")}),
        "createdAt": moment("MaintOrderCreationDateTime", sort=True),
        "updatedAt": moment("LastChangeDateTime", sort=True),
        "scheduledStart": moment("MaintOrdBasicStartDateTime", sort=True),
        "scheduledFinish": _SCHEDULED_FINISH,
        "dueAt": _DUE,
        "actualStart": _of_operations(started_at, start=_START),
        "actualFinish": moment("MainWorkCompletedDateTime"),
        "actualDuration": _of_operations(time_taken, start=_START, end=_END),
        "estimatedHours": _of_operations(total_hours, work=("MaintOrdOperationWorkDuration", Decimal), unit=_WORK_UNIT),
        "actualHours": _of_operations(total_hours, work=("ActualWorkQuantity", Decimal), unit=_WORK_UNIT),
        "isOverdue": overdue(status=_STATUS, dueAt=_DUE, scheduledFinish=_SCHEDULED_FINISH),
        "tasks": _TASKS,
        "parts": _PARTS,
    },
    unsupported=("closedAt",),
    unmapped=(
        "requester",
        "reportedAt",
        "type",
        "estimatedDuration",
    ),
)
