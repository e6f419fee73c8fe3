"""What Tryton does not say outright: totals over rows, the only one of several, and spans of time in hours."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Context, Decimal
from typing import Any

from schema.scalars import Currency
from schema.values import Money

Rows = Sequence[dict[str, Any]]
_EXACT_DIGITS = Context(prec=15)
_HOUR = timedelta(hours=1)
_MICROSECOND = timedelta(microseconds=1)


def total(rows: Rows) -> Decimal:
    """The sum of all rows; nothing anywhere is zero."""
    return sum((row["amount"] for row in rows if row["amount"] is not None), Decimal(0))


def counted(amount: Decimal | None) -> Decimal | None:
    """A count as people would write it: Tryton adds up binary numbers, whose digits beyond fifteen are noise."""
    if amount is None or len(amount.as_tuple().digits) <= _EXACT_DIGITS.prec:
        return amount
    plain = _EXACT_DIGITS.plus(amount)
    return Decimal(f"{plain.normalize():f}")


def all_counted(rows: Rows) -> Decimal | None:
    """What was counted of a product in all places together."""
    return counted(total(rows))


def only(rows: Rows) -> Decimal | None:
    """The limit of the one order point of a product; several are for several warehouses, and have none together."""
    return rows[0]["amount"] if len(rows) == 1 else None


def cost(rows: Rows) -> Money | None:
    """What a product costs in the one company that has it; companies may have different costs and currencies."""
    if len(rows) != 1 or rows[0]["amount"] is None:
        return None
    currency = rows[0]["currency"]
    return Money(amount=rows[0]["amount"], currency=None if currency is None else Currency(currency))


def identifier(kind: str) -> Callable[[Rows], str | None]:
    """The first identifier of a kind."""

    def first(rows: Rows) -> str | None:
        return next((row["code"] for row in rows if row["kind"] == kind), None)

    return first


def hours(rows: Rows) -> Decimal | None:
    """The hours of all cycles together; null where none has told any."""
    spans = [row["span"] for row in rows if row["span"] is not None]
    if not spans:
        return None
    return Decimal(sum(spans, timedelta()) // _MICROSECOND) / Decimal(_HOUR // _MICROSECOND)


def used(state: str | None, amount: Decimal | None) -> Decimal | None:
    """How much of a material was used: all of it once it has moved, and nothing before."""
    if state is None or amount is None:
        return None
    return amount if state == "done" else Decimal(0)
