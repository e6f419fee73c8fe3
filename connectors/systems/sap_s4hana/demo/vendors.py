"""The companies that the demo company buys from: suppliers, partners, addresses and how to reach them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from connectors.sandbox.demo import DemoVendor
from connectors.systems.sap_s4hana.demo.company import FOREVER, Company, Row, Tables

FIRST_NUMBER = {"EU": 10300001, "US": 17300001}
PAYMENT_TERMS = ("0001", "0002", "0004", "NT30", "NT60")
INCOTERMS = (("EXW", ""), ("FCA", "Works"), ("DAP", "Goods inwards"), ("DDP", "Plant gate"))
DIALLING_CODES = {
    "AT": "43",
    "BE": "32",
    "CA": "1",
    "DE": "49",
    "FR": "33",
    "IT": "39",
    "NL": "31",
    "PL": "48",
    "SE": "46",
    "US": "1",
}
LANDLINE, MOBILE = "1", "3"
STANDARD_ADDRESS = "XXDEFAULT"


def write_vendors(tables: Tables, random: Random, company: Company, vendors: Sequence[DemoVendor]) -> list[str]:
    """Write the vendors under numbers of this system and return the numbers."""
    numbers = _numbers(random, company, len(vendors))
    for number, vendor in zip(numbers, vendors, strict=True):
        _write_supplier(tables, random, company, number, vendor)
    return numbers


def _numbers(random: Random, company: Company, count: int) -> list[str]:
    """Return supplier numbers: mostly digits, as the service shows them, some with letters."""
    numbers = [str(FIRST_NUMBER[company.region] + index) for index in range(count)]
    for index in random.sample(range(count), count // 16):
        numbers[index] = f"{company.region}SU-{index:03d}"
    return numbers


def _write_supplier(tables: Tables, random: Random, company: Company, number: str, vendor: DemoVendor) -> None:
    created = company.today - timedelta(days=random.randint(600, 3_000))
    blocked, deleted = random.random() < 0.05, random.random() < 0.03
    terms = random.choice(PAYMENT_TERMS)
    incoterms, place = random.choice(INCOTERMS)
    tables["A_Supplier"].append(
        {
            "Supplier": number,
            "CreatedByUser": "MDG_BATCH",
            "CreationDate": created,
            "SupplierName": vendor.name,
            "SupplierFullName": f"Company {vendor.name}",
            "SupplierAccountGroup": "SUPL",
            "VATRegistration": vendor.vat_number,
            "PurchasingIsBlocked": blocked,
            "PostingIsBlocked": deleted,
            "PaymentIsBlockedForSupplier": random.random() < 0.04,
            "SupplierProcurementBlock": "01" if blocked else "",
            "DeletionIndicator": deleted,
        }
    )
    _write_partner(tables, random, company, number, vendor, created, blocked=blocked)
    tables["A_SupplierPurchasingOrg"].append(
        {
            "Supplier": number,
            "PurchasingOrganization": company.code,
            "PaymentTerms": terms,
            "PurchaseOrderCurrency": company.currency,
            "IncotermsClassification": incoterms,
            "IncotermsLocation1": place,
            "MaterialPlannedDeliveryDurn": Decimal(random.choice((3, 5, 7, 10, 14, 21, 35))),
            "MinimumOrderAmount": Decimal(random.choice((0, 0, 0, 50, 100, 250))),
            **_salesperson(number, vendor),
            "InvoiceIsGoodsReceiptBased": True,
            "PurchasingIsBlockedForSupplier": blocked,
            "DeletionIndicator": deleted,
        }
    )
    tables["A_SupplierCompany"].append(
        {
            "Supplier": number,
            "CompanyCode": company.code,
            "PaymentTerms": terms,
            "PaymentMethodsList": "T" if company.region == "EU" else "C",
            "ReconciliationAccount": "211000",
            "SupplierIsBlockedForPosting": deleted,
            "DeletionIndicator": deleted,
        }
    )


def _write_partner(
    tables: Tables,
    random: Random,
    company: Company,
    number: str,
    vendor: DemoVendor,
    created: date,
    *,
    blocked: bool,
) -> None:
    changed = created + timedelta(days=random.randint(0, (company.today - created).days - 1))
    tables["A_BusinessPartner"].append(
        {
            "BusinessPartner": number,
            "Supplier": number,
            "BusinessPartnerCategory": "2",
            "BusinessPartnerFullName": vendor.name,
            "BusinessPartnerName": vendor.name,
            "BusinessPartnerGrouping": "BP02",
            "BusinessPartnerIsBlocked": blocked,
            "OrganizationBPName1": vendor.name[:40],
            "CorrespondenceLanguage": "EN",
            "CreatedByUser": "MDG_BATCH",
            "CreationDate": created,
            "CreationTime": time(9, 30),
            "LastChangeDate": changed,
            "LastChangeTime": time(random.randint(5, 19), random.randint(0, 59), random.randint(0, 59)),
            "LastChangedByUser": "MDG_BATCH",
            "ETag": f"MDG_BATCH{changed:%Y%m%d}120000",
            "SearchTerm1": vendor.name.split()[0].upper()[:20],
        }
    )
    address = str(20_001 + len(tables["A_BusinessPartnerAddress"]))
    tables["A_BusinessPartnerAddress"].append(
        {
            "BusinessPartner": number,
            "AddressID": address,
            "FullName": vendor.name,
            "StreetName": vendor.street,
            "HouseNumber": vendor.house_number,
            "PostalCode": vendor.postal_code,
            "CityName": vendor.city,
            "Region": vendor.region,
            "Country": vendor.country,
            "Language": "EN",
            "ValidityStartDate": datetime.combine(created, time(0), UTC),
            "ValidityEndDate": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        }
    )
    tables["A_BuPaAddressUsage"].append(
        {
            "BusinessPartner": number,
            "AddressID": address,
            "AddressUsage": STANDARD_ADDRESS,
            "ValidityStartDate": datetime.combine(created, time(0), UTC),
            "ValidityEndDate": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        }
    )
    _write_communication(tables, random, address, vendor)
    if len(tables["A_BusinessPartner"]) % 3:
        _write_contact(tables, company, number, vendor, created)


def _salesperson(number: str, vendor: DemoVendor) -> Row:
    """Return whom buyers call, for every other supplier: a desk, since the company has no people."""
    if sum(map(ord, number)) % 2:
        return {}
    return {
        "SupplierRespSalesPersonName": "Order desk",
        "SupplierPhoneNumber": f"+{DIALLING_CODES[vendor.country]} 555 {sum(map(ord, vendor.name)) % 10_000:04d}",
    }


def _write_contact(tables: Tables, company: Company, number: str, vendor: DemoVendor, created: date) -> None:
    """Write a contact person, who is a business partner of their own that this company does not keep."""
    key = {
        "RelationshipNumber": str(len(tables["A_BusinessPartnerContact"]) + 1),
        "BusinessPartnerCompany": number,
        "BusinessPartnerPerson": str(55_000_001 + len(tables["A_BusinessPartnerContact"])),
        "ValidityEndDate": FOREVER,
    }
    tables["A_BusinessPartnerContact"].append(
        {**key, "ValidityStartDate": created, "IsStandardRelationship": True, "RelationshipCategory": "BUR001"}
    )
    tables["A_BPContactToFuncAndDept"].append(
        {
            **key,
            "ContactPersonFunctionName": "Account manager",
            "ContactPersonDepartmentName": "Sales",
            "EmailAddress": f"contact@{domain(vendor.name)}.example",
            "RelationshipCategory": "BUR001",
        }
    )


def _write_communication(tables: Tables, random: Random, address: str, vendor: DemoVendor) -> None:
    """Write e-mail addresses, of which one is the default, telephone numbers, and mostly a home page."""
    host = f"{domain(vendor.name)}.example"
    boxes = random.choice((("sales",), ("sales",), ("office", "orders"), ("info", "invoices", "orders")))
    for index, box in enumerate(boxes):
        tables["A_AddressEmailAddress"].append(
            {
                "AddressID": address,
                "Person": "",
                "OrdinalNumber": str(index + 1),
                "IsDefaultEmailAddress": index == len(boxes) - 1,
                "EmailAddress": f"{box}@{host}",
                "SearchEmailAddress": f"{box}@{host}".upper()[:20],
            }
        )
    for index, kind in enumerate((LANDLINE, MOBILE)[: random.choice((1, 1, 2))]):
        digits = f"{random.randint(20, 99)}555{random.randint(0, 9_999):04d}"
        tables["A_AddressPhoneNumber"].append(
            {
                "AddressID": address,
                "Person": "",
                "OrdinalNumber": str(index + 1),
                "DestinationLocationCountry": vendor.country,
                "IsDefaultPhoneNumber": kind == LANDLINE,
                "PhoneNumber": f"0{digits[:2]} {digits[2:]}",
                "InternationalPhoneNumber": f"+{DIALLING_CODES[vendor.country]}{digits}",
                "PhoneNumberType": kind,
            }
        )
    if random.random() < 0.8:
        page = f"https://www.{host}/"
        tables["A_AddressHomePageURL"].append(
            {
                "AddressID": address,
                "Person": "",
                "OrdinalNumber": "1",
                "ValidityStartDate": date.min,
                "IsDefaultURLAddress": True,
                "SearchURLAddress": page.upper()[:50],
                "URLFieldLength": len(page),
                "WebsiteURL": page,
            }
        )


def domain(name: str) -> str:
    """Return the beginning of a company's name in letters that a domain may have."""
    letters = name.replace("ł", "l").replace("Ł", "L").replace("ß", "ss")
    plain = unicodedata.normalize("NFKD", letters).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain)[:2])
