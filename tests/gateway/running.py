"""A whole gateway in the test process, with stand-ins of S/4HANA beside it on loopback."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from connectors.sandbox.control import ControlledSandbox, Faults
from connectors.systems.sap_s4hana.sandbox import sandbox
from gateway.app import Gateway, build
from gateway.commands.operators import admit_operator
from gateway.keys.keyring import Keyring
from gateway.serving.servers import beside, listen, port_of
from gateway.settings import Settings

ADMIN = "an-admin-token-for-tests"
USER, PASSWORD = "BUYER-7", "correct horse battery staple"
CONNECT = """
mutation Connect($input: ConnectSystemInput!) {
  connectSystem(input: $input) {
    connection { id name lifecycle tags metadata tokenPreview environment deployment customer { id } system { key } }
    apiToken
    errors { __typename code category message field remediation retryable }
  }
}
"""
NEW_KEY = """
mutation NewKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    apiKey { id name kind scopes preview expiresAt revokedAt customer { id } connection { id } }
    apiToken
    errors { __typename code message field }
  }
}
"""


@dataclass
class StandIn:
    """A sandbox that listens on loopback."""

    box: ControlledSandbox
    url: str

    def trouble(self, mode: Any, **details: Any) -> None:
        """Give it a trouble; `none` ends it."""
        self.box.faults = Faults(mode, **details)


@dataclass
class GatewayClient:
    """A gateway as its clients see it."""

    client: httpx.AsyncClient
    customers: dict[str, str] = field(default_factory=dict, kw_only=True)

    async def ask(self, query: str, token: str = ADMIN, **variables: Any) -> dict[str, Any]:
        """The whole answer to a query."""
        answer = await self.client.post(
            "/graphql",
            content=json.dumps({"query": query, "variables": variables}),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        body: dict[str, Any] = answer.json()
        return body

    async def data(self, query: str, token: str = ADMIN, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        body = await self.ask(query, token, **variables)
        assert "errors" not in body, body["errors"]
        found: dict[str, Any] = body["data"]
        return found

    async def refused(self, query: str, token: str = ADMIN, **variables: Any) -> str:
        """The code of the only error of an answer."""
        (error,) = (await self.ask(query, token, **variables))["errors"]
        return str(error["extensions"]["code"])

    async def customer(self, name: str = "Plant") -> str:
        """The id of a customer, who is made at first."""
        if name not in self.customers:
            query = "mutation ($name: String!) { createCustomer(input: {name: $name}) { customer { id } } }"
            made = await self.data(query, name=name)
            self.customers[name] = made["createCustomer"]["customer"]["id"]
        return self.customers[name]

    async def connect(self, url: str, token: str = ADMIN, **changes: Any) -> dict[str, Any]:
        """The payload of connectSystem for an S/4HANA at this address; None leaves a value of the input out."""
        if "customerId" not in changes:
            changes["customerId"] = await self.customer()
        given = {
            "system": "sap_s4hana",
            "authMethod": "basic",
            "credentials": credentials(url=url, username=USER, password=PASSWORD),
            "name": "An ERP",
            "deployment": "CLOUD",
        }
        given = {name: value for name, value in {**given, **changes}.items() if value is not None}
        payload: dict[str, Any] = (await self.data(CONNECT, token, input=given))["connectSystem"]
        return payload

    async def connected(self, stand_in: StandIn, name: str = "Plant", **changes: Any) -> tuple[str, str]:
        """The id and the token of a new connection of a customer."""
        payload = await self.connect(stand_in.url, customerId=await self.customer(name), **changes)
        assert payload["errors"] == []
        return payload["connection"]["id"], payload["apiToken"]

    async def new_key(self, token: str = ADMIN, **given: Any) -> dict[str, Any]:
        """The payload of createApiKey."""
        given = {"name": "A key", "kind": "CUSTOMER", "scopes": ["READ", "WRITE", "MANAGE"], **given}
        payload: dict[str, Any] = (await self.data(NEW_KEY, token, input=given))["createApiKey"]
        return payload

    async def key(self, name: str = "Plant", **given: Any) -> str:
        """The token of a new key of a customer."""
        payload = await self.new_key(customerId=await self.customer(name), **given)
        assert payload["errors"] == []
        return str(payload["apiToken"])


@dataclass
class RunningGateway(GatewayClient):
    """A gateway as its clients see it, and the process behind it."""

    process: Gateway
    folder: Path
    application: Any = None


@contextlib.asynccontextmanager
async def running_gateway(
    folder: Path, keyring: Keyring | None = None, **changes: Any
) -> AsyncIterator[RunningGateway]:
    """Run a gateway that may reach loopback; `changes` are of its settings."""
    given: Mapping[str, Any] = {
        "profile": "plant",
        "allowed_networks": (ip_network("127.0.0.0/8"),),
        "admin_token": SecretStr(ADMIN),
        **changes,
    }
    settings = Settings(data_directory=folder, **given)
    keyring = keyring or Keyring.generate()
    await admit_operator(settings, keyring)
    application = build(settings, keyring)
    async with application.router.lifespan_context(application):
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield RunningGateway(client, application.state.gateway, folder, application)


@contextlib.asynccontextmanager
async def stand_in(**options: Any) -> AsyncIterator[StandIn]:
    """Run a sandbox of S/4HANA with the samples, unless other rows are given."""
    box = sandbox(options.pop("data", None), users={USER: PASSWORD}, **options)
    listener = listen("127.0.0.1", 0)
    async with beside(box, listener):
        yield StandIn(box, f"http://127.0.0.1:{port_of(listener)}")


def credentials(**answers: str) -> list[dict[str, str]]:
    """Answers to a form, as the contract writes them."""
    return [{"name": name, "value": value} for name, value in answers.items()]
