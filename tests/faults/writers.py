"""Clients that change things without a pause, note what was promised to them, and bear that a request fails."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from tests.e2e.sites import Site
from tests.gateway.running import ADMIN, CONNECT, NEW_KEY, PASSWORD, USER, StandIn, credentials

CUSTOMER = """
mutation ($name: String!) { createCustomer(input: {name: $name}) { customer { id } errors { code } } }
"""
DISCONNECT = "mutation ($id: ID!) { disconnectSystem(input: {id: $id}) { errors { code } } }"


@dataclass
class Promises:
    """What the gateway has said that it has done, by ids; what failed may or may not have been done."""

    customers: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    connected: set[str] = field(default_factory=set)
    disconnected: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    """Connections whose end was asked for without an answer."""
    failures: list[str] = field(default_factory=list)


class Failed(Exception):
    """The request had no answer, or one that says that something went wrong."""


async def send(client: httpx.AsyncClient, query: str, **variables: Any) -> Any:
    """The payload of a mutation without any errors."""
    try:
        answer = await client.post(
            "/graphql",
            content=json.dumps({"query": query, "variables": variables}),
            headers={"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"},
        )
        body = answer.json()
    except (httpx.TransportError, ValueError) as error:
        raise Failed(type(error).__name__) from None
    if body.get("errors"):
        raise Failed(f"{body['errors'][0]['extensions']['code']}: {body['errors'][0]['message']}")
    (payload,) = body["data"].values()
    if payload["errors"]:
        raise Failed(str(payload["errors"]))
    return payload


async def write(client: httpx.AsyncClient, system: StandIn, promises: Promises, name: str) -> None:
    """Make a customer, a key and a connection, and end the connection."""
    customer = (await send(client, CUSTOMER, name=name))["customer"]["id"]
    promises.customers.add(customer)
    key = {"name": name, "kind": "CUSTOMER", "scopes": ["READ"], "customerId": customer}
    promises.keys.add((await send(client, NEW_KEY, input=key))["apiKey"]["id"])
    given = {
        "system": "sap_s4hana",
        "authMethod": "basic",
        "credentials": credentials(url=system.url, username=USER, password=PASSWORD),
        "name": name,
        "deployment": "CLOUD",
        "customerId": customer,
    }
    connection = (await send(client, CONNECT, input=given))["connection"]["id"]
    promises.connected.add(connection)
    promises.unsure.add(connection)
    await send(client, DISCONNECT, id=connection)
    promises.unsure.discard(connection)
    promises.disconnected.add(connection)


@contextlib.asynccontextmanager
async def writing(site: Site, system: StandIn, writers: int = 3) -> AsyncIterator[Promises]:
    """Have so many clients write through the load balancer while the block lasts."""
    promises, numbers, is_over = Promises(), count(), asyncio.Event()

    async def go_on(client: httpx.AsyncClient) -> None:
        while not is_over.is_set():
            try:
                await write(client, system, promises, f"Plant {next(numbers)}")
            except Failed as failed:
                promises.failures.append(str(failed))
                await asyncio.sleep(0.05)

    async with httpx.AsyncClient(base_url=site.url, timeout=60.0) as client:
        tasks = [asyncio.create_task(go_on(client)) for _ in range(writers)]
        try:
            yield promises
        finally:
            is_over.set()
            await asyncio.gather(*tasks)
