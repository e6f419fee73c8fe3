"""A customer's key sees nothing of another customer's connections, whichever way of the schema it takes."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from graphql import GraphQLInputObjectType, GraphQLNonNull, GraphQLObjectType, build_schema, get_named_type

from resolvers.roots import build_schema as build
from tests.gateway.running import ADMIN, RunningGateway, credentials, running_gateway, stand_in

pytestmark = pytest.mark.asyncio(loop_scope="module")
SCHEMA = build_schema(build().as_str())
CONCERNED = ("con_", "cus_", "evt_", "crd_", "crp_", "key_")


def mutations_on_a_thing() -> Iterator[str]:
    """Every mutation whose input names the thing that it changes by id."""
    mutation = SCHEMA.mutation_type
    assert mutation is not None
    for name, field in mutation.fields.items():
        given = get_named_type(field.args["input"].type)
        assert isinstance(given, GraphQLInputObjectType)
        if "id" in given.fields:
            yield name


def selection(kind: Any, depth: int = 3) -> str:
    """Everything that can be selected without arguments, so many steps deep; pages of records are not followed."""
    fields = []
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        if any(isinstance(item.type, GraphQLNonNull) for item in field.args.values()):
            continue
        if isinstance(inner, GraphQLObjectType):
            if depth:
                fields.append(f"{name} {{ {selection(inner, depth - 1)} }}")
        elif not hasattr(inner, "fields"):
            fields.append(name)
    return " ".join(fields) or "__typename"


def kept_roots() -> Iterator[str]:
    """Every root that is answered from what is kept, without arguments that are needed."""
    query = SCHEMA.query_type
    assert query is not None
    for name, field in query.fields.items():
        kind = get_named_type(field.type)
        is_kept = isinstance(kind, GraphQLObjectType) and "sources" not in kind.fields
        if is_kept and not any(isinstance(item.type, GraphQLNonNull) for item in field.args.values()):
            yield name


@dataclass
class Two:
    """A gateway with two customers; `theirs` are all ids of the second, which the first must never meet."""

    gateway: RunningGateway
    keys: dict[str, str]
    theirs: set[str]
    connection: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Two]:
    folder: Path = tmp_path_factory.mktemp("two")
    async with stand_in() as erp, running_gateway(folder, credits=100) as gateway:
        _, our_token = await gateway.connected(erp, "Ours")
        keys = {"customer": await gateway.key("Ours"), "connection": our_token}
        theirs, _ = await gateway.connected(erp, "Theirs")
        await gateway.key("Theirs")
        await gateway.data(
            'mutation ($id: ID!) { pauseConnection(input: {id: $id, reason: "their secret"}) { connection { id } } }',
            id=theirs,
        )
        found = await gateway.data(
            """
            query ($customer: ID!) {
              events(filter: {customerId: {eq: $customer}}) { nodes { id } }
              creditPool { id ledger { nodes { id } } }
              customers(filter: {id: {eq: $customer}}) { nodes { id apiKeys { nodes { id } } } }
            }
            """,
            customer=gateway.customers["Theirs"],
        )
        yield Two(gateway, keys, {theirs, *ids_in(found)}, theirs)


def ids_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from ids_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from ids_in(item)
    elif isinstance(value, str) and value.startswith(CONCERNED):
        yield value


@pytest.mark.parametrize("kind", ["customer", "connection"])
@pytest.mark.parametrize("root", sorted(kept_roots()))
async def test_roots_show_nothing_of_others(two: Two, root: str, kind: str) -> None:
    query = SCHEMA.query_type
    assert query is not None
    inner = get_named_type(query.fields[root].type)
    asked = f"{{ {root} {{ {selection(inner)} }} }}"
    seen = str(await two.gateway.ask(asked, two.keys[kind]))
    assert not [item for item in two.theirs if item in seen]
    assert "their secret" not in seen
    everything = str(await two.gateway.ask(asked, ADMIN))
    if root in ("connections", "customers", "events", "creditPool"):
        assert any(item in everything for item in two.theirs), "else this test would see nothing at all"


@pytest.mark.parametrize("kind", ["customer", "connection"])
async def test_ids_of_others_lead_nowhere(two: Two, kind: str) -> None:
    query = "query ($id: ID!) { node(id: $id) { id } connection(id: $id) { id } }"
    for item in sorted(two.theirs):
        data = (await two.gateway.ask(query, two.keys[kind], id=item))["data"]
        assert data == {"node": None, "connection": None}, item
        if item.startswith(("con_", "evt_", "crd_", "crp_", "cus_", "key_")):
            assert (await two.gateway.data("query ($id: ID!) { node(id: $id) { id } }", id=item))["node"]


@pytest.mark.parametrize("filtered", ["connectionId", "customerId"])
async def test_filters_reach_no_further(two: Two, filtered: str) -> None:
    value = two.connection if filtered == "connectionId" else two.gateway.customers["Theirs"]
    query = f"query ($id: ID!) {{ events(filter: {{{filtered}: {{eq: $id}}}}) {{ nodes {{ id }} }} }}"
    for key in two.keys.values():
        assert (await two.gateway.data(query, key, id=value))["events"]["nodes"] == []
    assert (await two.gateway.data(query, id=value))["events"]["nodes"]


@pytest.mark.parametrize("mutation", sorted(mutations_on_a_thing()))
async def test_mutations_on_others_are_refused(two: Two, mutation: str) -> None:
    kind = SCHEMA.mutation_type
    assert kind is not None
    given = get_named_type(kind.fields[mutation].args["input"].type)
    needs = 'credentials: [{name: "url", value: "http://127.0.0.1:1"}]' if "credentials" in given.fields else ""
    query = f"mutation ($id: ID!) {{ {mutation}(input: {{id: $id {needs}}}) {{ errors {{ code }} }} }}"
    for thing in sorted(item for item in two.theirs if item.startswith(("con_", "key_"))):
        payload = (await two.gateway.data(query, two.keys["customer"], id=thing))[mutation]
        assert payload["errors"], (mutation, thing)
        assert payload["errors"][0]["code"] in ("CONNECTION_NOT_FOUND", "VALIDATION_FAILED")


async def test_only_an_operator_sees_the_credits(two: Two) -> None:
    for key in two.keys.values():
        assert await two.gateway.refused("{ creditPool { used } }", key) == "FORBIDDEN"


async def test_nobody_manages_without_the_scope(two: Two) -> None:
    reader = await two.gateway.key("Ours", scopes=["READ"])
    kind = SCHEMA.mutation_type
    assert kind is not None
    given = credentials(url="http://127.0.0.1:1")
    for mutation in mutations_on_a_thing():
        takes = "credentials" in get_named_type(kind.fields[mutation].args["input"].type).fields
        extra = ", $credentials: [CredentialInput!]!" if takes else ""
        inner = " credentials: $credentials" if takes else ""
        query = f"mutation ($id: ID!{extra}) {{ {mutation}(input: {{id: $id{inner}}}) {{ errors {{ code }} }} }}"
        variables: dict[str, Any] = {"credentials": given} if takes else {}
        assert await two.gateway.refused(query, reader, id=two.connection, **variables) == "SCOPE_MISSING"
