"""Tests that ask for `url` or `store` run over every kind of database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.stores.sql import Store
from tests.gateway.stores.samples import opened
from tests.servers.postgresql import Server

KINDS = ("sqlite", "postgresql")


@pytest.fixture(params=KINDS)
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a database that is up to date and holds nothing."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'switchgear.db'}"
        return
    server: Server = request.getfixturevalue("postgresql")
    async with server.migrated() as made:
        yield made


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with opened(url) as store:
        yield store
