"""Maintenance requests and the equipment that they are for."""

from datetime import date
from decimal import Decimal

from connectors.composites import Calculated, Parts, money
from connectors.decisions import Always, Case, Codes, First
from connectors.fields import At, Can, Ref
from connectors.overdue import overdue
from connectors.spec import Resource
from connectors.systems.odoo.properties import Properties
from connectors.systems.odoo.values import asset_status, assignees, duration
from connectors.systems.odoo.words import KEY, TIME, company, day, formatted, moment, stamp, text
from schema.assets import Asset, AssetKind
from schema.maintenance import WorkOrder, WorkOrderStatus, WorkOrderType
from schema.severity import Priority

_STATUS = First(
    (
        Case("archive", True, WorkOrderStatus.CANCELED),
        Case("done", True, WorkOrderStatus.COMPLETED),
        Case("kanban_state", "blocked", WorkOrderStatus.ON_HOLD),
        Case("done", False, WorkOrderStatus.RELEASED),
    ),
    filter=Can.EQ,
)
_SCHEDULED_FINISH = moment("schedule_end")

requests = Resource(
    entity=WorkOrder,
    source="maintenance.request",
    key="id",
    key_form=KEY,
    title="title",
    fields={
        "title": text("name"),
        "description": formatted("description"),
        "type": Codes(
            "maintenance_type",
            {"corrective": WorkOrderType.CORRECTIVE, "preventive": WorkOrderType.PREVENTIVE},
            filter=Can.EQ,
        ),
        "sourceType": At("maintenance_type"),
        "status": _STATUS,
        "sourceStatus": At("stage_id.display_name"),
        "priority": Codes(
            "priority",
            {"0": Priority.LOW, "1": Priority.LOW, "2": Priority.MEDIUM, "3": Priority.HIGH},
            filter=Can.EQ,
        ),
        "sourcePriority": At("priority"),
        "isDeleted": At("archive", filter=Can.EQ, required=True),
        "createdAt": stamp("create_date"),
        "updatedAt": stamp("write_date"),
        "organization": company(),
        "asset": Ref("equipment_id", form=KEY, filter=Can.EQ | Can.NULL),
        "requester": Parts({"remoteId": At("owner_user_id"), "name": At("owner_user_id.display_name")}),
        "supervisor": Parts({"remoteId": At("user_id"), "name": At("user_id.display_name")}),
        "assignees": Calculated(
            assignees,
            {
                "user": ("user_id", str),
                "user_name": ("user_id.display_name", str),
                "team": ("maintenance_team_id", str),
                "team_name": ("maintenance_team_id.display_name", str),
            },
        ),
        "plannerGroup": Parts({"code": At("maintenance_team_id"), "label": At("maintenance_team_id.display_name")}),
        "scheduledStart": moment("schedule_date", sort=True),
        "scheduledFinish": _SCHEDULED_FINISH,
        "reportedAt": day("request_date", sort=True),
        "closedAt": day("close_date"),
        "isOverdue": overdue(status=_STATUS, scheduledFinish=_SCHEDULED_FINISH),
        "estimatedDuration": Calculated(duration, {"hours": ("duration", Decimal)}),
    },
    unsupported=(
        "number",
        "location",
        "parent",
        "workCenter",
        "vendor",
        "dueAt",
        "actualStart",
        "actualFinish",
        "actualDuration",
        "estimatedHours",
        "actualHours",
        "tasks",
        "parts",
    ),
)

equipment = Resource(
    entity=Asset,
    source="maintenance.equipment",
    key="id",
    key_form=KEY,
    title="name",
    fields={
        "name": text("name"),
        "description": formatted("note"),
        "kind": Always(AssetKind.EQUIPMENT),
        "status": Calculated(asset_status, {"scrapped": ("scrap_date", date), "is_active": ("active", bool)}),
        "createdAt": stamp("create_date"),
        "updatedAt": stamp("write_date"),
        "organization": company(),
        "assetClass": Parts({"code": At("category_id"), "label": At("category_id.display_name")}),
        "model": text("model"),
        "serialNumber": text("serial_no"),
        "partNumber": At("partner_ref"),
        "vendor": Ref("partner_id", form=KEY, filter=Can.EQ | Can.NULL),
        "installedDate": At("effective_date", filter=TIME, required=True),
        "decommissionedDate": At("scrap_date"),
        "purchasePrice": money("cost", "company_id.currency_id.name"),
        "warrantyEndDate": At("warranty_date", filter=TIME | Can.NULL),
        "attributes": Properties("equipment_properties"),
    },
    unsupported=(
        "number",
        "sourceType",
        "sourceStatus",
        "isDeleted",
        "criticality",
        "sourceCriticality",
        "parent",
        "manufacturer",
        "commissionedDate",
        "purchaseDate",
        "costCenter",
    ),
    unmapped=("location",),
)
