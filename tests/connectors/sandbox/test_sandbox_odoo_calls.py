"""Calls of the JSON-2 API: keys, databases, bodies and refusals, as Odoo 19 answers them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.sandbox.control import ControlledSandbox, Faults
from connectors.systems.odoo.sandbox import ENTITIES, USERS, entity_of, facts, sandbox
from tests.connectors.sandbox.odoo_plant import BASE, DATA, KEY, MODELS, Caller, plant

ORDER = "/json/2/purchase.order/search"
BEARER = {"authorization": f"Bearer {KEY}"}


def connect(application: Any = None, **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(application or plant())
    return httpx.AsyncClient(transport=transport, base_url=BASE, headers={**BEARER, **headers})


async def test_a_result_is_bare() -> None:
    async with connect() as client:
        answer = await client.post(ORDER, json={"domain": [], "order": "id"})
    assert (answer.status_code, answer.json()) == (200, [3, 4, 5])
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["connection"] == "close"
    assert "set-cookie" not in answer.headers


async def test_an_error_as_it_is_written() -> None:
    async with connect() as client:
        answer = await client.post("/json/2/res.partner/search_read", json={"fields": ["nope"]})
    said = answer.json()
    assert set(said) == {"name", "message", "arguments", "context", "debug"}
    assert (answer.status_code, said["name"]) == (500, "builtins.ValueError")
    assert said["message"] == "Invalid field 'nope' on 'res.partner'"
    assert (said["arguments"], said["context"]) == ([said["message"]], {})
    assert said["debug"].startswith("Traceback (most recent call last):")


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("", "User not authenticated, use an API Key with a Bearer Authorization header."),
        (f"Bearer {KEY}x", "Invalid apikey"),
        ("Bearer", "Invalid apikey"),
        (f"Basic {KEY}", "Invalid apikey"),
        (f"Bearer {KEY} {KEY}", "Invalid apikey"),
    ],
)
async def test_without_a_right_key(authorization: str, message: str) -> None:
    async with connect(authorization=authorization) as client:
        answer = await client.post(ORDER, json={"domain": []})
    said = answer.json()
    assert (answer.status_code, said["name"]) == (401, "werkzeug.exceptions.Unauthorized")
    assert (said["message"], said["arguments"]) == (message, [message, 401])
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("word", ["Bearer", "bearer", "BEARER"])
async def test_the_word_before_a_key_has_no_case(word: str) -> None:
    async with connect(authorization=f"{word} {KEY}") as client:
        assert (await client.post(ORDER, json={"domain": []})).status_code == 200


@pytest.mark.parametrize(
    ("databases", "header", "status"),
    [
        (("plant",), None, 200),
        (("plant",), "plant", 200),
        (("plant",), "other", 404),
        (("plant", "other"), None, 404),
        (("plant", "other"), "other", 200),
    ],
)
async def test_databases(databases: tuple[str, ...], header: str | None, status: int) -> None:
    headers = {} if header is None else {"x-odoo-database": header}
    async with connect(plant(databases=databases), **headers) as client:
        answers = [await client.post(ORDER, json={"domain": []}), await client.get("/json/version")]
    for answer in answers:
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html" if status == 404 else "application/json")
    assert ("X-Odoo-Database" in answers[0].text) == (status == 404)


@pytest.mark.parametrize("path", ["/json/version", "/web/version"])
async def test_the_version_needs_no_key(path: str) -> None:
    async with connect(authorization="") as client:
        answer = await client.get(path)
    assert answer.json() == {"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"}
    assert answer.headers["set-cookie"].startswith("session_id=")


async def test_health_and_other_pages() -> None:
    async with connect(authorization="") as client:
        assert (await client.get("/web/health")).json() == {"status": "pass"}
        answer = await client.get("/jsonrpc")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (404, "text/html")


@pytest.mark.parametrize(
    ("verb", "path"),
    [("GET", ORDER), ("PUT", ORDER), ("POST", "/json/2/purchase.order"), ("POST", "/json/2"), ("GET", f"{ORDER}/3")],
)
async def test_a_call_is_a_post_with_model_and_method(verb: str, path: str) -> None:
    async with connect() as client:
        answer = await client.request(verb, path)
    assert (answer.status_code, answer.json()["message"]) == (404, "Did you mean POST /json/2/<model>/<method>?")


async def test_bodies() -> None:
    path = "/json/2/res.company/search_read"
    everything = [1]
    async with connect() as client:
        for body in (None, b"[1, 2]", b'"text"', b"{}"):
            headers = {"content-type": "application/json"} if body else {}
            answer = await client.post(path, content=body, headers=headers)
            assert [row["id"] for row in answer.json()] == everything
        answer = await client.post(path, content=b"{}", headers={"content-type": "text/plain"})
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (415, "text/html")
        answer = await client.post(path, content=b"{", headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["name"]) == (400, "werkzeug.exceptions.BadRequest")
        assert answer.json()["message"].startswith("could not parse the body as json: ")


@pytest.mark.parametrize(
    ("model", "method", "arguments", "expected"),
    [
        ("x.y", "search", {"domain": []}, (404, "NotFound", "the model 'x.y' does not exist")),
        ("res.partner", "nope", {}, (404, "NotFound", "The method 'res.partner.nope' does not exist")),
        (
            "res.partner",
            "_search",
            {},
            (
                403,
                "AccessError",
                "Private methods (such as 'res.partner._search') cannot be called remotely.",
            ),
        ),
        ("res.partner", "search", {}, (422, "UnprocessableEntity", "missing a required argument: 'domain'")),
        ("res.partner", "search_count", {}, (422, "UnprocessableEntity", "missing a required argument: 'domain'")),
        (
            "res.partner",
            "web_search_read",
            {"domain": []},
            (422, "UnprocessableEntity", "missing a required argument: 'specification'"),
        ),
        (
            "res.partner",
            "search",
            {"domain": [], "wrong": 1},
            (422, "UnprocessableEntity", "got an unexpected keyword argument 'wrong'"),
        ),
        (
            "res.partner",
            "search_read",
            {"wrong": 1},
            (500, "TypeError", "BaseModel._read_format() got an unexpected keyword argument 'wrong'"),
        ),
        (
            "res.partner",
            "search",
            {"domain": [], "context": {"lang": "de_DE"}},
            (422, "UserError", "Invalid language code: de_DE"),
        ),
        (
            "res.partner",
            "search",
            {"domain": [], "context": {"allowed_company_ids": [2]}},
            (403, "AccessError", "Access to unauthorized or invalid companies."),
        ),
    ],
)
async def test_refusals(model: str, method: str, arguments: Any, expected: tuple[int, str, str]) -> None:
    assert await Caller().refused(model, method, **arguments) == expected


@pytest.mark.parametrize(
    ("model", "method", "arguments", "status"),
    [
        ("res.partner", "search", {"domain": [], "limit": -1}, 500),
        ("res.partner", "search", {"domain": [], "limit": "80"}, 500),
        ("res.partner", "search", {"domain": [], "offset": -1}, 500),
        ("res.partner", "search", {"domain": [], "context": "x"}, 500),
        ("res.partner", "search", {"domain": [], "ids": [7]}, 422),
        ("res.partner", "web_search_read", {"domain": [], "specification": ["name"]}, 500),
        ("res.partner", "web_search_read", {"domain": [], "specification": {"parent_id": 5}}, 500),
        ("res.partner", "has_access", {}, 422),
        ("res.partner", "has_access", {"operation": "open"}, 500),
        ("res.partner", "write", {"vals": {}}, 501),
        ("res.partner.bank", "search", {"domain": []}, 501),
    ],
)
async def test_more_refusals(model: str, method: str, arguments: Any, status: int) -> None:
    assert (await Caller().post(model, method, **arguments)).status_code == status


async def test_no_right_to_a_model() -> None:
    rights = {"limited": ["res.partner", "stock.quant", "res.currency"]}
    caller = Caller(plant(rights=rights), key="limited-key")
    status, name, message = await caller.refused("purchase.order", "search", domain=[])
    assert (status, name) == (403, "AccessError")
    assert message.startswith("You are not allowed to access 'Purchase Order' (purchase.order) records.")
    assert await caller.call("purchase.order", "has_access", operation="read") is False
    assert await caller.call("res.partner", "has_access", operation="read") is True
    assert await caller.call("res.partner", "has_access", operation="write") is False
    assert (await caller.post("x.y", "has_access", operation="read")).status_code == 404
    assert "order_line" in await caller.call("purchase.order", "fields_get", attributes=["type"])
    assert await Caller(plant(rights=rights)).ids("purchase.order", []) == [3, 4, 5]


async def test_fields_of_other_groups() -> None:
    for granted, status in ((["stock.quant"], 403), (["stock.quant", "stock.quant.value", "product.product"], 200)):
        caller = Caller(plant(rights={"limited": granted}), key="limited-key")
        answer = await caller.post("stock.quant", "search_read", fields=["value"], limit=1)
        assert answer.status_code == status
        assert ("value" in await caller.call("stock.quant", "fields_get")) == (status == 200)
    caller = Caller(plant(rights={"limited": ["stock.quant"]}), key="limited-key")
    for arguments in ({"domain": [["currency_id", "=", 125]]}, {"domain": [], "order": "currency_id"}):
        status, name, message = await caller.refused("stock.quant", "search", **arguments)
        assert (status, name) == (403, "AccessError")
        assert message.startswith('You do not have enough rights to access the field "currency_id" on Quants')


async def test_fields_get() -> None:
    caller = Caller()
    attributes = ["type", "relation", "selection", "store", "searchable", "sortable", "nonsense"]
    names = ["state", "order_line", "nonsense"]
    said = await caller.call("purchase.order", "fields_get", allfields=names, attributes=attributes)
    assert set(said) == {"state", "order_line"}
    assert [key for key, _ in said["state"]["selection"]] == ["draft", "sent", "to approve", "purchase", "cancel"]
    assert said["order_line"] == {
        "type": "one2many",
        "relation": "purchase.order.line",
        "store": True,
        "searchable": True,
        "sortable": False,
    }
    everything = await caller.call("purchase.order", "fields_get")
    assert {"string", "required", "readonly"} <= set(everything["state"])


async def test_who_the_user_is() -> None:
    caller = Caller(plant(rights={"limited": ["res.partner"]}), key="limited-key")
    assert await Caller().call("res.users", "context_get") == {"lang": "en_US", "tz": "UTC", "uid": 2}
    asked = {"ids": [2], "group_ext_id": "maintenance.group_equipment_manager"}
    assert await Caller().call("res.users", "has_group", **asked) is True
    assert await caller.call("res.users", "has_group", **asked) is False
    assert (await caller.post("res.partner", "context_get")).status_code == 404


async def test_rows_can_change_while_it_runs() -> None:
    application = plant()
    caller = Caller(application)
    application.data["purchase.order"].append({"id": 6, "name": "P00006"})
    assert await caller.ids("purchase.order", []) == [3, 4, 5, 6]
    application.reset()
    assert await caller.ids("purchase.order", []) == [3, 4, 5]
    assert len(DATA["purchase.order"]) == 3


async def test_troubles() -> None:
    box = ControlledSandbox(plant(), entity_of=entity_of, entities=ENTITIES.values())
    caller = Caller(box)
    expected = {"unauthorized": 401, "forbidden": 403, "rate_limited": 429, "error": 500}
    for mode, status in expected.items():
        box.faults = Faults(mode)  # type: ignore[arg-type]
        assert (await caller.post("purchase.order", "search", domain=[])).status_code == status
    box.faults = Faults("forbidden", entity="PURCHASE_ORDER")
    status, name, message = await caller.refused("purchase.order", "search", domain=[])
    assert (status, name) == (403, "AccessError")
    assert "'Purchase Order' (purchase.order)" in message
    assert await caller.ids("res.partner", [["id", "=", 7]]) == [7]
    box.faults = Faults("malformed")
    with pytest.raises(ValueError, match="Unterminated"):
        (await caller.post("purchase.order", "search", domain=[])).json()


async def test_a_module_changes_fields() -> None:
    box = ControlledSandbox(plant())
    caller = Caller(box)
    box.application.redescribe("purchase.order", {"partner_ref": None, "x_plant": "many2one res.partner"})
    told = await caller.call("purchase.order", "fields_get")
    assert ("partner_ref" in told, told["x_plant"]["relation"]) == (False, "res.partner")
    asked_for: dict[str, Any] = {"partner_ref": {}}
    refusal = await caller.refused("purchase.order", "web_search_read", domain=[], specification=asked_for)
    assert (refusal[1], "partner_ref" in refusal[2]) == ("ValueError", True)
    box.reset()
    assert "partner_ref" in await caller.call("purchase.order", "fields_get")
    for collection, fields in (("purchase.paper", {}), ("purchase.order", {"write_date": None})):
        with pytest.raises(ValueError, match="no model"):
            box.application.redescribe(collection, fields)


async def test_a_changed_key() -> None:
    box = sandbox()
    async with connect(box, authorization=f"Bearer {USERS['switchgear']}") as client:
        assert (await client.post(ORDER, json={"domain": []})).status_code == 200
        body = {"username": "switchgear", "password": "other"}
        assert (await client.put("/_sandbox/credentials", json=body)).status_code == 204
        assert (await client.post(ORDER, json={"domain": []})).status_code == 401
        kept = (await client.get("/_sandbox/requests")).json()
    assert {request["headers"]["authorization"] for request in kept} == {"(hidden)"}
    assert [request["entity"] for request in kept] == ["PURCHASE_ORDER"] * 2


@pytest.mark.parametrize(
    ("path", "entity"),
    [
        ("/json/2/purchase.order/web_search_read", "PURCHASE_ORDER"),
        ("/json/2/purchase.order.line/search_read", "PURCHASE_ORDER"),
        ("/json/2/maintenance.request/read", "WORK_ORDER"),
        ("/json/2/maintenance.equipment/search_count", "ASSET"),
        ("/json/2/res.partner/web_read", "VENDOR"),
        ("/json/2/product.product/search", "INVENTORY_ITEM"),
        ("/json/2/stock.quant/search_read", "INVENTORY_ITEM"),
        ("/json/2/res.users/search_read", None),
        ("/json/2/purchase.order/fields_get", None),
        ("/json/2/purchase.order/has_access", None),
        ("/json/version", None),
    ],
)
def test_kinds_of_records(path: str, entity: str | None) -> None:
    assert entity_of(path) == entity


def test_every_model_of_the_facts_is_served() -> None:
    assert set(facts()["models"]) <= set(MODELS)
    assert set(ENTITIES) <= set(facts()["models"])
    for model in MODELS.values():
        assert model.title != model.name
        for field in model.fields.values():
            if field.inverse:
                back = MODELS[field.relation].fields[field.inverse]
                assert back.relation == model.name, (model.name, field.name)
            if field.related:
                assert _end(model.name, field.related).type == field.type, (model.name, field.name)


def _end(model: str, path: tuple[str, ...]) -> Any:
    *way, last = path
    for name in way:
        model = MODELS[model].fields[name].relation
    return MODELS[model].fields[last]
