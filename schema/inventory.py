"""Inventory items and how much of each is where."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.enums import enumeration
from schema.filters import filter_of
from schema.model import EntityType, children, described_type, entity, field, link
from schema.pages import ChildRow
from schema.records import Node, Record
from schema.sorting import sort_of
from schema.sources import page_of
from schema.values import CodedValue, Location, Money, Quantity

if TYPE_CHECKING:
    from schema.vendors import Vendor


@enumeration
class InventoryItemType(Enum):
    """What kind of item it is."""

    STOCK = "Kept in stock."
    NON_STOCK = "Bought when needed."
    SPARE_PART = "A part for repairs."
    CONSUMABLE = "Used up in work."
    TOOL = "A tool."
    ROTABLE = "A part that is repaired and used again."
    RAW_MATERIAL = "Material for production."
    SERVICE = "A service."
    KIT = "Several items handled as one."
    UNKNOWN = "The system does not say, or its word is not known."


@enumeration
class InventoryItemStatus(Enum):
    """Whether an item may be used."""

    ACTIVE = "In use."
    INACTIVE = "Not in use."
    OBSOLETE = "Replaced or run out."
    BLOCKED = "Blocked."
    PENDING = "Not in use yet."
    UNKNOWN = "The system does not say, or its word is not known."


@described_type
class StockLevel(ChildRow, Node):
    """How much of an item there is at one place."""

    PLURAL = "stock levels"

    id: strawberry.ID = strawberry.field(description="The global id of the row.")
    location: Location | None = field("The place.")
    lot: str | None = field("The lot.")
    on_hand: Quantity | None = field("How much there is.")
    available: Quantity | None = field("How much of it is free to use.")
    reserved: Quantity | None = field("How much is set aside.")
    unit_cost: Money | None = field("The cost of one.")
    as_of: datetime | None = field("When this was counted or worked out.")


@entity(EntityType.INVENTORY_ITEM, plural="inventory items", deleted_as=InventoryItemStatus.OBSOLETE)
class InventoryItem(Record):
    """An article that is bought, kept or used."""

    number: str | None = field("The item's number.", filter="The number.", sort="The number, as text.")
    name: str | None = field("Its name.", filter="The name.", sort="The name.")
    description: str | None = field("What it is.")
    type: InventoryItemType | None = field("What kind of item it is.", filter="The type.")
    source_type: str | None = field("The system's own word for the type.")
    status: InventoryItemStatus | None = field("Whether it may be used.", filter="The status.")
    source_status: str | None = field(
        "The system's own word for the status.", filter="The system's own word for the status."
    )
    category: CodedValue | None = field(
        "The group of items.", filter_parts={"categoryCode": ("code", "The code of the group.")}
    )
    base_unit: str | None = field("The unit that it is counted in.")
    purchase_unit: str | None = field("The unit that it is bought in.")
    barcode: str | None = field("Its barcode.", filter="The barcode.")
    manufacturer_part_number: str | None = field("The maker's part number.", filter="The maker's part number.")
    standard_cost: Money | None = field("The cost that the books use.")
    average_cost: Money | None = field("The mean of what was paid.")
    is_lot_tracked: bool | None = field("Whether lots are tracked.")
    is_serial_tracked: bool | None = field("Whether serial numbers are tracked.")
    is_critical: bool | None = field("Whether it must never run out.", filter="Whether it must never run out.")
    on_hand: Quantity | None = field("How much there is in all places.")
    available: Quantity | None = field(
        "How much of it is free to use.", filter="How much is free to use.", sort="How much is free to use."
    )
    reserved: Quantity | None = field("How much is set aside.")
    on_order: Quantity | None = field("How much is on the way.")
    minimum: Quantity | None = field("The least that should be there.")
    maximum: Quantity | None = field("The most that should be there.")
    reorder_point: Quantity | None = field("Order again at this level.")
    reorder_quantity: Quantity | None = field("How much to order then.")
    safety_stock: Quantity | None = field("What is kept for the unforeseen.")
    lead_time_days: int | None = field("How many days a delivery takes.")
    is_below_minimum: bool | None = field(
        "Whether less is there than should be.", filter="Whether less is there than should be."
    )
    preferred_vendor: Annotated["Vendor", strawberry.lazy("schema.vendors")] | None = link(
        "The vendor to buy it from.", to="Vendor", filter="The preferred vendor, by global id."
    )
    stock_levels = children("How much there is at each place.", of=StockLevel)


InventoryItemFilter = filter_of(InventoryItem)
InventoryItemSort = sort_of(InventoryItem)
InventoryItemConnection = page_of(InventoryItem)
