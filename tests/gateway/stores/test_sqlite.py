import asyncio
import os
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self

import pytest
from sqlalchemy import select, text, update

from gateway.stores import sqlite
from gateway.stores.errors import StoreError
from gateway.stores.rows import NewWork
from gateway.stores.sql import Store
from gateway.stores.tables import meta
from tests.gateway.stores.samples import opened


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'switchgear.db'}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with opened(url) as store:
        yield store


# Writers do not overwrite each other


async def test_what_is_read_in_a_writing_transaction_stays_true_until_it_is_written(url: str) -> None:
    async def raise_by_one(store: Store) -> None:
        async with store.database.writing() as connection:
            value = (await connection.execute(select(meta.c.value).where(meta.c.name == "epoch"))).scalar_one()
            await asyncio.sleep(0)
            await connection.execute(update(meta).where(meta.c.name == "epoch").values(value=value + 1))

    async with opened(url) as one, opened(url) as two:
        await asyncio.gather(*(raise_by_one(store) for store in (one, two) for _ in range(20)))
        assert await one.epoch() == 40


# The database itself


async def test_the_database_is_private_and_set_up(store: Store, tmp_path: Path) -> None:
    await store.create_customer(name="Acme")
    assert {name: (tmp_path / name).stat().st_mode & 0o777 for name in os.listdir(tmp_path)} == {
        "switchgear.db": 0o600,
        "switchgear.db-shm": 0o600,
        "switchgear.db-wal": 0o600,
    }
    async with store.database.reading() as connection:
        settings = {
            name: (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    assert settings == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 4_000}


async def test_a_file_that_others_could_read_is_closed_to_them(url: str, tmp_path: Path) -> None:
    path = tmp_path / "switchgear.db"
    path.touch(mode=0o644)
    async with opened(url):
        pass
    assert path.stat().st_mode & 0o777 == 0o600


async def test_the_folder_is_made(tmp_path: Path) -> None:
    async with opened(f"sqlite:///{tmp_path / 'a' / 'b' / 'switchgear.db'}"):
        assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("oracle://scott:tiger@host/db", "only for sqlite:// and postgresql://"),
        ("scott:tiger", "not a URL"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("sqlite:////proc/nothing/here.db", "cannot be opened"),
    ],
)
async def test_what_cannot_be_opened_is_refused_without_the_password(bad: str, reason: str) -> None:
    with pytest.raises(StoreError, match=reason) as caught:
        await Store.open(bad)
    assert "tiger" not in str(caught.value)


# The clock of the machine is set


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_is_set_moves_no_lease_and_nothing_that_is_due(
    store: Store, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(hours=hours)

    async def schedule(key: str, delay: timedelta) -> None:
        async with store.database.writing() as transaction:
            await store.due.schedule(transaction, NewWork(kind="probe", key=key, lane="probes", delay=delay))

    minute = timedelta(minutes=1)
    await schedule("taken", timedelta())
    assert [work.key for work in await store.due.claim("probes", first=9, lease=minute)] == ["taken"]
    await schedule("now", timedelta())
    await schedule("later", minute)
    monkeypatch.setattr(sqlite, "datetime", Clock)
    assert [work.key for work in await store.due.claim("probes", first=9, lease=minute)] == ["now"]
