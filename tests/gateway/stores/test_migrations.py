import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from gateway.stores import migrations
from gateway.stores.errors import StoreError
from gateway.stores.sql import Store
from gateway.stores.tables import metadata

ROOT = Path(migrations.__file__).parents[3]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'switchgear.db'}"


def test_head_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.HEAD]


async def test_the_revisions_lead_to_the_tables(url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    def constraints(connection: Connection) -> list[object]:
        found = inspect(connection)
        return [
            (table.name, found.get_foreign_keys(table.name), found.get_unique_constraints(table.name))
            for table in metadata.sorted_tables
        ]

    store = await Store.open(url)
    async with store.database.reading() as connection:
        assert await connection.run_sync(differences) == []
        migrated = await connection.run_sync(constraints)
    async with store.database.writing() as connection:
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
        assert await connection.run_sync(constraints) == migrated
    await store.close()


async def test_a_newer_database_is_refused_in_words_and_left_alone(url: str) -> None:
    store = await Store.open(url)
    async with store.database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await store.close()
    with pytest.raises(StoreError, match="newer version"):
        await Store.open(url)


async def test_a_revision_that_fails_leaves_nothing_behind(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade = migrations.upgrade

    def fail_at_the_end(connection: Connection) -> None:
        upgrade(connection)
        raise RuntimeError("power cut")

    monkeypatch.setattr(migrations, "upgrade", fail_at_the_end)
    with pytest.raises(RuntimeError):
        await Store.open(url)
    monkeypatch.undo()
    store = await Store.open(url)
    assert await store.epoch() == 0
    await store.close()


async def test_a_current_database_is_opened_without_alembic(url: str) -> None:
    await (await Store.open(url)).close()
    program = f"""
import asyncio, sys
from gateway.stores.sql import Store

async def main():
    await (await Store.open({url!r})).close()

asyncio.run(main())
sys.exit("alembic" in sys.modules)
"""
    finished = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False, timeout=60)  # noqa: S603, ASYNC221
    assert finished.returncode == 0
