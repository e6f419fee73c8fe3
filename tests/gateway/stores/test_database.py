"""What every kind of database keeps to."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, insert, make_url, text, update
from sqlalchemy.exc import OperationalError

from gateway.stores.errors import Conflict, Unavailable
from gateway.stores.rows import Customer
from gateway.stores.sql import Store
from gateway.stores.tables import customers, meta
from tests.gateway.stores.samples import NOON, opened


async def test_concurrent_changes_through_two_stores_all_happen(url: str) -> None:
    async with opened(url) as one, opened(url) as two:
        await asyncio.gather(*(store.create_customer(name=str(n)) for store in (one, two) for n in range(40)))
        assert await one.epoch() == 80
        assert len(await two.customers(first=100)) == 80


async def test_of_concurrent_customers_with_one_external_id_one_is_made(store: Store) -> None:
    results = await asyncio.gather(
        *(store.create_customer(name=str(n), external_id="same") for n in range(20)), return_exceptions=True
    )
    assert sum(isinstance(result, Customer) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 19


async def test_a_reader_is_not_held_up_by_a_writer(store: Store) -> None:
    async with store.database.writing() as writing:
        await writing.execute(update(meta).where(meta.c.name == "epoch").values(value=99))
        assert await store.epoch() == 0


async def test_a_writer_that_is_broken_off_anywhere_holds_nobody_up(store: Store) -> None:
    async def write() -> None:
        async with store.database.writing() as writing:
            for _ in range(3):
                await writing.execute(update(meta).values(value=meta.c.value + 1).returning(meta.c.value))

    for steps in range(40):
        before = await store.epoch()
        writer = asyncio.create_task(write())
        for _ in range(steps):
            await asyncio.sleep(0 if steps < 20 else 0.0002)
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)
        async with asyncio.timeout(5):
            await write()
        assert await store.epoch() - before in (3, 6)  # what is broken off while it is committed may be done or not


async def test_rows_survive_a_restart(url: str) -> None:
    async with opened(url) as store:
        customer = await store.create_customer(name="Acme")
    async with opened(url) as store:
        assert await store.customers(first=10) == [customer]


async def test_an_empty_value_is_no_json_null(store: Store) -> None:
    async with store.database.writing() as connection:
        await connection.execute(insert(customers).values(id="cus_1", name="x", metadata=None, created_at=NOON))
        found = await connection.execute(text("SELECT count(*) FROM customers WHERE metadata IS NULL"))
        assert found.scalar_one() == 1


class Counted:
    """An engine that cannot connect, and counts how often it was to."""

    url = make_url("postgresql://user:s3cret@db.example.com/plant?password=s3cret")

    def __init__(self) -> None:
        self.times = 0

    async def connect(self) -> None:
        self.times += 1
        raise OSError("nobody answers")


async def test_a_database_that_is_away_is_named_without_who_may_enter(store: Store) -> None:
    engine: Any = Counted()
    present = store.database._reading
    store.database._reading = replace(present, engine=engine)
    with pytest.raises(Unavailable, match=r"^the database plant at db\.example\.com cannot be reached: OSError$"):
        await store.epoch()
    store.database._reading = present


async def test_a_database_that_is_away_is_left_alone_for_a_moment_and_found_again(store: Store) -> None:
    moments = [0.0]
    engine: Any = Counted()
    reading, writing = store.database._reading, store.database._writing
    for way in (reading, writing):
        way.breaker._monotonic = lambda: moments[0]

    async def attempts(way: str) -> list[bool]:
        """Whether it was certain, of six attempts, that nothing was changed."""
        untouched = []
        for _ in range(6):
            with pytest.raises(Unavailable) as error:
                await (store.epoch() if way == "reading" else store.create_customer(name="Acme"))
            untouched.append(error.value.is_untouched)
        return untouched

    store.database._writing = replace(writing, engine=engine)
    assert await attempts("writing") == [True] * 6
    assert engine.times == 2
    assert await store.epoch() == 0, "what only reads is tried by itself"
    store.database._reading = replace(reading, engine=engine)
    assert await attempts("reading") == [False] * 6
    assert engine.times == 4
    moments[0] += 60.0
    assert await attempts("writing") == [True] * 6
    assert engine.times == 4, "where nothing can be read, nothing can be written"
    store.database._reading, store.database._writing = reading, writing
    assert await store.epoch() == 0
    await store.create_customer(name="Acme")
    assert await store.epoch() == 1


async def test_what_is_lost_while_it_is_kept_may_have_been_kept(store: Store) -> None:
    def lose(*_: object) -> None:
        raise OperationalError("COMMIT", None, OSError("lost"), connection_invalidated=True)

    engine = store.database._writing.engine.sync_engine
    event.listen(engine, "commit", lose)
    with pytest.raises(Unavailable) as error:
        await store.create_customer(name="Acme")
    event.remove(engine, "commit", lose)
    assert not error.value.is_untouched
    with pytest.raises(Unavailable) as error:
        async with store.database.writing():
            raise OperationalError("UPDATE", None, OSError("lost"), connection_invalidated=True)
    assert error.value.is_untouched
