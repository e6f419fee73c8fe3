"""A whole gateway in the test process, for tests against other people's software on this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from connectors.registry import use_manifests
from gateway.app import build
from gateway.keyring import Keyring
from gateway.operators import admit_operator
from gateway.settings import Settings

_ADMIN = "an-admin-token-for-tests"
_CONNECT = """
mutation Connect($input: ConnectSystemInput!) {
  connectSystem(input: $input) { connection { id } apiToken errors { __typename code message field } }
}
"""


@dataclass
class RunningGateway:
    """A gateway as a client sees it."""

    client: httpx.AsyncClient
    customer_id: str = ""

    async def ask(self, query: str, token: str = _ADMIN, **variables: Any) -> dict[str, Any]:
        """The whole answer to a query."""
        answer = await self.client.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {token}"},
        )
        body: dict[str, Any] = answer.json()
        return body

    async def data(self, query: str, token: str = _ADMIN, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        body = await self.ask(query, token, **variables)
        assert "errors" not in body, body["errors"]
        found: dict[str, Any] = body["data"]
        return found

    async def connect(self, system: str, auth_method: str, credentials: dict[str, str]) -> dict[str, Any]:
        """The payload of connectSystem."""
        given = {
            "system": system,
            "authMethod": auth_method,
            "credentials": [{"name": name, "value": value} for name, value in credentials.items()],
            "name": system,
            "customerId": self.customer_id,
            "deployment": "ON_PREMISES",
        }
        payload: dict[str, Any] = (await self.data(_CONNECT, input=given))["connectSystem"]
        return payload


@asynccontextmanager
async def running_gateway(folder: Path, manifests: tuple[Path, ...] = ()) -> AsyncIterator[RunningGateway]:
    """Run a gateway that may reach systems on this machine, with one customer and the systems of some manifests."""
    settings = Settings(
        data_directory=folder,
        profile="plant",
        allowed_networks=(ip_network("127.0.0.0/8"),),
        admin_token=SecretStr(_ADMIN),
        manifests=manifests,
    )
    keyring = Keyring.generate()
    await admit_operator(settings, keyring)
    application = build(settings, keyring)
    async with application.router.lifespan_context(application):
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            gateway = RunningGateway(client)
            made = await gateway.data('mutation { createCustomer(input: {name: "Plant"}) { customer { id } } }')
            gateway.customer_id = made["createCustomer"]["customer"]["id"]
            try:
                yield gateway
            finally:
                use_manifests(())
