"""Words for demo data: invented companies, goods and machines, so that all systems of a demo speak of one plant."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
    german: str = ""
    """The text in German."""


@dataclass(frozen=True, slots=True)
class DemoMachine:
    """A kind of machine: what it is called, who makes it, and what it needs."""

    kind: str
    name: str
    makers: tuple[tuple[str, str], ...]
    """Maker and model."""
    lowest_price: Decimal
    highest_price: Decimal
    parts: tuple[str, ...]
    """Groups of goods that fit it."""
    drive: str
    """The kind of machine that drives it, empty for none."""
    faults: tuple[str, ...]
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemoStation:
    """A place in the plant, in one of its lines, with the kinds of machines that stand there."""

    line_tag: str
    line: str
    tag: str
    name: str
    kinds: tuple[str, ...]


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
        DemoGood(number, text, group, unit, Decimal(price), per, tuple(Decimal(str(q)) for q in quantities), german)
        for number, text, group, unit, price, per, quantities, german in _words()["goods"]
    )


@cache
def demo_machines() -> Mapping[str, DemoMachine]:
    """Return the kinds of machines that plants have."""
    return {
        kind: DemoMachine(
            kind=kind,
            name=said["name"],
            makers=tuple((maker, model) for maker, model in said["makers"]),
            lowest_price=Decimal(said["price"][0]),
            highest_price=Decimal(said["price"][1]),
            parts=tuple(said["parts"]),
            drive=said["drive"],
            faults=tuple(said["faults"]),
            services=tuple(said["services"]),
        )
        for kind, said in _words()["machines"].items()
    }


@cache
def demo_stations() -> Sequence[DemoStation]:
    """Return the stations of a plant, line after line."""
    return tuple(
        DemoStation(line_tag, line, tag, name, tuple(kinds))
        for line_tag, line, stations in _words()["lines"]
        for tag, name, kinds in stations
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
