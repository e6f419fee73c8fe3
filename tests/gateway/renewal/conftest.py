"""A mill whose logins end and are renewed, in one process or three, over every kind of database."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from gateway.stores.sql import Store
from tests.gateway.lives.story import Plant, Story, telling
from tests.gateway.stores.conftest import store, url
from tests.gateway.stores.samples import opened
from tests.servers.token_server import Mill, known_system

__all__ = ["mill", "processes", "store", "story", "url"]


@pytest.fixture
def mill() -> Mill:
    return Mill()


@pytest.fixture
async def story(store: Store, mill: Mill) -> AsyncIterator[Story]:
    """A mill in one process; it is not connected yet."""
    with known_system():
        async with telling(store, plant=Plant(mill)) as story:
            yield story


@pytest.fixture
async def processes(url: str, story: Story, mill: Mill) -> AsyncIterator[list[Story]]:
    """Three processes that all use one connection to the mill, each with its own way to the database."""
    await connect(story, mill)
    async with AsyncExitStack() as stack:
        others = [
            await stack.enter_async_context(telling(await stack.enter_async_context(opened(url)), story))
            for _ in range(2)
        ]
        for each in (story, *others):
            assert await each.ask() == "ok"
        mill.forget()
        yield [story, *others]


async def connect(story: Story, mill: Mill, login: str = "refresh") -> None:
    """Connect the mill, with the login of this key."""
    credentials = mill.credentials(story.plant.url, login)
    payload = await story.connect(system="mill", auth_method=login, credentials=credentials)
    assert payload.errors == []
