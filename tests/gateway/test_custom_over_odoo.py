"""The same over Odoo and over a REST manifest, which have to be asked in other ways."""

import contextlib
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import Unavailable
from connectors.protocols import odoo_json2
from connectors.protocols.odoo_json2 import write_specification
from connectors.registry import use_manifests
from connectors.systems.odoo.sandbox import DATABASE, USERS, sandbox
from gateway.serving.servers import beside, listen, port_of
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


async def test_secrets_are_neither_asked_for_nor_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()

    def note(paths: frozenset[str]) -> Any:
        asked.update(paths)
        return write_specification(paths)

    monkeypatch.setattr(odoo_json2, "write_specification", note)
    async with over_odoo(tmp_path) as (gateway, box, connection):
        add_to_odoo(box, "purchase.order", "access_token", "char", **{f"of_{number}": "hush" for number in range(99)})
        gap = {"path": "raw.access_token", "reason": "REDACTED"}
        for paths in (None, ["name", "access_token"], ["partner_id.access_token", "name", "access_token"]):
            orders = (await gateway.data(ORDERS, paths=paths))["purchaseOrders"]
            assert "name" in asked
            assert "access_token" not in asked
            assert "hush" not in str(orders)
            for node in orders["nodes"]:
                assert node["raw"]["name"]
                assert gap in node["meta"]["missing"]
        await updated(gateway, connection, customObjects=[{"object": "orders", "source": "purchase.order"}])
        query = """query ($id: ID!, $fields: [String!]) { customObjects(connectionId: $id, object: "orders", first: 2,
          fields: $fields) { nodes { fields { key } raw } } }"""
        found = await gateway.data(query, id=connection)
        assert found["customObjects"]["nodes"]
        assert "access_token" not in str(found)
        (error,) = (await gateway.ask(query, id=connection, fields=["access_token"]))["errors"]
        assert error["extensions"]["field"] == "fields"


async def test_explain_counts_the_question_about_the_fields_and_shows_it(tmp_path: Path) -> None:
    async with over_odoo(tmp_path) as (gateway, box, connection):
        await updated(gateway, connection, customFields=[{"entity": "ASSET", "key": "ref", "path": "partner_id.ref"}])
        query = "{ assets(first: 2) { nodes { raw customFields { key } vendor { raw } } } }"
        explain = """query ($asked: String!) { explain(query: $asked) { upstreamCalls
          reads { path upstreamFields request { url } } } }"""
        box.requests.clear()
        told = (await gateway.data(explain, asked=query))["explain"]
        assert box.requests == []
        assert told["reads"][0]["request"]["url"].endswith("/json/2/maintenance.equipment/fields_get")
        assert "partner_id.ref" in told["reads"][0]["upstreamFields"]
        cost = (await gateway.ask(query))["extensions"]["cost"]
        assert len(box.requests) == cost["upstreamCalls"] == told["upstreamCalls"] == 4


async def test_what_is_kept_without_raw_is_never_shown_as_raw(tmp_path: Path) -> None:
    """Although what raw asks for is only known once Odoo has told of its fields."""
    async with over_odoo(tmp_path) as (gateway, box, connection):
        await updated(gateway, connection, maxAgeSeconds=60, staleOnError=True)
        found = await gateway.data("{ purchaseOrders(first: 1) { nodes { id } } }")
        order = found["purchaseOrders"]["nodes"][0]["id"]
        query = "query ($id: ID!) { purchaseOrder(id: $id) { number %s meta { source } } }"
        short = await gateway.data(query % "", id=order)
        whole = (await gateway.data(query % "raw", id=order))["purchaseOrder"]
        assert (whole["raw"]["name"], whole["meta"]["source"]) == (short["purchaseOrder"]["number"], "LIVE")
        box.requests.clear()
        again = (await gateway.data(query % "raw", id=order))["purchaseOrder"]
        assert again == {**whole, "meta": {"source": "CACHE"}}
        assert box.requests == []


async def test_raw_that_is_kept_stands_in_for_a_system_that_tells_nothing_any_more(tmp_path: Path) -> None:
    async with over_odoo(tmp_path) as (gateway, _, connection):
        await updated(gateway, connection, staleOnError=True)
        query = "{ assets(first: 2) { nodes { raw } sources { status } } }"
        live = (await gateway.data(query))["assets"]
        served = gateway.process.directory.live(connection)
        assert served is not None
        source = served.source
        source.shapes.update({name: (told - 3_600.0, shape) for name, (told, shape) in source.shapes.items()})
        source.fault = Unavailable("The machine is being moved.")
        assert (await gateway.data(query))["assets"] == {**live, "sources": [{"status": "STALE"}]}
