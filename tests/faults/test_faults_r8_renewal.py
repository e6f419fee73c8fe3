"""R8: a login is renewed once for all processes, and a process that dies while it does so leaves no loop behind."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.serving.servers import beside, listen, port_of
from gateway.stores.sql import Store
from gateway.stores.tables import sessions
from tests.e2e.sites import Site, site
from tests.gateway.running import GatewayClient
from tests.gateway.stores.redis_server import RedisServer
from tests.servers.postgresql import Server
from tests.servers.token_server import CANARY, MANIFEST, Mill

pytestmark = pytest.mark.faults

VENDORS = "{ vendors(first: 1) { nodes { name } sources { status error { code retryAfterMs } } } }"
STATUS = "query ($id: ID!) { connection(id: $id) { status statusReason { code } credential { status } } }"


@pytest.fixture(params=["one_process", "three_processes"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """The product in one of its shapes."""
    if request.param == "one_process":
        database = f"sqlite:///{tmp_path / 'one.db'}"
        with site(tmp_path, 1, database_url=database, manifests=str(MANIFEST)) as made:
            yield made
        return
    postgresql: Server = request.getfixturevalue("postgresql")
    redis: RedisServer = request.getfixturevalue("redis_server")
    with (
        postgresql.empty() as database,
        site(tmp_path, 3, database_url=database, cache_url=redis.url, manifests=str(MANIFEST)) as made,
    ):
        yield made


@pytest.fixture
async def mill() -> AsyncIterator[tuple[Mill, str]]:
    """A mill and its address."""
    made, listener = Mill(), listen("127.0.0.1", 0)
    async with beside(made, listener):
        yield made, f"http://127.0.0.1:{port_of(listener)}"


async def connect(running: Site, mill: Mill, url: str) -> str:
    """Connect the mill, and wait until every process knows it; the connection's id."""
    given = [{"name": item.name, "value": item.value} for item in mill.credentials(url)]
    async with running.client(running.address(0)) as client:
        payload = await client.connect(url, system="mill", authMethod="refresh", credentials=given)
        assert payload["errors"] == []
    for index in range(len(running.programs)):
        async with running.client(running.address(index)) as client, asyncio.timeout(20.0):
            while await ask(client) != ("OK", None):  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.1)
    mill.forget()
    return str(payload["connection"]["id"])


async def ask(client: GatewayClient) -> tuple[str, str | None] | None:
    """What the mill's vendors come to; None where the connection is not known."""
    sources = (await client.data(VENDORS))["vendors"]["sources"]
    if not sources:
        return None
    error: dict[str, Any] | None = sources[0]["error"]
    return str(sources[0]["status"]), None if error is None else str(error["code"])


async def test_fifty_refusals_bring_one_token_request(running: Site, mill: tuple[Mill, str]) -> None:
    server, url = mill
    await connect(running, server, url)
    server.end_tokens(together=50)
    async with contextlib.AsyncExitStack() as stack:
        count = len(running.programs)
        clients = [await stack.enter_async_context(running.client(running.address(index))) for index in range(count)]
        told = await asyncio.gather(*(ask(clients[number % count]) for number in range(50)))
    assert told == [("OK", None)] * 50
    assert server.refused == 50
    assert server.grants == [f"{CANARY}-refresh-1"]


@contextlib.asynccontextmanager
async def nothing_is_kept(running: Site) -> AsyncIterator[None]:
    """Whoever wants to keep a session has to wait while the block lasts."""
    store = await Store.open(running.settings["database_url"])
    try:
        async with store.database.writing() as transaction:
            await transaction.execute(select(sessions).with_for_update())
            yield
    finally:
        await store.close()


@pytest.mark.parametrize("rotates", [True, False], ids=["rotating", "lasting"])
async def test_killed_between_receiving_a_token_and_keeping_it(
    running: Site, mill: tuple[Mill, str], rotates: bool
) -> None:
    server, url = mill
    connection = await connect(running, server, url)
    server.rotates = rotates
    before = await versions(running)
    server.end_tokens()
    server.gate.clear()
    async with running.client(running.address(0)) as client:
        leader = asyncio.create_task(ask(client))
        await server.reached.wait()
        async with nothing_is_kept(running):
            server.gate.set()
            while server.statuses != [200]:  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.5)
            running.kill(0)
        with contextlib.suppress(Exception):
            await leader
    assert await versions(running) == before, "it was not kept"
    index = len(running.programs) - 1
    if index == 0:
        await asyncio.to_thread(running.start(0).ready)
    async with running.client(running.address(index)) as client:
        told = []
        for _ in range(30):
            told.append(await ask(client))
            await asyncio.sleep(0.5)
        found = (await client.data(STATUS, id=connection))["connection"]
    old = f"{CANARY}-refresh-1"
    if rotates:
        assert server.grants == [old, old], "the old token is tried once more, and never again"
        assert told[-1] == ("REAUTHORIZATION_REQUIRED", "REAUTHORIZATION_REQUIRED")
        assert (found["status"], found["credential"]["status"]) == ("REAUTHORIZATION_REQUIRED", "REVOKED")
        assert found["statusReason"]["code"] == "CREDENTIALS_REVOKED"
    else:
        assert server.grants == [old, old]
        assert told[-1] == ("OK", None)
        assert (found["status"], found["credential"]["status"]) == ("ACTIVE", "VALID")


async def versions(running: Site) -> list[int]:
    store = await Store.open(running.settings["database_url"])
    try:
        return [row.version for row in await store.database.rows(select(sessions.c.version))]
    finally:
        await store.close()
