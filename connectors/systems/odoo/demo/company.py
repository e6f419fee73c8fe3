"""The company that the demo data are about: its rows so far, its people, and how its days are told."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from connectors.sandbox.demo import Region
from connectors.sandbox.odoo_json2 import Row

COMPANY, COMPANY_PARTNER, FIRST_USER_PARTNER = 1, 1, 2
CATEGORY_OF_SERVICES = 2
FOUNDED = timedelta(days=2_000)


class Tables:
    """The rows by model, as they are written."""

    def __init__(self, today: date, currency: str) -> None:
        """Begin with what every plant has; KeyError for a currency that it does not know."""
        self.today = today
        self.rows: dict[str, list[Row]] = {model: [dict(row) for row in rows] for model, rows in _base().items()}
        self.currency = {row["name"]: row["id"] for row in self.rows["res.currency"]}[currency]
        self.region: Region = "US" if currency == "USD" else "EU"
        self.countries: dict[str, int] = {row["code"]: row["id"] for row in self.rows["res.country"]}

    @property
    def midnight(self) -> datetime:
        """The beginning of today: nothing has changed later."""
        return datetime.combine(self.today, time(0), UTC)

    def add(self, model: str, /, *, created: datetime, changed: datetime | None = None, **values: Any) -> Row:
        """Write a row under the next id of its model."""
        rows = self.rows.setdefault(model, [])
        number = rows[-1]["id"] + 1 if rows else 1
        row = {"id": number, **values, "create_date": created, "write_date": changed or created}
        rows.append(row)
        return row

    def at_work(self, random: Random, day: date) -> datetime:
        """Return some instant of a day's working time, none in the future."""
        moment = datetime.combine(day, time(random.randint(6, 16), random.randint(0, 59), random.randint(0, 59)), UTC)
        return min(moment + timedelta(microseconds=random.randint(0, 999_999)), self.midnight)

    def some_days_ago(self, random: Random, least: int, most: int) -> datetime:
        """Return some instant of working time so many days ago."""
        return self.at_work(random, self.today - timedelta(days=random.randint(least, most)))


def planned(random: Random, day: date) -> datetime:
    """Return a moment that people plan for: a full hour."""
    return datetime.combine(day, time(random.randint(6, 16)), UTC)


def write_company(tables: Tables) -> None:
    """Write the company, its people with their partners, and what the base rows cannot say by themselves."""
    founded = tables.midnight - FOUNDED
    name, country = ("Levee Mill Inc.", "US") if tables.region == "US" else ("Canal Mill GmbH", "DE")
    partner = tables.add(
        "res.partner",
        created=founded,
        name=name,
        complete_name=name,
        is_company=True,
        type="contact",
        country_id=tables.countries[country],
        commercial_partner_id=COMPANY_PARTNER,
        partner_share=False,
    )
    tables.add(
        "res.company",
        created=founded,
        name=name,
        partner_id=partner["id"],
        currency_id=tables.currency,
        sequence=10,
    )
    for user in tables.rows["res.users"]:
        _write_person(tables, user, founded)
    _write_places(tables)


def _write_person(tables: Tables, user: Row, founded: datetime) -> None:
    partner = tables.add(
        "res.partner",
        created=founded,
        name=user["name"],
        complete_name=user["name"],
        type="contact",
        email=f"{user['login']}@mill.example",
        company_id=COMPANY,
        partner_share=False,
    )
    partner["commercial_partner_id"] = partner["id"]
    user |= {
        "partner_id": partner["id"],
        "email": partner["email"],
        "company_id": COMPANY,
        "company_ids": [COMPANY],
        "lang": "en_US",
        "tz": "UTC",
    }


def _write_places(tables: Tables) -> None:
    """Write the full names of the locations, each below the one that it lies in."""
    names: dict[int | None, str] = {}
    for row in tables.rows["stock.location"]:
        above = names.get(row.get("location_id"))
        row["complete_name"] = names[row["id"]] = f"{above}/{row['name']}" if above else row["name"]


@cache
def _base() -> Any:
    return json.loads(Path(__file__).with_name("base.json").read_text("utf-8"))
