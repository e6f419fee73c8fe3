"""The life of connections as clients see it: mutations, status, events, calls and credits over GraphQL."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.gateway.running import (
    ADMIN,
    PASSWORD,
    USER,
    RunningGateway,
    StandIn,
    credentials,
    running_gateway,
    stand_in,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDERS = """
{
  purchaseOrders(first: 3) {
    isComplete nodes { id } sources { status connection { status } error { code remediation } }
  }
}
"""
STATUS = """
query ($id: ID!) {
  connection(id: $id) {
    status lifecycle health isReadable isWritable lastSuccessAt lastFailureAt lostAt errorRate
    statusReason { code message since remediation }
    lostReason { code }
    circuit { state openedAt failureCount }
    credential { status authMethod { key } }
    latency { p50Ms p95Ms }
    limits { remaining resetAt }
    credits { tier multiplier cost }
    entityHealth { entity status lastSuccessAt lastError { code } }
    capabilities(entities: [VENDOR]) { entity operations { operation support evidence } }
    events(first: 2) { nodes { type name sequence connection { id } } pageInfo { hasNextPage endCursor } }
    calls(first: 5) { startedAt durationMs entity operation request httpStatus error { code } requestId }
    predecessor { id }
  }
}
"""
PAUSE = """
mutation ($id: ID!) {
  pauseConnection(input: {id: $id, reason: "stocktaking"}) { connection { status } errors { code } }
}
"""
RESUME = "mutation ($id: ID!) { resumeConnection(input: {id: $id}) { connection { status } errors { code } } }"
TEST = """
mutation ($id: ID!) {
  testConnection(input: {id: $id}) { checks { name status message durationMs } errors { code } }
}
"""
DISCONNECT = """
mutation ($id: ID!) {
  disconnectSystem(input: {id: $id}) { connection { status } creditsReturned errors { code } }
}
"""
DELETE = "mutation ($id: ID!) { deleteConnectionData(input: {id: $id}) { recordsDeleted errors { code } } }"
RECONNECT = """
mutation ($id: ID!, $credentials: [CredentialInput!]!) {
  reconnectSystem(input: {id: $id, credentials: $credentials}) {
    connection { status } apiToken checks { name status }
    errors { __typename code ... on AccountMismatch { expectedAccount actualAccount } }
  }
}
"""
EVENTS = """
query ($first: Int, $after: String, $filter: EventFilter) {
  events(first: $first, after: $after, filter: $filter) {
    nodes { id type sequence connectionId customerId current { status } previous { status } }
    edges { cursor } pageInfo { hasNextPage endCursor }
  }
}
"""
POOL = """
{
  creditPool {
    id isUnlimited granted used balance
    ledger(first: 2) {
      nodes { id kind amount balanceAfter actor connection { id } } pageInfo { hasNextPage endCursor }
    }
  }
}
"""


@pytest_asyncio.fixture(loop_scope="module")
async def gateway(tmp_path: Path) -> AsyncIterator[RunningGateway]:
    async with running_gateway(tmp_path, credits=30) as gateway:
        yield gateway


@pytest_asyncio.fixture(loop_scope="module")
async def erp() -> AsyncIterator[StandIn]:
    async with stand_in() as erp:
        yield erp


async def types(gateway: RunningGateway, token: str = ADMIN, **given: Any) -> list[str]:
    nodes = (await gateway.data(EVENTS, token, **given))["events"]["nodes"]
    return [node["type"].removeprefix("CONNECTION_") for node in nodes]


async def test_how_a_connection_is(gateway: RunningGateway, erp: StandIn) -> None:
    connection_id, _ = await gateway.connected(erp)
    await gateway.data(ORDERS)
    found = (await gateway.data(STATUS, id=connection_id))["connection"]
    assert (found["status"], found["health"], found["isReadable"], found["isWritable"]) == ("ACTIVE", "OK", True, False)
    assert found["credits"] == {"tier": 3, "multiplier": 1, "cost": 4}
    assert found["circuit"] == {"state": "CLOSED", "openedAt": None, "failureCount": 0}
    assert found["credential"] == {"status": "VALID", "authMethod": {"key": "basic"}}
    assert found["errorRate"] == 0
    assert found["latency"]["p50Ms"] <= found["latency"]["p95Ms"]
    assert {item["status"] for item in found["entityHealth"]} == {"OK"}
    assert [node["type"] for node in found["events"]["nodes"]] == ["CONNECTION_ACTIVATED", "CONNECTION_CREATED"]
    assert found["events"]["nodes"][0]["name"] == "connection.activated"
    (call, *_) = found["calls"]
    assert (call["operation"], call["httpStatus"], call["error"]) == ("READ", 200, None)
    assert call["request"].startswith("GET ")
    assert "?" not in call["request"]
    assert call["requestId"]


async def test_a_pause_is_told_to_queries(gateway: RunningGateway, erp: StandIn) -> None:
    connection_id, _ = await gateway.connected(erp)
    assert (await gateway.data(PAUSE, id=connection_id))["pauseConnection"] == {
        "connection": {"status": "PAUSED"},
        "errors": [],
    }
    answer = (await gateway.data(ORDERS))["purchaseOrders"]
    (source,) = answer["sources"]
    assert (answer["isComplete"], source["status"], source["error"]["code"]) == (False, "ERROR", "CONNECTION_PAUSED")
    assert "resumeConnection" in source["error"]["remediation"]
    assert source["connection"]["status"] == "PAUSED"
    found = (await gateway.data(STATUS, id=connection_id))["connection"]
    assert found["statusReason"]["code"] == "PAUSED_BY_USER"
    await gateway.data(RESUME, id=connection_id)
    assert (await gateway.data(ORDERS))["purchaseOrders"]["isComplete"]


async def test_a_refused_login_is_told_to_queries(gateway: RunningGateway, erp: StandIn) -> None:
    connection_id, _ = await gateway.connected(erp)
    vitals = gateway.process.watch.vitals[connection_id]
    erp.box.application.users[USER] = "another one"
    await gateway.data(ORDERS)
    vitals.machine.patience = type(vitals.machine.patience)(confirm=vitals.machine.patience.confirm * 0)
    await gateway.data(ORDERS)
    await gateway.process.watch.settle()
    asked = len(erp.box.requests)
    (source,) = (await gateway.data(ORDERS))["purchaseOrders"]["sources"]
    assert (source["status"], source["connection"]["status"]) == ("REAUTHORIZATION_REQUIRED",) * 2
    assert "reconnectSystem" in source["error"]["remediation"]
    assert len(erp.box.requests) == asked
    given = credentials(url=erp.url, username=USER, password="another one")
    payload = (await gateway.data(RECONNECT, id=connection_id, credentials=given))["reconnectSystem"]
    assert (payload["connection"], payload["errors"]) == ({"status": "ACTIVE"}, [])
    assert payload["apiToken"]
    assert (await gateway.data(ORDERS, payload["apiToken"]))["purchaseOrders"]["isComplete"]
    assert await types(gateway) == ["REAUTHORIZED", "REAUTHORIZATION_REQUIRED", "ACTIVATED", "CREATED"]


async def test_another_account_is_named(gateway: RunningGateway, erp: StandIn) -> None:
    connection_id, _ = await gateway.connected(erp)
    given = credentials(url=erp.url, username="SOMEONE", password=PASSWORD)
    (error,) = (await gateway.data(RECONNECT, id=connection_id, credentials=given))["reconnectSystem"]["errors"]
    assert (error["__typename"], error["code"]) == ("AccountMismatch", "ACCOUNT_MISMATCH")
    assert error["expectedAccount"] != error["actualAccount"]


async def test_a_connection_is_tested_in_stages(gateway: RunningGateway, erp: StandIn) -> None:
    connection_id, _ = await gateway.connected(erp)
    checks = (await gateway.data(TEST, id=connection_id))["testConnection"]["checks"]
    assert [check["name"] for check in checks] == [
        "DNS",
        "TCP",
        "TLS",
        "HTTP",
        "SYSTEM",
        "CREDENTIALS",
        "PERMISSIONS",
    ]


async def test_the_end_gives_credits_back(gateway: RunningGateway, erp: StandIn) -> None:
    connection_id, _ = await gateway.connected(erp)
    payload = (await gateway.data(DISCONNECT, id=connection_id))["disconnectSystem"]
    assert payload == {"connection": {"status": "DISCONNECTED"}, "creditsReturned": 4, "errors": []}
    assert (await gateway.data(DELETE, id=connection_id))["deleteConnectionData"] == {"recordsDeleted": 0, "errors": []}
    pool = (await gateway.data(POOL))["creditPool"]
    assert (pool["isUnlimited"], pool["granted"], pool["used"], pool["balance"]) == (False, 30, 0, 30)
    ledger = pool["ledger"]
    assert [node["kind"] for node in ledger["nodes"]] == ["RETURNED", "TAKEN"]
    assert ledger["nodes"][0]["connection"] == {"id": connection_id}
    assert ledger["pageInfo"]["hasNextPage"]
    rest = "query ($after: String) { creditPool { ledger(after: $after) { nodes { kind } } } }"
    (entry,) = (await gateway.data(rest, after=ledger["pageInfo"]["endCursor"]))["creditPool"]["ledger"]["nodes"]
    assert entry == {"kind": "GRANTED"}


async def test_events_are_found_and_paged(gateway: RunningGateway, erp: StandIn) -> None:
    first, _ = await gateway.connected(erp)
    second, _ = await gateway.connected(erp, "Another plant")
    await gateway.data(PAUSE, id=first)
    await gateway.data(RESUME, id=first)
    assert await types(gateway) == ["RESUMED", "PAUSED", "ACTIVATED", "CREATED", "ACTIVATED", "CREATED"]
    page = (await gateway.data(EVENTS, first=4))["events"]
    assert page["pageInfo"]["hasNextPage"]
    assert await types(gateway, after=page["pageInfo"]["endCursor"]) == ["ACTIVATED", "CREATED"]
    assert await types(gateway, filter={"connectionId": {"eq": second}}) == ["ACTIVATED", "CREATED"]
    assert await types(gateway, filter={"type": {"in": ["CONNECTION_PAUSED"]}}) == ["PAUSED"]
    chosen = {"type": {"notIn": ["CONNECTION_CREATED", "CONNECTION_ACTIVATED"]}, "connectionId": {"ne": second}}
    assert await types(gateway, filter=chosen) == ["RESUMED", "PAUSED"]
    assert await types(gateway, filter={"occurredAt": {"lt": "2020-01-01T00:00:00Z"}}) == []
    assert len(await types(gateway, filter={"occurredAt": {"gte": "2020-01-01T00:00:00Z"}})) == 6
    assert await gateway.refused(EVENTS, filter={"occurredAt": {"ne": "2020-01-01T00:00:00Z"}}) == "VALIDATION_FAILED"
    assert await gateway.refused(EVENTS, after="bm9uc2Vuc2U") == "INVALID_CURSOR"


async def test_connections_are_found_by_status(gateway: RunningGateway, erp: StandIn) -> None:
    paused, _ = await gateway.connected(erp)
    active, _ = await gateway.connected(erp)
    await gateway.data(PAUSE, id=paused)
    query = "query ($status: ConnectionStatus) { connections(filter: {status: {eq: $status}}) { nodes { id } } }"
    for status, wanted in (("PAUSED", paused), ("ACTIVE", active)):
        assert (await gateway.data(query, status=status))["connections"]["nodes"] == [{"id": wanted}]


async def test_a_connection_that_ends_during_a_query(gateway: RunningGateway, erp: StandIn) -> None:
    connection_id, token = await gateway.connected(erp)
    erp.trouble("slow", delay_ms=60_000)
    asked = len(erp.box.requests)
    query = asyncio.create_task(gateway.ask(ORDERS, token))
    while len(erp.box.requests) == asked:  # noqa: ASYNC110 - the stand-in tells nobody
        await asyncio.sleep(0.01)
    ended = asyncio.create_task(gateway.data(DISCONNECT, id=connection_id))
    async with asyncio.timeout(8):
        assert (await ended)["disconnectSystem"]["errors"] == []
        answer = await query
    (source,) = answer["data"]["purchaseOrders"]["sources"]
    assert source["error"]["code"] == "CONNECTION_DISCONNECTED"
    assert await gateway.refused(ORDERS, token) == "TOKEN_REVOKED"
    await gateway.process.watch.settle()
    assert (await types(gateway))[0] == "DISCONNECTED", "what a query still came to says nothing any more"


async def test_the_status_of_what_was_disconnected(gateway: RunningGateway, erp: StandIn) -> None:
    connection_id, _ = await gateway.connected(erp)
    await gateway.data(DISCONNECT, id=connection_id)
    found = (await gateway.data(STATUS, id=connection_id))["connection"]
    assert (found["status"], found["isReadable"]) == ("DISCONNECTED", False)
    assert found["statusReason"]["code"] == "DISCONNECTED_BY_USER"
    again = (await gateway.connect(erp.url))["connection"]["id"]
    assert (await gateway.data(STATUS, id=again))["connection"]["predecessor"] == {"id": connection_id}


CONCERNED = """
errors {
  __typename code
  ... on ConnectionUnavailable { connection { id status } connectionStatus retryAfterMs }
}
"""
RECONNECT_SIMPLY = f"""
mutation ($id: ID!, $credentials: [CredentialInput!]!) {{
  reconnectSystem(input: {{id: $id, credentials: $credentials}}) {{ {CONCERNED} }}
}}
"""
KEY_OF = f"""
mutation ($id: ID!) {{
  createApiKey(input: {{name: "k", kind: CONNECTION, connectionId: $id, scopes: [READ]}}) {{ {CONCERNED} }}
}}
"""


async def test_a_refusal_shows_the_connection_that_it_is_about(gateway: RunningGateway, erp: StandIn) -> None:
    connection_id, _ = await gateway.connected(erp)
    answers = credentials(url=erp.url, username=USER, password=PASSWORD)
    erp.trouble("error")
    (refused,) = (await gateway.data(RECONNECT_SIMPLY, id=connection_id, credentials=answers)).values()
    (error,) = refused["errors"]
    assert (error["code"], error["connection"]["id"]) == ("UPSTREAM_ERROR", connection_id)
    await gateway.data(DISCONNECT, id=connection_id)
    plain = f"(input: {{id: $id}}) {{ {CONCERNED} }}"
    renamed = f'updateConnectionSettings(input: {{id: $id, name: "x"}}) {{ {CONCERNED} }}'
    for mutation in (f"pauseConnection{plain}", f"testConnection{plain}", renamed):
        (payload,) = (await gateway.data(f"mutation ($id: ID!) {{ {mutation} }}", id=connection_id)).values()
        assert payload["errors"] == [ended(connection_id)]
    (payload,) = (await gateway.data(RECONNECT_SIMPLY, id=connection_id, credentials=answers)).values()
    assert payload["errors"] == [ended(connection_id)]
    (payload,) = (await gateway.data(KEY_OF, id=connection_id)).values()
    assert payload["errors"] == [ended(connection_id)]


def ended(connection_id: str) -> dict[str, Any]:
    """The refusal for a connection that was disconnected."""
    return {
        "__typename": "ConnectionUnavailable",
        "code": "CONNECTION_DISCONNECTED",
        "connection": {"id": connection_id, "status": "DISCONNECTED"},
        "connectionStatus": "DISCONNECTED",
        "retryAfterMs": None,
    }


async def test_a_page_of_nothing_says_whether_there_is_something(gateway: RunningGateway, erp: StandIn) -> None:
    query = "{ connections(first: 0) { nodes { id } totalCount pageInfo { hasNextPage hasPreviousPage endCursor } } }"
    page = {"hasNextPage": False, "hasPreviousPage": False, "endCursor": None}
    assert (await gateway.data(query))["connections"] == {"nodes": [], "totalCount": 0, "pageInfo": page}
    await gateway.connected(erp)
    page["hasNextPage"] = True  # as Relay's specification has it: there are more rows than `first`
    assert (await gateway.data(query))["connections"] == {"nodes": [], "totalCount": 1, "pageInfo": page}
