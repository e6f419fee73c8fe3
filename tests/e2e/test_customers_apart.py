"""Two customers of one gateway, over the wire: neither ever sees the other."""

from typing import Any

import pytest

from tests.e2e.demo import Demo
from tests.e2e.processes import Client

SEEN = """
{
  viewer { customer { id } connection { id } }
  customers { nodes { id } }
  connections { nodes { id } }
  purchaseOrders(first: 60) { nodes { id connection { id } vendor { id } lines(first: 1) { nodes { id } } } }
}
"""
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
CHOICE = "query ($id: ID!) { purchaseOrders(connectionIds: [$id]) { nodes { id } } }"


def belongings(client: Client) -> tuple[dict[str, Any], list[str]]:
    """What a token sees, and every id in it."""
    seen = client.data(SEEN)
    orders = seen["purchaseOrders"]["nodes"][:5]
    ids = [
        *(node["id"] for kind in ("customers", "connections") for node in seen[kind]["nodes"]),
        *(order["id"] for order in orders),
        *(order["vendor"]["id"] for order in orders),
        *(line["id"] for order in orders for line in order["lines"]["nodes"]),
    ]
    return seen, ids


def test_each_sees_its_own_and_nothing_of_the_other(demo: Demo) -> None:
    _, ours = belongings(demo.first)
    _, theirs = belongings(demo.second)
    assert not set(ours) & set(theirs)
    for client, own, others in ((demo.first, ours, theirs), (demo.second, theirs, ours)):
        assert [node["id"] for node in client.data(NODES, ids=own)["nodes"]] == own
        for sandbox in demo.sandboxes.values():
            sandbox.forget()
        assert client.data(NODES, ids=others)["nodes"] == [None] * len(others)
        assert not any(sandbox.requests() for sandbox in demo.sandboxes.values())
    for name, client in (("sap-mills", demo.first), ("sap-eu", demo.second)):
        connection_id = demo.connection_id(name)
        assert client.code(CHOICE, id=connection_id) == "CONNECTION_NOT_FOUND"
        query = "query ($id: ID!) { connection(id: $id) { id } }"
        assert client.data(query, id=connection_id) == {"connection": None}


def test_the_admin_sees_both(demo: Demo) -> None:
    seen, ids = belongings(demo.admin)
    assert {order["connection"]["id"] for order in seen["purchaseOrders"]["nodes"]} == {
        demo.connection_id(name) for name in demo.sandboxes
    }
    assert [node["id"] for node in demo.admin.data(NODES, ids=ids)["nodes"]] == ids


@pytest.mark.parametrize("name", ["sap-eu", "sap-us", "sap-mills"])
def test_a_connection_s_token_sees_one_connection(demo: Demo, name: str) -> None:
    with Client(demo.url, demo.sandboxes[name].connection["token"]) as client:
        seen, _ = belongings(client)
        assert seen["connections"]["nodes"] == [{"id": demo.connection_id(name)}]
        assert seen["viewer"]["connection"] == {"id": demo.connection_id(name)}
        assert {order["connection"]["id"] for order in seen["purchaseOrders"]["nodes"]} == {demo.connection_id(name)}


def test_a_cursor_is_of_no_use_to_another_customer(demo: Demo) -> None:
    query = "query ($after: String) { purchaseOrders(first: 2, after: $after) { pageInfo { endCursor } } }"
    cursor = demo.first.data(query)["purchaseOrders"]["pageInfo"]["endCursor"]
    assert demo.second.code(query, after=cursor) == "INVALID_CURSOR"
    assert demo.admin.code(query, after=cursor) == "INVALID_CURSOR"
    assert demo.first.data(query, after=cursor)
