"""What every kind of database keeps to."""

import asyncio

from sqlalchemy import insert, text, update

from gateway.stores.errors import Conflict
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
