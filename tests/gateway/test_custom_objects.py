"""Objects that the settings allow: paged by their key, filtered by the system or here, and no other than those."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.gateway.customer_plant import PERMITS, add_permits, updated
from tests.gateway.running import RunningGateway, StandIn, running_gateway, stand_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = """
query ($id: ID!, $object: String = "permits", $fields: [String!], $filter: CustomObjectFilter, $first: Int = 200,
       $after: String) {
  customObjects(connectionId: $id, object: $object, fields: $fields, filter: $filter, first: $first, after: $after) {
    nodes { id object remoteId displayName connection { id } fields { key label type value text } }
    pageInfo { hasNextPage endCursor }
    isComplete
    sources { status upstreamCalls filteredHere count error { code message } }
  }
}
"""


@dataclass
class Yard:
    """A connection with an object of the customer's own."""

    gateway: RunningGateway
    erp: StandIn
    connection: str

    async def page(self, **variables: Any) -> Any:
        """A page of the object."""
        self.erp.box.requests.clear()
        return (await self.gateway.data(PAGE, id=self.connection, **variables))["customObjects"]

    async def keys(self, **wanted: Any) -> set[str]:
        """The keys that a filter finds."""
        return {node["remoteId"] for node in (await self.page(filter=wanted))["nodes"]}

    def asked(self) -> dict[str, str]:
        """The only question that was asked."""
        (request,) = self.erp.box.requests
        found: dict[str, str] = request["query"]
        return found

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The permits as the system has them."""
        found: list[dict[str, Any]] = self.erp.box.application.data["YY1_PERMIT"]  # type: ignore[attr-defined]
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def yard(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Yard]:
    async with stand_in() as erp, running_gateway(tmp_path_factory.mktemp("yard")) as gateway:
        add_permits(erp.box, 5)
        connection, _ = await gateway.connected(erp, "Ours", settings={"customObjects": [PERMITS]})
        yield Yard(gateway, erp, connection)


def key(row: dict[str, Any]) -> str:
    return f'["{row["Permit"]}","{row["Position"]}"]'


async def test_rows_come_with_the_types_and_labels_that_the_system_tells(yard: Yard) -> None:
    found = await yard.page()
    assert found["isComplete"]
    assert {node["remoteId"] for node in found["nodes"]} == set(map(key, yard.rows))
    node = found["nodes"][0]
    assert (node["object"], node["connection"]["id"]) == ("permits", yard.connection)
    shown = {item["key"]: (item["type"], item["value"]) for item in node["fields"]}
    assert shown == {
        "Permit": ("TEXT", "P0"),
        "Position": ("NUMBER", "1"),
        "Zone": ("TEXT", "0"),
        "ValidTo": ("DATE", "2026-01-01"),
        "Load": ("NUMBER", "0.125"),
        "Closed": ("BOOLEAN", True),
    }
    assert next(item["label"] for item in node["fields"] if item["key"] == "Zone") == "Explosion zone"


@pytest.mark.parametrize("first", [1, 2, 7])
async def test_every_row_comes_once_on_some_page(yard: Yard, first: int) -> None:
    """The key has two parts, so that a page may end between rows of one permit."""
    found: list[str] = []
    after = None
    for _ in yard.rows:
        page = await yard.page(first=first, after=after)
        found += [node["remoteId"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert found == list(map(key, yard.rows))


async def test_only_wanted_fields_are_asked_for(yard: Yard) -> None:
    await yard.page(fields=["Zone"])
    assert yard.asked()["$select"] == "Permit,Position,Zone"
    query = """query ($id: ID!) { customObjects(connectionId: $id, object: "permits") {
        nodes { fields(keys: ["Load"]) { value } } } }"""
    yard.erp.box.requests.clear()
    await yard.gateway.data(query, id=yard.connection)
    assert yard.asked()["$select"] == "Load,Permit,Position"


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ({"field": "Zone", "operator": "IN", "value": ["1", "2"]}, lambda row: row["Zone"] in "12"),
        ({"field": "Zone", "operator": "NE", "value": "1"}, lambda row: row["Zone"] != "1"),
        ({"field": "Position", "operator": "GTE", "value": 2}, lambda row: row["Position"] >= 2),
        ({"field": "Position", "operator": "EQ", "value": "2"}, lambda row: row["Position"] == 2),
        ({"field": "Load", "operator": "LT", "value": "2.125"}, lambda row: row["Load"] < 2.125),
        (
            {"field": "ValidTo", "operator": "LTE", "value": "2026-01-02"},
            lambda row: f"{row['ValidTo']}" <= "2026-01-02",
        ),
        ({"field": "ValidTo", "operator": "IS_NULL", "value": True}, lambda row: row["ValidTo"] is None),
    ],
)
async def test_the_system_applies_a_filter(yard: Yard, condition: Any, fits: Any) -> None:
    found = await yard.page(filter=condition)
    assert {node["remoteId"] for node in found["nodes"]} == {key(row) for row in yard.rows if fits(row)} != set()
    assert found["sources"][0]["filteredHere"] == []
    assert condition["field"] in yard.asked()["$filter"]


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ({"field": "Permit", "operator": "CONTAINS", "value": "p1"}, lambda row: "P1" in row["Permit"]),
        ({"field": "Closed", "operator": "EQ", "value": True}, lambda row: row["Closed"]),
        ({"field": "Position", "operator": "GT", "value": "1.5"}, lambda row: row["Position"] > 1.5),
    ],
)
async def test_what_the_system_cannot_apply_is_applied_here(yard: Yard, condition: Any, fits: Any) -> None:
    found = await yard.page(filter=condition)
    assert {node["remoteId"] for node in found["nodes"]} == {key(row) for row in yard.rows if fits(row)} != set()
    assert found["sources"][0]["filteredHere"] == [condition["field"]]


async def test_conditions_are_put_together(yard: Yard) -> None:
    zone = {"field": "Zone", "operator": "EQ", "value": "1"}
    second = {"field": "Position", "operator": "EQ", "value": 2}
    both = {key(row) for row in yard.rows if row["Zone"] == "1" and row["Position"] == 2}
    either = {key(row) for row in yard.rows if row["Zone"] == "1" or row["Position"] == 2}
    assert await yard.keys(**{"and": [zone, second]}) == await yard.keys(**zone, **{"and": [second]}) == both
    assert await yard.keys(**{"or": [zone, second]}) == either
    assert await yard.keys(**{"not": {"or": [zone, second]}}) == set(map(key, yard.rows)) - either
    assert await yard.keys(field="Zone", operator="IN", value=[]) == set()


@pytest.mark.parametrize(
    ("variables", "field", "said"),
    [
        ({"object": "users"}, "object", "they have: permits"),
        ({"object": "YY1_PERMIT_CDS/YY1_PERMIT"}, "object", "they have: permits"),
        ({"fields": ["zone"]}, "fields", "did you mean 'Zone'?"),
        ({"filter": {"field": "Zonne", "operator": "EQ", "value": "1"}}, "filter.field", "did you mean 'Zone'?"),
        ({"filter": {"field": "Zone", "operator": "EQ", "value": 1}}, "filter.value", "TEXT"),
        ({"filter": {"field": "Zone", "operator": "EQ"}}, "filter.value", "TEXT"),
        ({"filter": {"field": "Zone", "operator": "GT", "value": "1"}}, "filter.operator", "CONTAINS"),
        ({"filter": {"field": "Zone", "operator": "IN", "value": "1"}}, "filter.value", "list"),
        ({"filter": {"field": "Load", "operator": "EQ", "value": 1.5}}, "filter.value", "Decimal"),
        ({"filter": {"field": "ValidTo", "operator": "EQ", "value": "today"}}, "filter.value", "day"),
        ({"filter": {"field": "Zone", "operator": "IS_NULL", "value": "yes"}}, "filter.value", "true or false"),
        ({"filter": {"operator": "EQ", "value": "1"}}, "filter", "`field`"),
        ({"filter": {"or": [{"not": {"field": "Zone"}}]}}, "filter.or.0.not", "`operator`"),
    ],
)
async def test_what_cannot_be_meant_is_refused_before_anything_is_asked(
    yard: Yard, variables: dict[str, Any], field: str, said: str
) -> None:
    yard.erp.box.requests.clear()
    (error,) = (await yard.gateway.ask(PAGE, id=yard.connection, **variables))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("VALIDATION_FAILED", field)
    assert said in error["message"]
    assert yard.erp.box.requests == []


async def test_a_row_is_found_again_by_its_id(yard: Yard) -> None:
    row = (await yard.page(first=3))["nodes"][2]
    query = """query ($id: ID!) { node(id: $id) { id ... on CustomObject {
        remoteId fields(keys: ["Zone"]) { key value } raw } } }"""
    found = (await yard.gateway.data(query, id=row["id"]))["node"]
    assert (found["id"], found["remoteId"]) == (row["id"], row["remoteId"])
    assert found["fields"] == [{"key": "Zone", "value": "0"}]
    assert found["raw"]["Load"] == "0.125"
    theirs = await yard.gateway.key("Theirs")
    assert (await yard.gateway.data(query, theirs, id=row["id"]))["node"] is None


async def test_only_who_sees_the_connection_sees_its_objects(yard: Yard) -> None:
    theirs = await yard.gateway.key("Theirs")
    assert await yard.gateway.refused(PAGE, theirs, id=yard.connection) == "CONNECTION_NOT_FOUND"
    cursor = (await yard.page(first=2))["pageInfo"]["endCursor"]
    ours = await yard.gateway.key("Ours")
    assert await yard.gateway.refused(PAGE, ours, id=yard.connection, after=cursor, first=2) == "INVALID_CURSOR"


async def test_a_failed_system_is_the_outcome(yard: Yard) -> None:
    yard.erp.trouble("error")
    try:
        found = await yard.page()
    finally:
        yard.erp.trouble("none")
    assert (found["nodes"], found["isComplete"]) == ([], False)
    assert found["sources"][0]["error"]["code"] == "UPSTREAM_ERROR"


async def test_another_look_makes_old_cursors_invalid(yard: Yard) -> None:
    cursor = (await yard.page(first=2))["pageInfo"]["endCursor"]
    await updated(yard.gateway, yard.connection, customObjects=[{**PERMITS, "fields": ["Zone"]}])
    try:
        assert await yard.gateway.refused(PAGE, id=yard.connection, after=cursor, first=2) == "INVALID_CURSOR"
        assert {item["key"] for item in (await yard.page())["nodes"][0]["fields"]} == {"Zone"}
    finally:
        await updated(yard.gateway, yard.connection, customObjects=[PERMITS])
