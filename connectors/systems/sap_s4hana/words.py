"""How fields of any service of S/4HANA are described: moments, and the keys of equipment and of its places."""

from datetime import timedelta

from connectors.fields import At, Can, Ref
from connectors.keys import padded

MILLISECOND = timedelta(milliseconds=1)
TIME = Can.EQ | Can.RANGE | Can.NULL
EQUIPMENT_KEY = padded(18)
EQUIPMENT, LOCATION = "EQ-", "FL-"
"""Equipment and functional locations are both assets; these tell their keys apart."""


def moment(path: str, *, sort: bool = False) -> At:
    """A moment, which SAP keeps finer than it shows it."""
    return At(path, filter=TIME, sort=sort, resolution=MILLISECOND)


def equipment_at(path: str) -> Ref:
    """The key of an equipment."""
    return Ref(path, filter=Can.EQ | Can.NULL, form=EQUIPMENT_KEY, prefix=EQUIPMENT)


def location_at(path: str) -> Ref:
    """The inner key of a functional location."""
    return Ref(path, filter=Can.EQ | Can.NULL, prefix=LOCATION)
