"""Purchases with their lines, and the parties that they are made with."""

from connectors.composites import EachChild, Many, OverChildren, Parts, money
from connectors.decisions import Case, Codes, First
from connectors.fields import At, Can, FirstText, Ref
from connectors.keys import NUMBER
from connectors.spec import Resource
from connectors.systems.tryton.words import TIME, company, in_unit, place, searched, stamp, text
from schema.purchasing import (
    ApprovalStatus,
    BillingStatus,
    PurchaseOrder,
    PurchaseOrderLineType,
    PurchaseOrderStatus,
    ReceiptStatus,
)
from schema.vendors import Vendor, VendorStatus

_LINES = Many(
    "lines",
    key="id",
    fields={
        "type": First(
            (
                Case("type", "title", PurchaseOrderLineType.TEXT),
                Case("type", "comment", PurchaseOrderLineType.TEXT),
                Case("type", "subtotal", PurchaseOrderLineType.OTHER),
                Case("product.type", "service", PurchaseOrderLineType.SERVICE),
                Case("product.type", "goods", PurchaseOrderLineType.GOODS),
                Case("product.type", "assets", PurchaseOrderLineType.GOODS),
            )
        ),
        "sourceType": At("type"),
        "item": Ref("product"),
        "itemNumber": At("product.code"),
        "vendorPartNumber": At("product_supplier.code"),
        "description": FirstText(("description", "product.name")),
        "quantityOrdered": in_unit("quantity", "unit"),
        "unitPrice": money("unit_price", "currency.code"),
        "lineTotal": money("amount", "currency.code"),
        "requiredDate": At("delivery_date"),
        "location": place("warehouse"),
    },
    unsupported=("lineNumber", "status", "sourceStatus", "category", "priceUnit"),
    unmapped=("quantityReceived", "isDeliveryComplete"),
)

purchases = Resource(
    entity=PurchaseOrder,
    source="purchase.purchase",
    key="id",
    key_form=NUMBER,
    fields={
        "number": text("number"),
        "title": searched("description"),
        "status": Codes(
            "state",
            {
                "draft": PurchaseOrderStatus.DRAFT,
                "quotation": PurchaseOrderStatus.PENDING_APPROVAL,
                "confirmed": PurchaseOrderStatus.ISSUED,
                "processing": PurchaseOrderStatus.ISSUED,
                "done": PurchaseOrderStatus.CLOSED,
                "cancelled": PurchaseOrderStatus.CANCELED,
            },
            filter=Can.EQ,
        ),
        "sourceStatus": At("state", filter=Can.EQ, required=True),
        "approvalStatus": Codes(
            "state",
            {
                "draft": ApprovalStatus.NOT_SUBMITTED,
                "quotation": ApprovalStatus.PENDING,
                "confirmed": ApprovalStatus.APPROVED,
                "processing": ApprovalStatus.APPROVED,
                "done": ApprovalStatus.APPROVED,
            },
            filter=Can.EQ,
        ),
        "receiptStatus": First(
            (
                Case("shipment_state", "received", ReceiptStatus.FULLY_RECEIVED),
                Case("shipment_state", "partially shipped", ReceiptStatus.PARTIALLY_RECEIVED),
                Case("shipment_state", "waiting", ReceiptStatus.NOT_RECEIVED),
                Case("state", "draft", ReceiptStatus.NOT_RECEIVED),
                Case("state", "quotation", ReceiptStatus.NOT_RECEIVED),
                Case("state", "confirmed", ReceiptStatus.NOT_RECEIVED),
                Case("state", "cancelled", ReceiptStatus.NOT_RECEIVED),
                Case("shipment_state", "none", ReceiptStatus.NOT_APPLICABLE),
            ),
            filter=Can.EQ,
        ),
        "billingStatus": Codes(
            "invoice_state",
            {
                "none": BillingStatus.NOT_BILLED,
                "pending": BillingStatus.NOT_BILLED,
                "paid": BillingStatus.PAID,
            },
            filter=Can.EQ,
        ),
        "createdAt": stamp("create_date"),
        "updatedAt": stamp("last_modified_at"),
        "organization": company(),
        "vendor": Ref("party", form=NUMBER, filter=Can.EQ | Can.NULL),
        "vendorName": At("party.rec_name"),
        "orderDate": At("purchase_date", filter=TIME | Can.NULL, sort=True),
        "requiredDate": At("delivery_date", filter=TIME | Can.NULL, sort=True),
        "currency": At("currency.code", filter=Can.EQ, required=True),
        "subtotal": money("untaxed_amount", "currency.code"),
        "taxTotal": money("tax_amount", "currency.code"),
        "total": money("total_amount", "currency.code"),
        "paymentTerms": Parts({"label": At("payment_term.name")}),
        "memo": At("comment"),
        "reference": text("reference"),
        "lines": _LINES,
        "lineCount": OverChildren("lines", len, {"key": ("id", str)}),
    },
    unsupported=("type", "sourceType", "isDeleted", "purchasingOrganization", "purchasingGroup"),
    unmapped=("incoterm",),
)

_ADDRESS = Parts(
    {
        "line1": At("street"),
        "city": At("city"),
        "region": At("subdivision.code"),
        "postalCode": At("postal_code"),
        "country": At("country.code"),
    }
)

parties = Resource(
    entity=Vendor,
    source="party.party",
    key="id",
    key_form=NUMBER,
    title="name",
    fields={
        "number": text("code"),
        "name": searched("name"),
        "status": First(
            (Case("active", True, VendorStatus.ACTIVE), Case("active", False, VendorStatus.INACTIVE)),
            filter=Can.EQ,
        ),
        "createdAt": stamp("create_date"),
        "updatedAt": stamp("last_modified_at"),
        "taxNumber": At("tax_identifier.code"),
        "email": At("email"),
        "phone": At("phone"),
        "website": At("website"),
        "address": EachChild("addresses", _ADDRESS),
        "addresses": EachChild("addresses", _ADDRESS),
    },
    unsupported=(
        "legalName",
        "type",
        "sourceStatus",
        "isDeleted",
        "isBlockedForPurchasing",
        "isBlockedForPayment",
        "organization",
    ),
    unmapped=(
        "category",
        "contacts",
        "currency",
        "incoterm",
        "leadTimeDays",
        "paymentTerms",
        "registrationNumber",
    ),
)
