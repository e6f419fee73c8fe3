"""Whom Odoo would buy a product from: the first vendor in its list who sells it, and at this time."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

Seller = Mapping[str, Any]


def vendor(today: date, sellers: Sequence[Seller] | None, product: str | None) -> str | None:
    """The key of the first vendor."""
    first = _first(today, sellers, product)
    return None if first is None else first["partner"]


def lead_time(today: date, sellers: Sequence[Seller] | None, product: str | None) -> int | None:
    """The days that a delivery of the first vendor takes."""
    first = _first(today, sellers, product)
    return None if first is None else first["delay"]


def _first(today: date, sellers: Sequence[Seller] | None, product: str | None) -> Seller | None:
    """The first in Odoo's own order; others sell another variant, are archived, or sell it at another time."""
    fitting = [
        seller
        for seller in sellers or ()
        if seller["is_active"]
        and seller["product"] in (None, product)
        and (seller["first_day"] or today) <= today <= (seller["last_day"] or today)
    ]
    return min(fitting, key=_place, default=None)


def _place(seller: Seller) -> tuple[Any, ...]:
    """By sequence, then the larger least quantity, the lower price and the older entry."""
    return seller["sequence"] or 0, -(seller["least"] or 0), seller["price"] or 0, seller["key"] or 0
