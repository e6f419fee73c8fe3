"""What Odoo does not say outright: states without a field, totals over places, days in moments."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from schema.assets import AssetKind, AssetStatus
from schema.values import Quantity


def whole_day(moment: datetime | None) -> date | None:
    """The day, in UTC, of a field that Odoo keeps as a moment."""
    return None if moment is None else moment.date()


def asset_status(scrapped: date | None, is_active: bool | None) -> AssetStatus:
    """Equipment has no state of its own: it may be scrapped or archived, and else nothing is known."""
    if scrapped is not None:
        return AssetStatus.DISPOSED
    return AssetStatus.INACTIVE if is_active is False else AssetStatus.UNKNOWN


def equipment() -> AssetKind:
    """Whatever is kept as equipment is equipment."""
    return AssetKind.EQUIPMENT


def total_of(rows: list[dict[str, Any]]) -> Quantity:
    """The sum over all places, in the product's unit; nothing anywhere is zero."""
    total = sum((row["amount"] for row in rows if row["amount"] is not None), Decimal(0))
    unit = next((row["unit"] for row in rows if row["unit"] is not None), None)
    return Quantity(value=total, unit=None, source_unit=unit)


def lowest(rows: list[dict[str, Any]]) -> Quantity | None:
    """The limit of the one rule of a product; several rules are for several places, and have no limit together."""
    if len(rows) != 1 or rows[0]["amount"] is None:
        return None
    return Quantity(value=rows[0]["amount"], unit=None, source_unit=rows[0]["unit"])
