"""Assets: machines, places and tools, in their hierarchy."""

from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.enums import enumeration
from schema.filters import filter_of
from schema.model import EntityType, described_type, entity, field, link, links, trail
from schema.records import Record
from schema.severity import Criticality
from schema.sorting import sort_of
from schema.sources import page_of
from schema.values import CodedValue, Location, Money

if TYPE_CHECKING:
    from schema.vendors import Vendor


@enumeration
class AssetKind(Enum):
    """What kind of thing an asset is."""

    FUNCTIONAL_LOCATION = "A place in the plant where equipment is put."
    EQUIPMENT = "A machine or device."
    SYSTEM = "Several assets that work together."
    COMPONENT = "A part of an asset."
    TOOL = "A tool."
    VEHICLE = "A vehicle."
    FACILITY = "A building or site."
    UNKNOWN = "The system does not say, or its word is not known."


@enumeration
class AssetStatus(Enum):
    """The state of an asset."""

    OPERATING = "Running."
    STANDBY = "Ready to run."
    DEGRADED = "Running, but not well."
    DOWN = "Not able to run."
    UNDER_MAINTENANCE = "Being worked on."
    NOT_COMMISSIONED = "Not in use yet."
    DECOMMISSIONED = "No longer in use."
    DISPOSED = "Gone."
    IN_STORE = "Kept in a store."
    INACTIVE = "Switched off in the system."
    UNKNOWN = "The system does not say, or its word is not known."


@described_type
class Attribute:
    """One item of technical data."""

    name: str = strawberry.field(description="Its name.")
    value: str | None = field("Its value as text.")
    unit: str | None = field("Its unit.")


@entity(EntityType.ASSET, plural="assets", deleted_as=AssetStatus.DISPOSED)
class Asset(Record):
    """A machine, place or thing that is looked after."""

    number: str | None = field("The asset's number or tag.", filter="The number.", sort="The number, as text.")
    name: str | None = field("Its name.", filter="The name.", sort="The name.")
    description: str | None = field("What it is.")
    kind: AssetKind | None = field("What kind of thing it is.", filter="What kind of thing it is.")
    source_type: str | None = field("The system's own word for its type.")
    status: AssetStatus | None = field("The state it is in.", filter="The status.")
    source_status: str | None = field(
        "The system's own word for the status.", filter="The system's own word for the status."
    )
    criticality: Criticality | None = field(
        "How much depends on it.",
        filter="How much depends on it.",
        sort="How much depends on it; the most critical is the greatest.",
    )
    source_criticality: str | None = field("The system's own word for the criticality.")
    asset_class: CodedValue | None = field("Its class.")
    parent: Annotated["Asset", strawberry.lazy("schema.assets")] | None = link(
        "The asset that it is part of.", to="Asset", filter="The parent, by global id."
    )
    children = links("The assets that are part of it.", to="Asset", module="schema.assets", by="parent")
    path: str | None = trail("Its place in the tree, from the top.", to="Asset", by="parent")
    location: Location | None = field("Where it is.", filter_parts={"locationCode": ("code", "The code of the place.")})
    manufacturer: str | None = field("Who made it.", filter="Who made it.")
    model: str | None = field("The maker's model.", filter="The model.")
    serial_number: str | None = field("Its serial number.", filter="The serial number.")
    part_number: str | None = field("The maker's part number.")
    vendor: Annotated["Vendor", strawberry.lazy("schema.vendors")] | None = link(
        "Who supplied it.", to="Vendor", filter="The vendor, by global id."
    )
    installed_date: date | None = field("The day it was installed.", filter="The day it was installed.")
    commissioned_date: date | None = field("The day it went into use.")
    decommissioned_date: date | None = field("The day it went out of use.")
    purchase_date: date | None = field("The day it was bought.")
    purchase_price: Money | None = field("What it cost.")
    warranty_end_date: date | None = field("The last day of the warranty.", filter="The last day of the warranty.")
    cost_center: str | None = field("The cost center.")
    attributes: list[Attribute] | None = field("Its technical data.")
    work_orders = links("The work done on it.", to="WorkOrder", module="schema.maintenance", by="asset")


AssetFilter = filter_of(Asset)
AssetSort = sort_of(Asset)
AssetConnection = page_of(Asset)
