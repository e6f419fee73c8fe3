"""R14: a PostgreSQL that hangs or is locked: nothing waits long, what is known counts for a while, all comes back."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import URL, make_url, text

from gateway.stores.sql import Store
from tests.faults.relay import Relay, relay
from tests.gateway.running import ADMIN, RunningGateway, running_gateway, stand_in
from tests.gateway.stores.samples import opened
from tests.servers.postgresql import Server

pytestmark = pytest.mark.faults

ORDERS = "{ purchaseOrders(first: 5) { nodes { number } isComplete } }"
NEW_CUSTOMER = 'mutation { createCustomer(input: {name: "Acme"}) { customer { id } errors { code } } }'
BOUND_SECONDS = 9.0
"""How long anything may take before the database is known to be away: a transaction, and giving its line up."""
AT_ONCE_SECONDS = 0.5


@pytest.fixture
async def url(postgresql: Server) -> AsyncIterator[str]:
    async with postgresql.migrated() as made:
        yield made


@pytest.fixture
async def line(url: str) -> AsyncIterator[Relay]:
    async with relay(Path(str(make_url(url).query["host"])) / ".s.PGSQL.5432") as made:
        yield made


def by(line: Relay, url: str) -> str:
    """The same database, reached by a line that can fall silent."""
    told = make_url(url)
    reached = URL.create(
        told.drivername, told.username, None, "127.0.0.1", line.port, told.database, {"sslmode": "disable"}
    )
    return reached.render_as_string()


async def timed(asking: Any) -> tuple[float, Any]:
    began = time.monotonic()
    answer = await asking
    return time.monotonic() - began, answer


async def refused(gateway: RunningGateway, query: str, seconds: float) -> dict[str, Any]:
    took, answer = await timed(gateway.ask(query))
    assert took < seconds
    (error,) = answer["errors"]
    extensions: dict[str, Any] = error["extensions"]
    assert (extensions["code"], extensions["retryable"], extensions["retryAfterMs"]) == ("INTERNAL", True, 1000)
    return {"message": error["message"], **extensions}


async def until_well(gateway: RunningGateway) -> None:
    async with asyncio.timeout(30.0):
        while (await gateway.client.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - it is looked at from outside
            await asyncio.sleep(0.1)
        while "errors" in await gateway.ask(NEW_CUSTOMER):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_a_database_that_falls_silent_costs_nobody_long(tmp_path: Path, url: str, line: Relay) -> None:
    async with (
        stand_in() as erp,
        running_gateway(tmp_path, database_url=by(line, url), snapshot_seconds=12.0) as gateway,
    ):
        identifier, token = await gateway.connected(erp)
        named = f'{{ connection(id: "{identifier}") {{ id status customer {{ name }} }} customers {{ totalCount }} }}'
        customers = (await gateway.data(named))["customers"]["totalCount"]
        line.fall_silent()
        first = await asyncio.gather(
            refused(gateway, NEW_CUSTOMER, BOUND_SECONDS),
            refused(gateway, "{ connections { totalCount } }", BOUND_SECONDS),
            gateway.data(ORDERS, token),
        )
        assert first[2]["purchaseOrders"]["isComplete"]
        assert "Nothing was changed" in (await refused(gateway, NEW_CUSTOMER, AT_ONCE_SECONDS))["message"]
        took, known = await timed(gateway.data(named))
        assert took < BOUND_SECONDS
        assert known["connection"] == {"id": identifier, "status": "ACTIVE", "customer": {"name": "Plant"}}
        assert known["customers"]["totalCount"] == customers
        took, ready = await timed(gateway.client.get("/readyz"))
        assert (ready.status_code, took < BOUND_SECONDS) == (503, True)
        async with asyncio.timeout(20.0):
            while (await outcome(gateway, token))[0] == 200:  # noqa: ASYNC110 - time has to pass
                await asyncio.sleep(0.1)
        assert await outcome(gateway, token) == (503, "INTERNAL", True, 1000)
        assert (await gateway.client.get("/healthz")).status_code == 200
        line.speak()
        await until_well(gateway)
        assert (await gateway.data(ORDERS, token))["purchaseOrders"]["isComplete"]


async def outcome(gateway: RunningGateway, token: str) -> tuple[Any, ...]:
    """The status of an answer, and what its error says."""
    headers = {"Authorization": f"Bearer {token}"}
    took, answer = await timed(gateway.client.post("/graphql", headers=headers, json={"query": ORDERS}))
    assert isinstance(answer, httpx.Response)
    assert took < 2.0
    if answer.status_code == 200:
        assert "errors" not in answer.json()
        return (200,)
    extensions = answer.json()["errors"][0]["extensions"]
    return answer.status_code, extensions["code"], extensions["retryable"], extensions["retryAfterMs"]


async def test_a_database_that_is_locked_refuses_changes_and_answers_the_rest(tmp_path: Path, url: str) -> None:
    async with (
        stand_in() as erp,
        running_gateway(tmp_path, database_url=url) as gateway,
        opened(url) as other,
    ):
        _, token = await gateway.connected(erp)
        async with locked(other):
            changes = asyncio.gather(*(refused(gateway, NEW_CUSTOMER, BOUND_SECONDS) for _ in range(12)))
            for _ in range(3):
                took, found = await timed(gateway.data(ORDERS, token))
                assert (took < AT_ONCE_SECONDS, found["purchaseOrders"]["isComplete"]) == (True, True)
            assert all("Nothing was changed" in each["message"] for each in await changes)
            assert (await gateway.data("{ connections { totalCount } }", ADMIN))["connections"]["totalCount"] == 1
        await until_well(gateway)
        assert (await gateway.data("{ customers { totalCount } }"))["customers"]["totalCount"] == 2


def locked(store: Store) -> Any:
    """Somebody holds the row that every change begins with."""
    return _Locked(store)


class _Locked:
    def __init__(self, store: Store) -> None:
        self._engine = store.database._writing.engine

    async def __aenter__(self) -> None:
        self._connection = await self._engine.connect()
        await self._connection.begin()
        await self._connection.execute(text("UPDATE meta SET value = value WHERE name = 'epoch'"))

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()
