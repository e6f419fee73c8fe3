"""The companies that the demo plant buys from: partners with addresses, desks to call, and tags."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from random import Random

from connectors.sandbox.demo import DemoVendor
from connectors.sandbox.odoo_json2 import Row
from connectors.systems.odoo.demo.company import Tables

DESKS = (("Sales desk", "sales"), ("Night desk", "night"), ("Order desk", "orders"), ("Service desk", "service"))
TERMS = (1, 2, 4, 4, 4, 5)
ARCHIVED, WITHOUT_REFERENCE = 0.04, 0.1


def write_vendors(tables: Tables, random: Random, vendors: Sequence[DemoVendor]) -> list[Row]:
    """Write the vendors with what hangs on them, and return them."""
    return [_write_vendor(tables, random, vendor, 1_001 + index) for index, vendor in enumerate(vendors)]


def _write_vendor(tables: Tables, random: Random, vendor: DemoVendor, number: int) -> Row:
    created = tables.some_days_ago(random, 500, 1_500)
    host = f"{_domain(vendor.name)}.example"
    company = tables.add(
        "res.partner",
        created=created,
        changed=min(created + timedelta(days=random.randint(0, 400)), tables.midnight),
        name=vendor.name,
        complete_name=vendor.name,
        ref=f"V-{number}" if random.random() >= WITHOUT_REFERENCE else None,
        is_company=True,
        active=random.random() >= ARCHIVED,
        type="contact",
        street=f"{vendor.street} {vendor.house_number}",
        zip=vendor.postal_code,
        city=vendor.city,
        country_id=tables.countries[vendor.country],
        vat=vendor.vat_number,
        email=f"info@{host}",
        phone=_phone(tables, random, vendor),
        website=f"https://www.{host}" if random.random() < 0.8 else None,
        supplier_rank=random.choice((0, 1, 1, 2, 5, 12)),
        property_supplier_payment_term_id=random.choice(TERMS),
        category_id=sorted(random.sample((1, 2, 3), random.randint(0, 2))),
        partner_share=True,
    )
    company["commercial_partner_id"] = company["id"]
    for function, box in random.sample(DESKS, random.randint(0, 2)):
        _write_contact(tables, company, function, box, host, _phone(tables, random, vendor))
    if random.random() < 0.15:
        _write_works(tables, company, vendor)
    return company


def _write_contact(tables: Tables, company: Row, name: str, box: str, host: str, phone: str) -> None:
    tables.add(
        "res.partner",
        created=company["create_date"],
        name=name,
        complete_name=f"{company['name']}, {name}",
        type="contact",
        parent_id=company["id"],
        commercial_partner_id=company["id"],
        function=name,
        email=f"{box}@{host}",
        phone=phone,
        active=company["active"],
        country_id=company["country_id"],
        vat=company["vat"],
        street=company["street"],
        zip=company["zip"],
        city=company["city"],
        partner_share=True,
    )


def _write_works(tables: Tables, company: Row, vendor: DemoVendor) -> None:
    tables.add(
        "res.partner",
        created=company["create_date"],
        name="Works",
        complete_name=f"{company['name']}, Works",
        type="delivery",
        parent_id=company["id"],
        commercial_partner_id=company["id"],
        street=f"{vendor.street} {int(vendor.house_number) + 2}",
        zip=vendor.postal_code,
        city=vendor.city,
        country_id=company["country_id"],
        vat=company["vat"],
        active=company["active"],
        partner_share=True,
    )


def _phone(tables: Tables, random: Random, vendor: DemoVendor) -> str:
    codes = {row["code"]: row["phone_code"] for row in tables.rows["res.country"]}
    return f"+{codes[vendor.country]} {random.randint(20, 99)} 555 {random.randint(0, 9_999):04d}"


def _domain(name: str) -> str:
    letters = name.replace("ł", "l").replace("Ł", "L").replace("ß", "ss")
    plain = unicodedata.normalize("NFKD", letters).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain)[:2])
