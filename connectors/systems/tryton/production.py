"""Productions: orders to make something, with their works as tasks and their inputs as parts."""

from datetime import timedelta
from decimal import Decimal

from connectors.composites import Calculated, Many, OverChildren, Parts
from connectors.decisions import Always, Codes
from connectors.fields import At, Can, Ref
from connectors.keys import NUMBER
from connectors.spec import Resource
from connectors.systems.tryton.values import hours, used
from connectors.systems.tryton.words import company, in_unit, place, searched, stamp, text
from schema.maintenance import WorkOrder, WorkOrderStatus, WorkOrderTaskStatus, WorkOrderType

_WORKS = Many(
    "works",
    key="id",
    fields={
        "number": At("sequence"),
        "title": At("operation.name"),
        "status": Codes(
            "state",
            {
                "request": WorkOrderTaskStatus.OPEN,
                "draft": WorkOrderTaskStatus.OPEN,
                "waiting": WorkOrderTaskStatus.OPEN,
                "running": WorkOrderTaskStatus.IN_PROGRESS,
                "finished": WorkOrderTaskStatus.COMPLETED,
                "done": WorkOrderTaskStatus.COMPLETED,
            },
        ),
        "sourceStatus": At("state"),
        "actualHours": OverChildren("cycles", hours, {"span": ("duration", timedelta)}),
    },
    unsupported=("sourceType", "plannedHours"),
    unmapped=("assignee",),
)

_INPUTS = Many(
    "inputs",
    key="id",
    key_form=NUMBER,
    fields={
        "item": Ref("product", form=NUMBER),
        "itemNumber": At("product.code"),
        "description": At("product.name"),
        "quantityPlanned": in_unit("quantity", "unit"),
        "quantityUsed": in_unit(Calculated(used, {"state": ("state", str), "amount": ("quantity", Decimal)}), "unit"),
        "location": place("from_location"),
    },
    unmapped=("unitCost",),
)

productions = Resource(
    entity=WorkOrder,
    source="production",
    key="id",
    key_form=NUMBER,
    fields={
        "number": text("number"),
        "title": searched("product.name"),
        "type": Always(WorkOrderType.OTHER),
        "sourceType": At("type"),
        "status": Codes(
            "state",
            {
                "request": WorkOrderStatus.REQUESTED,
                "draft": WorkOrderStatus.DRAFT,
                "waiting": WorkOrderStatus.WAITING,
                "assigned": WorkOrderStatus.RELEASED,
                "running": WorkOrderStatus.IN_PROGRESS,
                "done": WorkOrderStatus.COMPLETED,
                "cancelled": WorkOrderStatus.CANCELED,
            },
            filter=Can.EQ,
        ),
        "sourceStatus": At("state", filter=Can.EQ, required=True),
        "createdAt": stamp("create_date"),
        "updatedAt": stamp("last_modified_at"),
        "organization": company(),
        "location": Parts({"code": At("warehouse.code", filter=Can.EQ), "name": At("warehouse.name")}),
        "workCenter": Parts({"code": At("work_center"), "label": At("work_center.rec_name")}),
        "tasks": _WORKS,
        "parts": _INPUTS,
    },
    unsupported=(
        "asset",
        "isDeleted",
        "plannerGroup",
        "priority",
        "requester",
        "sourcePriority",
        "supervisor",
        # Tryton plans and ends a production on a day, and a day is no moment.
        "scheduledStart",
        "scheduledFinish",
        "actualFinish",
        "estimatedDuration",
    ),
    unmapped=(
        "actualDuration",
        "actualHours",
        "actualStart",
        "assignees",
        "closedAt",
        "description",
        "dueAt",
        "estimatedHours",
        "isOverdue",
        "parent",
        "reportedAt",
        "vendor",
    ),
)
