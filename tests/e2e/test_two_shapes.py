"""What every installation does, held against the product in both of its shapes, in every process."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.sites import Site
from tests.gateway.running import ADMIN, GatewayClient, StandIn, stand_in

QUERY = """{
  viewer { customer { id } }
  connections { nodes { id } }
  purchaseOrders(first: 50, orderBy: [{field: UPDATED_AT, direction: DESC}]) {
    nodes { id number status vendor { name } total { amount currency } lines(first: 3) { nodes { description } } }
    pageInfo { hasNextPage endCursor }
    isComplete
    sources { connection { id name } status count error { code } }
  }
}"""
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"


@pytest.fixture(params=["one_process", "two_processes"])
def shaped_site(request: pytest.FixtureRequest) -> Site:
    """The product in one of its shapes."""
    found: Site = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def sap() -> AsyncIterator[StandIn]:
    async with stand_in() as system:
        yield system


@pytest.fixture
async def clients(shaped_site: Site) -> AsyncIterator[list[GatewayClient]]:
    """A client of each process."""
    async with shaped_site.client(shaped_site.address(0)) as first:
        if len(shaped_site.programs) == 1:
            yield [first]
            return
        async with shaped_site.client(shaped_site.address(1)) as second:
            yield [first, second]


async def test_the_first_query_is_whole_and_the_same_everywhere(clients: list[GatewayClient], sap: StandIn) -> None:
    connection, token = await clients[0].connected(sap, name="First")
    answers = [await client.data(QUERY, token) for client in clients]
    for answer in answers:
        found = answer["purchaseOrders"]
        (source,) = found["sources"]
        assert source["connection"]["id"] == connection
        assert (source["status"], source["error"], found["isComplete"]) == ("OK", None, True)
        assert source["count"] == len(found["nodes"]) > 10
        assert [node["vendor"]["name"] for node in found["nodes"] if node["vendor"]]
    assert all(answer == answers[0] for answer in answers)


async def test_customers_are_apart_in_every_process(clients: list[GatewayClient], sap: StandIn) -> None:
    places = {}
    for name in ("North", "South"):
        await clients[0].connected(sap, name=name)
        places[name] = await clients[-1].data(QUERY, await clients[0].key(name))
    ids = {name: {node["id"] for node in seen["purchaseOrders"]["nodes"]} for name, seen in places.items()}
    assert all(ids.values())
    assert not ids["North"] & ids["South"]
    for client in clients:
        for own, other in (("North", "South"), ("South", "North")):
            key = await clients[0].key(own)
            given = sorted(ids[other])
            assert (await client.data(NODES, key, ids=given))["nodes"] == [None] * len(given)
            assert len((await client.data(QUERY, key))["connections"]["nodes"]) == 1


async def test_a_cursor_of_one_process_is_taken_by_the_other_from_the_same_customer(
    clients: list[GatewayClient], sap: StandIn
) -> None:
    query = "query ($after: String) { purchaseOrders(first: 2, after: $after) { nodes { id } pageInfo { endCursor } } }"
    _, token = await clients[0].connected(sap, name="Pages")
    first, last = clients[0], clients[-1]
    cursor = (await first.data(query, token))["purchaseOrders"]["pageInfo"]["endCursor"]
    pages = [(await client.data(query, token, after=cursor))["purchaseOrders"]["nodes"] for client in (first, last)]
    assert pages[0] == pages[1]
    assert await last.refused(query, ADMIN, after=cursor) == "INVALID_CURSOR"
