"""Subscriptions as clients have them: first how everything is, then every change, once and in order."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from gateway.serving.sharing import TooSlow
from gateway.stores.errors import Unavailable
from gateway.stores.rows import SYSTEM
from tests.gateway.following import STATUS, Followed, Line, followed
from tests.gateway.running import ADMIN, StandIn, stand_in

DISCONNECT = "mutation ($id: ID!) { disconnectSystem(input: {id: $id}) { errors { code } } }"
REVOKED = "This token was revoked. Make a new key with `createApiKey` and use its token."
REVOKE = "mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { errors { code } } }"


@pytest.fixture
async def sap() -> AsyncIterator[StandIn]:
    async with stand_in() as found:
        yield found


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncIterator[Followed]:
    async with followed(tmp_path) as found:
        yield found


async def disconnect(plant: Followed, connection: str) -> None:
    payload = await plant.gateway.data(DISCONNECT, id=connection)
    assert payload["disconnectSystem"]["errors"] == []


async def names(line: Line, count: int) -> list[tuple[str, str]]:
    updates = [await line.update() for _ in range(count)]
    return [(update["connection"]["id"], update["event"] and update["event"]["name"]) for update in updates]


async def test_first_how_it_is_and_then_every_change(plant: Followed, sap: StandIn) -> None:
    one, _ = await plant.gateway.connected(sap)
    async with plant.line() as line:
        await line.subscribe()
        first = await line.update()
        assert (first["connection"], first["event"]) == ({"id": one, "lifecycle": "ENABLED"}, None)
        two, _ = await plant.gateway.connected(sap, name="Mill")
        await disconnect(plant, one)
        assert await names(line, 3) == [
            (two, "connection.created"),
            (two, "connection.activated"),
            (one, "connection.disconnected"),
        ]


async def test_a_change_is_never_shown_with_what_was_before_it(plant: Followed, sap: StandIn) -> None:
    one, _ = await plant.gateway.connected(sap)
    async with plant.line() as line:
        await line.subscribe(ids=[one])
        await line.update()
        await disconnect(plant, one)
        update = await line.update()
        assert update["connection"]["lifecycle"] == "DISCONNECTED"


async def test_a_cursor_goes_on_without_a_gap(plant: Followed, sap: StandIn) -> None:
    one, _ = await plant.gateway.connected(sap)
    async with plant.line() as line:
        await line.subscribe()
        cursor = (await line.update())["cursor"]
    two, _ = await plant.gateway.connected(sap, name="Mill")
    await disconnect(plant, two)
    async with plant.line() as line:
        await line.subscribe(after=cursor)
        await disconnect(plant, one)
        assert await names(line, 4) == [
            (two, "connection.created"),
            (two, "connection.activated"),
            (two, "connection.disconnected"),
            (one, "connection.disconnected"),
        ]


@pytest.mark.parametrize("cursor", ["", "evt_", "evt_0000000000z", "evt_zzzzzzzzzzz", "nonsense"])
async def test_a_cursor_that_is_none_is_refused(plant: Followed, cursor: str) -> None:
    async with plant.line() as line:
        await line.subscribe(after=cursor)
        message = await line.next()
        assert message["payload"]["errors"][0]["extensions"]["code"] == "INVALID_CURSOR"
        assert (await line.next())["type"] == "complete"


async def test_each_key_sees_its_own(plant: Followed, sap: StandIn) -> None:
    one, token = await plant.gateway.connected(sap)
    two, _ = await plant.gateway.connected(sap, name="Mill")
    mill = await plant.gateway.key("Mill")
    async with plant.line(token) as first, plant.line(mill) as second:
        await first.subscribe()
        await second.subscribe()
        assert (await first.update())["connection"]["id"] == one
        assert (await second.update())["connection"]["id"] == two
        await disconnect(plant, two)
        assert await names(second, 1) == [(two, "connection.disconnected")]
        await first.subscribe("other", ids=[two])
        message = await first.next()
        assert message["payload"]["errors"][0]["extensions"]["code"] == "CONNECTION_NOT_FOUND"


async def test_equal_subscriptions_are_executed_once(plant: Followed, sap: StandIn) -> None:
    one, _ = await plant.gateway.connected(sap)
    key = await plant.gateway.key()
    streams = plant.gateway.process.sockets.subscriptions
    async with plant.line(key) as line, plant.line(key) as other, plant.line(ADMIN) as operator:
        for identifier in "abc":
            await line.subscribe(identifier)
        await other.subscribe()
        await other.subscribe("by-its-id", ids=[one])
        await operator.subscribe()
        for _ in range(3):
            await line.update()
        for followed_line, count in ((other, 2), (operator, 1)):
            for _ in range(count):
                await followed_line.update()
        assert streams.streams == 3
        await disconnect(plant, one)
        assert len({str(await names(line, 1)) for _ in range(3)}) == 1
    for _ in range(500):
        if streams.streams == 0:
            return
        await asyncio.sleep(0.01)
    pytest.fail("nobody follows any more, and it is still executed")


async def test_where_they_began_does_not_part_those_who_ask_the_same(plant: Followed, sap: StandIn) -> None:
    await plant.gateway.connected(sap)
    async with plant.line() as line:
        await line.subscribe()
        cursor = (await line.update())["cursor"]
        await plant.gateway.connected(sap, name="Mill")
        await names(line, 2)
        await line.subscribe("resumed", after=cursor)
        await names(line, 2)
        assert plant.gateway.process.sockets.subscriptions.streams == 1


async def test_a_variable_called_after_that_chooses_connections_parts_them(plant: Followed, sap: StandIn) -> None:
    one, _ = await plant.gateway.connected(sap)
    two, _ = await plant.gateway.connected(sap, name="Mill")
    query = (
        "subscription ($after: [ID!]) { connectionStatus(connectionIds: $after) { connection { id } event { id } } }"
    )
    async with plant.line() as line:
        await line.subscribe("one", query, after=[one])
        assert (await line.update())["connection"]["id"] == one
        await line.subscribe("two", query, after=[two])
        assert (await line.update())["connection"]["id"] == two
        await disconnect(plant, two)
        message = await line.next()
        assert message["id"] == "two"


async def test_a_revoked_key_closes_its_lines(plant: Followed, sap: StandIn) -> None:
    await plant.gateway.connected(sap)
    made = await plant.gateway.new_key(customerId=await plant.gateway.customer())
    async with plant.line(made["apiToken"]) as line, plant.line() as operator:
        await line.subscribe()
        await operator.subscribe()
        await line.update()
        await plant.gateway.data(REVOKE, id=made["apiKey"]["id"])
        assert await line.closed() == (4403, REVOKED)
        assert (await operator.update())["event"] is None


async def test_a_disconnected_connection_closes_the_lines_of_its_token(plant: Followed, sap: StandIn) -> None:
    one, token = await plant.gateway.connected(sap)
    async with plant.line(token) as line:
        await line.subscribe()
        await line.update()
        await disconnect(plant, one)
        assert (await line.closed())[0] == 4403


async def test_a_query_and_a_mutation_can_be_sent_too(plant: Followed) -> None:
    async with plant.line() as line:
        await line.subscribe(query="{ viewer { apiKey { kind } } }")
        assert (await line.next())["payload"]["data"] == {"viewer": {"apiKey": {"kind": "ADMIN"}}}
        assert await line.next() == {"id": "1", "type": "complete"}
        await line.subscribe(query="{ nothing }")
        message = await line.next()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "BAD_REQUEST")


async def test_completing_ends_it(plant: Followed, sap: StandIn) -> None:
    one, _ = await plant.gateway.connected(sap)
    async with plant.line() as line:
        await line.subscribe()
        await line.update()
        await line.send(id="1", type="complete")
        await line.subscribe("2", "{ __typename }")
        assert (await line.next())["id"] == "2"
        await disconnect(plant, one)
        await line.subscribe("1")
        assert [(await line.next())["id"] for _ in range(2)] == ["2", "1"]


async def test_who_does_not_take_what_comes_is_sent_away_with_a_hint(tmp_path: Path, sap: StandIn) -> None:
    async with followed(tmp_path, max_waiting_updates=2) as plant:
        one, _ = await plant.gateway.connected(sap)
        async with plant.line() as line:
            await line.subscribe(ids=[one])
            await line.update()
            (group,) = plant.gateway.process.sockets.subscriptions._groups.values()
            (member,) = group.members
            member.lost = TooSlow()
            await disconnect(plant, one)
            member._woken.set()
            code, words = await line.closed()
            assert (code, "after" in words) == (4413, True)


async def test_who_is_sent_away_is_told_to_come_again(plant: Followed, sap: StandIn) -> None:
    await plant.gateway.connected(sap)
    async with plant.line() as line:
        await line.subscribe()
        await line.update()
        plant.gateway.process.subscriptions.break_off()
        code, words = await line.closed()
        assert (code, "after" in words) == (1012, True)


async def test_a_subscription_without_its_database_is_broken_off_and_not_completed(
    plant: Followed, sap: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = await plant.gateway.connected(sap)

    async def fail(*_: Any, **__: Any) -> Any:
        raise Unavailable("the database is away")

    async with plant.line() as line, plant.line() as late:
        await line.subscribe()
        await line.update()
        store = plant.gateway.process.directory.store
        with monkeypatch.context() as patch:
            patch.setattr(store, "connections", fail)
            await store.lifecycle.pause(one, None, customer_id=None, by=SYSTEM)
            assert (await line.closed())[0] == 1012
            await late.subscribe()
            assert (await late.closed())[0] == 1012


async def first_message(plant: Followed, message: dict[str, Any]) -> tuple[int, str]:
    async with plant.socket() as line:
        await line.send(**message)
        return await line.closed()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}, 4401),
        ({"type": "connection_init", "payload": {"authorization": "Bearer nonsense"}}, 4403),
        ({"type": "connection_init"}, 4403),
        ({"type": "hello"}, 4400),
        ({"type": "connection_init", "payload": [1]}, 4400),
    ],
)
async def test_the_first_message_has_to_carry_a_token(plant: Followed, message: dict[str, Any], code: int) -> None:
    assert (await first_message(plant, message))[0] == code


async def test_silence_at_the_beginning_is_ended(tmp_path: Path) -> None:
    async with followed(tmp_path, {"initialisation_seconds": 0.05}) as plant, plant.socket() as line:
        assert (await line.closed())[0] == 4408


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "connection_init", "payload": {}}, 4429),
        ({"type": "subscribe", "id": "", "payload": {"query": "x"}}, 4400),
        ({"type": "subscribe", "id": "1", "payload": {"query": 7}}, 4400),
        ({"type": "subscribe", "id": "1"}, 4400),
    ],
)
async def test_what_breaks_the_protocol_ends_the_line(plant: Followed, message: dict[str, Any], code: int) -> None:
    async with plant.line() as line:
        await line.send(**message)
        assert (await line.closed())[0] == code


async def test_an_id_is_used_once_at_a_time(plant: Followed, sap: StandIn) -> None:
    await plant.gateway.connected(sap)
    async with plant.line() as line:
        await line.subscribe()
        await line.update()
        await line.subscribe()
        assert (await line.closed())[0] == 4409


async def test_other_protocols_and_pages_of_others_are_refused(plant: Followed) -> None:
    async with plant.socket("graphql-ws") as line:
        assert (await line.closed())[0] == 4406
    with pytest.raises(InvalidStatus):
        async with plant.socket(origin="https://elsewhere.example"):
            pass


async def test_a_restart_tells_when_to_come_again(plant: Followed) -> None:
    async with plant.line() as line:
        plant.gateway.process.sockets.drain()
        code, words = await line.closed()
        assert (code, "go on with `after`" in words) == (1012, True)


async def test_the_same_over_server_sent_events(plant: Followed, sap: StandIn) -> None:
    one, _ = await plant.gateway.connected(sap)
    url = plant.url.replace("ws://", "http://") + "/graphql"
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {ADMIN}"}
    async with (
        httpx.AsyncClient(timeout=10) as client,
        client.stream("POST", url, json={"query": STATUS}, headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert await anext(lines) == "event: next"
        assert f'"id":"{one}"' in await anext(lines)
        assert await anext(lines) == ""
        await disconnect(plant, one)
        assert await anext(lines) == "event: next"
        assert "connection.disconnected" in await anext(lines)


async def test_a_query_over_server_sent_events_completes(plant: Followed) -> None:
    url = plant.url.replace("ws://", "http://") + "/graphql"
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {ADMIN}"}
    async with httpx.AsyncClient(timeout=10) as client:
        answer = await client.post(url, json={"query": "{ __typename }"}, headers=headers)
        first, last, nothing = answer.text.split("\n\n")
        assert first.startswith('event: next\ndata: {"data":{"__typename":"Query"}')
        assert (last, nothing) == ("event: complete\ndata:", "")
        refused = await client.post(url, json={"query": "{ __typename }"}, headers={"Accept": "text/event-stream"})
        assert refused.status_code == 401


async def test_lines_are_kept_open_by_pings(tmp_path: Path) -> None:
    async with followed(tmp_path, {"idle_ping_seconds": 0.02}) as plant, plant.line() as line:
        async with asyncio.timeout(10):
            assert await line.socket.recv() == '{"type":"ping"}'
        await line.send(type="pong")
        await line.send(type="ping")
        assert (await line.next())["type"] == "pong"
