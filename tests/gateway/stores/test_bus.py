"""The bus between processes, and what is told on it: that something was committed, and nothing else."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.stores.backends import open_bus
from gateway.stores.bus import Bus
from gateway.stores.redis_bus import RedisBus
from gateway.stores.rows import Connection, NewEvent
from gateway.stores.sql import Store
from tests.faults.peers import black_hole
from tests.gateway.stores.redis_server import PASSWORD, RedisServer, running_redis

PATIENCE_SECONDS = 20.0


class Ear:
    """Counts the hints that come on a bus."""

    def __init__(self) -> None:
        self.count = 0
        self._heard = asyncio.Condition()

    def hear(self) -> None:
        self.count += 1
        self._wake = asyncio.ensure_future(self._notify())

    async def _notify(self) -> None:
        async with self._heard:
            self._heard.notify_all()

    async def until(self, count: int) -> None:
        """Wait until so many hints have come."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._heard:
            await self._heard.wait_for(lambda: self.count >= count)


@contextlib.asynccontextmanager
async def heard(bus: Bus) -> AsyncIterator[Ear]:
    """Listen to a bus while the block lasts."""
    ear = Ear()
    task = asyncio.create_task(bus.run(ear.hear))
    try:
        yield ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()


async def test_a_process_hears_the_others_and_not_itself(redis_server: RedisServer) -> None:
    one, two = open_bus(redis_server.url), open_bus(redis_server.url)
    async with heard(one) as first, heard(two) as second:
        await first.until(1)
        await second.until(1)
        one.tell()
        await second.until(2)
        redis_server.ask.publish("switchgear:changes", "a third process")
        await second.until(3)
        await first.until(2)
        assert (first.count, second.count) == (2, 3)


async def test_what_is_told_many_times_at_once_is_told_once_or_twice(redis_server: RedisServer) -> None:
    one, two = open_bus(redis_server.url), open_bus(redis_server.url)
    async with heard(one) as first, heard(two) as second:
        await first.until(1)
        await second.until(1)
        for _ in range(1_000):
            one.tell()
        await second.until(2)
        two.tell()
        await first.until(2)
        assert second.count <= 3


async def test_redis_goes_and_comes_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "gateway.stores.redis_bus")
    with running_redis(tmp_path) as server:
        one, two = open_bus(server.url), open_bus(server.url)
        async with heard(one) as first, heard(two) as second:
            await first.until(1)
            await second.until(1)
            server.kill()
            for _ in range(5):
                one.tell()
                await asyncio.sleep(0.05)
            server.start()
            await first.until(2)
            await second.until(2)
            one.tell()
            await second.until(3)
    said = [record.getMessage().partition(" (")[0] for record in caplog.records]
    assert sorted(said) == [
        "Redis answers again; what other processes change is seen at once",
        "Redis answers again; what other processes change is seen at once",
        "Redis does not answer",
        "Redis does not answer",
    ]
    assert PASSWORD not in caplog.text + repr(one)


async def test_a_line_that_leads_nowhere_any_more_is_opened_again(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server:
        bus = RedisBus(server.url, silence=0.2)
        async with heard(bus) as ear:
            await ear.until(1)
            server.pause()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while "there" in repr(bus):  # noqa: ASYNC110 - it is the line that has to notice
                    await asyncio.sleep(0.02)
            server.go_on()
            await ear.until(2)


async def test_a_black_hole_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "gateway.stores.redis_bus")
    async with black_hole() as port:
        bus = RedisBus(f"redis://:{PASSWORD}@127.0.0.1:{port}/0", silence=0.05)
        async with heard(bus) as ear:
            for _ in range(10):
                bus.tell()
                await asyncio.sleep(0)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not caplog.records:  # noqa: ASYNC110 - it is the bus that has to notice
                    await asyncio.sleep(0.02)
            assert ear.count == 0
    assert len(caplog.records) == 1


async def test_memory_has_nobody_to_tell() -> None:
    bus = open_bus("memory://")
    async with heard(bus) as ear:
        bus.tell()
    assert ear.count == 0


async def test_what_others_look_at_is_told_once_it_is_committed(store: Store, connection: Connection) -> None:
    told: list[int] = []
    epoch = await store.epoch()

    def tell() -> None:
        told.append(1)

    store.database.on_news = tell
    await store.create_customer(name="Acme")
    assert (len(told), await store.epoch()) == (1, epoch + 1)
    event = NewEvent(
        type="CONNECTION_DEGRADED",
        occurred_at=datetime.now(UTC),
        customer_id=connection.customer_id,
        connection_id=connection.id,
        system=connection.system,
    )
    async with store.database.writing() as transaction:
        await store.events.append(transaction, event)
        assert len(told) == 1
    assert len(told) == 2
    await store.touch_key("key_unknown", datetime.now(UTC))
    assert len(told) == 2


async def test_what_is_not_committed_is_not_told(store: Store) -> None:
    told: list[int] = []
    store.database.on_news = lambda: told.append(1)

    async def fail() -> None:
        async with store.database.changing():
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with store.database.writing():
        pass
    assert told == []
