"""What products and their stock mean in S/4HANA: never summed blindly, and prices brought to one unit."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from connectors.systems.sap_s4hana.units import UNITS
from schema.scalars import Currency
from schema.values import Money, Quantity

_UNRESTRICTED = "01"
Rows = list[dict[str, Any]]


def _quantity(amount: Decimal, unit: str | None) -> Quantity:
    return Quantity(value=amount, unit=UNITS.get(unit or ""), source_unit=unit)


def unrestricted(amount: Decimal | None, unit: str | None, kind: str | None, special: str | None) -> Quantity | None:
    """What may be taken of one row of stock: nothing of what is blocked or inspected, or is somebody else's."""
    if amount is None:
        return None
    return _quantity(amount if kind == _UNRESTRICTED and special is None else Decimal(0), unit)


def _sum(rows: Rows, counts: Callable[[dict[str, Any]], bool]) -> Quantity | None:
    counted = [row["amount"] for row in rows if counts(row) and row["amount"] is not None]
    unit = next((row["unit"] for row in rows if row["unit"] is not None), None)
    return _quantity(sum(counted, Decimal(0)), unit)


def own_stock(rows: Rows) -> Quantity | None:
    """Everything that is there and ours, whatever its state; special stock is kept for or by others."""
    return _sum(rows, lambda row: row["special"] is None)


def unrestricted_total(rows: Rows) -> Quantity | None:
    """What may be taken of our own stock."""
    return _sum(rows, lambda row: row["special"] is None and row["kind"] == _UNRESTRICTED)


def limit(rows: Rows) -> Quantity | None:
    """The limit of the one plant that has one; limits of several plants are no limit together."""
    found = [row for row in rows if row["amount"]]
    return _quantity(found[0]["amount"], found[0]["unit"]) if len(found) == 1 else None


def is_short(plants: Rows | None, stock: Rows | None) -> bool | None:
    """Whether any plant has less of its own stock than its reorder point; unknown where no plant has one."""
    if stock is None:
        return None
    planned = [row for row in plants or () if row["amount"]]
    return any(_own_stock_of(row["plant"], stock) < row["amount"] for row in planned) if planned else None


def _own_stock_of(plant: str | None, stock: Rows) -> Decimal:
    own = (row["amount"] for row in stock if row["plant"] == plant and row["special"] is None)
    return sum((amount for amount in own if amount is not None), Decimal(0))


def lead_time(plants: Rows) -> int | None:
    """The planned delivery time in days that all plants which have one agree on."""
    days = {int(row["days"]) for row in plants if row["days"]}
    return days.pop() if len(days) == 1 else None


def is_critical(plants: Rows) -> bool | None:
    """Whether any plant has marked it as critical; unknown where no plant says."""
    flags = [row["flag"] for row in plants if row["flag"] is not None]
    return any(flags) if flags else None


def _cost(rows: Rows, name: str, control: str) -> Money | None:
    """The price of one unit, where all valuations that use this kind of price agree on it."""
    prices = {
        (row[name] / (row["per"] or 1), row["currency"])
        for row in rows
        if row["control"] == control and row[name] is not None
    }
    if len(prices) != 1:
        return None
    ((amount, currency),) = prices
    return Money(amount=amount, currency=Currency(currency) if currency else None)


def standard_cost(rows: Rows) -> Money | None:
    """The standard price, where stock is valued by it."""
    return _cost(rows, "standard", "S")


def average_cost(rows: Rows) -> Money | None:
    """The moving average, where stock is valued by it."""
    return _cost(rows, "average", "V")
