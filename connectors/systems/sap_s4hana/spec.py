"""SAP S/4HANA in the words of a connector: all five kinds of record over OData V2.

What the fields mean follows SAP's published service descriptions; where a meaning is not confirmed by them, the
setup guide says so.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from connectors.auth import BasicLogin
from connectors.composites import Calculated, Many, OverChildren, Parts, money, quantity
from connectors.decisions import Case, Codes, First, Flagged
from connectors.fields import At, Can, Joined, Lookup, Ref
from connectors.keys import padded
from connectors.protection.limits import UNPUBLISHED
from connectors.protocols.odata_v2 import ODataV2
from connectors.spec import AuthMethod, Resource, System
from connectors.systems.sap_s4hana.amounts import (
    billing_status,
    line_amount,
    order_amount,
    receipt_status,
)
from connectors.systems.sap_s4hana.assets import equipment, functional_locations
from connectors.systems.sap_s4hana.inventory import products
from connectors.systems.sap_s4hana.maintenance import maintenance_orders
from connectors.systems.sap_s4hana.units import UNITS
from connectors.systems.sap_s4hana.vendors import PARTNER, vendors
from schema.purchasing import (
    ApprovalStatus,
    PurchaseOrder,
    PurchaseOrderLineStatus,
    PurchaseOrderLineType,
    PurchaseOrderStatus,
    PurchaseOrderType,
)
from schema.systems import Deployment, FormField, FormFieldKind, GuideStep, SystemCategory

_MILLISECOND = timedelta(milliseconds=1)
_DOCUMENT = padded(10)
_LINE_AMOUNT = {
    "quantity": ("OrderQuantity", Decimal),
    "price": ("NetPriceAmount", Decimal),
    "per": ("NetPriceQuantity", Decimal),
    "numerator": ("OrderPriceUnitToOrderUnitNmrtr", Decimal),
    "denominator": ("OrdPriceUnitToOrderUnitDnmntr", Decimal),
    "is_free": ("PurchasingItemIsFreeOfCharge", bool),
    "currency": ("DocumentCurrency", str),
}
_TOTAL = OverChildren(
    "to_PurchaseOrderItem",
    order_amount,
    _LINE_AMOUNT | {"deleted": ("PurchasingDocumentDeletionCode", str), "is_return": ("IsReturnsItem", bool)},
)


def _unit(path: str) -> Lookup:
    return Lookup(path, UNITS)


_LINES = Many(
    "to_PurchaseOrderItem",
    key="PurchaseOrderItem",
    key_form=padded(5),
    fields={
        "lineNumber": At("PurchaseOrderItem"),
        "type": Codes(
            "PurchaseOrderItemCategory",
            {
                "": PurchaseOrderLineType.GOODS,
                "0": PurchaseOrderLineType.GOODS,
                "9": PurchaseOrderLineType.SERVICE,
            },
        ),
        "sourceType": At("PurchaseOrderItemCategory"),
        "status": First(
            (
                Case("PurchasingDocumentDeletionCode", "L", PurchaseOrderLineStatus.CANCELED),
                Case("IsFinallyInvoiced", True, PurchaseOrderLineStatus.BILLED),
                Case("IsCompletelyDelivered", True, PurchaseOrderLineStatus.RECEIVED),
            )
        ),
        "sourceStatus": At("PurchasingDocumentDeletionCode"),
        "item": Ref("Material"),
        "itemNumber": At("Material"),
        "vendorPartNumber": At("SupplierMaterialNumber"),
        "description": At("PurchaseOrderItemText"),
        "category": Parts({"code": At("MaterialGroup")}),
        "quantityOrdered": quantity("OrderQuantity", "PurchaseOrderQuantityUnit", _unit("PurchaseOrderQuantityUnit")),
        "unitPrice": money("NetPriceAmount", "DocumentCurrency"),
        "priceUnit": quantity("NetPriceQuantity", "OrderPriceUnit", _unit("OrderPriceUnit")),
        "lineTotal": Parts(
            {
                "amount": Calculated(line_amount, _LINE_AMOUNT),
                "currency": At("DocumentCurrency"),
            }
        ),
        "requiredDate": OverChildren(
            "to_ScheduleLine", lambda rows: _earliest(rows), {"day": ("ScheduleLineDeliveryDate", date)}
        ),
        "location": Parts({"code": At("StorageLocation"), "parentCode": At("Plant")}),
        "isDeliveryComplete": At("IsCompletelyDelivered"),
    },
    unsupported=("quantityReceived",),
)


def _earliest(rows: list[dict[str, date | None]]) -> date | None:
    """A line is needed by the first day on which any of it is due."""
    return min((row["day"] for row in rows if row["day"] is not None), default=None)


purchase_orders = Resource(
    entity=PurchaseOrder,
    source="API_PURCHASEORDER_PROCESS_SRV/A_PurchaseOrder",
    key="PurchaseOrder",
    key_form=_DOCUMENT,
    page_size=100,
    is_asked_by_address=True,
    fields={
        # SAP sorts numbers as if padded with zeros, which is not the order of text: so none of them declares a sort.
        "number": Ref("PurchaseOrder", filter=Can.EQ | Can.NULL, form=_DOCUMENT),
        "type": Codes(
            "PurchaseOrderType",
            {
                "NB": PurchaseOrderType.STANDARD,
                "FO": PurchaseOrderType.BLANKET,
                "UB": PurchaseOrderType.STOCK_TRANSFER,
            },
            filter=Can.EQ,
        ),
        "sourceType": At("PurchaseOrderType"),
        "status": First(
            (
                Case("PurchasingDocumentDeletionCode", "L", PurchaseOrderStatus.CANCELED),
                Case("PurchasingDocumentDeletionCode", "S", PurchaseOrderStatus.ON_HOLD),
                Case("PurchasingCompletenessStatus", True, PurchaseOrderStatus.DRAFT),
                Case("PurchasingProcessingStatus", "08", PurchaseOrderStatus.REJECTED),
                Case("ReleaseIsNotCompleted", True, PurchaseOrderStatus.PENDING_APPROVAL),
                Case("ReleaseIsNotCompleted", False, PurchaseOrderStatus.ISSUED),
            ),
            filter=Can.EQ,
        ),
        "sourceStatus": Joined(("PurchasingDocumentDeletionCode", "PurchasingProcessingStatus")),
        "approvalStatus": First(
            (
                Case("PurchasingProcessingStatus", "08", ApprovalStatus.REJECTED),
                Case("ReleaseIsNotCompleted", True, ApprovalStatus.PENDING),
                Case("PurchasingProcessingStatus", "05", ApprovalStatus.APPROVED),
                Case("PurchasingProcessingStatus", "02", ApprovalStatus.NOT_REQUIRED),
            ),
            filter=Can.EQ,
        ),
        "receiptStatus": OverChildren(
            "to_PurchaseOrderItem",
            receipt_status,
            {"deleted": ("PurchasingDocumentDeletionCode", str), "is_done": ("IsCompletelyDelivered", bool)},
        ),
        "billingStatus": OverChildren(
            "to_PurchaseOrderItem",
            billing_status,
            {"deleted": ("PurchasingDocumentDeletionCode", str), "is_done": ("IsFinallyInvoiced", bool)},
        ),
        "isDeleted": Flagged("PurchasingDocumentDeletionCode", "L", filter=Can.EQ),
        "updatedAt": At("LastChangeDateTime", filter=Can.EQ | Can.RANGE | Can.NULL, sort=True, resolution=_MILLISECOND),
        "organization": Parts({"code": At("CompanyCode")}),
        "vendor": Ref("Supplier", filter=Can.EQ | Can.NULL, form=PARTNER),
        "orderDate": At("PurchaseOrderDate", filter=Can.EQ | Can.RANGE | Can.NULL, sort=True),
        "currency": At("DocumentCurrency", filter=Can.EQ | Can.NULL),
        "subtotal": _TOTAL,
        "total": _TOTAL,
        "paymentTerms": Parts({"code": At("PaymentTerms")}),
        "incoterm": At("IncotermsClassification"),
        "reference": At("CorrespncExternalReference", filter=Can.EQ | Can.NULL),
        "purchasingOrganization": Parts({"code": At("PurchasingOrganization")}),
        "purchasingGroup": Parts({"code": At("PurchasingGroup")}),
        "lines": _LINES,
        "lineCount": OverChildren("to_PurchaseOrderItem", len, {"key": ("PurchaseOrderItem", str)}),
    },
    unsupported=("createdAt", "title", "vendorName", "taxTotal"),
    unmapped=("requiredDate", "memo"),
)


def _address(answers: Mapping[str, str]) -> str:
    return f"{answers['url'].rstrip('/')}/sap/opu/odata/sap/"


sap_s4hana = System(
    key="sap_s4hana",
    title="SAP S/4HANA",
    vendor="SAP",
    category=SystemCategory.ERP,
    tier=3,
    deployments=(Deployment.CLOUD, Deployment.ON_PREMISES),
    protocol=ODataV2(),
    resources=(purchase_orders, maintenance_orders, equipment, functional_locations, vendors, products),
    auth_methods=(
        AuthMethod(
            key="basic",
            title="Communication user",
            description="User name and password of a communication user (cloud) or a technical user (on premises).",
            fields=(
                FormField(
                    name="url",
                    label="Address",
                    kind=FormFieldKind.URL,
                    placeholder="https://my300000-api.s4hana.example.com",
                    help="The host of the API; the path is added here.",
                ),
                FormField(name="username", label="User name"),
                FormField(name="password", label="Password", is_secret=True),
            ),
            flow=lambda answers: BasicLogin(answers["username"], answers["password"]),
        ),
    ),
    guide=(
        GuideStep(
            title="Make a communication user",
            body="In S/4HANA Cloud, create a communication system and a user in *Maintain Communication Users*; on "
            "premises, create a technical user of type *System*.",
        ),
        GuideStep(
            title="Allow the services",
            body="Add the communication arrangements SAP_COM_0053 (purchase orders) and SAP_COM_0008 (business "
            "partners), and those of the services for maintenance orders, equipment, functional locations, products "
            "and stock. On premises activate `API_PURCHASEORDER_PROCESS_SRV`, `API_BUSINESS_PARTNER`, "
            "`API_MAINTENANCEORDER` in version 2, `API_EQUIPMENT`, `API_FUNCTIONALLOCATION`, `API_PRODUCT_SRV` and "
            "`API_MATERIAL_STOCK_SRV`, and give the user read rights for them. What is left out is missing, and the "
            "rest works.",
        ),
        GuideStep(
            title="Connect",
            body="Enter the host of the API, the user name and the password. The services are read once, to check.",
        ),
    ),
    address=_address,
    limits=UNPUBLISHED,
    options=(
        FormField(
            name="sap-client",
            label="Client",
            help="Three digits, where the host serves several clients.",
            pattern=r"\d{3}",
            is_required=False,
        ),
        FormField(
            name="sap-language",
            label="Language",
            help="The language of texts, such as EN, which is asked for otherwise. What the status of a work "
            "order means is known in English only.",
            pattern=r"[A-Z]{2}",
            is_required=False,
        ),
    ),
)
