"""Suppliers of S/4HANA, and the business partners behind them, who have the addresses and the people."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from connectors.composites import OverChildren, Parts
from connectors.decisions import Case, Codes, First
from connectors.derived import AsOf, FromWords
from connectors.fields import At, Can, FieldSpec, Ref
from connectors.keys import padded
from connectors.spec import Beside, Resource
from connectors.systems.sap_s4hana.partners import (
    agreed,
    all_addresses,
    changed_at,
    contacts,
    lead_time,
    main_address,
    of_main_address,
)
from schema.vendors import Vendor, VendorStatus, VendorType

PARTNER = padded(10)
"""How numbers of suppliers and business partners are written."""
_PLACES = "@partner.to_BusinessPartnerAddress"
_VALIDITY = {"first": ("ValidityStartDate", datetime), "last": ("ValidityEndDate", datetime)}
_USAGES = OverChildren(
    f"{_PLACES}.to_AddressUsage", list, {"address": ("AddressID", str), "usage": ("AddressUsage", str), **_VALIDITY}
)
_ADDRESSES = OverChildren(
    _PLACES,
    list,
    {
        "key": ("AddressID", str),
        "street": ("StreetName", str),
        "house": ("HouseNumber", str),
        "line2": ("StreetSuffixName", str),
        "city": ("CityName", str),
        "region": ("Region", str),
        "postal_code": ("PostalCode", str),
        "country": ("Country", str),
        **_VALIDITY,
    },
)
_PEOPLE = OverChildren(
    "@partner.to_BusinessPartnerContact",
    list,
    {
        "first": ("ValidityStartDate", date),
        "last": ("ValidityEndDate", date),
        "is_primary": ("IsStandardRelationship", bool),
        "role": ("to_ContactRelationship.ContactPersonFunctionName", str),
        "department": ("to_ContactRelationship.ContactPersonDepartmentName", str),
        "email": ("to_ContactRelationship.EmailAddress", str),
        "phone": ("to_ContactRelationship.PhoneNumber", str),
    },
)
_SALESPEOPLE = OverChildren(
    "to_SupplierPurchasingOrg",
    list,
    {"name": ("SupplierRespSalesPersonName", str), "phone": ("SupplierPhoneNumber", str)},
)


def _agreed(path: str) -> OverChildren:
    """What all purchasing organizations of a supplier say alike."""
    return OverChildren("to_SupplierPurchasingOrg", agreed, {"value": (path, str)})


def _in_use(function: Callable[..., Any], **words: FieldSpec) -> AsOf:
    """A value made of the addresses that are in use at a moment."""
    return AsOf(lambda now: FromWords(partial(function, now), {"addresses": _ADDRESSES, **words}))


def _of_main_address(collection: str, value: str, flag: str) -> AsOf:
    """What the main address is reached by: the default, where it has several."""
    found = OverChildren(
        f"{_PLACES}.{collection}",
        list,
        {"address": ("AddressID", str), "value": (value, str), "is_default": (flag, bool)},
    )
    return _in_use(of_main_address, usages=_USAGES, found=found)


vendors = Resource(
    entity=Vendor,
    source="API_BUSINESS_PARTNER/A_Supplier",
    key="Supplier",
    key_form=PARTNER,
    title="name",
    page_size=100,
    is_asked_by_address=True,
    max_keys=60,
    beside={"partner": Beside("API_BUSINESS_PARTNER/A_BusinessPartner", key="Supplier", order="BusinessPartner")},
    fields={
        "number": Ref("Supplier", filter=Can.EQ | Can.NULL, form=PARTNER),
        "name": At("SupplierName", filter=Can.EQ | Can.NULL),
        "legalName": At("SupplierFullName", filter=Can.EQ | Can.NULL),
        "type": Codes("IsNaturalPerson", {"X": VendorType.INDIVIDUAL, "": VendorType.COMPANY}, filter=Can.EQ),
        "status": First(
            (
                Case("DeletionIndicator", True, VendorStatus.ARCHIVED),
                Case("PostingIsBlocked", True, VendorStatus.BLOCKED),
                Case("PurchasingIsBlocked", True, VendorStatus.BLOCKED),
                Case("DeletionIndicator", False, VendorStatus.ACTIVE),
            ),
            filter=Can.EQ,
        ),
        "isDeleted": At("DeletionIndicator", filter=Can.EQ, required=True),
        "isBlockedForPurchasing": At("PurchasingIsBlocked", filter=Can.EQ, required=True),
        "isBlockedForPayment": At("PaymentIsBlockedForSupplier", filter=Can.EQ, required=True),
        "category": Parts({"code": At("SupplierAccountGroup")}),
        "taxNumber": At("VATRegistration", filter=Can.EQ | Can.NULL),
        "updatedAt": OverChildren(
            "@partner", changed_at, {"day": ("LastChangeDate", date), "time": ("LastChangeTime", str)}
        ),
        "address": _in_use(main_address, usages=_USAGES),
        "addresses": _in_use(all_addresses),
        "email": _of_main_address("to_EmailAddress", "EmailAddress", "IsDefaultEmailAddress"),
        "phone": _of_main_address("to_PhoneNumber", "InternationalPhoneNumber", "IsDefaultPhoneNumber"),
        "website": _of_main_address("to_URLAddress", "WebsiteURL", "IsDefaultURLAddress"),
        "currency": _agreed("PurchaseOrderCurrency"),
        "paymentTerms": Parts({"code": _agreed("PaymentTerms")}),
        "incoterm": _agreed("IncotermsClassification"),
        "contacts": AsOf(
            lambda now: FromWords(partial(contacts, now.date()), {"people": _PEOPLE, "salespeople": _SALESPEOPLE})
        ),
        "leadTimeDays": OverChildren(
            "to_SupplierPurchasingOrg", lead_time, {"days": ("MaterialPlannedDeliveryDurn", Decimal)}
        ),
    },
    unsupported=("createdAt", "sourceStatus", "organization"),
    unmapped=("registrationNumber",),
)
