"""Every field of the schema, asked with every kind of key: nothing of another customer is ever in an answer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from graphql import GraphQLField, GraphQLObjectType, get_named_type

from tests.gateway.following import Followed, followed
from tests.gateway.running import ADMIN, PASSWORD, RunningGateway, StandIn, credentials, stand_in
from tests.gateway.ways import SCHEMA, needs, ways, within

pytestmark = pytest.mark.asyncio(loop_scope="module")
THEIRS, SIBLING = "heron7", "egret9"
"""Words that stand in everything of another customer, and of another connection of the same customer."""
ROLES = {"customer": (THEIRS,), "reader": (THEIRS,), "connection": (THEIRS, SIBLING)}
PAGES = ("purchaseOrders", "workOrders", "assets", "vendors", "inventoryItems")
TEXTS = {
    "A_PurchaseOrder": "CorrespncExternalReference",
    "A_PurchaseOrderItem": "PurchaseOrderItemText",
    "A_Supplier": "SupplierName",
    "MaintenanceOrder": "MaintenanceOrderDesc",
    "Equipment": "EquipmentName",
    "FunctionalLocation": "FunctionalLocationName",
    "A_ProductDescription": "ProductDescription",
}


WAYS = {way.kind.name: way for way in ways()}


@dataclass
class Plants:
    """A gateway with two customers; `ids` are all of the other one's, `ours` those that a key may have."""

    followed: Followed
    keys: dict[str, str]
    ids: set[str] = field(default_factory=set)
    sibling: str = ""
    theirs: str = ""

    @property
    def gateway(self) -> RunningGateway:
        return self.followed.gateway


def name_rows(erp: StandIn, word: str) -> None:
    """Let every record of a system say whose it is."""
    data = erp.box.application.data  # type: ignore[attr-defined]
    for entity_set, name in TEXTS.items():
        for row in data[entity_set]:
            row[name] = word


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plants(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("plants")
    limits: dict[str, Any] = {"max_cost": 10**9, "max_query_aliases": 1_000, "credits": 1_000}
    async with stand_in() as ours, stand_in() as theirs, stand_in() as sibling, followed(folder, **limits) as line:
        gateway = line.gateway
        name_rows(theirs, THEIRS)
        name_rows(sibling, SIBLING)
        kept = {"settings": {"maxAgeSeconds": 3_600}}
        # Theirs are asked first, so that what the cache has of them would be at hand.
        their_id, _ = await connected(gateway, theirs, f"{THEIRS} works", THEIRS, **kept)
        sibling_id, _ = await connected(gateway, sibling, "Ours", SIBLING, **kept)
        our_id, token = await connected(gateway, ours, "Ours", "ours", **kept)
        await gateway.new_key(customerId=gateway.customers[f"{THEIRS} works"], name=f"{THEIRS} key")
        await live_a_little(gateway, their_id, THEIRS)
        await live_a_little(gateway, sibling_id, SIBLING)
        keys = {
            "customer": await gateway.key("Ours"),
            "reader": await gateway.key("Ours", scopes=["READ"]),
            "connection": token,
        }
        found = Plants(line, keys, sibling=sibling_id, theirs=their_id)
        found.ids = await ids_of(gateway, their_id)
        assert our_id not in found.ids
        yield found


async def connected(gateway: RunningGateway, erp: StandIn, customer: str, word: str, **more: Any) -> tuple[str, str]:
    user = f"{word}-user"
    erp.box.application.users[user] = PASSWORD
    answers = credentials(url=erp.url, username=user, password=PASSWORD)
    given: dict[str, Any] = {"name": f"{word} ERP", "tags": [word], "metadata": {"whose": word}, "credentials": answers}
    payload = await gateway.connect(erp.url, customerId=await gateway.customer(customer), **given, **more)
    assert payload["errors"] == []
    return payload["connection"]["id"], payload["apiToken"]


async def live_a_little(gateway: RunningGateway, connection_id: str, word: str) -> None:
    """Calls, events and reasons that say whose they are."""
    for root in PAGES:
        await gateway.data(f'{{ {root}(connectionIds: ["{connection_id}"]) {{ nodes {{ displayName }} }} }}')
    pause = "mutation ($id: ID!, $why: String) { pauseConnection(input: {id: $id, reason: $why}) { errors { code } } }"
    await gateway.data(pause, id=connection_id, why=f"{word} stocktaking")
    await gateway.data(
        "mutation ($id: ID!) { resumeConnection(input: {id: $id}) { errors { code } } }", id=connection_id
    )
    for root in PAGES:
        await gateway.data(f'{{ {root}(connectionIds: ["{connection_id}"]) {{ nodes {{ displayName }} }} }}')


async def ids_of(gateway: RunningGateway, connection_id: str) -> set[str]:
    """The ids of everything that belongs to a connection and its customer."""
    customer = gateway.customers[f"{THEIRS} works"]
    records = " ".join(f'{root}(connectionIds: ["{connection_id}"], first: 2) {{ nodes {{ id }} }}' for root in PAGES)
    found = await gateway.data(
        f"""query ($customer: ID!) {{
          {records}
          events(filter: {{customerId: {{eq: $customer}}}}) {{ nodes {{ id }} }}
          creditPool {{ id ledger {{ nodes {{ id connection {{ id }} }} }} }}
          customers(filter: {{id: {{eq: $customer}}}}) {{ nodes {{ id apiKeys {{ nodes {{ id }} }} }} }}
        }}""",
        customer=customer,
    )
    ledger = found["creditPool"].pop("ledger")["nodes"]
    entries = {entry["id"] for entry in ledger if (entry["connection"] or {}).get("id") == connection_id}
    lines = 'query { purchaseOrders(connectionIds: ["%s"], first: 2) { nodes { lines(first: 2) { nodes { id } } } } }'
    inner = await gateway.data(lines % connection_id)
    return {connection_id, *entries, *all_ids(found), *all_ids(inner)}


def all_ids(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("id"), str):
            yield value["id"]
        for item in value.values():
            yield from all_ids(item)
    elif isinstance(value, list):
        for item in value:
            yield from all_ids(item)


def leaks(answer: Any, plants: Plants, role: str) -> list[str]:
    """What an answer has that this key must never see."""
    text = json.dumps(answer)
    secrets = [*ROLES[role], *plants.ids, *([plants.sibling] if role == "connection" else [])]
    return [secret for secret in secrets if secret in text]


@pytest.mark.parametrize("name", sorted(WAYS))
async def test_no_type_shows_anything_of_others(plants: Plants, name: str) -> None:
    query = WAYS[name].asked()
    for role, key in plants.keys.items():
        answer = await plants.gateway.ask(query, key)
        assert leaks(answer, plants, role) == [], (role, query)


async def test_the_operator_sees_it_all_else_these_tests_would_see_nothing(plants: Plants) -> None:
    seen = set()
    for name, way in WAYS.items():
        answer = await plants.gateway.ask(way.asked(), ADMIN)
        assert "errors" not in answer, (name, answer["errors"])
        seen |= {name} if THEIRS in json.dumps(answer) else set()
    expected = {"Customer", "ConnectedSystem", "Event", "ApiKeyConnection", "CreditLedgerEntry"}
    assert expected | {"PurchaseOrder", "PurchaseOrderLine", "Vendor", "Asset", "WorkOrder", "InventoryItem"} <= seen


async def test_every_type_that_queries_lead_to_is_asked() -> None:
    types = {name: kind for name, kind in SCHEMA.type_map.items() if isinstance(kind, GraphQLObjectType)}
    refusals = {name for name, kind in types.items() if any(item.name == "MutationError" for item in kind.interfaces)}
    left = {name for name in types if not name.startswith("__") and not name.endswith("Payload")} - set(WAYS)
    below = {"CustomObjectConnection", "CustomObjectEdge", "CustomObject", "Explanation", "PlannedRead"}
    roots = {"Query", "Mutation", "Subscription", "ConnectionStatusUpdate", "ConnectionCheck", "PlannedRequest"}
    assert left - refusals == below | roots, "these are asked below, by what they need"


def named_roots(plants: Plants) -> Iterator[tuple[str, str]]:
    """Every root with whatever of theirs it can be given: an id, a connection, a filter, a question about them."""
    query = SCHEMA.query_type
    assert query is not None
    all_ids = json.dumps(sorted(plants.ids))
    customer = plants.gateway.customers[f"{THEIRS} works"]
    for name, wanted in query.fields.items():
        given = {
            "id": [json.dumps(item) for item in sorted(plants.ids)],
            "ids": [all_ids],
            "connectionIds": [f'["{plants.theirs}"]'],
            "connectionId": [f'"{plants.theirs}", object: "tools"'],
            "filter": list(filters(wanted, plants.theirs, customer, all_ids)),
            "query": [json.dumps(f'{{ purchaseOrders(connectionIds: ["{plants.theirs}"]) {{ nodes {{ id }} }} }}')],
        }
        kind = get_named_type(wanted.type)
        for argument, values in given.items():
            if argument in wanted.args and (needs(wanted) in ([], [argument]) or argument == "connectionId"):
                for value in values:
                    yield name, f"{{ found: {name}({argument}: {value}) {{ __typename {' '.join(within(kind))} }} }}"


def filters(wanted: GraphQLField, connection: str, customer: str, ids: str) -> Iterator[str]:
    kind: Any = get_named_type(wanted.args["filter"].type) if "filter" in wanted.args else None
    names = kind.fields if kind is not None else {}
    values = {"connectionId": f'"{connection}"', "customerId": f'"{customer}"'}
    yield from (f"{{{name}: {{eq: {value}}}}}" for name, value in values.items() if name in names)
    if "id" in names:
        yield f"{{id: {{in: {ids}}}}}"
    if "text" in names:
        yield f'{{text: "{THEIRS}"}}'


async def test_whatever_of_theirs_is_named_leads_nowhere(plants: Plants) -> None:
    questions = list(named_roots(plants))
    assert len(questions) > 50
    for role, key in plants.keys.items():
        for name, query in questions:
            answer = await plants.gateway.ask(query, key)
            assert found_nothing(answer), (role, query, answer)
            words = [word for word in ROLES[role] if word in json.dumps(answer.get("data"))]
            assert words == [], (role, name, query)


def found_nothing(answer: dict[str, Any]) -> bool:
    """Whether an answer is that there is no such thing: null, an empty page, or an error that says so."""
    if "errors" in answer:
        codes = {error["extensions"]["code"] for error in answer["errors"]}
        return codes <= {"CONNECTION_NOT_FOUND", "RECORD_NOT_FOUND", "INVALID_ID", "VALIDATION_FAILED"}
    found = answer["data"]["found"]
    if isinstance(found, dict):
        return found.get("nodes") == [] or found.get("upstreamCalls") == 0
    return not any(found or ())


async def test_the_same_questions_find_something_for_the_operator(plants: Plants) -> None:
    found = {name for name, query in named_roots(plants) if not found_nothing(await plants.gateway.ask(query, ADMIN))}
    assert {"node", "nodes", "connection", "connections", "customers", "events", "purchaseOrders", "vendor"} <= found


def named_mutations() -> Iterator[tuple[str, str]]:
    """Every mutation with every place of its input that takes an id."""
    mutation = SCHEMA.mutation_type
    assert mutation is not None
    for name, wanted in mutation.fields.items():
        for place, item in get_named_type(wanted.args["input"].type).fields.items():
            if get_named_type(item.type).name == "ID":
                yield name, place


INPUTS: dict[str, dict[str, Any]] = {
    "connectSystem": {"system": "sap_s4hana", "authMethod": "basic", "name": "x", "deployment": "CLOUD"},
    "createApiKey": {"kind": "CONNECTION", "name": "x", "scopes": ["READ"]},
}


@pytest.mark.parametrize(("mutation", "place"), list(named_mutations()))
async def test_mutations_do_nothing_to_others(plants: Plants, mutation: str, place: str) -> None:
    gateway = plants.gateway
    before = await kept(plants)
    customer = gateway.customers[f"{THEIRS} works"]
    kind: Any = get_named_type(SCHEMA.mutation_type.fields[mutation].args["input"].type)  # type: ignore[union-attr]
    query = (
        f"mutation ($input: {kind.name}!) {{ {mutation}(input: $input) {{ __typename errors {{ code message }} }} }}"
    )
    own = INPUTS.get(mutation, {})
    if "credentials" in kind.fields:
        own = own | {"credentials": credentials(url="http://127.0.0.1:1", username="x", password="x")}
    for role, key in plants.keys.items():
        for thing in sorted({*plants.ids, customer, *([plants.sibling] if role == "connection" else [])}):
            answer = await gateway.ask(query, key, input={**own, place: thing})
            assert refused(answer), (role, thing, answer)
            assert not [word for word in ROLES[role] if word in json.dumps(answer)], (role, thing, answer)
    assert await kept(plants) == before


def refused(answer: dict[str, Any]) -> bool:
    return bool(answer.get("errors")) or all(payload["errors"] for payload in answer["data"].values())


async def kept(plants: Plants) -> Any:
    """Everything that mutations could have changed of them."""
    query = "{ connections { nodes { id status name tags settings { maxAgeSeconds } } } customers { nodes { id } } }"
    keys = "{ customers { nodes { apiKeys { nodes { id revokedAt } } } } creditPool { used } }"
    events = "{ events(first: 200) { nodes { id } } }"
    return [await plants.gateway.data(item) for item in (query, keys, events)]


FOLLOW = """
subscription ($ids: [ID!], $after: String) { connectionStatus(connectionIds: $ids, after: $after) {
  connection { id name tags metadata statusReason { message } customer { name } } cursor
  event { name data reason { message } connection { name } } } }
"""


@pytest.mark.parametrize("role", list(ROLES))
async def test_followers_are_told_of_nothing_else(plants: Plants, role: str) -> None:
    async with plants.followed.line() as operator, plants.followed.line(plants.keys[role]) as line:
        await operator.subscribe(query=FOLLOW)
        first = [await operator.update() for _ in range(3)]
        assert THEIRS in json.dumps(first)
        await line.subscribe(query=FOLLOW, ids=[plants.theirs])
        refusal = await line.next()
        assert "CONNECTION_NOT_FOUND" in json.dumps(refusal["payload"])
        assert (await line.next())["type"] == "complete"
        await line.subscribe("2", query=FOLLOW)
        await live_a_little(plants.gateway, plants.theirs, THEIRS)
        await live_a_little(plants.gateway, plants.sibling, SIBLING)
        told = [await operator.update() for _ in range(4)]
        (own,) = [item["connection"]["id"] for item in first if item["connection"]["tags"] == ["ours"]]
        await live_a_little(plants.gateway, own, "ours")
        seen: list[Any] = []
        while not seen or seen[-1]["event"] is None or not is_end(seen[-1], own):
            seen.append(await line.update())
        assert leaks(seen, plants, role) == []
        # From a cursor of the operator, before any of this.
        await line.subscribe("3", query=FOLLOW, after=first[0]["cursor"])
        again: list[Any] = []
        while not again or not is_end(again[-1], own):
            message = await line.next()
            if message["id"] == "3":
                again.append(message["payload"]["data"]["connectionStatus"])
        assert leaks(again, plants, role) == []
        assert len(told) == 4
        expected = 2 if role == "connection" else 4
        assert len(again) == expected, "a pause and its end of each connection that the key reaches"


def is_end(update: dict[str, Any], own: str) -> bool:
    event = update["event"]
    return update["connection"]["id"] == own and event is not None and event["name"] == "connection.resumed"
