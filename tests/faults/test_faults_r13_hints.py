"""R13 and R17: without Redis changes are seen a moment later, and revoked tokens lose their lines all the same."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.followers import Follower, following
from tests.e2e.sites import Site, site
from tests.faults.peers import black_hole
from tests.gateway.running import GatewayClient, StandIn, stand_in
from tests.gateway.stores.redis_server import PASSWORD, running_redis
from tests.servers.postgresql import Server

pytestmark = pytest.mark.faults

REVOKE = "mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { errors { code } } }"
BOUND_SECONDS = 4.0
"""What is promised is two; the rest is for a machine that does other things as well."""


@pytest.fixture
async def sap() -> AsyncIterator[StandIn]:
    async with stand_in() as system:
        yield system


@contextmanager
def two_processes(place: Path, postgresql: Server, cache_url: str) -> Iterator[Site]:
    with postgresql.empty() as database, site(place, database_url=database, cache_url=cache_url) as running:
        yield running


async def seconds_until_closed(running: Site, client: GatewayClient) -> float:
    """Revoke a key that is in use in both processes; how long its lines have stayed open."""
    made = await client.new_key(customerId=await client.customer())
    followers = [Follower(running, made["apiToken"], running.address(index)) for index in range(2)]
    async with following(*followers):
        for follower in followers:
            await follower.until(lambda each: each.cursor)
        began = time.monotonic()
        await client.data(REVOKE, id=made["apiKey"]["id"])
        for follower in followers:
            await follower.until(lambda each: each.codes)
            assert follower.codes == [4403]
        return time.monotonic() - began


async def seconds_until_told(client: GatewayClient, system: StandIn, followers: list[Follower]) -> float:
    """Connect a system; how long it takes until all followers were told, once it is done."""
    connection, _ = await client.connected(system)
    began = time.monotonic()
    for follower in followers:
        await follower.has_heard_of(connection, "connection.activated")
    return time.monotonic() - began


async def test_redis_goes_and_comes_back(tmp_path: Path, postgresql: Server, sap: StandIn) -> None:
    with running_redis(tmp_path) as redis, two_processes(tmp_path, postgresql, redis.url) as running:
        followers = [Follower(running, url=running.address(index)) for index in range(2)]
        async with running.client(running.address(0)) as client:
            await client.connected(sap)
            async with following(*followers):
                for follower in followers:
                    await follower.until(lambda each: each.cursor)
                assert await seconds_until_told(client, sap, followers) < BOUND_SECONDS
                redis.kill()
                assert await seconds_until_told(client, sap, followers) < BOUND_SECONDS
                assert await seconds_until_closed(running, client) < BOUND_SECONDS
                redis.start()
                for program in running.programs:
                    await asyncio.to_thread(
                        program.until, "Redis", lambda each=program: "is seen at once" in each.errors
                    )
                assert await seconds_until_told(client, sap, followers) < BOUND_SECONDS
                assert await seconds_until_closed(running, client) < BOUND_SECONDS
        for follower in followers:
            follower.must_be_whole()
            assert follower.codes == []
        for program in running.programs:
            for words in ("what other processes change is seen within", "what other processes change is seen at once"):
                assert program.errors.count(words) == 1
            assert PASSWORD not in program.errors


async def test_a_redis_that_says_nothing(tmp_path: Path, postgresql: Server, sap: StandIn) -> None:
    async with black_hole() as port:
        url = f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
        with two_processes(tmp_path, postgresql, url) as running:
            async with running.client(running.address(0)) as client:
                await client.connected(sap)
                assert await seconds_until_closed(running, client) < BOUND_SECONDS
