"""Stories run over every kind of database, with stand-ins on loopback and a clock that is told to go on."""

from collections.abc import AsyncIterator

import pytest

from gateway.stores.sql import Store
from tests.gateway.lives.story import Story, telling
from tests.gateway.stores.conftest import store, url

__all__ = ["store", "story", "url"]


@pytest.fixture
async def story(store: Store) -> AsyncIterator[Story]:
    async with telling(store) as story:
        yield story
