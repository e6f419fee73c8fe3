"""Single things by id: whatever a list shows is found again, and what is not there is null."""

import asyncio
from typing import Any

import pytest

from schema.ids import RecordId
from schema.model import EntityType
from tests.resolvers.graph import Graph
from tests.resolvers.plant import Plant, demo_plant
from tests.resolvers.tables import order_row, source_of, table

NODE = """
query Node($id: ID!) {
  node(id: $id) {
    __typename id
    ... on Record { number connection { id } }
    ... on PurchaseOrder { vendor { id name } lines(first: 2) { nodes { id description } } }
    ... on PurchaseOrderLine { lineNumber description quantityOrdered { value unit } }
    ... on System { key }
  }
}
"""
LIST = """
{ purchaseOrders(first: 6) { nodes {
    id number vendor { id name }
    lines(first: 2) { nodes { id lineNumber description quantityOrdered { value unit } } }
} } }
"""


def order_id(connection_id: str, key: str) -> str:
    return str(RecordId(EntityType.PURCHASE_ORDER, connection_id, key).encode())


@pytest.fixture
def plant() -> Plant:
    return demo_plant(12)


async def test_a_record_and_its_link_and_lines_are_found_again(plant: Plant) -> None:
    for order in (await plant.run(LIST))["purchaseOrders"]["nodes"]:
        found = (await plant.run(NODE, id=order["id"]))["node"]
        assert found["__typename"] == "PurchaseOrder"
        assert (found["id"], found["number"]) == (order["id"], order["number"])
        assert found["vendor"] == order["vendor"]
        vendor = (await plant.run(NODE, id=order["vendor"]["id"]))["node"]
        assert (vendor["__typename"], vendor["id"]) == ("Vendor", order["vendor"]["id"])
        for line in order["lines"]["nodes"]:
            again = (await plant.run(NODE, id=line["id"]))["node"]
            assert again.pop("__typename") == "PurchaseOrderLine"
            assert again == line


async def test_several_come_in_the_order_of_their_ids_with_null_for_what_is_not_there(plant: Plant) -> None:
    orders = (await plant.run(LIST))["purchaseOrders"]["nodes"]
    ids = [orders[2]["id"], order_id("con_sap-eu", "4599999999"), orders[0]["vendor"]["id"], orders[0]["id"], "sys_x"]
    found = await plant.run("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids)
    assert [item and item["id"] for item in found["nodes"]] == [ids[0], None, ids[2], ids[3], None]


async def test_one_that_fails_leaves_the_others(plant: Plant) -> None:
    orders = (await plant.run(LIST))["purchaseOrders"]["nodes"]
    plant.trouble("sap-us", "error")
    result = await plant.execute(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[order["id"] for order in orders[:3]]
    )
    assert [item is None for item in result.data["nodes"]] == [False, True, False]
    (error,) = result.errors
    assert error.path == ["nodes", 1]
    assert (error.extensions["code"], error.extensions["connectionId"]) == ("UPSTREAM_ERROR", "con_sap-us")


async def test_a_failing_system_is_an_error_of_the_field(plant: Plant) -> None:
    orders = (await plant.run(LIST))["purchaseOrders"]["nodes"]
    plant.trouble("sap-eu", "unauthorized")
    for query in (NODE, "query ($id: ID!) { purchaseOrder(id: $id) { id } }"):
        result = await plant.execute(query, id=orders[0]["id"])
        assert set(result.data.values()) == {None}
        (error,) = result.errors
        assert error.extensions["code"] == "REAUTHORIZATION_REQUIRED"
        assert error.extensions["upstream"]["status"] == 401
        assert error.extensions["remediation"]


async def test_a_silent_system_is_given_up() -> None:
    live = table("a", [order_row("k1")])
    source_of(live).silent = frozenset({"orders"})
    query = "query ($id: ID!) { purchaseOrder(id: $id, timeoutMs: 50) { id } }"
    refused = await Graph([live]).refused(query, id=order_id("con_a", "k1"))
    assert refused["code"] == "UPSTREAM_TIMEOUT"


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "x",
        "é",
        "con_",
        "con_other",
        "cus_other",
        "sys_",
        "W10",
        order_id("con_other", "4500000001"),
        order_id("con_sap-eu", "no such order"),
        order_id("con_sap-eu", "' or 1 eq 1"),
        str(RecordId(EntityType.PURCHASE_ORDER, "con_sap-eu", "4500000001", ("lines", "999999")).encode()),
        str(RecordId(EntityType.PURCHASE_ORDER, "con_sap-eu", "4500000001", ("vendor", "1")).encode()),
        str(RecordId(EntityType.PURCHASE_ORDER, "con_sap-eu", "4500000001", ("nothing", "1")).encode()),
        str(RecordId(EntityType.VENDOR, "con_sap-eu", "17300001", ("lines", "1")).encode()),
    ],
)
async def test_what_is_not_there_is_null(plant: Plant, wanted: str) -> None:
    assert (await plant.run(NODE, id=wanted))["node"] is None


async def test_a_root_takes_ids_of_its_own_kind_only(plant: Plant) -> None:
    order = (await plant.run(LIST))["purchaseOrders"]["nodes"][0]
    query = "query ($id: ID!) { purchaseOrder(id: $id) { id } }"
    for wrong in (order["vendor"]["id"], order["lines"]["nodes"][0]["id"], "con_sap-eu", "nonsense", ""):
        refused = await plant.refused(query, id=wrong)
        assert (refused["code"], refused["field"]) == ("VALIDATION_FAILED", "id")


async def test_a_record_of_another_connection_is_null_and_nobody_is_asked(plant: Plant) -> None:
    query = "query ($id: ID!) { purchaseOrder(id: $id) { id } }"
    assert (await plant.run(query, id=order_id("con_other", "4500000001")))["purchaseOrder"] is None
    assert [plant.asked(name) for name in plant.sandboxes] == [[], []]


async def test_systems_and_connections_are_nodes(plant: Plant) -> None:
    assert (await plant.run(NODE, id="sys_sap_s4hana"))["node"]["key"] == "sap_s4hana"
    found = (await plant.run(NODE, id="con_sap-eu"))["node"]
    assert (found["__typename"], found["id"]) == ("ConnectedSystem", "con_sap-eu")


async def test_two_hundred_ids_are_the_most(plant: Plant) -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    refused = await plant.refused(query, ids=["x"] * 201)
    assert (refused["code"], refused["field"]) == ("VALIDATION_FAILED", "ids")
    assert (await plant.run(query, ids=["x"] * 200))["nodes"] == [None] * 200


async def test_lines_are_paged_like_everything_else(plant: Plant) -> None:
    query = """query ($id: ID!, $after: String) { purchaseOrder(id: $id) {
      lineCount lines(first: 2, after: $after) { nodes { id } edges { cursor } pageInfo { hasNextPage endCursor } }
    } }"""
    listed = (await plant.run("{ purchaseOrders { nodes { id lineCount } } }"))["purchaseOrders"]["nodes"]
    order = max(listed, key=lambda item: item["lineCount"])
    seen: list[Any] = []
    cursor = None
    while True:
        lines = (await plant.run(query, id=order["id"], after=cursor))["purchaseOrder"]["lines"]
        seen.extend(node["id"] for node in lines["nodes"])
        cursor = lines["pageInfo"]["endCursor"]
        if not lines["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == len(set(seen)) == order["lineCount"] > 2
    assert (await plant.refused(query, id=order["id"], after="nonsense"))["code"] == "INVALID_CURSOR"


async def test_an_unexpected_failure_is_not_told_to_clients() -> None:
    live = table("a", [order_row("k1")])
    source_of(live).troubles = iter([ZeroDivisionError("s3cret")])
    refused = await Graph([live]).refused(
        "query ($id: ID!) { purchaseOrder(id: $id) { id } }", id=order_id("con_a", "k1")
    )
    assert refused["code"] == "INTERNAL"
    assert "s3cret" not in str(refused)


async def test_many_at_once_do_not_mix_their_answers(plant: Plant) -> None:
    orders = (await plant.run(LIST))["purchaseOrders"]["nodes"]
    answers = await asyncio.gather(*(plant.run(NODE, id=order["id"]) for order in orders * 3))
    assert [answer["node"]["number"] for answer in answers] == [order["number"] for order in orders * 3]
