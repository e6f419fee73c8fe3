"""Tryton in the words of a connector: purchases, productions, assets, parties and products over its JSON-RPC.

What the fields mean was read from a running Tryton 8.2; the facts beside this file were captured from it. On
PostgreSQL with the extension unaccent it finds names and descriptions whatever accents they have.
"""

import base64
import json
from collections.abc import Mapping

import httpx

from connectors.auth import SessionLogin
from connectors.ports import Session
from connectors.protection.limits import UNPUBLISHED
from connectors.protocols.tryton_rpc import TrytonRpc, rpc_request
from connectors.spec import AuthMethod, System
from connectors.systems.tryton.assets import assets
from connectors.systems.tryton.inventory import products
from connectors.systems.tryton.production import productions
from connectors.systems.tryton.purchasing import parties, purchases
from schema.systems import Deployment, FormField, FormFieldKind, GuideStep, SystemCategory


def _address(answers: Mapping[str, str]) -> str:
    return f"{answers['url'].rstrip('/')}/{answers['database']}/rpc/"


def _session(answers: Mapping[str, str]) -> SessionLogin:
    username, password = answers["username"], answers["password"]

    def login(url: httpx.URL, renewal: str | None) -> httpx.Request:
        request = rpc_request("common.db.login", [username, {"password": password}, "en"])
        return httpx.Request(request.method, url, headers=list(request.headers), content=request.body)

    def read_session(response: httpx.Response) -> Session | None:
        try:
            user, key, *_ = json.loads(response.content)["result"]
        except (ValueError, KeyError, TypeError):
            return None
        return Session("Session " + base64.b64encode(f"{username}:{user}:{key}".encode()).decode())

    return SessionLogin(login, read_session)


tryton = System(
    key="tryton",
    title="Tryton",
    vendor="Tryton Foundation",
    category=SystemCategory.ERP,
    tier=2,
    deployments=(Deployment.ON_PREMISES, Deployment.CLOUD),
    protocol=TrytonRpc(),
    resources=(purchases, productions, assets, parties, products),
    auth_methods=(
        AuthMethod(
            key="session",
            title="User and password",
            description="A user of Tryton itself; a session is opened when it is first needed.",
            fields=(
                FormField(
                    name="url",
                    label="Address",
                    kind=FormFieldKind.URL,
                    placeholder="https://tryton.example.com",
                    help="Where the server answers, without the database.",
                ),
                FormField(name="database", label="Database", pattern=r"[A-Za-z0-9_.-]+"),
                FormField(name="username", label="User name", pattern=r"[^:]+"),
                FormField(name="password", label="Password", is_secret=True),
            ),
            flow=_session,
        ),
    ),
    guide=(
        GuideStep(
            title="Make a user",
            body="In *Administration → Users*, add a user with a password of its own, a company, and the groups "
            "*Purchase*, *Stock*, *Production* and *Accounting*. Without one of them its records are refused, and the "
            "rest is read.",
        ),
        GuideStep(
            title="Connect",
            body="Enter the address of the server, the name of the database, the user name and the password. "
            "Tryton 8.2 or later is needed: earlier ones do not tell when a record was last changed.",
        ),
        GuideStep(
            title="What to know",
            body="Tryton does not tell vendors from other parties, so every party is listed as a vendor.",
        ),
    ),
    address=_address,
    limits=UNPUBLISHED,
)
