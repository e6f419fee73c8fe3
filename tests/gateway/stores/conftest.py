"""Tests that ask for `url`, `empty_url` or `store` run over every kind of database."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.stores.rows import Connection
from gateway.stores.sql import Store
from tests.gateway.stores.samples import connected, opened
from tests.servers.postgresql import Server

KINDS = ("sqlite", "postgresql")


@pytest.fixture(params=KINDS)
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a database that holds nothing."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'switchgear.db'}"
        return
    server: Server = request.getfixturevalue("postgresql")
    async with server.migrated() as made:
        yield made


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that has no tables yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'switchgear.db'}"
        return
    server: Server = request.getfixturevalue("postgresql")
    with server.empty() as made:
        yield made


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with opened(url) as store:
        yield store


@pytest.fixture
async def connection(store: Store) -> Connection:
    made, _ = await connected(store, await store.create_customer(name="Acme"))
    return made
