"""The cache in a whole gateway: defaults of connections, customers apart, herds, and several gateways on one Redis."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from connectors.ports import CacheOutcome
from gateway.directory import generation_of
from gateway.keys.keyring import Keyring
from gateway.settings import Settings
from gateway.stores.backends import addresses_of
from gateway.stores.redis import RedisCache
from gateway.stores.rows import Customer
from resolvers.cache import Body, ReadCache, Wanted
from resolvers.ports import CacheScope
from tests.gateway.running import RunningGateway, running_gateway, stand_in
from tests.gateway.stores.redis_server import RedisServer
from tests.gateway.stores.samples import NOON, connection_of

QUERY = """
query ($freshness: FreshnessInput) {
  purchaseOrders(first: 2, freshness: $freshness, timeoutMs: 120000) {
    nodes { id number connection { id } meta { source } }
    sources { connection { id } status servedFrom upstreamCalls }
  }
}
"""
MINUTE = {"maxAgeSeconds": 60}


async def sources(gateway: RunningGateway, **variables: Any) -> list[dict[str, Any]]:
    found = await gateway.data(QUERY, **variables)
    return list(found["purchaseOrders"]["sources"])


async def test_a_connection_may_say_how_old_its_answers_may_be(tmp_path: Path) -> None:
    async with stand_in() as erp, running_gateway(tmp_path) as gateway:
        payload = await gateway.connect(erp.url, settings={"maxAgeSeconds": 60, "staleOnError": True})
        assert payload["errors"] == []
        erp.box.requests.clear()
        for served_from in ("LIVE", "CACHE"):
            assert [source["servedFrom"] for source in await sources(gateway)] == [served_from]
        assert len(erp.box.requests) == 1
        assert [source["servedFrom"] for source in await sources(gateway, freshness={"maxAgeSeconds": 0})] == ["LIVE"]
        erp.trouble("error")
        assert [source["status"] for source in await sources(gateway, freshness={"maxAgeSeconds": 0})] == ["STALE"]
        erp.trouble("none")
        payload = await gateway.connect(erp.url, settings={"maxAgeSeconds": -1})
        assert [error["field"] for error in payload["errors"]] == ["settings.maxAgeSeconds"]


async def test_two_connections_to_one_system_share_nothing(tmp_path: Path) -> None:
    async with stand_in() as erp, running_gateway(tmp_path) as gateway:
        await gateway.connected(erp, "Ours")
        await gateway.connected(erp, "Theirs")
        ours, theirs = await gateway.key("Ours"), await gateway.key("Theirs")
        erp.box.requests.clear()
        first = await gateway.data(QUERY, ours, freshness=MINUTE)
        second = await gateway.data(QUERY, theirs, freshness=MINUTE)
        assert [len(item["purchaseOrders"]["sources"]) for item in (first, second)] == [1, 1]
        assert second["purchaseOrders"]["sources"][0]["servedFrom"] == "LIVE"
        assert len(erp.box.requests) == 2
        both = await gateway.data(QUERY, freshness=MINUTE)
        assert [source["servedFrom"] for source in both["purchaseOrders"]["sources"]] == ["CACHE", "CACHE"]
        assert len(erp.box.requests) == 2


async def test_a_thousand_equal_misses_cost_one_call_to_each_connection(tmp_path: Path) -> None:
    async with stand_in() as one, stand_in() as other, running_gateway(tmp_path) as gateway:
        for erp in (one, other):
            await gateway.connected(erp)
            erp.box.requests.clear()
            erp.trouble("slow", delay_ms=500)
        found = await asyncio.gather(*(sources(gateway, freshness=MINUTE) for _ in range(1_000)))
        assert [len(erp.box.requests) for erp in (one, other)] == [1, 1]
        assert sum(source["upstreamCalls"] for item in found for source in item) == 2
        assert {source["status"] for item in found for source in item} == {"OK"}
        counted = gateway.process.cache_outcomes
        assert counted[CacheOutcome.MISS] == 2
        assert counted[CacheOutcome.JOINED] > 0
        assert counted.total() == 2_000


async def test_two_gateways_share_one_redis(tmp_path: Path, redis_server: RedisServer) -> None:
    given: dict[str, Any] = {"keyring": Keyring.generate(), "cache_url": SecretStr(redis_server.url)}
    async with (
        stand_in() as erp,
        running_gateway(tmp_path, **given) as one,
        running_gateway(tmp_path, **given) as other,
    ):
        await one.connected(erp)
        await other.process.directory.refresh()
        erp.box.requests.clear()
        erp.trouble("slow", delay_ms=200)
        await asyncio.gather(*(sources(gateway, freshness=MINUTE) for gateway in (one, other) for _ in range(20)))
        assert 1 <= len(erp.box.requests) <= 2
        found = [source for gateway in (one, other) for source in await sources(gateway, freshness=MINUTE)]
        assert {source["status"] for source in found} == {"OK"}


async def test_two_processes_ask_once_for_all(redis_server: RedisServer) -> None:
    asked: list[Sequence[str]] = []
    outcomes = Counter[CacheOutcome]()
    scope = CacheScope("cus_one", "con_one", "g")

    async def ask(missing: Sequence[str], deadline: float) -> Mapping[str, Body]:
        asked.append(missing)
        await asyncio.sleep(0.2)
        return {digest: Body(b"answer", 600.0) for digest in missing}

    caches = [
        ReadCache(RedisCache(redis_server.url, timeout=20.0), observe=lambda outcome: outcomes.update([outcome]))
        for _ in range(3)
    ]

    async def get(cache: ReadCache) -> bytes:
        deadline = asyncio.get_running_loop().time() + 60.0
        answer = await cache.answer(Wanted(scope, ("orders",), ("a",), cache.monotonic() - 60.0, False, deadline), ask)
        return answer.entries["a"].content

    found = await asyncio.gather(*(get(cache) for cache in caches for _ in range(100)))
    assert set(found) == {b"answer"}
    assert len(asked) == 1
    assert outcomes[CacheOutcome.MISS] == 1
    for cache in caches:
        await cache.close()


async def test_redis_cannot_be_connected_as_a_system(tmp_path: Path, redis_server: RedisServer) -> None:
    async with running_gateway(tmp_path, cache_url=SecretStr(redis_server.url)) as gateway:
        payload = await gateway.connect(f"http://127.0.0.1:{redis_server.port}")
        (error,) = payload["errors"]
        assert (error["field"], "this gateway's own" in error["message"]) == ("credentials.url", True)


def test_where_a_cache_listens() -> None:
    assert addresses_of("redis://:secret@127.0.0.1") == [("127.0.0.1", 6379)]
    assert addresses_of("rediss://127.0.0.1:7000/3") == [("127.0.0.1", 7000)]
    assert addresses_of("redis://no-such-host.invalid") == []
    assert addresses_of("memory://") == addresses_of("unix:///run/redis.sock") == []


def test_a_generation_ends_with_anything_that_decides_what_is_read() -> None:
    row = connection_of(Customer(id="cus_one", name="One", created_at=NOON))
    changed = [
        replace(row, settings={"options": {"sap-client": "200"}}),
        replace(row, base_url="https://elsewhere.example.com"),
        replace(row, auth_method="other"),
        replace(row, lifecycle="PAUSED"),
        replace(row, authorized_at=row.created_at.replace(year=2030)),
    ]
    first = generation_of(row, "sealed", "")
    generations = [first, *(generation_of(item, "sealed", "") for item in changed)]
    generations += [generation_of(row, "sealed anew", ""), generation_of(row, "sealed", "a changed manifest")]
    assert len(set(generations)) == len(generations)
    assert generation_of(replace(row, name="Another name", tags=("new",)), "sealed", "") == first


@pytest.mark.parametrize(
    ("url", "said"), [("memcached://:secret@host", "redis://"), ("redis://:secret/word@host:1", "%2F")]
)
def test_a_cache_that_there_is_not_is_refused_without_its_password(url: str, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(cache_url=SecretStr(url))
    assert said in str(refused.value)
    assert "secret" not in str(refused.value)
