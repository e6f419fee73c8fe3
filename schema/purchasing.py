"""Purchase orders and their lines."""

from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.enums import enumeration
from schema.filters import filter_of
from schema.model import EntityType, children, described_type, entity, field, link
from schema.pages import ChildRow
from schema.records import Node, Record
from schema.scalars import Currency
from schema.sorting import sort_of
from schema.sources import page_of
from schema.values import CodedValue, Location, Money, Quantity

if TYPE_CHECKING:
    from schema.inventory import InventoryItem
    from schema.vendors import Vendor


@enumeration
class PurchaseOrderStatus(Enum):
    """Where a purchase order stands."""

    DRAFT = "Still being written."
    PENDING_APPROVAL = "Waiting to be approved."
    REJECTED = "Not approved."
    APPROVED = "Approved, but not sent yet."
    ISSUED = "Sent to the vendor and open."
    ACKNOWLEDGED = "Confirmed by the vendor."
    PARTIALLY_RECEIVED = "Some of it has arrived."
    RECEIVED = "All of it has arrived."
    PARTIALLY_BILLED = "Some of it has been billed."
    BILLED = "All of it has been billed."
    CLOSED = "Finished."
    CANCELED = "Called off."
    ON_HOLD = "Stopped for now."
    UNKNOWN = "The system does not say, or its word is not known."


@enumeration
class PurchaseOrderType(Enum):
    """What kind of purchase order it is."""

    STANDARD = "An ordinary order."
    BLANKET = "A frame for later deliveries."
    CONTRACT_RELEASE = "A release from a contract."
    SERVICE = "An order of services."
    SUBCONTRACT = "Work on our own material."
    CONSIGNMENT = "Goods that stay the vendor's until used."
    STOCK_TRANSFER = "A move between own stores."
    RETURN = "Goods sent back."
    UNKNOWN = "The system does not say, or its word is not known."


@enumeration
class ApprovalStatus(Enum):
    """Whether it is approved."""

    NOT_REQUIRED = "Needs no approval."
    NOT_SUBMITTED = "Not sent for approval yet."
    PENDING = "Waiting for approval."
    APPROVED = "Approved."
    REJECTED = "Not approved."
    UNKNOWN = "The system does not say, or its word is not known."


@enumeration
class ReceiptStatus(Enum):
    """How much has arrived."""

    NOT_RECEIVED = "Nothing yet."
    PARTIALLY_RECEIVED = "Some of it."
    FULLY_RECEIVED = "All of it."
    NOT_APPLICABLE = "Nothing is to arrive."
    UNKNOWN = "The system does not say, or its word is not known."


@enumeration
class BillingStatus(Enum):
    """How much has been billed."""

    NOT_BILLED = "Nothing yet."
    PARTIALLY_BILLED = "Some of it."
    FULLY_BILLED = "All of it."
    PAID = "Billed and paid."
    NOT_APPLICABLE = "Nothing is to be billed."
    UNKNOWN = "The system does not say, or its word is not known."


@enumeration
class PurchaseOrderLineType(Enum):
    """What a line stands for."""

    GOODS = "Goods."
    SERVICE = "A service."
    TEXT = "Words only."
    FREIGHT = "Transport."
    DISCOUNT = "A discount."
    TAX = "A tax."
    OTHER = "Something else."
    UNKNOWN = "The system does not say, or its word is not known."


@enumeration
class PurchaseOrderLineStatus(Enum):
    """Where a line stands."""

    OPEN = "Nothing has arrived."
    PARTIALLY_RECEIVED = "Some of it has arrived."
    RECEIVED = "All of it has arrived."
    BILLED = "It has been billed."
    CLOSED = "Finished."
    CANCELED = "Called off."
    UNKNOWN = "The system does not say, or its word is not known."


@described_type
class PurchaseOrderLine(ChildRow, Node):
    """One line of a purchase order."""

    PLURAL = "lines"

    id: strawberry.ID = strawberry.field(description="The global id of the line.")
    line_number: str | None = field("The line's number.")
    type: PurchaseOrderLineType | None = field("What the line stands for.")
    source_type: str | None = field("The system's own word for the type.")
    status: PurchaseOrderLineStatus | None = field("Where the line stands.")
    source_status: str | None = field("The system's own word for the status.")
    item: Annotated["InventoryItem", strawberry.lazy("schema.inventory")] | None = link(
        "The item ordered.", to="InventoryItem"
    )
    item_number: str | None = field("The item's number as the line has it.")
    vendor_part_number: str | None = field("The vendor's number for the item.")
    description: str | None = field("What is ordered.")
    category: CodedValue | None = field("The group of goods.")
    quantity_ordered: Quantity | None = field("How much was ordered.")
    quantity_received: Quantity | None = field("How much has arrived.")
    unit_price: Money | None = field("The price of one price unit.")
    price_unit: Quantity | None = field("What the price is for, such as 100 pieces.")
    line_total: Money | None = field("The amount of the line.")
    required_date: date | None = field("The day by which it is needed.")
    location: Location | None = field("Where it is to go.")
    is_delivery_complete: bool | None = field("Whether nothing more will arrive.")


@entity(EntityType.PURCHASE_ORDER, plural="purchase orders", deleted_as=PurchaseOrderStatus.CANCELED)
class PurchaseOrder(Record):
    """An order placed with a vendor."""

    number: str | None = field("The order's number.", filter="The number.", sort="The number, as text.")
    title: str | None = field("A short title.", filter="The title.")
    type: PurchaseOrderType | None = field("What kind of order it is.", filter="The type.")
    source_type: str | None = field("The system's own word for the type.")
    status: PurchaseOrderStatus | None = field("Where the order stands.", filter="The status.")
    approval_status: ApprovalStatus | None = field("Whether it is approved.", filter="Whether it is approved.")
    receipt_status: ReceiptStatus | None = field("How much has arrived.", filter="How much has arrived.")
    billing_status: BillingStatus | None = field("How much has been billed.", filter="How much has been billed.")
    vendor: Annotated["Vendor", strawberry.lazy("schema.vendors")] | None = link(
        "The vendor.", to="Vendor", filter="The vendor, by global id."
    )
    vendor_name: str | None = field(
        "The vendor's name as the order has it.", filter="The vendor's name.", sort="The vendor's name."
    )
    order_date: date | None = field(
        "The day of the order.", filter="The day of the order.", sort="The day of the order."
    )
    required_date: date | None = field(
        "The day by which it is needed.",
        filter="The day by which it is needed.",
        sort="The day by which it is needed.",
    )
    currency: Currency | None = field("The order's currency.", filter="The currency.")
    subtotal: Money | None = field("The sum of the lines.")
    tax_total: Money | None = field("The taxes.")
    total: Money | None = field(
        "The whole amount.", filter="The whole amount.", sort="The whole amount, without conversion."
    )
    payment_terms: CodedValue | None = field("When and how to pay.")
    incoterm: str | None = field("Who bears transport and risk, as an Incoterms code.")
    memo: str | None = field("Notes.")
    reference: str | None = field("The vendor's or another outside reference.", filter="The outside reference.")
    purchasing_organization: CodedValue | None = field("The organization that buys.")
    purchasing_group: CodedValue | None = field("The group of buyers.")
    lines = children("The lines.", of=PurchaseOrderLine)
    line_count: int | None = field("How many lines there are.")


PurchaseOrderFilter = filter_of(PurchaseOrder)
PurchaseOrderSort = sort_of(PurchaseOrder)
PurchaseOrderConnection = page_of(PurchaseOrder)
