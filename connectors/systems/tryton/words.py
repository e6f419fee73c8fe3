"""How fields of any model in Tryton are described: its texts and times, its companies, places and units."""

from connectors.composites import Parts, quantity
from connectors.fields import At, Can, FieldSpec, Lookup
from connectors.systems.tryton.units import UNITS

TIME = Can.EQ | Can.RANGE
TEXT = Can.EQ | Can.TEXT | Can.NULL


def text(path: str) -> At:
    """A code or number, which Tryton searches letter by letter."""
    return At(path, filter=TEXT)


def searched(path: str) -> At:
    """A name or description, whose search may find more than ours: Tryton may leave accents out of account."""
    return At(path, filter=TEXT, finds_more=True)


def stamp(path: str) -> At:
    """A moment that is never empty."""
    return At(path, filter=TIME, sort=True, required=True)


def company() -> Parts:
    """The company of a record; in Tryton companies have a name and no code."""
    return Parts({"name": At("company.rec_name")})


def place(path: str) -> Parts:
    """A warehouse or another location."""
    return Parts({"code": At(f"{path}.code"), "name": At(f"{path}.name")})


def in_unit(value: str | FieldSpec, unit: str) -> Parts:
    """A quantity in the unit of measure at a path."""
    return quantity(value, f"{unit}.symbol", Lookup(f"{unit}.symbol", UNITS))
