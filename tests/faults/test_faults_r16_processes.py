"""R16: a process may die at any moment; nothing that was promised is lost, and subscribers go on in another one."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.stores import rows
from gateway.stores.sql import Store
from tests.e2e.followers import Follower, following
from tests.e2e.sites import Site, site
from tests.faults.kept import must_be_whole
from tests.faults.writers import Promises, writing
from tests.gateway.running import stand_in
from tests.gateway.stores.redis_server import RedisServer
from tests.servers.postgresql import Server

pytestmark = pytest.mark.faults

ROUNDS = 6
CREDITS = "1000"


@pytest.fixture(params=["one_process", "two_processes"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """The product in one of its shapes."""
    if request.param == "one_process":
        with site(tmp_path, 1, database_url=f"sqlite:///{tmp_path / 'one.db'}", credits=CREDITS) as made:
            yield made
        return
    postgresql: Server = request.getfixturevalue("postgresql")
    redis: RedisServer = request.getfixturevalue("redis_server")
    with (
        postgresql.empty() as database,
        site(tmp_path, database_url=database, cache_url=redis.url, credits=CREDITS) as made,
    ):
        yield made


async def test_killed_again_and_again_while_others_write_and_follow(running: Site) -> None:
    database, victims = running.settings["database_url"], len(running.programs)
    followers = [Follower(running) for _ in range(6)]
    async with stand_in() as system, following(*followers):
        async with writing(running, system) as promises:
            for follower in followers:
                await follower.until(lambda each: each.cursor)
            for number in range(ROUNDS):
                await asyncio.sleep(1.0)
                running.kill(number % victims)
                await asyncio.sleep(0.5)
                await asyncio.to_thread(running.start(number % victims).ready)
        async with running.client() as client:
            last, _ = await client.connected(system, name="The last")
        for follower in followers:
            await follower.has_heard_of(last, "connection.activated")
    await must_be_whole(database)
    await must_be_kept(database, promises)
    assert len(promises.disconnected) > ROUNDS
    for follower in followers:
        follower.must_be_whole()
        assert followed_all(follower, promises)
    assert any(follower.codes for follower in followers)


async def must_be_kept(url: str, promises: Promises) -> None:
    """Everything that was promised is there."""
    store = await Store.open(url)
    try:
        customers = {row.id for row in await store.customers(first=100_000)}
        keys = {row.id for row in await store.api_keys(None, first=100_000)}
        connections = {row.id: row.lifecycle for row in await store.connections(None, first=100_000)}
        entries = await store.credits.ledger(first=100_000)
    finally:
        await store.close()
    assert promises.connected <= {entry.connection_id for entry in entries if entry.kind == "TAKEN"}
    assert promises.disconnected <= {entry.connection_id for entry in entries if entry.kind == "RETURNED"}
    assert promises.customers <= customers
    assert promises.keys <= keys
    assert promises.connected <= connections.keys()
    assert {connections[each] for each in promises.disconnected} == {rows.DISCONNECTED}


def followed_all(follower: Follower, promises: Promises) -> bool:
    """Whether a follower was told of the end of each connection that it has seen begin, except where nobody knows."""
    begun = {each["connection"] for each in follower.events if each["name"] == "connection.activated"}
    ended = {each["connection"] for each in follower.events if each["name"] == "connection.disconnected"}
    return (begun & promises.disconnected) <= ended and len(begun) > ROUNDS
