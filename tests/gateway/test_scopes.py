"""What only an operator sees, and what no key does without the scope."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from graphql import GraphQLInputObjectType, build_schema, get_named_type

from resolvers.roots import build_schema as build
from tests.gateway.running import RunningGateway, credentials, running_gateway, stand_in

pytestmark = pytest.mark.asyncio(loop_scope="module")
SCHEMA = build_schema(build().as_str())


def mutations_on_a_thing() -> Iterator[str]:
    """Every mutation whose input names the thing that it changes by id."""
    mutation = SCHEMA.mutation_type
    assert mutation is not None
    for name, field in mutation.fields.items():
        given = get_named_type(field.args["input"].type)
        assert isinstance(given, GraphQLInputObjectType)
        if "id" in given.fields:
            yield name


@dataclass
class Two:
    """A gateway with two customers, the keys of one, and a connection of the other."""

    gateway: RunningGateway
    keys: dict[str, str]
    connection: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Two]:
    folder: Path = tmp_path_factory.mktemp("two")
    async with stand_in() as erp, running_gateway(folder, credits=100) as gateway:
        _, our_token = await gateway.connected(erp, "Ours")
        keys = {"customer": await gateway.key("Ours"), "connection": our_token}
        theirs, _ = await gateway.connected(erp, "Theirs")
        yield Two(gateway, keys, theirs)


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
