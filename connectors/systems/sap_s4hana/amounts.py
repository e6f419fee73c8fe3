"""What S/4HANA's purchase order service does not say outright: amounts, and how much was received and billed."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from functools import partial
from typing import Any

from schema.purchasing import BillingStatus, ReceiptStatus
from schema.scalars import Currency
from schema.values import Money

_DIGITS = dict.fromkeys(
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"], 0
) | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)
"""Decimal places of the currencies that do not have two, after ISO 4217."""


def line_amount(
    quantity: Decimal | None,
    price: Decimal | None,
    per: Decimal | None,
    numerator: Decimal | None,
    denominator: Decimal | None,
    is_free: bool | None,
    currency: str | None,
) -> Decimal | None:
    """The net amount of a line, rounded to the currency as SAP rounds each line.

    A price is for `per` price units, and one order unit is `numerator / denominator` price units.
    """
    if is_free:
        return Decimal(0)
    if quantity is None or price is None:
        return None
    units = quantity * (numerator or 1) / (denominator or 1)
    step = Decimal(1).scaleb(-_DIGITS.get(currency or "", 2))
    return (units * price / (per or 1)).quantize(step, ROUND_HALF_UP)


def order_amount(lines: list[dict[str, Any]]) -> Money | None:
    """The sum over the undeleted lines; returns count against it. Null where a line has no amount."""
    total = Decimal(0)
    currency: str | None = None
    for line in lines:
        arguments = dict(line)
        deleted, is_return = arguments.pop("deleted"), arguments.pop("is_return")
        currency = currency or line["currency"]
        if deleted == "L":
            continue
        amount = line_amount(**arguments)
        if amount is None:
            return None
        total += -amount if is_return else amount
    return Money(amount=total, currency=Currency(currency)) if currency else None


def _progress(all_done: Enum, some_done: Enum, unknown: Enum, lines: list[dict[str, Any]]) -> Enum:
    """Only flags for "complete" are told: where none is set, something may have happened or nothing."""
    flags = [line["is_done"] for line in lines if line["deleted"] != "L"]
    if not any(flags):
        return unknown
    return all_done if all(flags) else some_done


receipt_status: Callable[[list[dict[str, Any]]], Enum] = partial(
    _progress, ReceiptStatus.FULLY_RECEIVED, ReceiptStatus.PARTIALLY_RECEIVED, ReceiptStatus.UNKNOWN
)
billing_status: Callable[[list[dict[str, Any]]], Enum] = partial(
    _progress, BillingStatus.FULLY_BILLED, BillingStatus.PARTIALLY_BILLED, BillingStatus.UNKNOWN
)
