"""Odoo in the words of a connector: orders, maintenance, equipment, partners and products over JSON-2.

What the fields mean was read from a running Odoo 19; the facts beside this file were captured from it.
"""

from collections.abc import Generator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

import httpx

from connectors.composites import Calculated, EachChild, Many, OverChildren, Parts, money, quantity
from connectors.decisions import Case, Codes, First, Flagged
from connectors.fields import At, Can, Lookup, Ref
from connectors.keys import NUMBER
from connectors.protocols.odoo_json2 import OdooJson2
from connectors.query import Compare, Comparison
from connectors.spec import AuthMethod, Beside, Resource, System
from connectors.systems.odoo.values import asset_status, equipment, lowest, total_of, whole_day
from schema.assets import Asset
from schema.inventory import InventoryItem, InventoryItemStatus, InventoryItemType
from schema.maintenance import WorkOrder, WorkOrderStatus, WorkOrderType
from schema.purchasing import (
    ApprovalStatus,
    BillingStatus,
    PurchaseOrder,
    PurchaseOrderLineType,
    PurchaseOrderStatus,
    ReceiptStatus,
)
from schema.severity import Priority
from schema.systems import Deployment, FormField, FormFieldKind, GuideStep, SystemCategory
from schema.vendors import Vendor, VendorStatus, VendorType

_SECOND = timedelta(seconds=1)
_TEXT = Can.EQ | Can.TEXT | Can.NULL
_TIME = Can.EQ | Can.RANGE
_UNITS = {"Units": "C62", "kg": "KGM", "g": "GRM", "L": "LTR", "m": "MTR", "Hours": "HUR", "Days": "DAY"}


def _text(path: str) -> At:
    """Text, whose search may find more than ours: a server may be set to leave accents out of account."""
    return At(path, filter=_TEXT, finds_more=True)


def _stamp(path: str) -> At:
    """A moment that is never empty, and that the database keeps finer than it is shown."""
    return At(path, filter=_TIME, sort=True, required=True, resolution=_SECOND)


def _moment(path: str) -> At:
    return At(path, filter=_TIME | Can.NULL, sort=True, resolution=_SECOND)


_LINES = Many(
    "order_line",
    key="id",
    fields={
        "type": First(
            (
                Case("display_type", "line_section", PurchaseOrderLineType.TEXT),
                Case("display_type", "line_subsection", PurchaseOrderLineType.TEXT),
                Case("display_type", "line_note", PurchaseOrderLineType.TEXT),
                Case("product_id.type", "service", PurchaseOrderLineType.SERVICE),
                Case("product_id.type", "consu", PurchaseOrderLineType.GOODS),
            )
        ),
        "sourceType": At("display_type"),
        "item": Ref("product_id", form=NUMBER),
        "itemNumber": At("product_id.default_code"),
        "description": At("name"),
        "quantityOrdered": quantity("product_qty", "product_uom_id.name", Lookup("product_uom_id.name", _UNITS)),
        "quantityReceived": quantity("qty_received", "product_uom_id.name", Lookup("product_uom_id.name", _UNITS)),
        "unitPrice": money("price_unit", "currency_id.name"),
        "lineTotal": money("price_subtotal", "currency_id.name"),
        "requiredDate": Calculated(whole_day, {"moment": ("date_planned", datetime)}),
    },
    unsupported=("lineNumber", "status", "sourceStatus", "category", "priceUnit", "isDeliveryComplete"),
    unmapped=("vendorPartNumber", "location"),
)

orders = Resource(
    entity=PurchaseOrder,
    source="purchase.order",
    key="id",
    key_form=NUMBER,
    fields={
        "number": _text("name"),
        "status": Codes(
            "state",
            {
                "draft": PurchaseOrderStatus.DRAFT,
                "sent": PurchaseOrderStatus.DRAFT,
                "to approve": PurchaseOrderStatus.PENDING_APPROVAL,
                "purchase": PurchaseOrderStatus.ISSUED,
                "cancel": PurchaseOrderStatus.CANCELED,
            },
            filter=Can.EQ,
        ),
        "sourceStatus": At("state", filter=Can.EQ, required=True),
        "approvalStatus": Codes(
            "state",
            {
                "draft": ApprovalStatus.NOT_SUBMITTED,
                "sent": ApprovalStatus.NOT_SUBMITTED,
                "to approve": ApprovalStatus.PENDING,
                "purchase": ApprovalStatus.APPROVED,
            },
            filter=Can.EQ,
        ),
        "receiptStatus": First(
            (
                Case("receipt_status", "full", ReceiptStatus.FULLY_RECEIVED),
                Case("receipt_status", "partial", ReceiptStatus.PARTIALLY_RECEIVED),
                Case("receipt_status", "pending", ReceiptStatus.NOT_RECEIVED),
                Case("state", "purchase", ReceiptStatus.NOT_APPLICABLE),
                Case("state", "draft", ReceiptStatus.NOT_RECEIVED),
                Case("state", "sent", ReceiptStatus.NOT_RECEIVED),
                Case("state", "to approve", ReceiptStatus.NOT_RECEIVED),
                Case("state", "cancel", ReceiptStatus.NOT_RECEIVED),
            ),
            filter=Can.EQ,
        ),
        "billingStatus": First(
            (
                Case("state", "draft", BillingStatus.NOT_BILLED),
                Case("state", "sent", BillingStatus.NOT_BILLED),
                Case("state", "to approve", BillingStatus.NOT_BILLED),
            ),
            filter=Can.EQ,
        ),
        "createdAt": _stamp("create_date"),
        "updatedAt": _stamp("write_date"),
        "organization": Parts({"name": At("company_id.display_name")}),
        "vendor": Ref("partner_id", form=NUMBER, filter=Can.EQ | Can.NULL),
        "vendorName": At("partner_id.display_name"),
        "orderDate": Calculated(whole_day, {"moment": ("date_order", datetime)}),
        "requiredDate": Calculated(whole_day, {"moment": ("date_planned", datetime)}),
        "currency": At("currency_id.name", filter=Can.EQ, required=True),
        "subtotal": money("amount_untaxed", "currency_id.name"),
        "taxTotal": money("amount_tax", "currency_id.name"),
        "total": Parts(
            {
                "amount": At("amount_total", filter=_TIME, sort=True, required=True),
                "currency": At("currency_id.name", filter=Can.EQ, required=True),
            }
        ),
        "paymentTerms": Parts({"label": At("payment_term_id.display_name")}),
        "reference": _text("partner_ref"),
        "lines": _LINES,
        "lineCount": OverChildren("order_line", len, {"key": ("id", str)}),
    },
    unsupported=("title", "type", "sourceType", "isDeleted", "purchasingOrganization", "purchasingGroup"),
    unmapped=("incoterm", "memo"),
)

requests = Resource(
    entity=WorkOrder,
    source="maintenance.request",
    key="id",
    key_form=NUMBER,
    title="title",
    fields={
        "title": _text("name"),
        "type": Codes(
            "maintenance_type",
            {"corrective": WorkOrderType.CORRECTIVE, "preventive": WorkOrderType.PREVENTIVE},
            filter=Can.EQ,
        ),
        "sourceType": At("maintenance_type"),
        "status": First(
            (
                Case("archive", True, WorkOrderStatus.CANCELED),
                Case("done", True, WorkOrderStatus.COMPLETED),
                Case("kanban_state", "blocked", WorkOrderStatus.ON_HOLD),
                Case("done", False, WorkOrderStatus.RELEASED),
            ),
            filter=Can.EQ,
        ),
        "sourceStatus": At("stage_id.display_name"),
        "priority": Codes(
            "priority",
            {"0": Priority.LOW, "1": Priority.LOW, "2": Priority.MEDIUM, "3": Priority.HIGH},
            filter=Can.EQ,
        ),
        "sourcePriority": At("priority"),
        "isDeleted": At("archive", filter=Can.EQ, required=True),
        "createdAt": _stamp("create_date"),
        "updatedAt": _stamp("write_date"),
        "organization": Parts({"name": At("company_id.display_name")}),
        "asset": Ref("equipment_id", form=NUMBER, filter=Can.EQ | Can.NULL),
        "requester": Parts({"remoteId": At("owner_user_id"), "name": At("owner_user_id.display_name")}),
        "supervisor": Parts({"remoteId": At("user_id"), "name": At("user_id.display_name")}),
        "plannerGroup": Parts({"label": At("maintenance_team_id.display_name")}),
        "scheduledStart": _moment("schedule_date"),
        "scheduledFinish": At("schedule_end", filter=_TIME | Can.NULL, resolution=_SECOND),
        "estimatedHours": At("duration"),
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
        "actualHours",
        "estimatedCost",
        "actualCost",
        "failure",
        "tasks",
        "parts",
        "resolution",
        "holdReason",
    ),
    unmapped=("description", "reportedAt", "closedAt", "estimatedDuration", "isOverdue", "assignees"),
)

equipments = Resource(
    entity=Asset,
    source="maintenance.equipment",
    key="id",
    key_form=NUMBER,
    title="name",
    fields={
        "name": At("name"),
        "kind": Calculated(equipment, {}),
        "status": Calculated(asset_status, {"scrapped": ("scrap_date", date), "is_active": ("active", bool)}),
        "createdAt": _stamp("create_date"),
        "updatedAt": _stamp("write_date"),
        "organization": Parts({"name": At("company_id.display_name")}),
        "assetClass": Parts({"code": At("category_id"), "label": At("category_id.display_name")}),
        "model": _text("model"),
        "serialNumber": _text("serial_no"),
        "partNumber": At("partner_ref"),
        "vendor": Ref("partner_id", form=NUMBER, filter=Can.EQ | Can.NULL),
        "installedDate": At("effective_date", filter=_TIME | Can.NULL),
        "decommissionedDate": At("scrap_date"),
        "purchasePrice": money("cost", "company_id.currency_id.display_name"),
        "warrantyEndDate": At("warranty_date", filter=_TIME | Can.NULL),
    },
    unsupported=(
        "number",
        "sourceType",
        "sourceStatus",
        "isDeleted",
        "criticality",
        "sourceCriticality",
        "parent",
        "path",
        "manufacturer",
        "barcode",
        "commissionedDate",
        "purchaseDate",
        "costCenter",
    ),
    unmapped=("description", "location", "attributes"),
)

_ADDRESS = Parts(
    {
        "line1": At("street"),
        "line2": At("street2"),
        "city": At("city"),
        "region": At("state_id.code"),
        "postalCode": At("zip"),
        "country": At("country_id.code", filter=Can.EQ | Can.NULL),
    }
)

partners = Resource(
    entity=Vendor,
    source="res.partner",
    key="id",
    key_form=NUMBER,
    title="name",
    where=Compare("supplier_rank", Comparison.GT, 0, int),
    fields={
        "number": _text("ref"),
        "name": _text("name"),
        "type": First(
            (Case("is_company", True, VendorType.COMPANY), Case("is_company", False, VendorType.INDIVIDUAL)),
            filter=Can.EQ,
        ),
        "status": First(
            (Case("active", True, VendorStatus.ACTIVE), Case("active", False, VendorStatus.INACTIVE)),
            filter=Can.EQ,
        ),
        "createdAt": _stamp("create_date"),
        "updatedAt": _stamp("write_date"),
        "organization": Parts({"name": At("company_id.display_name")}),
        "taxNumber": _text("vat"),
        "email": _text("email"),
        "phone": At("phone"),
        "website": At("website"),
        "address": _ADDRESS,
        "contacts": EachChild(
            "child_ids",
            Parts({"name": At("name"), "role": At("function"), "email": At("email"), "phone": At("phone")}),
        ),
    },
    unsupported=(
        "legalName",
        "sourceStatus",
        "isDeleted",
        "isBlockedForPurchasing",
        "isBlockedForPayment",
        "leadTimeDays",
    ),
    unmapped=("category", "addresses"),
)

_QUANTS = Many(
    "@quants",
    key="id",
    fields={
        "location": Parts({"code": At("location_id"), "name": At("location_id.display_name")}),
        "lot": At("lot_id.display_name"),
        "onHand": quantity("quantity", "product_uom_id.display_name"),
        "available": quantity("available_quantity", "product_uom_id.display_name"),
        "reserved": quantity("reserved_quantity", "product_uom_id.display_name"),
    },
    unsupported=("bin", "onOrder", "unitCost"),
    unmapped=("asOf",),
)


def _over_quants(path: str) -> OverChildren:
    return OverChildren("@quants", total_of, {"amount": (path, Decimal), "unit": ("product_uom_id.display_name", str)})


def _over_rules(path: str) -> OverChildren:
    return OverChildren("@rules", lowest, {"amount": (path, Decimal), "unit": ("product_uom.display_name", str)})


products = Resource(
    entity=InventoryItem,
    source="product.product",
    key="id",
    key_form=NUMBER,
    title="name",
    beside={
        "quants": Beside(
            "stock.quant",
            key="product_id",
            order="id",
            where=Compare("location_id.usage", Comparison.IN, ("internal", "transit")),
        ),
        "rules": Beside("stock.warehouse.orderpoint", key="product_id", order="id"),
    },
    fields={
        "number": _text("default_code"),
        "name": At("name"),
        "type": First(
            (
                Case("type", "service", InventoryItemType.SERVICE),
                Case("type", "combo", InventoryItemType.KIT),
                Case("is_storable", True, InventoryItemType.STOCK),
                Case("type", "consu", InventoryItemType.CONSUMABLE),
            ),
            filter=Can.EQ,
        ),
        "sourceType": At("type"),
        "status": First(
            (Case("active", True, InventoryItemStatus.ACTIVE), Case("active", False, InventoryItemStatus.INACTIVE)),
            filter=Can.EQ,
        ),
        "createdAt": _stamp("create_date"),
        "updatedAt": _stamp("write_date"),
        "category": Parts({"code": At("categ_id"), "label": At("categ_id.display_name")}),
        "baseUnit": At("uom_id.display_name"),
        "barcode": _text("barcode"),
        "standardCost": money("standard_price", "cost_currency_id.display_name"),
        "isLotTracked": Flagged("tracking", "lot"),
        "isSerialTracked": Flagged("tracking", "serial"),
        "onHand": _over_quants("quantity"),
        "available": _over_quants("available_quantity"),
        "reserved": _over_quants("reserved_quantity"),
        "onOrder": quantity("incoming_qty", "uom_id.display_name"),
        "minimum": _over_rules("product_min_qty"),
        "maximum": _over_rules("product_max_qty"),
        "stockLevels": _QUANTS,
    },
    unsupported=(
        "sourceStatus",
        "isDeleted",
        "organization",
        "purchaseUnit",
        "manufacturer",
        "manufacturerPartNumber",
        "isCritical",
        "reorderPoint",
        "reorderQuantity",
        "safetyStock",
    ),
    unmapped=(
        "description",
        "averageCost",
        "lastCost",
        "leadTimeDays",
        "isBelowMinimum",
        "preferredVendor",
    ),
)


class _ApiKey(httpx.Auth):
    """An API key with every request, and the database where the server holds several."""

    def __init__(self, key: str, database: str | None) -> None:
        self._key = key
        self._database = database

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the headers."""
        request.headers["Authorization"] = f"bearer {self._key}"
        if self._database:
            request.headers["X-Odoo-Database"] = self._database
        yield request


def _address(answers: Mapping[str, str]) -> str:
    return f"{answers['url'].rstrip('/')}/"


odoo = System(
    key="odoo",
    title="Odoo",
    vendor="Odoo",
    category=SystemCategory.ERP,
    tier=2,
    deployments=(Deployment.CLOUD, Deployment.ON_PREMISES),
    protocol=OdooJson2(),
    resources=(orders, requests, equipments, partners, products),
    auth_methods=(
        AuthMethod(
            key="api_key",
            title="API key",
            description="An API key of a user of Odoo 19 or later.",
            fields=(
                FormField(
                    name="url",
                    label="Address",
                    kind=FormFieldKind.URL,
                    placeholder="https://plant.odoo.example.com",
                    help="Where Odoo answers.",
                ),
                FormField(
                    name="database",
                    label="Database",
                    is_required=False,
                    help="Only where the server holds several.",
                    pattern=r"[A-Za-z0-9_.-]*",
                ),
                FormField(name="apiKey", label="API key", is_secret=True),
            ),
            flow=lambda answers: _ApiKey(answers["apiKey"], answers.get("database")),
        ),
    ),
    guide=(
        GuideStep(
            title="Make a user",
            body="Add an internal user with the groups *Purchase: User*, *Inventory: User* and *Equipment Manager*. "
            "Without the last one Odoo shows only requests that the user has made or follows, and says so nowhere.",
        ),
        GuideStep(
            title="Make an API key",
            body="Log in as that user; under *Preferences → Account Security* make a *New API Key*. Keys of users "
            "that are no administrators expire; Odoo says when.",
        ),
        GuideStep(
            title="Connect",
            body="Enter the address and the key. Odoo 19 or later is needed, since earlier versions have no JSON-2.",
        ),
    ),
    address=_address,
)
