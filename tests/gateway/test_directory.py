"""Who sees what: two customers never meet, a connection's token sees one, the admin sees all."""

import asyncio
import dataclasses
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from gateway.keys.keyring import Keyring
from gateway.stores import rows
from gateway.stores.snapshots import Renewal
from gateway.stores.sql import Store
from tests.gateway.running import ADMIN, RunningGateway, StandIn, running_gateway, stand_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVERYTHING = """
{
  viewer { apiKey { id kind scopes lastUsedAt } customer { id } connection { id } }
  customers { nodes { id apiKeys { nodes { id } } connections { nodes { id } } } }
  connections { nodes { id customer { id } } }
  purchaseOrders(first: 200) { nodes { id connection { id } } sources { connection { id } } }
}
"""
NODE = "query ($id: ID!) { node(id: $id) { id } }"
CONNECTION = "query ($id: ID!) { connection(id: $id) { id } }"
ORDER = "query ($id: ID!) { purchaseOrder(id: $id) { id } }"
CHOICE = "query ($id: ID!) { purchaseOrders(connectionIds: [$id]) { nodes { id } } }"
ALL_SCOPES = ["READ", "WRITE", "MANAGE"]
REVOKE = "mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { apiKey { revokedAt } errors { code field } } }"
DISCONNECT = "mutation ($id: ID!) { disconnectSystem(input: {id: $id}) { connection { id } errors { code field } } }"


@dataclass
class Town:
    """Two customers: one with two connections, one with one."""

    gateway: RunningGateway
    ours: str
    theirs: str
    our_key: str
    their_key: str
    first: str
    first_token: str
    second: str
    foreign: str

    async def seen(self, token: str) -> dict[str, Any]:
        """Everything that a token sees, as ids."""
        data = await self.gateway.data(EVERYTHING, token)
        orders = data["purchaseOrders"]
        return {
            "viewer": data["viewer"],
            "customers": {node["id"] for node in data["customers"]["nodes"]},
            "keys": {key["id"] for node in data["customers"]["nodes"] for key in node["apiKeys"]["nodes"]},
            "connections": {node["id"] for node in data["connections"]["nodes"]},
            "owned": {item["id"] for node in data["customers"]["nodes"] for item in node["connections"]["nodes"]},
            "owners": {node["customer"]["id"] for node in data["connections"]["nodes"]},
            "orders": {node["connection"]["id"] for node in orders["nodes"]},
            "sources": {source["connection"]["id"] for source in orders["sources"]},
        }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def erps() -> AsyncIterator[Sequence[StandIn]]:
    async with stand_in() as one, stand_in() as two, stand_in() as three:
        yield one, two, three


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(erps: Sequence[StandIn], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with running_gateway(tmp_path_factory.mktemp("town")) as gateway:
        first, first_token = await gateway.connected(erps[0], "Ours")
        second, _ = await gateway.connected(erps[1], "Ours")
        foreign, _ = await gateway.connected(erps[2], "Theirs")
        yield Town(
            gateway,
            ours=await gateway.customer("Ours"),
            theirs=await gateway.customer("Theirs"),
            our_key=await gateway.key("Ours"),
            their_key=await gateway.key("Theirs"),
            first=first,
            first_token=first_token,
            second=second,
            foreign=foreign,
        )


def reach(connections: set[str], customers: set[str]) -> dict[str, Any]:
    return {
        "customers": customers,
        "connections": connections,
        "owned": connections,
        "owners": customers,
        "orders": connections,
        "sources": connections,
    }


async def test_a_customer_sees_its_own_and_nothing_else(town: Town) -> None:
    ours, theirs = await town.seen(town.our_key), await town.seen(town.their_key)
    assert ours | reach({town.first, town.second}, {town.ours}) == ours
    assert theirs | reach({town.foreign}, {town.theirs}) == theirs
    assert ours["viewer"]["customer"] == {"id": town.ours}
    assert ours["keys"]
    assert not ours["keys"] & theirs["keys"]


async def test_the_admin_sees_all(town: Town) -> None:
    seen = await town.seen(ADMIN)
    assert seen | reach({town.first, town.second, town.foreign}, {town.ours, town.theirs}) == seen
    assert seen["viewer"]["customer"] is None


async def test_a_connection_s_token_sees_one_connection(town: Town) -> None:
    seen = await town.seen(town.first_token)
    assert seen | reach({town.first}, {town.ours}) == seen
    assert seen["keys"] == set()
    assert seen["viewer"]["connection"] == {"id": town.first}


async def test_the_use_of_a_key_is_noted(town: Town) -> None:
    await town.gateway.data("{ viewer { customer { id } } }", town.their_key)
    seen = await town.gateway.data("{ customers { nodes { id apiKeys { nodes { name lastUsedAt } } } } }")
    (theirs,) = (node for node in seen["customers"]["nodes"] if node["id"] == town.theirs)
    assert all(key["lastUsedAt"] for key in theirs["apiKeys"]["nodes"] if key["name"] == "A key")


async def ids_of_others(town: Town) -> list[str]:
    data = await town.gateway.data(EVERYTHING)
    order = next(node for node in data["purchaseOrders"]["nodes"] if node["connection"]["id"] == town.foreign)
    keys = [
        key["id"]
        for node in data["customers"]["nodes"]
        for key in node["apiKeys"]["nodes"]
        if node["id"] == town.theirs
    ]
    return [order["id"], town.foreign, town.theirs, *keys, data["viewer"]["apiKey"]["id"]]


async def test_what_belongs_to_others_is_as_if_it_were_not_there(town: Town, erps: Sequence[StandIn]) -> None:
    wanted = await ids_of_others(town)
    order_id, connection_id, *_ = wanted
    asked = len(erps[2].box.requests)
    for token in (town.our_key, town.first_token):
        for item in wanted:
            assert (await town.gateway.data(NODE, token, id=item))["node"] is None
        assert (await town.gateway.data(ORDER, token, id=order_id))["purchaseOrder"] is None
        assert (await town.gateway.data(CONNECTION, token, id=connection_id))["connection"] is None
        nodes = await town.gateway.data("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", token, ids=wanted)
        assert nodes["nodes"] == [None] * len(wanted)
        assert await town.gateway.refused(CHOICE, token, id=connection_id) == "CONNECTION_NOT_FOUND"
        by_id = "query ($id: ID!) { purchaseOrders(filter: {id: {eq: $id}}) { nodes { id } } }"
        assert (await town.gateway.data(by_id, token, id=order_id))["purchaseOrders"]["nodes"] == []
    assert len(erps[2].box.requests) == asked
    assert (await town.gateway.data(NODE, town.their_key, id=order_id))["node"] == {"id": order_id}


async def test_a_connection_s_token_does_not_see_its_sister(town: Town) -> None:
    assert (await town.gateway.data(CONNECTION, town.first_token, id=town.second))["connection"] is None
    assert await town.gateway.refused(CHOICE, town.first_token, id=town.second) == "CONNECTION_NOT_FOUND"


async def test_what_belongs_to_others_cannot_be_changed(town: Town) -> None:
    _, connection_id, customer_id, key_id, *_ = await ids_of_others(town)
    gateway = town.gateway
    payload = (await gateway.data(DISCONNECT, town.our_key, id=connection_id))["disconnectSystem"]
    assert payload == {"connection": None, "errors": [{"code": "CONNECTION_NOT_FOUND", "field": "id"}]}
    payload = (await gateway.data(REVOKE, town.our_key, id=key_id))["revokeApiKey"]
    assert payload == {"apiKey": None, "errors": [{"code": "VALIDATION_FAILED", "field": "id"}]}
    payload = await gateway.new_key(town.our_key, customerId=customer_id)
    assert (payload["apiToken"], payload["errors"][0]["field"]) == (None, "customerId")
    payload = await gateway.new_key(town.our_key, kind="CONNECTION", connectionId=connection_id)
    assert (payload["apiToken"], payload["errors"][0]["code"]) == (None, "CONNECTION_NOT_FOUND")
    payload = await gateway.connect("http://127.0.0.1:1", town.our_key, customerId=customer_id)
    assert payload["errors"][0]["field"] == "customerId"
    await gateway.data(EVERYTHING, town.their_key)


async def test_only_the_admin_makes_customers_and_admins(town: Town) -> None:
    make = 'mutation { createCustomer(input: {name: "Mine"}) { customer { id } errors { __typename code } } }'
    payload = (await town.gateway.data(make, town.our_key))["createCustomer"]
    assert payload == {"customer": None, "errors": [{"__typename": "PermissionDenied", "code": "FORBIDDEN"}]}
    payload = await town.gateway.new_key(town.our_key, kind="ADMIN")
    assert (payload["apiToken"], payload["errors"][0]["code"]) == (None, "FORBIDDEN")


async def test_a_key_that_manages_one_connection_manages_no_other(town: Town) -> None:
    gateway = town.gateway
    made = await gateway.new_key(town.our_key, kind="CONNECTION", connectionId=town.first)
    token, own_id = made["apiToken"], made["apiKey"]["id"]
    payload = (await gateway.data(DISCONNECT, token, id=town.second))["disconnectSystem"]
    assert payload["errors"] == [{"code": "CONNECTION_NOT_FOUND", "field": "id"}]
    for key_id in (await town.seen(town.our_key))["keys"] - {own_id}:
        is_of_first = (await gateway.data(NODE, token, id=key_id))["node"] is not None
        row = next(key for key in gateway.process.directory.keys.values() if key.id == key_id)
        assert is_of_first is (row.connection_id == town.first)
        if not is_of_first:
            payload = (await gateway.data(REVOKE, token, id=key_id))["revokeApiKey"]
            assert payload["errors"] == [{"code": "VALIDATION_FAILED", "field": "id"}]
    for given in ({"kind": "CUSTOMER"}, {"kind": "CONNECTION", "connectionId": town.second}):
        assert (await gateway.new_key(token, **given))["apiToken"] is None
    payload = await gateway.connect("http://127.0.0.1:1", token, customerId=None)
    assert payload["errors"][0]["code"] == "FORBIDDEN"
    await town.seen(town.our_key)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "half \ud800"}, "name"),
        ({"name": "x", "externalId": "x" * 201}, "externalId"),
        ({"name": "x", "externalId": "ours"}, "externalId"),
        ({"name": "x", "metadata": "x" * 10_001}, "metadata"),
    ],
)
async def test_a_customer_that_makes_no_sense_is_refused(town: Town, given: dict[str, Any], field: str) -> None:
    make = """mutation ($input: CreateCustomerInput!) {
      createCustomer(input: $input) { customer { id } errors { code field } } }"""
    await town.gateway.data(make, input={"name": "Taken", "externalId": "ours"})
    payload = (await town.gateway.data(make, input=given))["createCustomer"]
    assert payload == {"customer": None, "errors": [{"code": "VALIDATION_FAILED", "field": field}]}


CHANGES = [
    'createCustomer(input: {name: "x"}) { errors { code } }',
    'createApiKey(input: {name: "x", kind: CUSTOMER, scopes: [READ]}) { errors { code } }',
    'revokeApiKey(input: {id: "key_x"}) { errors { code } }',
    'disconnectSystem(input: {id: "con_x"}) { errors { code } }',
    'connectSystem(input: {system: "x", authMethod: "x", credentials: [], name: "x", deployment: CLOUD}) '
    "{ errors { code } }",
]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_key_that_only_reads_changes_nothing(town: Town, change: str) -> None:
    for scopes in (["READ"], ["READ", "WRITE"]):
        token = await town.gateway.key("Ours", scopes=scopes)
        assert await town.gateway.refused(f"mutation {{ {change} }}", token) == "SCOPE_MISSING"


async def test_a_key_that_does_not_read_gets_no_record(town: Town) -> None:
    token = await town.gateway.key("Ours", scopes=["MANAGE"])
    order_id, *_ = await ids_of_others(town)
    for query in ("{ purchaseOrders { nodes { id } } }", "{ vendors { nodes { id } } }"):
        assert await town.gateway.refused(query, token) == "SCOPE_MISSING"
    for query in (ORDER, NODE):
        assert await town.gateway.refused(query, token, id=order_id) == "SCOPE_MISSING"


async def test_a_key_cannot_give_more_than_it_has(town: Town) -> None:
    token = await town.gateway.key("Ours", scopes=["MANAGE", "READ"])
    payload = await town.gateway.new_key(token, scopes=["READ", "WRITE"])
    assert payload["errors"] == [{"__typename": "PermissionDenied", "code": "SCOPE_MISSING", "message":
                                  payload["errors"][0]["message"], "field": "scopes"}]  # fmt: skip
    assert (await town.gateway.new_key(token, scopes=["READ"]))["errors"] == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"name": " "}, "name"),
        ({"kind": "CONNECTION"}, "connectionId"),
        ({"kind": "CUSTOMER", "customerId": None}, "customerId"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
    ],
)
async def test_a_key_that_makes_no_sense_is_refused(town: Town, given: dict[str, Any], field: str) -> None:
    payload = await town.gateway.new_key(**{"customerId": town.ours, **given})
    assert payload["apiToken"] is None
    assert [(error["code"], error["field"]) for error in payload["errors"]] == [("VALIDATION_FAILED", field)]


async def test_a_revoked_key_is_refused_at_once_and_stays_listed(town: Town) -> None:
    made = await town.gateway.new_key(customerId=town.ours)
    await town.seen(made["apiToken"])
    for _ in range(2):
        payload = (await town.gateway.data(REVOKE, id=made["apiKey"]["id"]))["revokeApiKey"]
        assert payload["apiKey"]["revokedAt"]
    assert await town.gateway.refused(EVERYTHING, made["apiToken"]) == "TOKEN_REVOKED"
    assert made["apiKey"]["id"] in (await town.seen(town.our_key))["keys"]


async def test_an_expired_key_is_refused(town: Town) -> None:
    made = await town.gateway.new_key(customerId=town.ours, expiresAt="2999-01-01T00:00:00Z")
    directory = town.gateway.process.directory
    await town.seen(made["apiToken"])
    key = next(key for key in directory.keys.values() if key.id == made["apiKey"]["id"])
    expired = dataclasses.replace(key, expires_at=key.created_at)
    snapshot = await directory.store.snapshot()
    await directory._adopt(dataclasses.replace(snapshot, keys={**snapshot.keys, key.digest: expired}))
    assert await town.gateway.refused(EVERYTHING, made["apiToken"]) == "TOKEN_EXPIRED"
    await directory._adopt(snapshot)


class SlowStore(Store):
    """A store whose snapshots can be held back after they were read."""

    held: asyncio.Event
    release: asyncio.Event

    async def renew(self, before: rows.Snapshot) -> Renewal:
        found = await super().renew(before)
        if not self.held.is_set():
            self.held.set()
            await self.release.wait()
        return found


async def test_an_older_snapshot_never_replaces_a_newer_one(town: Town) -> None:
    directory = town.gateway.process.directory
    made = await town.gateway.new_key(customerId=town.ours)
    store: Any = directory.store
    store.held, store.release, original = asyncio.Event(), asyncio.Event(), store.__class__
    await store.create_customer(name="Someone")  # so that there is something to read
    store.__class__ = SlowStore
    try:
        late = asyncio.create_task(directory.refresh())
        await store.held.wait()
        revoking = asyncio.create_task(town.gateway.data(REVOKE, id=made["apiKey"]["id"]))
        # If the newer one could be read now, it would be: here it has to wait for the older one.
        await asyncio.wait([revoking], timeout=0.5)
        store.release.set()
        await asyncio.gather(late, revoking)
    finally:
        store.__class__ = original
    assert await town.gateway.refused(EVERYTHING, made["apiToken"]) == "TOKEN_REVOKED"


async def test_sources_that_have_not_changed_stay_open(town: Town) -> None:
    directory = town.gateway.process.directory
    before = {live.connection.id: live.source for live in directory.lives()}
    await directory.store.create_customer(name="Someone else")
    await directory.refresh()
    assert {live.connection.id: live.source for live in directory.lives()} == before


async def test_sealed_credentials_open_in_their_own_row_only(erps: Sequence[StandIn], tmp_path_factory: Any) -> None:
    folder, keyring = tmp_path_factory.mktemp("swapped"), Keyring.generate()
    async with running_gateway(folder, keyring) as gateway:
        ours, _ = await gateway.connected(erps[0], "Ours")
        theirs, _ = await gateway.connected(erps[1], "Theirs")
    with sqlite3.connect(folder / "switchgear.db") as database:
        database.execute("UPDATE credentials SET connection_id = 'x' WHERE connection_id = ?", (ours,))
        database.execute("UPDATE credentials SET connection_id = ? WHERE connection_id = ?", (ours, theirs))
    async with running_gateway(folder, keyring) as gateway:
        seen = await gateway.data("{ purchaseOrders { nodes { id } isComplete sources { status } } }")
        assert seen["purchaseOrders"]["sources"] == [{"status": "REAUTHORIZATION_REQUIRED"}]
        assert (seen["purchaseOrders"]["nodes"], seen["purchaseOrders"]["isComplete"]) == ([], False)


async def test_a_system_of_a_newer_version_hides_nothing_else(erps: Sequence[StandIn], tmp_path_factory: Any) -> None:
    folder, keyring = tmp_path_factory.mktemp("newer"), Keyring.generate()
    async with running_gateway(folder, keyring) as gateway:
        known, _ = await gateway.connected(erps[0])
        newer, _ = await gateway.connected(erps[1])
    with sqlite3.connect(folder / "switchgear.db") as database:
        database.execute("UPDATE connections SET system = 'of_tomorrow' WHERE id = ?", (newer,))
    async with running_gateway(folder, keyring) as gateway:
        seen = await gateway.data("{ connections { nodes { id } } purchaseOrders { sources { status } } }")
        assert seen["connections"]["nodes"] == [{"id": known}]
        assert seen["purchaseOrders"]["sources"] == [{"status": "OK"}]


async def test_stored_lists_are_filtered_and_paged(town: Town) -> None:
    query = """query ($first: Int, $after: String, $filter: ConnectedSystemFilter) {
      connections(first: $first, after: $after, filter: $filter) { nodes { id } pageInfo { hasNextPage endCursor } }
    }"""
    seen: list[str] = []
    cursor = None
    while True:
        page = (await town.gateway.data(query, town.our_key, first=1, after=cursor))["connections"]
        seen.extend(node["id"] for node in page["nodes"])
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == [town.first, town.second]
    for condition, found in (
        ({"customerId": {"eq": town.theirs}}, [town.foreign]),
        ({"id": {"in": [town.first, town.foreign]}}, [town.first, town.foreign]),
        ({"system": {"eq": "tryton"}}, []),
        ({"text": "sap"}, [town.first, town.second, town.foreign]),
        ({"not": {"customerId": {"eq": town.ours}}}, [town.foreign]),
    ):
        page = (await town.gateway.data(query, first=200, filter=condition))["connections"]
        assert [node["id"] for node in page["nodes"]] == found
    assert await town.gateway.refused(query, first=201) == "VALIDATION_FAILED"
    assert await town.gateway.refused(query, after="nonsense") == "INVALID_CURSOR"
