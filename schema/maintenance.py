"""Work orders with their tasks and parts."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.enums import enumeration
from schema.filters import filter_of
from schema.model import EntityType, children, described_type, entity, field, link
from schema.pages import ChildRow
from schema.records import Node, Record
from schema.scalars import Duration
from schema.severity import Priority
from schema.sorting import sort_of
from schema.sources import page_of
from schema.values import CodedValue, Location, Money, Person, Quantity

if TYPE_CHECKING:
    from schema.assets import Asset
    from schema.inventory import InventoryItem
    from schema.vendors import Vendor


@enumeration
class WorkOrderStatus(Enum):
    """Where a work order stands."""

    DRAFT = "Still being written."
    REQUESTED = "Asked for."
    WAITING_APPROVAL = "Waiting to be approved."
    APPROVED = "Approved."
    PLANNED = "Planned."
    SCHEDULED = "Has its dates."
    RELEASED = "May be started."
    WAITING = "Waiting for something."
    IN_PROGRESS = "Being worked on."
    ON_HOLD = "Stopped for now."
    COMPLETED = "The work is done."
    CLOSED = "Finished, with its papers."
    CANCELED = "Called off."
    REJECTED = "Not approved."
    SKIPPED = "Left out this time."
    UNKNOWN = "The system does not say, or its word is not known."


@enumeration
class WorkOrderType(Enum):
    """What kind of work it is."""

    CORRECTIVE = "Repair of a fault."
    PREVENTIVE = "Planned care."
    PREDICTIVE = "Care because of a forecast."
    EMERGENCY = "Repair that cannot wait."
    INSPECTION = "A check."
    CALIBRATION = "Setting of an instrument."
    MODIFICATION = "A change of the asset."
    REFURBISHMENT = "Making as new."
    SHUTDOWN = "Work while the plant stands."
    PROJECT = "Part of a project."
    SAFETY = "For safety."
    OTHER = "Something else."
    UNKNOWN = "The system does not say, or its word is not known."


@enumeration
class WorkOrderTaskStatus(Enum):
    """Where a task stands."""

    OPEN = "Not begun."
    IN_PROGRESS = "Being worked on."
    COMPLETED = "Done."
    SKIPPED = "Left out."
    CANCELED = "Called off."
    UNKNOWN = "The system does not say, or its word is not known."


@enumeration
class AssigneeType(Enum):
    """Who or what work is assigned to."""

    PERSON = "One person."
    TEAM = "A team or crew."
    VENDOR = "A vendor."
    UNKNOWN = "The system does not say, or its word is not known."


@described_type
class Assignee:
    """Who or what work is assigned to."""

    remote_id: str | None = field("Their key in the system.")
    name: str | None = field("Their name.")
    type: AssigneeType | None = field("Whether it is a person or a team.")


@described_type
class WorkOrderTask(ChildRow, Node):
    """One step of a work order."""

    PLURAL = "tasks"

    id: strawberry.ID = strawberry.field(description="The global id of the task.")
    number: str | None = field("The task's number.")
    title: str | None = field("What is to be done.")
    source_type: str | None = field("The system's own word for the kind of task.")
    status: WorkOrderTaskStatus | None = field("Where the task stands.")
    source_status: str | None = field("The system's own word for the status.")
    planned_hours: Decimal | None = field("The hours planned.")
    actual_hours: Decimal | None = field("The hours spent.")
    assignee: Assignee | None = field("Who does it.")


@described_type
class WorkOrderPart(ChildRow, Node):
    """Material of a work order."""

    PLURAL = "parts"

    id: strawberry.ID = strawberry.field(description="The global id of the row.")
    item: Annotated["InventoryItem", strawberry.lazy("schema.inventory")] | None = link("The item.", to="InventoryItem")
    item_number: str | None = field("The item's number as the work order has it.")
    description: str | None = field("What it is.")
    quantity_planned: Quantity | None = field("How much is planned.")
    quantity_used: Quantity | None = field("How much was used.")
    unit_cost: Money | None = field("The cost of one.")
    location: Location | None = field("Where it is taken from.")


@entity(EntityType.WORK_ORDER, plural="work orders", deleted_as=WorkOrderStatus.CANCELED)
class WorkOrder(Record):
    """A piece of maintenance work."""

    number: str | None = field("The work order's number.", filter="The number.", sort="The number, as text.")
    title: str | None = field("A short title.", filter="The title.")
    description: str | None = field("What is to be done.")
    type: WorkOrderType | None = field("What kind of work it is.", filter="The type.")
    source_type: str | None = field("The system's own word for the type.")
    status: WorkOrderStatus | None = field("Where the work stands.", filter="The status.")
    source_status: str | None = field(
        "The system's own word for the status.", filter="The system's own word for the status."
    )
    priority: Priority | None = field(
        "How urgent it is.", filter="How urgent it is.", sort="How urgent it is; the most urgent is the greatest."
    )
    source_priority: str | None = field("The system's own word for the priority.")
    asset: Annotated["Asset", strawberry.lazy("schema.assets")] | None = link(
        "The asset to work on.", to="Asset", filter="The asset, by global id."
    )
    location: Location | None = field(
        "Where the work is.", filter_parts={"locationCode": ("code", "The code of the place.")}
    )
    parent: Annotated["WorkOrder", strawberry.lazy("schema.maintenance")] | None = link(
        "The work order that this one is part of.", to="WorkOrder", filter="The parent, by global id."
    )
    requester: Person | None = field("Who asked for it.")
    supervisor: Person | None = field("Who is in charge.")
    assignees: list[Assignee] | None = field("Who does it.")
    work_center: CodedValue | None = field("The workshop that does it.")
    planner_group: CodedValue | None = field("The group that plans it.")
    vendor: Annotated["Vendor", strawberry.lazy("schema.vendors")] | None = link(
        "The vendor that does it.", to="Vendor", filter="The vendor, by global id."
    )
    reported_at: datetime | None = field(
        "When it was reported.", filter="When it was reported.", sort="When it was reported."
    )
    due_at: datetime | None = field("When it is due.", filter="When it is due.", sort="When it is due.")
    scheduled_start: datetime | None = field(
        "When it is to start.", filter="When it is to start.", sort="When it is to start."
    )
    scheduled_finish: datetime | None = field("When it is to end.", filter="When it is to end.")
    actual_start: datetime | None = field("When it started.", filter="When it started.")
    actual_finish: datetime | None = field("When it ended.", filter="When it ended.")
    closed_at: datetime | None = field("When it was closed.", filter="When it was closed.")
    estimated_duration: Duration | None = field("How long it should take.")
    actual_duration: Duration | None = field("How long it took.")
    estimated_hours: Decimal | None = field("The hours of work planned.")
    actual_hours: Decimal | None = field("The hours of work spent.")
    is_overdue: bool | None = field("Whether it is past due and not done.", filter="Whether it is past due.")
    tasks = children("The steps.", of=WorkOrderTask)
    parts = children("The material.", of=WorkOrderPart)


WorkOrderFilter = filter_of(WorkOrder)
WorkOrderSort = sort_of(WorkOrder)
WorkOrderConnection = page_of(WorkOrder)
