"""Keys from their making to their end: what each may, when it stops, what its holder is told, and who is on record."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.keys import tokens
from gateway.serving.websocket import FORBIDDEN
from gateway.showing import previews_of
from gateway.stores import rows
from tests.gateway.following import STATUS, Followed, followed
from tests.gateway.running import ADMIN, StandIn, stand_in

ORDERS = "{ purchaseOrders(first: 1) { isComplete } }"
REVOKE = "mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { apiKey { revokedAt } errors { code } } }"
KEYS = "{ customers { nodes { apiKeys { nodes { id lastUsedAt } } } } }"
REMEDIES = {
    "UNAUTHENTICATED": "Send the header",
    "TOKEN_EXPIRED": "Make a new key with `createApiKey`",
    "TOKEN_REVOKED": "Make a new key with `createApiKey`",
}


@pytest.fixture
async def erp() -> AsyncIterator[StandIn]:
    async with stand_in() as found:
        yield found


@pytest.fixture
async def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Followed]:
    monkeypatch.setattr("gateway.app._EXPIRY_SECONDS", 0.02)
    async with followed(tmp_path) as found:
        yield found


def soon() -> str:
    return (datetime.now(UTC) + timedelta(seconds=0.4)).isoformat()


async def answered(plant: Followed, token: str) -> tuple[int, str]:
    """How a question with a token is answered, and the remedy that goes with the code."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = await plant.gateway.client.post("/graphql", headers=headers, json={"query": ORDERS})
    if answer.status_code == 200:
        return 200, ""
    extensions = answer.json()["errors"][0]["extensions"]
    assert extensions["remediation"].startswith(REMEDIES[extensions["code"]])
    return answer.status_code, extensions["code"]


async def stream(plant: Followed, token: str) -> list[str]:
    """All lines of a stream of server-sent events, until it ends."""
    url = plant.url.replace("ws://", "http://") + "/graphql"
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {token}"}
    async with (
        httpx.AsyncClient(timeout=10) as client,
        client.stream("POST", url, json={"query": STATUS}, headers=headers) as answer,
    ):
        return [line async for line in answer.aiter_lines()]


async def test_a_key_that_expires_closes_what_was_opened_with_it(plant: Followed, erp: StandIn) -> None:
    await plant.gateway.connected(erp)
    brief = await plant.gateway.key(expiresAt=soon())
    lasting = await plant.gateway.key(expiresAt="2999-01-01T00:00:00Z")
    async with plant.line(brief) as line, plant.line(lasting) as other:
        for each in (line, other):
            await each.subscribe()
            await each.update()
        lines = await stream(plant, brief)
        code, reason = await line.closed()
        assert (code, reason.partition(".")[0]) == (FORBIDDEN, "This token has expired")
        assert "createApiKey" in reason
        await plant.gateway.connected(erp)
        assert (await other.update())["event"]["name"] == "connection.created"
    assert "event: next" in lines
    assert "event: complete" not in lines  # it is broken off, and who comes again is told why
    assert await answered(plant, brief) == (401, "TOKEN_EXPIRED")


async def test_a_key_that_is_revoked_ends_its_streams(plant: Followed, erp: StandIn) -> None:
    await plant.gateway.connected(erp)
    made = await plant.gateway.new_key(customerId=await plant.gateway.customer())
    streaming = asyncio.create_task(stream(plant, made["apiToken"]))
    while not plant.gateway.process.subscriptions.streams:  # noqa: ASYNC110 - it begins when it is read
        await asyncio.sleep(0.01)
    await plant.gateway.data(REVOKE, id=made["apiKey"]["id"])
    async with asyncio.timeout(10):
        assert "event: complete" not in await streaming
    assert await answered(plant, made["apiToken"]) == (401, "TOKEN_REVOKED")


async def test_what_is_asked_on_an_open_line_needs_a_key_that_is_in_force(plant: Followed) -> None:
    made = await plant.gateway.new_key(kind="ADMIN")
    async with plant.line(made["apiToken"]) as line:
        process = plant.gateway.process
        process.sockets.check_keys = lambda **_: None  # type: ignore[method-assign] # as before it has looked
        await plant.gateway.data(REVOKE, id=made["apiKey"]["id"])
        await line.subscribe(query="{ customers { totalCount } }")
        assert (await line.closed())[0] == FORBIDDEN


async def test_each_way_to_be_refused_has_its_code_and_its_remedy(plant: Followed) -> None:
    made = await plant.gateway.new_key(kind="ADMIN")
    token = made["apiToken"]
    wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
    unknown = tokens.mint(tokens.TokenKind.ADMIN).secret.get_secret_value()
    assert await answered(plant, token) == (200, "")
    for each in (wrong, unknown, "sga_", token.upper(), f"{token} {token}"):
        assert await answered(plant, each) == (401, "UNAUTHENTICATED")
    await plant.gateway.data(REVOKE, id=made["apiKey"]["id"])
    assert await answered(plant, token) == (401, "TOKEN_REVOKED")


async def test_when_a_key_was_last_used_is_told(plant: Followed) -> None:
    used, unused = await plant.gateway.key(), await plant.gateway.key()
    viewer = "{ viewer { apiKey { id lastUsedAt } } }"
    await plant.gateway.data(viewer, used)
    await plant.gateway.process.admission.close()
    own = (await plant.gateway.data(viewer, used))["viewer"]["apiKey"]
    assert abs(datetime.now(UTC) - datetime.fromisoformat(own["lastUsedAt"])) < timedelta(minutes=1)
    (customer,) = (await plant.gateway.data(KEYS))["customers"]["nodes"]
    known = {key["id"]: key["lastUsedAt"] for key in customer["apiKeys"]["nodes"]}
    assert known.pop(own["id"]) == own["lastUsedAt"]
    assert list(known.values()) == [None]
    assert unused


async def test_the_token_of_a_connection_is_replaced_without_a_gap(plant: Followed, erp: StandIn) -> None:
    connection, old = await plant.gateway.connected(erp)
    new = await plant.gateway.new_key(kind="CONNECTION", connectionId=connection, scopes=["READ"])
    for token in (old, new["apiToken"]):
        assert await answered(plant, token) == (200, "")
    old_key = (await plant.gateway.data("{ viewer { apiKey { id } } }", old))["viewer"]["apiKey"]["id"]
    assert (await plant.gateway.data(REVOKE, id=old_key))["revokeApiKey"]["apiKey"]["revokedAt"]
    assert await answered(plant, old) == (401, "TOKEN_REVOKED")
    assert await answered(plant, new["apiToken"]) == (200, "")
    await on_record(plant, connection, old_key, new["apiKey"]["id"])


async def on_record(plant: Followed, connection: str, revoked: str, created: str) -> None:
    """Who has made and revoked the keys of a connection stands in the audit log, without secrets."""
    operator = (await plant.gateway.data("{ viewer { apiKey { id } } }", ADMIN))["viewer"]["apiKey"]["id"]
    lines = await plant.gateway.process.directory.store.audit.page(first=10, connection_id=connection)
    told: list[Any] = [(line.action, line.actor_id, (line.details or {}).get("keyId")) for line in lines]
    assert told == [
        ("api_key.revoke", operator, revoked),
        ("api_key.create", operator, created),
        ("connection.connect", operator, None),
    ]
    assert all(line.request_id for line in lines)


async def test_a_key_of_one_connection_manages_no_other(plant: Followed, erp: StandIn) -> None:
    one, _ = await plant.gateway.connected(erp)
    other, _ = await plant.gateway.connected(erp)
    scopes = ["READ", "MANAGE"]
    mine = await plant.gateway.new_key(kind="CONNECTION", connectionId=one, scopes=scopes)
    theirs = await plant.gateway.new_key(kind="CONNECTION", connectionId=other, scopes=scopes)
    refused = await plant.gateway.data(REVOKE, mine["apiToken"], id=theirs["apiKey"]["id"])
    assert refused["revokeApiKey"]["errors"] == [{"code": "VALIDATION_FAILED"}]
    for given in ({"kind": "CONNECTION", "connectionId": other}, {"kind": "CUSTOMER"}, {"kind": "ADMIN"}):
        made = await plant.gateway.new_key(mine["apiToken"], scopes=["READ"], **given)
        assert (made["apiToken"], len(made["errors"])) == (None, 1)
    wide = await plant.gateway.new_key(mine["apiToken"], kind="CONNECTION", connectionId=one, scopes=["READ", "WRITE"])
    assert wide["errors"][0]["code"] == "SCOPE_MISSING"
    assert await answered(plant, theirs["apiToken"]) == (200, "")


def test_the_newest_token_of_a_connection_is_shown_in_whatever_order_keys_are_read() -> None:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    keys = [
        rows.ApiKey(
            id=f"key_{number}",
            kind=tokens.TokenKind.CONNECTION,
            name="a key",
            connection_id=connection_id,
            scopes=("READ",),
            digest=str(number),
            preview=f"sgk_{number}",
            created_at=moment + timedelta(seconds=number),
        )
        for number, connection_id in enumerate(("con_1", "con_1", "con_2", None))
    ]
    for read in (keys, keys[::-1]):
        assert previews_of(read, {"con_1"}) == {"con_1": "sgk_1"}
