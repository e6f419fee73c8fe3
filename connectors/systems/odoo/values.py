"""What Odoo does not say outright: states without a field, values of real lines only, and totals over places."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.systems.odoo.units import UNITS
from schema.assets import AssetStatus
from schema.maintenance import Assignee, AssigneeType
from schema.purchasing import BillingStatus
from schema.scalars import Currency, Duration
from schema.values import Money, Quantity
from schema.vendors import Contact

Row = dict[str, Any]
_MINUTES = 60


def asset_status(scrapped: date | None, is_active: bool | None) -> AssetStatus:
    """Equipment has no state of its own: it may be scrapped or archived, and else nothing is known."""
    if scrapped is not None:
        return AssetStatus.DISPOSED
    return AssetStatus.INACTIVE if is_active is False else AssetStatus.UNKNOWN


def duration(hours: Decimal | None) -> Duration | None:
    """Hours as ISO 8601 writes them, in whole minutes."""
    if hours is None:
        return None
    whole, minutes = divmod(round(hours * _MINUTES), _MINUTES)
    return Duration(f"PT{whole}H{minutes}M")


def assignees(
    user: str | None, user_name: str | None, team: str | None, team_name: str | None
) -> list[Assignee] | None:
    """Who works on a request: the technician, if one is named, and the team."""
    found = []
    if user is not None:
        found.append(Assignee(remote_id=user, name=user_name, type=AssigneeType.PERSON))
    if team is not None:
        found.append(Assignee(remote_id=team, name=team_name, type=AssigneeType.TEAM))
    return found or None


def line_quantity(kind: str | None, number: Decimal | None, unit: str | None) -> Quantity | None:
    """A quantity of a line that is no mere text, which Odoo gives zeros instead."""
    if kind is not None or number is None:
        return None
    return Quantity(value=number, unit=UNITS.get(unit or ""), source_unit=unit)


def line_money(kind: str | None, amount: Decimal | None, currency: str | None) -> Money | None:
    """An amount of a line that is no mere text."""
    if kind is not None or amount is None:
        return None
    return Money(amount=amount, currency=None if currency is None else Currency(currency))


def billing_status(rows: Sequence[dict[str, Any]]) -> BillingStatus:
    """How much of what was ordered is on bills; a bill that is still a draft counts, as it does in Odoo."""
    lines = [row for row in rows if row["kind"] is None and row["ordered"]]
    if any(row["billed"] is None for row in lines):
        return BillingStatus.UNKNOWN
    if all(row["billed"] == 0 for row in lines):
        return BillingStatus.NOT_BILLED
    is_full = all(abs(row["billed"]) >= abs(row["ordered"]) for row in lines)
    return BillingStatus.FULLY_BILLED if is_full else BillingStatus.PARTIALLY_BILLED


def contacts(rows: Sequence[dict[str, Any]]) -> list[Contact]:
    """The people below a partner: neither those who are archived, nor what is a mere address."""
    return [
        Contact(name=row["name"], role=row["role"], email=row["email"], phone=row["phone"], is_primary=None)
        for row in rows
        if row["kind"] == "contact" and row["is_active"]
    ]


def total(rows: Sequence[dict[str, Any]]) -> Decimal:
    """The sum of all rows; nothing anywhere is zero."""
    return sum((row["amount"] for row in rows if row["amount"] is not None), Decimal(0))


def is_short(rules: Sequence[Row] | None, quants: Sequence[Row] | None) -> bool | None:
    """Whether less is there, at or below the place of any rule, than the rule says; without a rule nothing is known.

    Odoo would count it too, but not for users who may not read bills of material.
    """
    known = [rule for rule in rules or () if rule["least"] is not None and rule["place"] is not None]
    if not known or quants is None:
        return None
    return any(_there(rule["place"], quants) < rule["least"] for rule in known)


def _there(place: str, quants: Sequence[Row]) -> Decimal:
    """What is at a place and below it: the path of a place begins with those of the places around it."""
    return total([quant for quant in quants if (quant["place"] or "").startswith(place)])


def only_limit(rows: Sequence[dict[str, Any]]) -> Decimal | None:
    """The limit of the one rule of a product; several rules are for several places, and have no limit together."""
    return rows[0]["amount"] if len(rows) == 1 else None
