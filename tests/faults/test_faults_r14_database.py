"""R14: while PostgreSQL is away records can be read, changes are refused at once, and all goes on when it is back."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.keys import tokens
from tests.e2e.followers import Follower, following
from tests.e2e.sites import Site, site
from tests.faults.kept import must_be_whole
from tests.faults.writers import writing
from tests.gateway.running import GatewayClient, stand_in
from tests.gateway.stores.redis_server import RedisServer
from tests.servers.postgresql import stoppable_postgresql

pytestmark = pytest.mark.faults

ORDERS = "{ purchaseOrders(first: 5) { nodes { number } isComplete sources { status } } }"
NEW_CUSTOMER = 'mutation { createCustomer(input: {name: "Acme"}) { customer { id } errors { code } } }'
AT_ONCE_SECONDS = 5.0
MAY_GROW_BYTES = 40_000_000


def memory_of(running: Site) -> int:
    """How much memory the processes take."""
    found = 0
    for program in running.programs:
        status = Path(f"/proc/{program.process.pid}/status").read_text()
        found += 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))
    return found


async def is_ready(url: str) -> bool:
    async with httpx.AsyncClient(base_url=url, timeout=30.0) as client:
        return (await client.get("/readyz")).status_code == 200


async def refusal(client: GatewayClient, query: str, **variables: Any) -> dict[str, Any]:
    """The only error of an answer that comes at once."""
    began = time.monotonic()
    (error,) = (await client.ask(query, **variables))["errors"]
    assert time.monotonic() - began < AT_ONCE_SECONDS
    found: dict[str, Any] = error["extensions"]
    return found


async def test_postgresql_goes_and_comes_back(tmp_path: Path, redis_server: RedisServer) -> None:
    with (
        stoppable_postgresql(tmp_path) as database,
        site(tmp_path, database_url=database.url, cache_url=redis_server.url) as running,
    ):
        async with stand_in() as system, running.client() as client:
            _, token = await client.connected(system)
            followers = [Follower(running, url=running.address(index)) for index in range(2)]
            async with following(*followers):
                for follower in followers:
                    await follower.until(lambda each: each.cursor)
                async with writing(running, system) as promises:
                    await asyncio.sleep(2.0)
                    before = memory_of(running)
                    for _ in range(2):
                        database.stop()
                        await away(running, client, token)
                        database.start()
                        await back(running, client)
                assert memory_of(running) - before < MAY_GROW_BYTES
                last, _ = await client.connected(system, name="Last")
                for follower in followers:
                    await follower.has_heard_of(last, "connection.activated")
                    follower.must_be_whole()
                    assert set(follower.codes) <= {1012}
            assert promises.disconnected
        await must_be_whole(database.url)
        for program in running.programs:
            assert program.errors.count("what is connected cannot be read") == 2
            assert program.errors.count("what is connected can be read again") == 2


async def away(running: Site, client: GatewayClient, token: str) -> None:
    """The database is not there for some seconds."""
    end = time.monotonic() + 4.0
    while time.monotonic() < end:
        found = (await client.data(ORDERS, token))["purchaseOrders"]
        assert (found["isComplete"], len(found["nodes"])) == (True, 5)
        extensions = await refusal(client, NEW_CUSTOMER)
        assert (extensions["code"], extensions["retryable"]) == ("INTERNAL", True)
        await asyncio.sleep(0.2)
    assert not await is_ready(running.address(0))
    stranger = tokens.mint(tokens.TokenKind.CUSTOMER).secret.get_secret_value()
    answer = await client.client.post("/graphql", headers={"Authorization": f"Bearer {stranger}"}, json={})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["retryable"]) == (503, True)


async def back(running: Site, client: GatewayClient) -> None:
    """It is there again, and everything goes on by itself."""
    async with asyncio.timeout(30.0):
        for index in range(2):
            while not await is_ready(running.address(index)):  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.1)
        while "errors" in await client.ask(NEW_CUSTOMER):  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.1)
    await asyncio.sleep(2.0)
