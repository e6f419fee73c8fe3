import asyncio
import socket
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert, make_url, select, text
from sqlalchemy.exc import IntegrityError

from gateway.stores import migrations, postgres
from gateway.stores.errors import StoreError, Unavailable
from gateway.stores.sql import Store
from gateway.stores.tables import connections, customers
from tests.gateway.stores.samples import NOON, connected, opened
from tests.servers.postgresql import Server

ROOT = Path(migrations.__file__).parents[3]


@pytest.fixture
async def url(postgresql: Server) -> AsyncIterator[str]:
    async with postgresql.migrated() as made:
        yield made


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with opened(url) as store:
        yield store


def test_processes_that_begin_at_once_on_an_empty_database_all_start(postgresql: Server) -> None:
    program = """
import asyncio, sys
from gateway.stores.sql import Store

async def main():
    store = await Store.open(sys.argv[1])
    await store.create_customer(name="Acme")
    await store.close()

asyncio.run(main())
"""
    with postgresql.empty() as url:
        command = [sys.executable, "-c", program, url]
        running = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]  # noqa: S603 - our own program
        assert [process.wait(60) for process in running] == [0, 0]

        async def count() -> int:
            async with opened(url) as store:
                return len(await store.customers(first=10))

        assert asyncio.run(count()) == 2


async def test_pools_that_begin_at_once_on_an_empty_database_migrate_once(postgresql: Server) -> None:
    with postgresql.empty() as url:
        stores = await asyncio.gather(*(Store.open(url) for _ in range(5)))
        await stores[0].create_customer(name="Acme")
        assert [await store.epoch() for store in stores] == [1] * 5
        await asyncio.gather(*(store.close() for store in stores))


async def test_the_session_is_set_up(store: Store) -> None:
    expected = {
        "statement_timeout": "5s",
        "lock_timeout": "4s",
        "transaction_isolation": "repeatable read",
        "transaction_read_only": "on",
        "timezone": "UTC",
    }
    async with store.database.reading() as transaction:
        settings = {name: (await transaction.execute(text(f"SHOW {name}"))).scalar_one() for name in expected}
    assert settings == expected
    async with store.database.writing() as transaction:
        assert (await transaction.execute(text("SHOW transaction_isolation"))).scalar_one() == "read committed"


async def test_a_reader_sees_one_picture(store: Store) -> None:
    async with store.database.reading() as transaction:
        assert (await transaction.execute(select(customers))).all() == []
        await connected(store, await store.create_customer(name="Acme"))
        assert (await transaction.execute(select(connections))).all() == []


async def test_ids_sort_by_their_bytes_whatever_the_language_is(store: Store) -> None:
    ids = ["cus_B", "cus_Z", "cus_a", "cus_b"]
    async with store.database.writing() as transaction:
        for one in reversed(ids):
            await transaction.execute(insert(customers).values(id=one, name="x", created_at=NOON))
    assert [customer.id for customer in await store.customers(first=10)] == ids


async def test_an_error_tells_no_values(store: Store) -> None:
    secret = "".join(["exter", "nal-7"])  # else the traceback would show it as a line of this test
    await store.create_customer(name="Acme", external_id=secret)

    async def twice() -> None:
        async with store.database.writing() as transaction:
            row = {"id": "cus_1", "name": "x", "external_id": secret, "created_at": NOON}
            await transaction.execute(insert(customers).values(row))

    with pytest.raises(IntegrityError) as caught:
        await twice()
    told = "".join(traceback.format_exception(caught.value))
    assert "customers_external_id_key" in told
    assert secret not in told


async def test_what_waits_too_long_for_a_lock_is_unavailable(store: Store) -> None:
    async def wait() -> None:
        async with store.database.writing() as transaction:
            await transaction.execute(text("SET LOCAL lock_timeout = '20ms'"))
            await transaction.execute(text("UPDATE meta SET value = value"))

    async with store.database.changing():
        with pytest.raises(Unavailable):
            await wait()
    await wait()


async def test_a_transaction_that_takes_too_long_is_unavailable(store: Store) -> None:
    async def sleep() -> None:
        async with store.database._begun(store.database._writing, seconds=0.05) as transaction:
            await transaction.execute(text("SELECT pg_sleep(20)"))

    with pytest.raises(Unavailable, match="in time"):
        await sleep()
    assert await store.epoch() == 0


async def test_a_server_that_accepts_and_is_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_CONNECT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts, and nobody reads
        port = silent.getsockname()[1]
        with pytest.raises(Unavailable, match="TimeoutError"):
            await Store.open(f"postgresql://127.0.0.1:{port}/db?sslmode=disable")


async def test_a_connection_that_was_cut_is_unavailable_once_and_replaced_after(store: Store) -> None:
    cut = text("SELECT pg_terminate_backend(pg_backend_pid())")

    async def cut_itself() -> None:
        async with store.database.writing() as transaction:
            await transaction.execute(cut)

    with pytest.raises(Unavailable):
        await cut_itself()
    assert await store.epoch() == 0
    # Idle ones that the server has cut are noticed before they are used.
    others = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await asyncio.gather(*(store.epoch() for _ in range(4)))
    async with store.database.writing() as transaction:
        await transaction.execute(others)
    await asyncio.gather(*(store.epoch() for _ in range(4)))


async def test_a_server_that_is_gone_is_said_without_the_password() -> None:
    password = "".join(["ti", "ger"])  # else the traceback would show it as a line of this test
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        await Store.open(f"postgresql://scott:{password}@127.0.0.1:1/db")
    assert password not in "".join(traceback.format_exception(caught.value))


async def test_a_database_that_does_not_exist_is_said(postgresql: Server) -> None:
    with pytest.raises(StoreError, match="cannot be reached"):
        await Store.open(postgresql.url("nothing"))


def test_the_usual_name_of_the_setting_for_tls_is_understood() -> None:
    made = postgres.engine(make_url("postgresql://db.example.com/switchgear?sslmode=require"))
    assert made.url.query == {"ssl": "require"}
