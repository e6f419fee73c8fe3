"""Words for demo data: invented companies and industrial goods, so that all systems of a demo speak of one plant."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Literal

Region = Literal["EU", "US"]


@dataclass(frozen=True, slots=True)
class DemoVendor:
    """An invented company that sells to plants; systems know it under numbers of their own."""

    name: str
    street: str
    house_number: str
    postal_code: str
    city: str
    region: str
    country: str
    """ISO 3166-1, two letters."""
    vat_number: str


@dataclass(frozen=True, slots=True)
class DemoGood:
    """Something that plants buy. The price stands for `per` units; services have no number."""

    number: str
    text: str
    group: str
    unit: str
    """piece, KG, L, M or H."""
    price: Decimal
    per: int
    quantities: tuple[Decimal, ...]
    """What is usually ordered."""


def demo_vendors(random: Random, region: Region, count: int) -> list[DemoVendor]:
    """Invent companies of a region, every name once; ValueError if the words do not suffice."""
    words = _words()
    names = [
        (country, f"{word} {trade}")
        for country in words["regions"][region]
        for word in words["countries"][country]["words"]
        for trade in words["countries"][country]["trades"]
    ]
    if count > len(names):
        raise ValueError(f"the words suffice for {len(names)} companies in {region}, not for {count}")
    return [_vendor(random, country, name) for country, name in random.sample(names, count)]


@cache
def demo_goods() -> Sequence[DemoGood]:
    """Return everything that demo data orders."""
    return tuple(
        DemoGood(number, text, group, unit, Decimal(price), per, tuple(Decimal(str(q)) for q in quantities))
        for number, text, group, unit, price, per, quantities in _words()["goods"]
    )


@cache
def _words() -> Any:
    return json.loads(Path(__file__).with_name("demo.json").read_text("utf-8"))


def _vendor(random: Random, country: str, name: str) -> DemoVendor:
    words = _words()["countries"][country]
    postal_code, city, region = random.choice(words["places"])
    return DemoVendor(
        name=f"{name} {random.choice(words['forms'])}",
        street=random.choice(words["streets"]),
        house_number=str(random.randint(1, 140)),
        postal_code=postal_code,
        city=city,
        region=region,
        country=country,
        vat_number="".join(str(random.randint(0, 9)) if sign == "#" else sign for sign in words["vat"]),
    )
