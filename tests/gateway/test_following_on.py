"""What followers are told while others write: nothing is lost, nothing comes twice, over both kinds of database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.stores.rows import SYSTEM, NewEvent
from tests.gateway.following import Followed, Line, followed
from tests.gateway.running import StandIn, stand_in
from tests.gateway.stores.samples import NOON, connected
from tests.servers.postgresql import Server

ORDERS = "{ purchaseOrders(first: 3) { nodes { id } isComplete sources { status error { code } } } }"
STATUS = """
subscription ($ids: [ID!], $after: String) { connectionStatus(connectionIds: $ids, after: $after) {
  connection { id status }
  event { name sequence previous { status } current { status } reason { code message } data } cursor } }
"""
HISTORY = """
query ($id: ID!) { events(first: 100, filter: {connectionId: {eq: $id}}) { nodes {
  name sequence previous { status } current { status } reason { code message } data } } }
"""


@pytest.fixture(params=["sqlite and memory", "postgresql and redis"])
async def plant(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Followed]:
    if request.param == "sqlite and memory":
        async with followed(tmp_path, credits=100) as found:
            yield found
        return
    server: Server = request.getfixturevalue("postgresql")
    redis = request.getfixturevalue("redis_server")
    async with (
        server.migrated() as url,
        followed(tmp_path, credits=100, database_url=url, cache_url=redis.url) as found,
    ):
        yield found


@pytest.fixture
async def sap() -> AsyncIterator[StandIn]:
    async with stand_in() as found:
        yield found


async def test_the_end_of_a_connection_during_a_query_and_a_subscription(plant: Followed, sap: StandIn) -> None:
    connection, token = await plant.gateway.connected(sap)
    customer = await plant.gateway.key()
    async with plant.line(token) as own, plant.line(customer) as line:
        for each in (own, line):
            await each.subscribe(query=STATUS)
            assert (await each.update())["connection"] == {"id": connection, "status": "ACTIVE"}
        sap.trouble("slow", delay_ms=60_000)
        asked = len(sap.box.requests)
        query = asyncio.create_task(plant.gateway.ask(ORDERS, token))
        while len(sap.box.requests) == asked:  # noqa: ASYNC110 - the stand-in tells nobody
            await asyncio.sleep(0.01)
        end = 'mutation ($id: ID!) { disconnectSystem(input: {id: $id, reason: "sold"}) { creditsReturned } }'
        assert (await plant.gateway.data(end, id=connection))["disconnectSystem"] == {"creditsReturned": 4}
        (source,) = (await query)["data"]["purchaseOrders"]["sources"]
        assert (source["status"], source["error"]["code"]) == ("ERROR", "CONNECTION_DISCONNECTED")
        told = await line.update()
        assert told["connection"] == {"id": connection, "status": "DISCONNECTED"}
        code, _ = await own.closed()
        assert code == 4403
    await plant.gateway.process.watch.settle()
    history = (await plant.gateway.data(HISTORY, id=connection))["events"]["nodes"][::-1]
    validating, active, ended = ({"status": status} for status in ("VALIDATING", "ACTIVE", "DISCONNECTED"))
    common: dict[str, Any] = {"reason": None, "data": None}
    why = {"code": "DISCONNECTED_BY_USER", "message": "sold"}
    assert history == [
        {"name": "connection.created", "sequence": 1, "previous": None, "current": validating, **common},
        {"name": "connection.activated", "sequence": 2, "previous": validating, "current": active, **common},
        {"name": "connection.disconnected", "sequence": 3, "previous": active, "current": ended, "reason": why,
         "data": {"creditsReturned": 4}},
    ]  # fmt: skip
    assert told["event"] == history[-1]


async def test_whoever_comes_again_and_again_while_others_write_misses_nothing(plant: Followed, sap: StandIn) -> None:
    connections = [(await plant.gateway.connected(sap, f"Plant {number}"))[0] for number in range(3)]
    async with plant.line() as line:
        await line.subscribe(query=STATUS)
        cursor = [await line.update() for _ in connections][-1]["cursor"]
    is_over = asyncio.Event()

    async def write(connection: str) -> None:
        life = plant.gateway.process.directory.store.lifecycle
        for _ in range(6):
            await life.pause(connection, None, customer_id=None, by=SYSTEM)
            await life.resume(connection, customer_id=None, by=SYSTEM)

    async def write_all() -> None:
        await asyncio.gather(*map(write, connections))
        is_over.set()

    writing = asyncio.create_task(write_all())
    seen: list[tuple[str, int]] = []
    while len(seen) < 3 * 12:
        async with plant.line() as line:
            await line.subscribe(query=STATUS, after=cursor)
            for update in await some(line, 5):
                cursor = update["cursor"]
                seen.append((update["connection"]["id"], update["event"]["sequence"]))
    await writing
    assert is_over.is_set()
    for connection in connections:
        assert [sequence for each, sequence in seen if each == connection] == list(range(3, 15))


async def some(line: Line, most: int) -> list[dict[str, Any]]:
    """A few updates, or those that there are."""
    found: list[dict[str, Any]] = []
    with contextlib.suppress(TimeoutError):
        while len(found) < most:
            message = await line.next(patience=10 if not found else 0.2)
            found.append(message["payload"]["data"]["connectionStatus"])
    return found


async def test_what_this_version_does_not_know_is_passed_over(plant: Followed, sap: StandIn) -> None:
    """A manifest that was taken away, or an event that a newer process beside this one has kept."""
    own, _ = await plant.gateway.connected(sap)
    store = plant.gateway.process.directory.store
    async with plant.line() as line:
        await line.subscribe(query=STATUS)
        first = await line.update()
        await connected(store, await store.create_customer(name="Works"), system="no_longer_there")
        newer = NewEvent(type="CONNECTION_TO_COME", occurred_at=NOON, connection_id=own, system="sap_s4hana")
        async with store.database.writing() as transaction:
            await store.events.append(transaction, newer)
        await store.lifecycle.pause(own, None, customer_id=None, by=SYSTEM)
        assert (await line.update())["event"]["name"] == "connection.paused"
    async with plant.line() as line:
        await line.subscribe(query=STATUS, after=first["cursor"])
        assert (await line.update())["event"]["name"] == "connection.paused"
    page = (await plant.gateway.data("{ events { nodes { name connectionId connection { id } } } }"))["events"]
    assert page["nodes"][0]["name"] == "connection.paused"
    assert {node["connection"] and node["connection"]["id"] for node in page["nodes"]} == {None, own}
    for number in range(1, 8):
        found = await plant.gateway.data("query ($id: ID!) { node(id: $id) { id } }", id=f"evt_{number:011}")
        assert "node" in found
