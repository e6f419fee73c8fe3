"""Tryton in the words of a connector: purchases and parties over its JSON-RPC.

What the fields mean was read from a running Tryton 8.2; the facts beside this file were captured from it. On
PostgreSQL with the extension unaccent it finds names and descriptions whatever accents they have.
"""

import base64
import json
from collections.abc import Mapping

import httpx

from connectors.auth import SessionLogin
from connectors.composites import EachChild, Many, OverChildren, Parts, money, quantity
from connectors.decisions import Case, Codes, First
from connectors.fields import At, Can, FirstText, Lookup, Ref
from connectors.keys import NUMBER
from connectors.protection.limits import UNPUBLISHED
from connectors.protocols.tryton_rpc import TrytonRpc, rpc_request
from connectors.spec import AuthMethod, Resource, System
from connectors.systems.tryton.units import UNITS
from schema.purchasing import (
    ApprovalStatus,
    BillingStatus,
    PurchaseOrder,
    PurchaseOrderLineType,
    PurchaseOrderStatus,
    ReceiptStatus,
)
from schema.systems import Deployment, FormField, FormFieldKind, GuideStep, SystemCategory
from schema.vendors import Vendor, VendorStatus

_TEXT = Can.EQ | Can.TEXT | Can.NULL
_TIME = Can.EQ | Can.RANGE

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
        "quantityOrdered": quantity("quantity", "unit.symbol", Lookup("unit.symbol", UNITS)),
        "unitPrice": money("unit_price", "currency.code"),
        "lineTotal": money("amount", "currency.code"),
        "requiredDate": At("delivery_date"),
        "location": Parts({"code": At("warehouse.code"), "name": At("warehouse.name")}),
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
        "number": At("number", filter=_TEXT),
        "title": At("description", filter=_TEXT, finds_more=True),
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
        "createdAt": At("create_date", filter=_TIME, sort=True, required=True),
        "updatedAt": At("last_modified_at", filter=_TIME, sort=True, required=True),
        "organization": Parts({"name": At("company.rec_name")}),
        "vendor": Ref("party", form=NUMBER, filter=Can.EQ | Can.NULL),
        "vendorName": At("party.rec_name"),
        "orderDate": At("purchase_date", filter=_TIME | Can.NULL, sort=True),
        "requiredDate": At("delivery_date", filter=_TIME | Can.NULL, sort=True),
        "currency": At("currency.code", filter=Can.EQ, required=True),
        "subtotal": money("untaxed_amount", "currency.code"),
        "taxTotal": money("tax_amount", "currency.code"),
        "total": money("total_amount", "currency.code"),
        "paymentTerms": Parts({"label": At("payment_term.name")}),
        "memo": At("comment"),
        "reference": At("reference", filter=_TEXT),
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
        "number": At("code", filter=_TEXT),
        "name": At("name", filter=_TEXT, finds_more=True),
        "status": First(
            (Case("active", True, VendorStatus.ACTIVE), Case("active", False, VendorStatus.INACTIVE)),
            filter=Can.EQ,
        ),
        "createdAt": At("create_date", filter=_TIME, sort=True, required=True),
        "updatedAt": At("last_modified_at", filter=_TIME, sort=True, required=True),
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
    ),
)


def _address(answers: Mapping[str, str]) -> str:
    return f"{answers['url'].rstrip('/')}/{answers['database']}/rpc/"


def _session(answers: Mapping[str, str]) -> SessionLogin:
    username, password = answers["username"], answers["password"]

    def login(url: httpx.URL) -> httpx.Request:
        request = rpc_request("common.db.login", [username, {"password": password}, "en"])
        return httpx.Request(request.method, url, headers=list(request.headers), content=request.body)

    def read_session(response: httpx.Response) -> str | None:
        try:
            user, key, *_ = json.loads(response.content)["result"]
        except (ValueError, KeyError, TypeError):
            return None
        return "Session " + base64.b64encode(f"{username}:{user}:{key}".encode()).decode()

    return SessionLogin(login, read_session)


tryton = System(
    key="tryton",
    title="Tryton",
    vendor="Tryton Foundation",
    category=SystemCategory.ERP,
    tier=2,
    deployments=(Deployment.ON_PREMISES, Deployment.CLOUD),
    protocol=TrytonRpc(),
    resources=(purchases, parties),
    auth_methods=(
        AuthMethod(
            key="session",
            title="User and password",
            description="A user of Tryton itself; a session is opened when it is first needed.",
            fields=(
                FormField(
                    name="url",
                    label="Address",
                    kind=FormFieldKind.URL,
                    placeholder="https://tryton.example.com",
                    help="Where the server answers, without the database.",
                ),
                FormField(name="database", label="Database", pattern=r"[A-Za-z0-9_.-]+"),
                FormField(name="username", label="User name", pattern=r"[^:]+"),
                FormField(name="password", label="Password", is_secret=True),
            ),
            flow=_session,
        ),
    ),
    guide=(
        GuideStep(
            title="Make a user",
            body="In *Administration → Users*, add a user with a password of its own, a company, and the groups "
            "*Purchase* and *Party*.",
        ),
        GuideStep(
            title="Connect",
            body="Enter the address of the server, the name of the database, the user name and the password. "
            "Tryton 8.2 or later is needed: earlier ones do not tell when a record was last changed.",
        ),
        GuideStep(
            title="What to know",
            body="Tryton does not tell vendors from other parties, so every party is listed as a vendor.",
        ),
    ),
    address=_address,
    limits=UNPUBLISHED,
)
