"""Purchase orders and the partners that are bought from."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from connectors.composites import Calculated, Many, OverChildren, Parts, money
from connectors.decisions import Case, Codes, First
from connectors.fields import At, Can, Ref
from connectors.query import Compare, Comparison, any_of
from connectors.spec import Resource
from connectors.systems.odoo.values import billing_status, contacts, line_money, line_quantity
from connectors.systems.odoo.words import KEY, company, formatted, stamp, text
from schema.purchasing import (
    ApprovalStatus,
    PurchaseOrder,
    PurchaseOrderLineType,
    PurchaseOrderStatus,
    ReceiptStatus,
)
from schema.vendors import Vendor, VendorStatus, VendorType


def _of_line(function: Callable[..., Any], number: str, word: str, measure: str) -> Calculated:
    """A number of a line with what it is measured in; lines of mere text have none."""
    kind = {"kind": ("display_type", str)}
    return Calculated(function, kind | {word: (number, Decimal), measure: (_MEASURES[measure], str)})


_MEASURES = {"unit": "product_uom_id.display_name", "currency": "currency_id.name"}

_LINES = Many(
    "order_line",
    key="id",
    fields={
        "type": First(
            (
                Case("display_type", "line_section", PurchaseOrderLineType.TEXT),
                Case("display_type", "line_subsection", PurchaseOrderLineType.TEXT),
                Case("display_type", "line_note", PurchaseOrderLineType.TEXT),
                Case("product_type", "service", PurchaseOrderLineType.SERVICE),
                Case("product_type", "consu", PurchaseOrderLineType.GOODS),
            )
        ),
        "sourceType": At("display_type"),
        "item": Ref("product_id", form=KEY),
        "itemNumber": At("product_id.default_code"),
        "description": At("name"),
        "quantityOrdered": _of_line(line_quantity, "product_qty", "number", "unit"),
        "quantityReceived": _of_line(line_quantity, "qty_received", "number", "unit"),
        "unitPrice": _of_line(line_money, "price_unit", "amount", "currency"),
        "lineTotal": _of_line(line_money, "price_subtotal", "amount", "currency"),
        "requiredDate": At("date_planned"),
    },
    unsupported=("lineNumber", "status", "sourceStatus", "category", "priceUnit", "isDeliveryComplete"),
    unmapped=("vendorPartNumber", "location"),
)

orders = Resource(
    entity=PurchaseOrder,
    source="purchase.order",
    key="id",
    key_form=KEY,
    fields={
        "number": text("name"),
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
        "billingStatus": OverChildren(
            "order_line",
            billing_status,
            {"kind": ("display_type", str), "ordered": ("product_qty", Decimal), "billed": ("qty_invoiced", Decimal)},
        ),
        "createdAt": stamp("create_date"),
        "updatedAt": stamp("write_date"),
        "organization": company(),
        "vendor": Ref("partner_id", form=KEY, filter=Can.EQ | Can.NULL),
        "vendorName": At("partner_id.display_name"),
        "orderDate": At("date_order", filter=Can.RANGE, required=True),
        "requiredDate": At("date_planned", filter=Can.RANGE | Can.NULL),
        "currency": At("currency_id.name", filter=Can.EQ, required=True),
        "subtotal": money("amount_untaxed", "currency_id.name"),
        "taxTotal": money("amount_tax", "currency_id.name"),
        "total": Parts(
            {
                "amount": At("amount_total", filter=Can.EQ | Can.RANGE, sort=True, required=True),
                "currency": At("currency_id.name", filter=Can.EQ, required=True),
            }
        ),
        "paymentTerms": Parts({"label": At("payment_term_id.display_name")}),
        "incoterm": At("incoterm_id.code"),
        "memo": formatted("note"),
        "reference": text("partner_ref"),
        "lines": _LINES,
        "lineCount": OverChildren("order_line", len, {"key": ("id", str)}),
    },
    unsupported=("title", "type", "sourceType", "isDeleted", "purchasingOrganization", "purchasingGroup"),
)

partners = Resource(
    entity=Vendor,
    source="res.partner",
    key="id",
    key_form=KEY,
    title="name",
    # The rank rises with bills, so that somebody who has only had orders may still have none.
    where=any_of(
        Compare("supplier_rank", Comparison.GT, 0, int), Compare("purchase_line_ids", Comparison.PRESENT, kind=int)
    ),
    fields={
        "number": text("ref"),
        "name": text("complete_name"),
        "type": First(
            (Case("is_company", True, VendorType.COMPANY), Case("is_company", False, VendorType.INDIVIDUAL)),
            filter=Can.EQ,
        ),
        "status": First(
            (Case("active", True, VendorStatus.ACTIVE), Case("active", False, VendorStatus.INACTIVE)),
            filter=Can.EQ,
        ),
        "createdAt": stamp("create_date"),
        "updatedAt": stamp("write_date"),
        "organization": company(),
        "taxNumber": text("vat"),
        "registrationNumber": At("company_registry"),
        "currency": At("property_purchase_currency_id.name"),
        "paymentTerms": Parts({"label": At("property_supplier_payment_term_id.display_name")}),
        "email": text("email"),
        "phone": At("phone"),
        "website": At("website"),
        "address": Parts(
            {
                "line1": At("street"),
                "line2": At("street2"),
                "city": At("city"),
                "region": At("state_id.code"),
                "postalCode": At("zip"),
                "country": At("country_id.code", filter=Can.EQ | Can.NULL),
            }
        ),
        "contacts": OverChildren(
            "child_ids",
            contacts,
            {
                "kind": ("type", str),
                "is_active": ("active", bool),
                "name": ("name", str),
                "role": ("function", str),
                "email": ("email", str),
                "phone": ("phone", str),
            },
        ),
    },
    unsupported=(
        "legalName",
        "sourceStatus",
        "isDeleted",
        "isBlockedForPurchasing",
        "isBlockedForPayment",
        "incoterm",
        "leadTimeDays",
    ),
    unmapped=("category", "addresses"),
)
