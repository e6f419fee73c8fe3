"""The database away: what is known goes on to count for a while, changes are refused at once, and it is said once."""

import logging
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.keys import tokens
from gateway.stores.errors import StoreError, Unavailable
from gateway.watching.absence import Absence
from tests.gateway.following import Followed, followed
from tests.gateway.running import ADMIN, StandIn, stand_in

ORDERS = "{ purchaseOrders(first: 1) { nodes { number } isComplete } }"
NEW_CUSTOMER = 'mutation { createCustomer(input: {name: "Acme"}) { customer { id } errors { code } } }'
Away = Callable[[], None]


@pytest.fixture
async def erp() -> AsyncIterator[StandIn]:
    async with stand_in() as found:
        yield found


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncIterator[Followed]:
    async with followed(tmp_path) as found:
        yield found


@pytest.fixture
def away(plant: Followed, monkeypatch: pytest.MonkeyPatch) -> Away:
    """Take the database away."""

    def take() -> None:
        database = plant.gateway.process.directory.store.database
        for way in (database._reading, database._writing):
            monkeypatch.setattr(way.engine.pool, "connect", _refuse)

    return take


def _refuse(*_: Any, **__: Any) -> Any:
    raise OSError("gone")


def later(plant: Followed, seconds: float) -> None:
    """Let the process believe that so much time has gone by since it last knew."""
    directory = plant.gateway.process.directory
    now = directory.monotonic
    directory.monotonic = lambda: now() + seconds


async def refusal(plant: Followed, query: str, token: str = ADMIN) -> dict[str, Any]:
    (error,) = (await plant.gateway.ask(query, token))["errors"]
    extensions: dict[str, Any] = error["extensions"]
    assert (extensions["code"], extensions["category"], extensions["retryable"]) == ("INTERNAL", "GATEWAY", True)
    assert extensions["retryAfterMs"] == 1000
    assert "retryAfterMs" in extensions["remediation"]
    return {"message": error["message"], **extensions}


async def test_records_are_read_and_nothing_is_changed(plant: Followed, erp: StandIn, away: Away) -> None:
    _, token = await plant.gateway.connected(erp)
    away()
    assert (await plant.gateway.data(ORDERS, token))["purchaseOrders"]["isComplete"]
    for _ in range(3):
        assert "Nothing was changed." in (await refusal(plant, NEW_CUSTOMER))["message"]
    assert (await plant.gateway.client.get("/readyz")).status_code == 503
    assert (await plant.gateway.client.get("/healthz")).status_code == 200


async def test_what_is_known_of_connections_and_customers_is_still_told(
    plant: Followed, erp: StandIn, away: Away
) -> None:
    one, token = await plant.gateway.connected(erp)
    other, _ = await plant.gateway.connected(erp, name="Mill")
    query = f"""{{
        connection(id: "{one}") {{ name status customer {{ name }} }}
        foreign: connection(id: "{other}") {{ name }}
        customers {{ nodes {{ name }} totalCount }}
        viewer {{ apiKey {{ kind }} connection {{ id }} customer {{ name }} }}
    }}"""
    before = await plant.gateway.data(query, token)
    before.pop("foreign")
    away()
    answer = await plant.gateway.ask(query, token)
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["foreign"], "INTERNAL")
    assert {name: value for name, value in answer["data"].items() if name != "foreign"} == before
    assert before["customers"] == {"nodes": [{"name": "Plant"}], "totalCount": 1}
    await refusal(plant, "{ connections { totalCount } }")  # those that were disconnected are not known here


async def test_after_a_minute_nobody_is_let_in(plant: Followed, erp: StandIn, away: Away) -> None:
    _, token = await plant.gateway.connected(erp)
    away()
    later(plant, 58.0)
    assert (await plant.gateway.data(ORDERS, token))["purchaseOrders"]["isComplete"]
    later(plant, 3.0)
    for each in (token, ADMIN):
        headers = {"Authorization": f"Bearer {each}"}
        answer = await plant.gateway.client.post("/graphql", headers=headers, json={"query": ORDERS})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "which tokens are still in force" in answer.json()["errors"][0]["message"]
        await refusal(plant, ORDERS, each)
    page = await plant.gateway.client.get("/metrics", headers={"Authorization": f"Bearer {ADMIN}"})
    assert (page.status_code, "database is away" in page.text) == (503, True)


async def test_what_is_known_counts_anew_once_the_database_has_answered(plant: Followed, erp: StandIn) -> None:
    _, token = await plant.gateway.connected(erp)
    later(plant, 61.0)
    with pytest.raises(Unavailable):
        await plant.gateway.process.admission.authenticate(token)
    await plant.gateway.process.directory.refresh()
    assert (await plant.gateway.data(ORDERS, token))["purchaseOrders"]["isComplete"]


async def test_a_line_is_told_to_come_again(plant: Followed, away: Away) -> None:
    async with plant.line() as line:
        away()
        later(plant, 61.0)
        await line.subscribe(query="{ __typename }")
        assert (await line.closed())[0] == 1012
    async with plant.socket() as line:
        await line.send(type="connection_init", payload={"authorization": f"Bearer {ADMIN}"})
        assert await line.closed() == (1012, "The database is away; come again in 1000 ms.")


async def test_a_mistyped_token_is_refused_without_the_database(plant: Followed, away: Away) -> None:
    away()
    stranger = tokens.mint(tokens.TokenKind.CUSTOMER).secret.get_secret_value()
    mistyped = stranger[:-1] + ("0" if stranger[-1] != "0" else "1")
    for token, status in ((mistyped, 401), (stranger, 503)):
        answer = await plant.gateway.client.post(
            "/graphql", headers={"Authorization": f"Bearer {token}"}, json={"query": ORDERS}
        )
        assert answer.status_code == status


def test_an_absence_is_told_when_it_begins_and_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    moments = iter([10.0, 52.5, 60.0, 61.0])
    absence = Absence(logging.getLogger("test"), "it is gone", "it is back", lambda: next(moments))
    absence.over()
    for _ in range(2):
        for _ in range(3):
            absence.met(StoreError("no answer"))
        for _ in range(2):
            absence.over()
    told = [record.getMessage() for record in caplog.records]
    assert told == ["it is gone", "it is back after 42.5 seconds", "it is gone", "it is back after 1.0 seconds"]


async def test_the_background_says_once_that_it_cannot_work(
    plant: Followed, away: Away, caplog: pytest.LogCaptureFixture
) -> None:
    prober = plant.gateway.process.prober
    assert prober is not None
    away()
    for _ in range(3):
        with pytest.raises(Unavailable):
            await prober.take()
        await prober.look()
    told = [record.getMessage() for record in caplog.records if record.name == "gateway.watching.probing"]
    assert [re.sub(r" after .*", "", line) for line in told] == ["no probes can be taken now"]
