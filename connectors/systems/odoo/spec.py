"""Odoo in the words of a connector: orders, maintenance, equipment, partners and products over JSON-2.

What the fields mean was read from a running Odoo 19; the facts beside this file were captured from it.
"""

from collections.abc import Generator, Mapping

import httpx

from connectors.protection.limits import UNPUBLISHED
from connectors.protocols.odoo_json2 import OdooJson2
from connectors.spec import AuthMethod, System
from connectors.systems.odoo.inventory import products
from connectors.systems.odoo.maintenance import equipment, requests
from connectors.systems.odoo.purchasing import orders, partners
from schema.systems import Deployment, FormField, FormFieldKind, GuideStep, SystemCategory


class _ApiKey(httpx.Auth):
    """An API key with every request, and the database where the server holds several."""

    def __init__(self, key: str, database: str | None) -> None:
        self._key = key
        self._database = database

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the headers."""
        request.headers["Authorization"] = f"bearer {self._key}"
        if self._database:
            request.headers["X-Odoo-Database"] = self._database
        yield request


def _address(answers: Mapping[str, str]) -> str:
    return f"{answers['url'].rstrip('/')}/"


odoo = System(
    key="odoo",
    title="Odoo",
    vendor="Odoo",
    category=SystemCategory.ERP,
    tier=2,
    deployments=(Deployment.CLOUD, Deployment.ON_PREMISES),
    protocol=OdooJson2(),
    resources=(orders, requests, equipment, partners, products),
    auth_methods=(
        AuthMethod(
            key="api_key",
            title="API key",
            description="An API key of a user of Odoo 19 or later.",
            fields=(
                FormField(
                    name="url",
                    label="Address",
                    kind=FormFieldKind.URL,
                    placeholder="https://plant.odoo.example.com",
                    help="Where Odoo answers.",
                ),
                FormField(
                    name="database",
                    label="Database",
                    is_required=False,
                    help="Only where the server holds several.",
                    pattern=r"[A-Za-z0-9_.-]*",
                ),
                FormField(name="apiKey", label="API key", is_secret=True),
                FormField(
                    name="expiresOn",
                    label="Expires on",
                    is_required=False,
                    placeholder="2027-01-31",
                    help="The day on which the key expires, so that you are told before.",
                    pattern=r"\d{4}-\d{2}-\d{2}",
                ),
            ),
            expiry="expiresOn",
            flow=lambda answers: _ApiKey(answers["apiKey"], answers.get("database")),
        ),
    ),
    guide=(
        GuideStep(
            title="Make a user",
            body="Add an internal user with the groups *Purchase: User*, *Inventory: User* and *Equipment Manager*. "
            "Without the last one Odoo shows only requests that the user has made or follows, and says so nowhere.",
        ),
        GuideStep(
            title="Make an API key",
            body="Log in as that user; under *Preferences → Account Security* make a *New API Key*. Keys of users "
            "that are no administrators expire; Odoo says when.",
        ),
        GuideStep(
            title="Connect",
            body="Enter the address and the key. Odoo 19 or later is needed, since earlier versions have no JSON-2.",
        ),
    ),
    address=_address,
    limits=UNPUBLISHED,
)
