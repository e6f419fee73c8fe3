"""The customers of the demo and the stand-ins that they are connected to."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from connectors.sandbox.control import ControlledSandbox
from connectors.sandbox.demo import demo_vendors
from connectors.systems.odoo import sandbox as odoo
from connectors.systems.sap_s4hana import sandbox as sap_s4hana

_ORDERS, _SUPPLIERS, _SHARED = 300, 80, 12
_SHARED_VENDORS = demo_vendors(Random(7), "EU", _SHARED)  # noqa: S311 - it invents data, it keeps no secret
"""Vendors that several systems buy from, under different numbers."""


@dataclass(frozen=True)
class DemoConnection:
    """One connection of the demo: what it is called, how it logs in (beside the address), and its stand-in."""

    name: str
    system: str
    auth_method: str
    credentials: dict[str, str]
    make_sandbox: Callable[[], ControlledSandbox]


@dataclass(frozen=True)
class DemoCustomer:
    """One customer of the demo."""

    name: str
    connections: tuple[DemoConnection, ...]


def _s4hana(name: str, seed: int, company_code: str, currency: str, region: str, *, shares: bool) -> DemoConnection:
    (username, password), *_ = sap_s4hana.USERS.items()

    def make() -> ControlledSandbox:
        data = sap_s4hana.demo_data(
            seed,
            orders=_ORDERS,
            suppliers=_SUPPLIERS,
            company_code=company_code,
            currency=currency,
            region="US" if region == "US" else "EU",
            shared_vendors=_SHARED_VENDORS if shares else (),
        )
        return sap_s4hana.sandbox(data)

    return DemoConnection(name, "sap_s4hana", "basic", {"username": username, "password": password}, make)


def _odoo(name: str, seed: int) -> DemoConnection:
    (_, key), *_ = odoo.USERS.items()

    def make() -> ControlledSandbox:
        return odoo.sandbox(odoo.demo_data(seed, shared_vendors=_SHARED_VENDORS))

    return DemoConnection(name, "odoo", "api_key", {"database": odoo.DATABASE, "apiKey": key}, make)


CUSTOMERS = (
    DemoCustomer(
        "Rotterfeld Papier",
        (
            _s4hana("sap-eu", 1, "1010", "EUR", "EU", shares=True),
            _s4hana("sap-us", 2, "1710", "USD", "US", shares=True),
            _odoo("odoo-plant", 4),
        ),
    ),
    DemoCustomer(
        "Harrowgate Mills", (_s4hana("sap-mills", 3, "2010", "GBP", "EU", shares=False), _odoo("odoo-mills", 5))
    ),
)
"""Two customers, so that it shows that one never sees the other."""
