"""A Redis in trouble costs speed, and nothing else: every query is answered, in full and truthfully."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.ports import CacheOutcome
from gateway.stores.redis import RedisCache
from resolvers.ports import CacheEntry, CacheScope
from tests.faults.peers import Delay, black_hole, slow_way
from tests.gateway.running import RunningGateway, StandIn, running_gateway, stand_in
from tests.gateway.stores.redis_server import PASSWORD, RedisServer, running_redis

QUERY = """
{
  purchaseOrders(first: 3, freshness: {maxAgeSeconds: 600, staleOnError: true}) {
    nodes { id vendor { name } }
    isComplete
    sources { status servedFrom upstreamCalls error { code } }
  }
}
"""


@dataclass
class Site:
    """A gateway with one S/4HANA, whose cache may be in trouble."""

    gateway: RunningGateway
    erp: StandIn

    async def ask(self) -> dict[str, Any]:
        """The outcome of the source; the answer must be whole and true whatever the cache does."""
        found = (await self.gateway.data(QUERY))["purchaseOrders"]
        assert found["isComplete"] is True
        assert all(node["vendor"]["name"] for node in found["nodes"])
        assert len(found["nodes"]) == 3
        (source,) = found["sources"]
        assert (source["status"], source["error"]) == ("OK", None)
        return dict(source)

    async def until(self, served_from: str) -> None:
        """Ask until the answer comes from there."""
        async with asyncio.timeout(30):
            while (await self.ask())["servedFrom"] != served_from:  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.05)

    @property
    def errors(self) -> int:
        """How often Redis was tried in vain."""
        return self.gateway.process.cache_outcomes[CacheOutcome.ERROR]


@contextlib.asynccontextmanager
async def site(folder: Path, url: str) -> AsyncIterator[Site]:
    async with stand_in() as erp, running_gateway(folder, cache_url=SecretStr(url)) as gateway:
        await gateway.connected(erp)
        yield Site(gateway, erp)


def url_of(port: int) -> str:
    return f"redis://:{PASSWORD}@127.0.0.1:{port}/0"


async def test_killed_and_started_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "gateway.stores.redis")
    with running_redis(tmp_path) as server:
        async with site(tmp_path, server.url) as at:
            await at.until("CACHE")
            server.kill()
            for _ in range(20):
                assert (await at.ask())["servedFrom"] == "LIVE"
            tried = at.errors
            server.start()
            await at.until("CACHE")
            assert tried < 20
    said = [record.getMessage() for record in caplog.records if record.name == "gateway.stores.redis"]
    assert [message.partition(" (")[0] for message in said] == [
        "Redis does not answer",
        "Redis answers again; the cache is on",
    ]
    assert PASSWORD not in caplog.text


async def test_nothing_there_at_all(tmp_path: Path) -> None:
    async with site(tmp_path, "redis://127.0.0.1:1/0") as at:
        for _ in range(10):
            assert (await at.ask())["servedFrom"] == "LIVE"


async def test_black_holed(tmp_path: Path) -> None:
    async with black_hole() as port, site(tmp_path, url_of(port)) as at:
        for _ in range(20):
            assert (await at.ask())["servedFrom"] == "LIVE"
        assert at.errors < 20


async def test_paused_and_going_on(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server:
        async with site(tmp_path, server.url) as at:
            await at.until("CACHE")
            server.pause()
            for _ in range(10):
                assert (await at.ask())["servedFrom"] == "LIVE"
            server.go_on()
            await at.until("CACHE")


async def test_slow(tmp_path: Path, redis_server: RedisServer) -> None:
    delay = Delay()
    async with slow_way(redis_server.port, delay) as port, site(tmp_path, url_of(port)) as at:
        await at.until("CACHE")
        delay.seconds = 0.2
        for _ in range(10):
            await at.ask()
        assert (await at.ask())["servedFrom"] == "LIVE"
        delay.seconds = 0.0
        await at.until("CACHE")


async def test_an_answer_that_comes_too_late_is_no_answer_to_the_next_question(redis_server: RedisServer) -> None:
    delay, keys = Delay(), [f"{number}" for number in range(30)]
    scope = CacheScope("cus_one", "con_one", "g")
    async with slow_way(redis_server.port, delay) as port:
        patient = RedisCache(redis_server.url, timeout=20.0)
        entries = {key: CacheEntry(key.encode(), 0.0, 0.0, 0.0, 600.0) for key in keys}
        await patient.put(scope, (), entries, "0")
        hasty = RedisCache(url_of(port), timeout=0.03)
        for number, key in enumerate(keys * 4):
            delay.seconds = 0.035 if number % 3 == 0 else 0.0
            hasty._breaker.succeeded()
            found = await hasty.get(scope, (), [key])
            assert {each.content.decode() for each in found.entries.values()} <= {key}
        await hasty.close()
        await patient.close()


async def test_a_replica_that_only_reads(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "gateway.stores.redis")
    with running_redis(tmp_path) as server:
        async with site(tmp_path, server.url) as at:
            server.ask.replicaof("127.0.0.1", 1)
            for _ in range(10):
                assert (await at.ask())["servedFrom"] == "LIVE"
            server.ask.replicaof("NO", "ONE")
            await at.until("CACHE")
    said = [record.getMessage() for record in caplog.records if "refuses" in record.getMessage()]
    assert said == ["Redis refuses what it is told (ReadOnlyError)"]


async def test_full(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server:
        async with site(tmp_path, server.url) as at:
            server.configure(maxmemory=1, maxmemory_policy="noeviction")
            for _ in range(10):
                assert (await at.ask())["servedFrom"] == "LIVE"
            server.configure(maxmemory=0)
            await at.until("CACHE")


async def test_flushed(tmp_path: Path, redis_server: RedisServer) -> None:
    async with site(tmp_path, redis_server.url) as at:
        await at.until("CACHE")
        redis_server.ask.flushall()
        assert (await at.ask())["servedFrom"] == "LIVE"
        await at.until("CACHE")


async def test_the_wrong_password(tmp_path: Path, redis_server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    async with site(tmp_path, url_of(redis_server.port).replace(PASSWORD, "another-secret")) as at:
        for _ in range(5):
            assert (await at.ask())["servedFrom"] == "LIVE"
    assert "another-secret" not in caplog.text


async def test_what_redis_would_not_forget_is_not_found_either_and_is_forgotten_later(tmp_path: Path) -> None:
    scope = CacheScope("cus_one", "con_one", "g")
    with running_redis(tmp_path) as server:
        ours, others = (RedisCache(server.url, timeout=20.0) for _ in range(2))
        stamp = (await ours.get(scope, ("orders",), [])).stamp
        assert stamp is not None
        now = time.time(), time.monotonic()
        await ours.put(scope, ("orders",), {"a": CacheEntry(b"old", *now, 0.0, 600.0)}, stamp)
        server.ask.replicaof("127.0.0.1", 1)
        await ours.forget(scope)
        assert (await ours.get(scope, ("orders",), ["a"])).stamp is None
        assert (await others.get(scope, ("orders",), ["a"])).entries.keys() == {"a"}
        server.ask.replicaof("NO", "ONE")
        for store in (ours, others):
            recalled = await store.get(scope, ("orders",), ["a"])
            assert recalled.stamp is not None
            assert recalled.entries == {}
            await store.close()
