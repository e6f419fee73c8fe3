"""R16 and R22: a process that is told to end finishes what has begun; a rolling restart fails no query."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.followers import Follower, following
from tests.e2e.sites import Site, site
from tests.gateway.running import GatewayClient, stand_in
from tests.gateway.stores.redis_server import RedisServer
from tests.servers.postgresql import Server

pytestmark = pytest.mark.faults

ORDERS = "{ purchaseOrders(first: 5) { nodes { number } isComplete sources { status } } }"
READERS = 8


@pytest.fixture
def running(tmp_path: Path, postgresql: Server, redis_server: RedisServer) -> Iterator[Site]:
    with postgresql.empty() as database, site(tmp_path, database_url=database, cache_url=redis_server.url) as made:
        yield made


@asynccontextmanager
async def reading(client: GatewayClient, token: str) -> AsyncIterator[list[int]]:
    """Ask without a pause while the block lasts, each time over a new line; gives how many rows each answer had."""
    counts: list[int] = []
    is_over = asyncio.Event()

    async def go_on() -> None:
        while not is_over.is_set():
            found = (await client.data(ORDERS, token))["purchaseOrders"]
            assert found["isComplete"] is True
            counts.append(len(found["nodes"]))

    tasks = [asyncio.create_task(go_on()) for _ in range(READERS)]
    try:
        yield counts
    finally:
        is_over.set()
        await asyncio.gather(*tasks)


async def test_a_process_finishes_its_queries_and_sends_its_subscribers_away(running: Site) -> None:
    async with stand_in() as system, running.client(running.address(0)) as client:
        _, token = await client.connected(system)
        follower = Follower(running, url=running.address(0))
        async with following(follower):
            await follower.until(lambda each: each.cursor)
            system.trouble("slow", delay_ms=3_000)
            query = asyncio.create_task(client.data(ORDERS, token))
            await asyncio.sleep(1.0)
            began = time.monotonic()
            running.programs[0].process.send_signal(signal.SIGTERM)
            await follower.until(lambda each: each.codes)
            assert follower.codes[0] == 1012
            assert (await query)["purchaseOrders"]["isComplete"] is True
            code = await asyncio.to_thread(running.programs[0].process.wait, 60)
        assert code == 0
        assert time.monotonic() - began < 20
        assert "Traceback" not in running.programs[0].errors


async def test_a_process_that_lingers_says_that_it_is_not_ready_and_still_answers(
    tmp_path: Path, postgresql: Server
) -> None:
    with postgresql.empty() as database, site(tmp_path, 1, database_url=database, linger_seconds="3") as running:
        running.programs[0].process.send_signal(signal.SIGTERM)
        async with httpx.AsyncClient(base_url=running.url) as client:
            async with asyncio.timeout(20):
                while (await client.get("/readyz")).status_code == 200:  # noqa: ASYNC110 - it is another process
                    await asyncio.sleep(0.05)
            assert (await client.get("/healthz")).status_code == 200
        assert await asyncio.to_thread(running.programs[0].process.wait, 60) == 0


async def test_a_rolling_restart_fails_no_query(running: Site) -> None:
    async with stand_in() as system, running.client() as client:
        _, token = await client.connected(system)
        follower = Follower(running)
        async with following(follower), reading(client, token) as counts:
            for index in (0, 1, 0, 1):
                await asyncio.sleep(0.5)
                before = len(counts)
                assert await asyncio.to_thread(running.programs[index].end) == 0
                await asyncio.to_thread(running.start(index).ready)
                assert len(counts) > before
        assert set(counts) == {5}
        assert set(follower.codes) <= {1012}
