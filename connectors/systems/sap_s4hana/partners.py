"""What a business partner of S/4HANA says of a supplier: its main address among several, and whom to speak to."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from schema.scalars import CountryCode
from schema.values import Address
from schema.vendors import Contact

Rows = Sequence[Mapping[str, Any]]

_STANDARD = "XXDEFAULT"
"""The usage that marks the standard address of a business partner."""
_TIME = re.compile(r"PT(\d+)H(\d+)M(\d+)S")
_SALESPERSON = "Salesperson"


def changed_at(partners: Rows) -> datetime | None:
    """When the business partner was last changed; date and time stand apart, and are taken to be in UTC."""
    moments = [
        datetime.combine(row["day"], _time(row["time"]), UTC)
        for row in partners
        if row["day"] is not None and row["time"] is not None
    ]
    return max(moments, default=None)


def _time(text: str) -> time:
    """A time of day as OData V2 writes it, such as PT12H30M00S."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("not a time of day")
    hour, minute, second = map(int, match.groups())
    return time(hour, minute, second)


def main_address(now: datetime, usages: Rows | None, addresses: Rows | None) -> Address | None:
    """The standard address; where there is but one, that one."""
    row = _main(now, usages, addresses)
    return None if row is None else _address(row)


def all_addresses(now: datetime, addresses: Rows | None) -> list[Address] | None:
    """Every address that is in use, in the order of their keys, since they come in any."""
    found = [_address(row) for row in sorted(_valid(now, addresses), key=lambda row: row["key"] or "")]
    return [address for address in found if address is not None] or None


def of_main_address(now: datetime, usages: Rows | None, addresses: Rows | None, found: Rows | None) -> str | None:
    """An e-mail address, telephone number or web site of the main address: the default one, else the only one."""
    row = _main(now, usages, addresses)
    if row is None:
        return None
    own = [item for item in found or () if item["address"] == row["key"] and item["value"] is not None]
    chosen = [item["value"] for item in own if item["is_default"]] or [item["value"] for item in own]
    return chosen[0] if len(chosen) == 1 else None


def _valid(now: datetime, rows: Rows | None) -> Iterator[Mapping[str, Any]]:
    """What begins and ends, and is in use now."""
    return (row for row in rows or () if (row["first"] or now) <= now <= (row["last"] or now))


def _main(now: datetime, usages: Rows | None, addresses: Rows | None) -> Mapping[str, Any] | None:
    rows = list(_valid(now, addresses))
    standard = {row["address"] for row in _valid(now, usages) if row["usage"] == _STANDARD}
    marked = [row for row in rows if row["key"] in standard]
    chosen = marked or rows
    return chosen[0] if len(chosen) == 1 else None


def _address(row: Mapping[str, Any]) -> Address | None:
    street = " ".join(part for part in (row["street"], row["house"]) if part) or None
    parts = (street, row["line2"], row["city"], row["region"], row["postal_code"], row["country"])
    if not any(parts):
        return None
    country = CountryCode(row["country"]) if row["country"] else None
    return Address(
        line1=street,
        line2=row["line2"],
        city=row["city"],
        region=row["region"],
        postal_code=row["postal_code"],
        country=country,
    )


def contacts(today: date, people: Rows | None, salespeople: Rows | None) -> list[Contact] | None:
    """The contact persons, whose names stand on partners of their own, and the salespeople of purchasing data."""
    found = [
        Contact(
            name=None,
            role=row["role"] or row["department"],
            email=row["email"],
            phone=row["phone"],
            is_primary=row["is_primary"],
        )
        for row in people or ()
        if (row["first"] or today) <= today <= (row["last"] or today)
        and any(row[name] for name in ("role", "department", "email", "phone"))
    ]
    known = dict.fromkeys((row["name"], row["phone"]) for row in salespeople or () if row["name"] is not None)
    found += [
        Contact(name=name, role=_SALESPERSON, email=None, phone=phone, is_primary=None)
        for name, phone in sorted(known, key=lambda pair: (pair[0], pair[1] or ""))
    ]
    return found or None


def agreed(organizations: Rows) -> str | None:
    """What all purchasing organizations that say anything say alike."""
    values = {row["value"] for row in organizations if row["value"] is not None}
    return values.pop() if len(values) == 1 else None


def lead_time(organizations: Rows) -> int | None:
    """The planned delivery time that all purchasing organizations which have one agree on."""
    days = {int(row["days"]) for row in organizations if row["days"]}
    return days.pop() if len(days) == 1 else None
