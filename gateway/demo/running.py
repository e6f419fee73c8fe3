"""Runs the demo: stand-ins, store, connections and the gateway in one process, until it is told to stop."""

import asyncio
import contextlib
import json
import os
import shlex
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from gateway.app import Gateway, build
from gateway.commands.operators import admit_operator
from gateway.connecting.connections import CallerAdministration
from gateway.demo.examples import EXAMPLES
from gateway.demo.plants import CUSTOMERS, DemoConnection, DemoCustomer
from gateway.keys import tokens
from gateway.keys.keyring import Keyring
from gateway.serving.auth import check_key
from gateway.serving.servers import MainServer, beside, configuration, listen, port_of, until_started
from gateway.settings import Settings
from schema.administration import (
    ConnectSystemInput,
    CreateApiKeyInput,
    CreateCustomerInput,
    CredentialInput,
)
from schema.connections import ApiKeyKind, ApiKeyScope, Environment
from schema.systems import Deployment

_LOOPBACK = "127.0.0.1"
_GRACE_SECONDS = 1
_CREDITS = 24
"""Enough for what the demo connects, and for two more."""
_NOTICE = (
    "Demo: invented data in stand-ins of SAP S/4HANA and Odoo; the key in the headers is that of the first customer."
)


async def run_demo(settings: Settings, host: str, port: int, data: Path | None, say: Callable[[str], None]) -> None:
    """Serve the demo; `data` keeps it for the next time, else everything is gone at the end."""
    with contextlib.ExitStack() as stack:
        folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="switchgear-demo-")))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The operator's own database and keys are no place for invented customers.
        own = {"data_directory": folder, "database_url": None, "keys_file": None}
        credits = _CREDITS if settings.credits is None else settings.credits
        settings = settings.model_copy(update={**own, "profile": "dev", "credits": credits})
        settings = _with_admin_token(settings)
        keyring = _keyring(settings)
        await admit_operator(settings, keyring)
        listener = listen(host, port)
        url = f"http://{_named(host)}:{port_of(listener)}"
        known = _read(folder / "demo.json")
        notes: dict[str, Any] = {}
        application = build(settings, keyring, console_configuration=lambda: _console(notes))
        gateway: Gateway = application.state.gateway
        gateway.is_prepared = False
        async with _stand_ins(known) as addresses:
            server = MainServer(configuration(application, _GRACE_SECONDS), application.state.gateway.drain)
            serving = asyncio.create_task(server.serve([listener]))
            await until_started(server, serving)
            notes.update(known or await _furnish(gateway, settings, addresses))
            notes["url"] = url
            notes["adminToken"] = _admin_token(settings)
            _write(folder / "demo.json", notes)
            gateway.is_prepared = True
            say(_page(notes, folder))
            await serving


def _named(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - only to print an address that a browser can open
        return _LOOPBACK
    return f"[{host}]" if ":" in host else host


def _with_admin_token(settings: Settings) -> Settings:
    """The settings with an admin token: the one given, the one of an earlier run, or a new one."""
    if settings.admin_token is not None:
        return settings
    known = _read(settings.data_directory / "demo.json")
    secret = SecretStr(known["adminToken"]) if known else tokens.mint(tokens.TokenKind.ADMIN).secret
    return settings.model_copy(update={"admin_token": secret})


def _admin_token(settings: Settings) -> str:
    return settings.admin_token.get_secret_value() if settings.admin_token is not None else ""


def _keyring(settings: Settings) -> Keyring:
    path = settings.keys_path
    return Keyring.load(path) if path.exists() else Keyring.create(path)


@contextlib.asynccontextmanager
async def _stand_ins(known: dict[str, Any] | None) -> AsyncIterator[dict[str, str]]:
    """Start every stand-in on a port of its own, the one that it had before if the demo was kept."""
    before = {
        connection["name"]: int(connection["sandboxUrl"].rpartition(":")[2])
        for customer in (known or {}).get("customers", ())
        for connection in customer["connections"]
    }
    addresses = {}
    async with contextlib.AsyncExitStack() as stack:
        for customer in CUSTOMERS:
            for connection in customer.connections:
                listener = listen(_LOOPBACK, before.get(connection.name, 0))
                await stack.enter_async_context(beside(connection.make_sandbox(), listener))
                addresses[connection.name] = f"http://{_LOOPBACK}:{port_of(listener)}"
        yield addresses


async def _furnish(gateway: Gateway, settings: Settings, addresses: dict[str, str]) -> dict[str, Any]:
    """Make customers, keys and connections as an operator would, through the same checks."""
    digest = tokens.digest(_admin_token(settings), gateway.keyring.pepper)
    caller = check_key(gateway.directory.keys.get(digest))
    administration = CallerAdministration(caller, gateway.directory, gateway.keyring)
    return {"customers": [await _add_customer(administration, customer, addresses) for customer in CUSTOMERS]}


async def _add_customer(
    administration: CallerAdministration, wanted: DemoCustomer, addresses: dict[str, str]
) -> dict[str, Any]:
    made = await administration.create_customer(CreateCustomerInput(name=wanted.name))
    customer = _sound(made, made.customer)
    key = await administration.create_api_key(
        CreateApiKeyInput(
            name=f"{wanted.name} (demo)", kind=ApiKeyKind.CUSTOMER, customer_id=customer.id, scopes=list(ApiKeyScope)
        )
    )
    return {
        "id": customer.id,
        "name": customer.name,
        "key": _sound(key, key.api_token),
        "connections": [
            await _add_connection(administration, customer.id, item, addresses[item.name])
            for item in wanted.connections
        ],
    }


async def _add_connection(
    administration: CallerAdministration, customer_id: Any, wanted: DemoConnection, address: str
) -> dict[str, Any]:
    credentials = {"url": address, **wanted.credentials}
    made = await administration.connect_system(
        ConnectSystemInput(
            system=wanted.system,
            auth_method=wanted.auth_method,
            credentials=[CredentialInput(name=name, value=value) for name, value in credentials.items()],
            name=wanted.name,
            customer_id=customer_id,
            deployment=Deployment.CLOUD,
            environment=Environment.SANDBOX,
        )
    )
    connection = _sound(made, made.connection)
    return {
        "id": connection.id,
        "name": connection.name,
        "system": wanted.system,
        "token": made.api_token,
        "authMethod": wanted.auth_method,
        "sandboxUrl": address,
        "credentials": credentials,
    }


def _sound(payload: Any, value: Any) -> Any:
    """The value of a payload without errors; the demo's own input is never refused."""
    if payload.errors:
        raise RuntimeError(f"the demo could not be set up: {payload.errors[0].message}")
    return value


def _console(notes: dict[str, Any]) -> dict[str, Any]:
    customers = notes.get("customers")
    token = {"token": customers[0]["key"]} if customers else {}
    return {**token, "examples": EXAMPLES, "notice": _NOTICE}


def _read(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _write(path: Path, notes: dict[str, Any]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(notes, file, indent=2)


_TROUBLES = {
    "error": "it fails",
    "unauthorized": "its password has changed",
    "rate_limited": "it has had too many calls",
    "none": "it is well again, and comes back by itself, after a refused password by the test below",
}
"""Modes of a sandbox, and what they look like."""


_TEST = 'mutation { testConnection(input: {id: "%s"}) { checks { name status message } connection { status } } }'


def _trouble(connection: Mapping[str, Any], mode: str) -> str:
    return f'curl -s -X PUT {connection["sandboxUrl"]}/_sandbox/faults -d \'{{"mode": "{mode}"}}\''


def _page(notes: dict[str, Any], folder: Path) -> str:
    """What to try, for the terminal."""
    first = notes["customers"][0]
    connection = first["connections"][0]
    query = json.dumps({"query": "{ purchaseOrders(first: 3) { nodes { number vendor { name } } isComplete } }"})
    lines = [
        "",
        "Switchgear demo: one GraphQL graph over stand-ins of S/4HANA and Odoo, of two customers.",
        "",
        f"  In a browser   {notes['url']}/graphql",
        "",
        "  From a shell",
        f"    curl -s {notes['url']}/graphql -H 'Content-Type: application/json' \\",
        f"      -H 'Authorization: Bearer {first['key']}' \\",
        f"      -d {shlex.quote(query)}",
        "",
        "  Break a system: run the tab Status in the browser, then one of these, and ask again in another tab.",
        f"  {connection['name']} says why it has no rows, the others' rows still come, and Status shows the change",
        *(f"    {_trouble(connection, mode):92} # {what}" for mode, what in _TROUBLES.items()),
        "  Test it, which says how far one comes; a refused password is otherwise tried about every 10 minutes",
        f"    curl -s {notes['url']}/graphql -H 'Content-Type: application/json' \\",
        f"      -H 'Authorization: Bearer {first['key']}' \\",
        f"      -d {shlex.quote(json.dumps({'query': _TEST % connection['id']}))}",
        f"  See what it was asked: {connection['sandboxUrl']}/_sandbox/requests",
        "",
        "  Keys",
        *(f"    {customer['key']}  {customer['name']}" for customer in notes["customers"]),
        f"    {notes['adminToken']}  admin",
        f"  All of this for scripts: {folder / 'demo.json'}",
        "",
        "Ctrl-C stops it.",
        "",
    ]
    return "\n".join(lines)
