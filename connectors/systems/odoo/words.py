"""How fields of any model in Odoo are described: its keys, texts and times."""

from datetime import timedelta

from connectors.composites import Calculated, Parts
from connectors.days import AtDay
from connectors.fields import At, Can
from connectors.keys import NUMBER, KeyForm
from connectors.systems.odoo.markup import plain_text

KEY = KeyForm(int, lambda text: NUMBER.read(text) or None, NUMBER.order)
"""Keys are numbers from 1; Odoo takes a 0 in a question for a link that is empty."""

TIME = Can.EQ | Can.RANGE
_SECOND = timedelta(seconds=1)


def text(path: str) -> At:
    """Text, whose search may find more than ours: a server may be set to leave accents out of account."""
    return At(path, filter=Can.EQ | Can.TEXT | Can.NULL, finds_more=True)


def stamp(path: str) -> At:
    """A moment that is never empty, and that the database keeps finer than it is shown."""
    return At(path, filter=TIME, sort=True, required=True, resolution=_SECOND)


def moment(path: str, *, sort: bool = False) -> At:
    """A moment that people set, or do not."""
    return At(path, filter=TIME | Can.NULL, sort=sort, resolution=_SECOND)


def day(path: str, *, sort: bool = False) -> AtDay:
    """A moment of which Odoo keeps the day."""
    return AtDay(path, filter=TIME | Can.NULL, sort=sort)


def formatted(path: str) -> Calculated:
    """Text that people write with a format, told without it."""
    return Calculated(plain_text, {"markup": (path, str)})


def company() -> Parts:
    """The company of a record; in Odoo companies have a name and no code."""
    return Parts({"name": At("company_id.display_name")})
