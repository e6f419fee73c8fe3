"""Vendors: whom the plant buys from."""

from enum import Enum

from schema.enums import enumeration
from schema.filters import filter_of
from schema.model import EntityType, described_type, entity, field, links
from schema.records import Record
from schema.scalars import Currency
from schema.sorting import sort_of
from schema.sources import page_of
from schema.values import Address, CodedValue


@enumeration
class VendorStatus(Enum):
    """Whether a vendor may be used."""

    ACTIVE = "In use."
    INACTIVE = "Not in use."
    BLOCKED = "Blocked."
    PENDING_APPROVAL = "Waiting to be approved."
    ARCHIVED = "Put away."
    UNKNOWN = "The system does not say, or its word is not known."


@enumeration
class VendorType(Enum):
    """What kind of vendor it is."""

    COMPANY = "A company."
    INDIVIDUAL = "A person."
    INTERCOMPANY = "Another company of the same group."
    EMPLOYEE = "An employee."
    UNKNOWN = "The system does not say, or its word is not known."


@described_type
class Contact:
    """Someone to speak to."""

    name: str | None = field("Their name.")
    role: str | None = field("What they do.")
    email: str | None = field("Their e-mail address.")
    phone: str | None = field("Their telephone number.")
    is_primary: bool | None = field("Whether to ask them first.")


@entity(EntityType.VENDOR, plural="vendors", deleted_as=VendorStatus.ARCHIVED)
class Vendor(Record):
    """A company or person that goods and services are bought from."""

    number: str | None = field("The vendor's number.", filter="The number.", sort="The number, as text.")
    name: str | None = field("Its name.", filter="The name.", sort="The name.")
    legal_name: str | None = field("Its full legal name.", filter="The legal name.")
    type: VendorType | None = field("What kind of vendor it is.", filter="The type.")
    status: VendorStatus | None = field("Whether it may be used.", filter="The status.")
    is_blocked_for_purchasing: bool | None = field(
        "Whether nothing may be ordered from it.", filter="Whether nothing may be ordered from it."
    )
    is_blocked_for_payment: bool | None = field("Whether it may not be paid.", filter="Whether it may not be paid.")
    category: CodedValue | None = field("The group of vendors.")
    tax_number: str | None = field("Its tax number.", filter="The tax number.")
    registration_number: str | None = field("Its number in the company register.")
    currency: Currency | None = field("The currency of its orders.", filter="The currency.")
    payment_terms: CodedValue | None = field("When and how to pay it.")
    incoterm: str | None = field("Who bears transport and risk, as an Incoterms code.")
    email: str | None = field("Its e-mail address.", filter="The e-mail address.")
    phone: str | None = field("Its telephone number.")
    website: str | None = field("Its web site, as the system has it.")
    address: Address | None = field(
        "Its main address.", filter_parts={"country": ("country", "The country of the main address.")}
    )
    addresses: list[Address] | None = field("All its addresses.")
    contacts: list[Contact] | None = field("The people to speak to.")
    lead_time_days: int | None = field("How many days a delivery takes.")
    purchase_orders = links("The orders placed with it.", to="PurchaseOrder", module="schema.purchasing", by="vendor")


VendorFilter = filter_of(Vendor)
VendorSort = sort_of(Vendor)
VendorConnection = page_of(Vendor)
