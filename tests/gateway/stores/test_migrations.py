import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, make_url, text

from gateway.stores import migrations
from gateway.stores.database import BACKENDS, Database
from gateway.stores.errors import StoreError
from gateway.stores.rows import SYSTEM, Standing
from gateway.stores.sql import Store
from gateway.stores.tables import metadata

ROOT = Path(migrations.__file__).parents[3]
EARLIER_ROWS = {
    "customers": {"id": "cus_1", "name": "Acme", "created_at": "2026-03-01 12:00:00"},
    "connections": {
        "id": "con_1",
        "customer_id": "cus_1",
        "name": "SAP",
        "system": "sap_s4hana",
        "auth_method": "basic",
        "deployment": "CLOUD",
        "environment": "PRODUCTION",
        "tags": "[]",
        "settings": "{}",
        "base_url": "https://sap.example",
        "lifecycle": "ENABLED",
        "created_at": "2026-03-01 12:00:00",
    },
}


def test_head_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.HEAD]


async def test_the_revisions_lead_to_the_tables(empty_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    def constraints(connection: Connection) -> list[object]:
        found = inspect(connection)
        return [
            (table.name, found.get_foreign_keys(table.name), found.get_unique_constraints(table.name))
            for table in metadata.sorted_tables
        ]

    store = await Store.open(empty_url)
    async with store.database.reading() as connection:
        assert await connection.run_sync(differences) == []
        migrated = await connection.run_sync(constraints)
    async with store.database.writing() as connection:
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
        assert await connection.run_sync(constraints) == migrated
    await store.close()


async def test_connections_of_an_earlier_version_begin_with_an_unknown_health(empty_url: str) -> None:
    """Their rows are put in as the first revision has them."""

    def upgrade_to_the_first(connection: Connection) -> None:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.set_main_option("path_separator", "os")
        command.upgrade(config, "0001")

    backend = BACKENDS[make_url(empty_url).get_backend_name()]
    earlier = Database(backend.engine(make_url(empty_url)), backend)
    async with earlier.writing() as transaction:
        await transaction.run_sync(upgrade_to_the_first)
        for table, row in EARLIER_ROWS.items():
            names, values = ", ".join(row), ", ".join(f"'{value}'" for value in row.values())
            await transaction.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"))  # noqa: S608 - ours
    await earlier.close()

    store = await Store.open(empty_url)
    state = await store.states.read("con_1")
    assert state is not None
    assert (state.version, state.sequence, state.standing.status) == (0, 0, "VALIDATING")
    paused = await store.lifecycle.pause("con_1", None, customer_id="cus_1", by=SYSTEM)
    assert (await store.events.page(first=10))[0].current == Standing.of("PAUSED", "UNKNOWN")
    assert await store.connections("cus_1", first=10) == [paused]
    await store.close()


async def test_a_newer_database_is_refused_in_words_and_left_alone(empty_url: str) -> None:
    store = await Store.open(empty_url)
    async with store.database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await store.close()
    with pytest.raises(StoreError, match="newer version"):
        await Store.open(empty_url)


async def test_a_revision_that_fails_leaves_nothing_behind(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade = migrations.upgrade

    def fail_at_the_end(connection: Connection) -> None:
        upgrade(connection)
        raise RuntimeError("power cut")

    monkeypatch.setattr(migrations, "upgrade", fail_at_the_end)
    with pytest.raises(RuntimeError):
        await Store.open(empty_url)
    monkeypatch.undo()
    store = await Store.open(empty_url)
    assert await store.epoch() == 0
    await store.close()


async def test_a_current_database_is_opened_without_alembic(empty_url: str) -> None:
    await (await Store.open(empty_url)).close()
    program = f"""
import asyncio, sys
from gateway.stores.rows import SYSTEM, Standing
from gateway.stores.sql import Store

async def main():
    await (await Store.open({empty_url!r})).close()

asyncio.run(main())
sys.exit("alembic" in sys.modules)
"""
    finished = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False, timeout=60)  # noqa: S603, ASYNC221
    assert finished.returncode == 0
