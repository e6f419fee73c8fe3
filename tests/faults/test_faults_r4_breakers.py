"""R4: a breaker opens soon, probes with one call, closes soon after the repair; processes share it by way of Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from connectors.ports import BreakerState
from gateway.keys.keyring import Keyring
from tests.faults.plant import Plant, plant
from tests.faults.proxy import Fault, answer_bytes
from tests.gateway.running import running_gateway
from tests.gateway.stores.redis_server import RedisServer, running_redis

BROKEN = answer_bytes(500)
EMPTY = answer_bytes(200, b'{"d": {"results": []}}')
SKIPPED = ("SKIPPED_CIRCUIT_OPEN", "CIRCUIT_OPEN")
OPEN_SECONDS = 1.0
PATIENCE_SECONDS = 20.0


def breaker(place: Plant) -> BreakerState:
    (live,) = (item for item in place.gateway.process.directory.lives() if item.connection.name == "troubled")
    return live.source.guard.breaker.state


async def break_down(place: Plant) -> None:
    place.proxy.answer(BROKEN)
    for _ in range(5):
        assert (await place.ask("troubled")).outcome() == ("ERROR", "UPSTREAM_ERROR")


async def wait_out(place: Plant) -> None:
    """Wait as long as the refusal says."""
    answer = await place.ask("troubled")
    assert answer.outcome() == SKIPPED
    await asyncio.sleep(answer.source()["error"]["retryAfterMs"] / 1_000)


async def test_it_opens_probes_with_one_call_and_closes_after_two_successes(tmp_path: Path) -> None:
    async with plant(tmp_path, breaker_open_seconds=OPEN_SECONDS) as place:
        await break_down(place)
        await wait_out(place)
        assert len(place.proxy.requests) == 5
        place.proxy.fault = Fault.LATENCY
        place.proxy.seconds = 0.5
        before = len(place.troubled.box.requests)
        outcomes = [item.outcome() for item in await asyncio.gather(*(place.ask("troubled") for _ in range(10)))]
        assert sorted(outcomes, key=str) == [("OK", None)] + [SKIPPED] * 9
        assert len(place.troubled.box.requests) == before + 1
        place.proxy.fault = Fault.NONE
        assert breaker(place) is BreakerState.HALF_OPEN
        assert (await place.ask("troubled")).outcome() == ("OK", None)
        assert breaker(place) is BreakerState.CLOSED


async def test_a_probe_that_fails_opens_it_again_for_twice_as_long(tmp_path: Path) -> None:
    async with plant(tmp_path, breaker_open_seconds=OPEN_SECONDS) as place:
        await break_down(place)
        await wait_out(place)
        assert (await place.ask("troubled")).outcome() == ("ERROR", "UPSTREAM_ERROR")
        wait = (await place.ask("troubled")).source()["error"]["retryAfterMs"]
        assert OPEN_SECONDS < wait / 1_000 <= 2 * OPEN_SECONDS
        assert len(place.proxy.requests) == 6


async def test_it_is_open_for_a_single_record_too(tmp_path: Path) -> None:
    async with plant(tmp_path) as place:
        query = "query ($ids: [ID!]) { purchaseOrders(first: 1, connectionIds: $ids) { nodes { id } } }"
        (node,) = (await place.gateway.data(query, ids=[place.ids["troubled"]]))["purchaseOrders"]["nodes"]
        await break_down(place)
        answer = await place.gateway.ask("query ($id: ID!) { node(id: $id) { id } }", id=node["id"])
        (error,) = answer["errors"]
        assert error["extensions"]["code"] == "CIRCUIT_OPEN"
        assert 0 < error["extensions"]["retryAfterMs"] <= 5_000


@asynccontextmanager
async def two_processes(folder: Path, **settings: Any) -> AsyncIterator[tuple[Plant, Plant]]:
    """Two gateways over one store, one proxy and the same systems."""
    keyring = Keyring.generate()
    async with (
        plant(folder, keyring, **settings) as first,
        running_gateway(folder, keyring, **settings) as second,
    ):
        yield first, Plant(second, first.proxy, first.troubled, first.ids)


async def until(check: Callable[[], bool]) -> None:
    """Wait until something is seen; whoever does it cannot tell."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not check():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.02)


async def until_shared(*places: Plant) -> None:
    """Wait until every process knows that there are so many."""
    await until(lambda: all(place.gateway.process.calls.processes == len(places) for place in places))


async def until_open(place: Plant) -> None:
    await until(lambda: breaker(place) is BreakerState.OPEN)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path) as server:
        yield server


async def test_what_one_process_finds_out_the_other_knows(tmp_path: Path, redis: RedisServer) -> None:
    async with two_processes(tmp_path, cache_url=SecretStr(redis.url)) as (first, second):
        await until_shared(first, second)
        await break_down(first)
        await until_open(second)
        assert (await second.ask("troubled")).outcome() == SKIPPED
        assert len(first.proxy.requests) == 5
        assert second.healthy_rows_are_there(await second.ask())


async def test_a_process_that_comes_later_knows_it_too(tmp_path: Path, redis: RedisServer) -> None:
    keyring = Keyring.generate()
    async with plant(tmp_path, keyring, cache_url=SecretStr(redis.url), breaker_open_seconds=60.0) as first:
        await until_shared(first)
        await break_down(first)
        async with running_gateway(tmp_path, keyring, cache_url=SecretStr(redis.url)) as gateway:
            second = Plant(gateway, first.proxy, first.troubled, first.ids)
            await until_open(second)
            assert (await second.ask("troubled")).outcome() == SKIPPED
        assert len(first.proxy.requests) == 5


async def test_a_rest_that_one_process_is_told_to_take_is_taken_by_the_other(
    tmp_path: Path, redis: RedisServer
) -> None:
    async with two_processes(tmp_path, cache_url=SecretStr(redis.url)) as (first, second):
        await until_shared(first, second)
        first.proxy.answer(answer_bytes(429, b"", "Retry-After: 2"), EMPTY)
        asked = asyncio.create_task(first.ask("troubled"))
        await asyncio.sleep(0.5)
        answers = [await second.ask("troubled", timeout_ms=1_000), await second.ask("troubled"), await asked]
        assert [answer.outcome()[0] for answer in answers] == ["RATE_LIMITED", "OK", "OK"]
        refused, *later = first.proxy.requests
        assert all(moment - refused >= 2.0 for moment in later)
        assert len(later) == 2


async def test_concurrency_is_divided_among_processes(tmp_path: Path, redis: RedisServer) -> None:
    async with two_processes(tmp_path, cache_url=SecretStr(redis.url)) as (first, second):
        await until_shared(first, second)
        lives = [live for place in (first, second) for live in place.gateway.process.directory.lives()]
        assert {live.source.guard.lane.concurrency.limit for live in lives} == {4}


@pytest.mark.parametrize("cache_url", ["memory://", "redis://127.0.0.1:9/0"], ids=["memory", "redis away"])
async def test_without_redis_each_process_decides_alone(cache_url: str, tmp_path: Path) -> None:
    async with two_processes(tmp_path, cache_url=SecretStr(cache_url)) as (first, second):
        await break_down(first)
        assert breaker(second) is BreakerState.CLOSED
        await break_down(second)
        for place in (first, second):
            assert (await place.ask("troubled")).outcome() == SKIPPED
        assert len(first.proxy.requests) == 10


async def until_beating(server: RedisServer, processes: int) -> None:
    """Wait until so many processes have come back to Redis."""
    async with asyncio.timeout(PATIENCE_SECONDS), Redis.from_url(server.url) as client:
        while await client.zcard("switchgear:processes") < processes:  # noqa: ASYNC110 - it cannot tell
            await asyncio.sleep(0.05)


async def test_a_redis_that_dies_and_comes_back_is_no_more_than_a_pause(tmp_path: Path, redis: RedisServer) -> None:
    async with two_processes(tmp_path, cache_url=SecretStr(redis.url)) as (first, second):
        await until_shared(first, second)
        redis.kill()
        for place in (first, second):
            assert (await place.ask("healthy")).page["isComplete"] is True
        redis.start()
        await until_beating(redis, 2)
        await break_down(first)
        await until_open(second)
        assert len(first.proxy.requests) == 5
