"""The same over Odoo and over a REST manifest, which have to be asked in other ways."""

import contextlib
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.registry import use_manifests
from connectors.systems.odoo.sandbox import DATABASE, USERS, sandbox
from gateway.servers import beside, listen, port_of
from tests.connectors.json_server import JsonServer
from tests.connectors.workshop_bench import EXAMPLE, KEY, example_data
from tests.gateway.customer_plant import add_to_odoo, update, updated
from tests.gateway.running import RunningGateway, credentials, running_gateway

ASSETS = """
{ assets(first: 200) {
    nodes { remoteId displayName vendor { name } customFields { key type value } raw meta { missing { path reason } } }
    sources { status upstreamCalls } } }
"""
ZONE = {"entity": "ASSET", "key": "zone", "path": "x_zone"}
ORDERS = """
query ($paths: [String!]) { purchaseOrders(first: 200) {
    nodes { remoteId raw(paths: $paths) customFields { key type value } meta { missing { path reason } } }
    sources { upstreamCalls } } }
"""


@contextlib.asynccontextmanager
async def over_odoo(folder: Path, **options: Any) -> AsyncIterator[tuple[RunningGateway, Any, str]]:
    box = sandbox(**options)
    listener = listen("127.0.0.1", 0)
    async with beside(box, listener), running_gateway(folder) as gateway:
        answers = {"url": f"http://127.0.0.1:{port_of(listener)}", "apiKey": USERS["switchgear"], "database": DATABASE}
        payload = await gateway.connect("", system="odoo", authMethod="api_key", credentials=credentials(**answers))
        assert payload["errors"] == []
        yield gateway, box, payload["connection"]["id"]


async def test_a_new_field_shows_in_raw_and_then_as_a_custom_field(tmp_path: Path) -> None:
    async with over_odoo(tmp_path) as (gateway, box, connection):
        add_to_odoo(box, "maintenance.equipment", "x_zone", "char", of_1="Z1", of_2="")
        before = (await gateway.data(ASSETS))["assets"]
        assert before["sources"] == [{"status": "OK", "upstreamCalls": 3}]  # the fields, the rows, their vendors
        raw = {node["remoteId"]: node["raw"] for node in before["nodes"]}
        assert raw["1"]["x_zone"] == "Z1"
        assert all(isinstance(row["partner_id"], int) for row in raw.values() if row["partner_id"])
        nested = {name for name, value in raw["1"].items() if isinstance(value, (dict, list))}
        assert nested == {"equipment_properties"}
        await updated(gateway, connection, customFields=[ZONE])
        found = (await gateway.data(ASSETS))["assets"]
        fields = {node["remoteId"]: node["customFields"] for node in found["nodes"]}
        assert fields["1"] == [{"key": "zone", "type": "TEXT", "value": "Z1"}]
        assert fields["2"] == [{"key": "zone", "type": "TEXT", "value": None}]
        assert {node["remoteId"]: node["raw"] for node in found["nodes"]} == raw


async def test_raw_is_the_same_whatever_else_is_selected(tmp_path: Path) -> None:
    """Although names behind its links, and its lines, come with the same answer."""
    async with over_odoo(tmp_path) as (gateway, box, _):
        query = "{ purchaseOrders(first: 5) { nodes { remoteId raw } } }"
        alone = (await gateway.data(query))["purchaseOrders"]["nodes"]
        more = query.replace("raw", "raw vendorName currency lines { nodes { itemNumber } }")
        beside_others = (await gateway.data(more))["purchaseOrders"]["nodes"]
        assert [node["raw"] for node in beside_others] == [node["raw"] for node in alone]
        lines = await gateway.data(more.replace("raw", 'raw(paths: ["order_line", "partner_id"])'))
        for node in lines["purchaseOrders"]["nodes"]:
            own = [
                row["id"]
                for row in box.application.data["purchase.order.line"]
                if str(row["order_id"]) == node["remoteId"]
            ]
            assert sorted(node["raw"]["order_line"]) == sorted(own)
            assert isinstance(node["raw"]["partner_id"], int)


async def test_what_may_not_be_read_as_a_whole_is_null_and_the_list_is_there(tmp_path: Path) -> None:
    async with over_odoo(tmp_path, rights={"switchgear": {"maintenance.equipment"}}) as (gateway, _, connection):
        payload = await update(gateway, connection, settings={"customFields": [{**ZONE, "path": "partner_id.ref"}]})
        assert payload["errors"] == []  # Odoo describes models to those, too, who may not read them
        query = ASSETS.replace("vendor { name }", "")
        found = (await gateway.data(query))["assets"]
        assert found["sources"][0]["status"] == "OK"
        assert found["nodes"]
        for node in found["nodes"]:
            gaps = {gap["path"]: gap["reason"] for gap in node["meta"]["missing"]}
            assert gaps == {"customFields.zone": "NOT_PERMITTED", "raw": "NOT_PERMITTED"}


async def test_objects_are_models(tmp_path: Path) -> None:
    async with over_odoo(tmp_path) as (gateway, box, connection):
        stages = {"object": "stages", "source": "maintenance.stage", "fields": ["name", "done", "sequence"]}
        await updated(gateway, connection, customObjects=[stages])
        query = """query ($id: ID!, $after: String, $filter: CustomObjectFilter) {
          customObjects(connectionId: $id, object: "stages", first: 2, after: $after, filter: $filter) {
            nodes { remoteId displayName fields { key type value } } pageInfo { hasNextPage endCursor }
            sources { filteredHere } } }"""
        found, after = [], None
        while True:
            page = (await gateway.data(query, id=connection, after=after))["customObjects"]
            found += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        rows = box.application.data["maintenance.stage"]
        assert [node["remoteId"] for node in found] == sorted((str(row["id"]) for row in rows), key=int)
        assert [node["displayName"] for node in found] == [row["name"] for row in rows]
        wanted = {"field": "done", "operator": "EQ", "value": True}
        page = (await gateway.data(query, id=connection, filter=wanted))["customObjects"]
        assert {node["remoteId"] for node in page["nodes"]} == {str(row["id"]) for row in rows if row.get("done")}
        assert page["sources"] == [{"filteredHere": []}]


@contextlib.asynccontextmanager
async def over_the_workshop(folder: Path) -> AsyncIterator[tuple[RunningGateway, JsonServer, str]]:
    server = JsonServer(example_data(), KEY)
    listener = listen("127.0.0.1", 0)
    try:
        async with beside(server.application, listener), running_gateway(folder, manifests=(EXAMPLE,)) as gateway:
            payload = await gateway.connect(
                "",
                system="workshop",
                authMethod="api-key",
                deployment="ON_PREMISES",
                credentials=credentials(url=f"http://127.0.0.1:{port_of(listener)}", api_key=KEY),
            )
            assert payload["errors"] == []
            yield gateway, server, payload["connection"]["id"]
    finally:
        use_manifests(())


async def test_a_source_that_does_not_describe_itself_shows_its_rows(tmp_path: Path) -> None:
    async with over_the_workshop(tmp_path) as (gateway, server, connection):
        for row in server.data["orders"]:
            row["site"] = {"hall": f"H{row['id']}", "load": 12.5}
        hall = {"entity": "PURCHASE_ORDER", "key": "hall", "path": "site.hall"}
        load = {"entity": "PURCHASE_ORDER", "key": "load", "path": "site.load"}
        later = {"entity": "PURCHASE_ORDER", "key": "later", "path": "inspected", "type": "DATE"}
        before = (await gateway.data(ORDERS))["purchaseOrders"]
        await updated(gateway, connection, customFields=[hall, load, later])
        found = (await gateway.data(ORDERS, paths=["site.hall", "total"]))["purchaseOrders"]
        assert found["sources"] == before["sources"]
        own = {str(row["id"]): row for row in server.data["orders"]}
        for node, whole in zip(found["nodes"], before["nodes"], strict=True):
            row = own[node["remoteId"]]
            assert whole["raw"] == row
            assert node["raw"] == {"site": {"hall": f"H{row['id']}"}, "total": row["total"]}
            values = {field["key"]: (field["type"], field["value"]) for field in node["customFields"]}
            assert values["hall"] == ("TEXT", f"H{row['id']}")
            assert (values["load"][0], Decimal(values["load"][1])) == ("NUMBER", Decimal("12.5"))
            assert values["later"] == ("DATE", None)


@pytest.mark.parametrize(
    ("settings", "field", "said"),
    [
        (
            {"customFields": [{"entity": "PURCHASE_ORDER", "key": "x", "path": "contakt.email"}]},
            "settings.customFields.0.path",
            "None of",
        ),
        (
            {"customFields": [{"entity": "VENDOR", "key": "x", "path": "contact.emial"}]},
            "settings.customFields.0.path",
            "did you mean 'contact.email'?",
        ),
        (
            {"customFields": [{"entity": "ASSET", "key": "x", "path": "y"}]},
            "settings.customFields.0.entity",
            "Workshop has no assets",
        ),
        (
            {"customObjects": [{"object": "x", "source": "vendors"}]},
            "settings.customObjects.0.source",
            "describes no object",
        ),
    ],
)
async def test_mistakes_are_told_by_what_its_rows_have(
    tmp_path: Path, settings: dict[str, Any], field: str, said: str
) -> None:
    async with over_the_workshop(tmp_path) as (gateway, _, connection):
        (error,) = (await update(gateway, connection, settings=settings))["errors"]
        assert error["field"] == field
        assert said in error["message"]
