"""The control side: what was asked, and the troubles that a sandbox is told to have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from connectors.sandbox.control import MODES, ControlledSandbox
from connectors.sandbox.odata_v2 import ODataV2Sandbox

Connect = Callable[..., httpx.AsyncClient]
CONTROL = "http://plant.example/_sandbox"


@pytest.fixture
def controlled(application: ODataV2Sandbox) -> ControlledSandbox:
    return ControlledSandbox(
        application,
        entity_of=lambda path: "ORDER" if "/Document" in path else None,
        entities=("ORDER", "VENDOR"),
    )


@pytest.fixture
async def asker(controlled: ControlledSandbox, connect: Connect) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(controlled) as opened:
        yield opened


async def trouble(asker: httpx.AsyncClient, **faults: Any) -> httpx.Response:
    return await asker.put(f"{CONTROL}/faults", json=faults)


async def test_requests_are_kept_without_secrets(controlled: ControlledSandbox, asker: httpx.AsyncClient) -> None:
    asker.cookies.set("session", "secret-cookie")
    await asker.get("Document?$filter=Text eq 'a+b'&$top=1".replace("+", "%2B"), headers={"x-own": "1"})
    await asker.post("Line(Document='9')", json={})
    kept = (await asker.get(f"{CONTROL}/requests")).json()
    assert kept == controlled.requests
    first, second = kept
    assert (first["method"], first["path"]) == ("GET", "/sap/opu/odata/sap/API_TEST_SRV/Document")
    assert first["query"] == {"$filter": "Text eq 'a+b'", "$top": "1"}
    assert (first["entity"], second["entity"]) == ("ORDER", None)
    assert first["headers"]["x-own"] == "1"
    assert first["headers"]["authorization"] == first["headers"]["cookie"] == "(hidden)"
    assert "secret-cookie" not in str(kept)
    assert first["at"] <= second["at"]
    assert (await asker.delete(f"{CONTROL}/requests")).status_code == 204
    assert (await asker.get(f"{CONTROL}/requests")).json() == []


async def test_only_the_last_requests_are_kept(controlled: ControlledSandbox, asker: httpx.AsyncClient) -> None:
    for number in range(1_005):
        await asker.get(f"Document('{number}')/Text")
    assert len(controlled.requests) == 1_000
    assert controlled.requests[0]["path"].endswith("Document('5')/Text")


async def test_faults_are_told_and_read(asker: httpx.AsyncClient) -> None:
    nothing = {"mode": "none", "delayMs": 30_000, "retryAfterSeconds": 7, "entity": None}
    assert (await asker.get(f"{CONTROL}/faults")).json() == nothing
    answer = await trouble(asker, mode="slow", delayMs=5, entity="ORDER")
    assert answer.json() == {"mode": "slow", "delayMs": 5, "retryAfterSeconds": 7, "entity": "ORDER"}
    assert (await trouble(asker)).json() == nothing


async def test_a_trouble_of_one_kind_of_record_leaves_the_others(asker: httpx.AsyncClient) -> None:
    await trouble(asker, mode="error", entity="ORDER")
    assert (await asker.get("Document")).status_code == 500
    assert (await asker.get("Line")).status_code == 200
    assert (await asker.get("")).status_code == 200
    await trouble(asker, mode="error")
    assert (await asker.get("Line")).status_code == 500


async def test_unauthorized_and_forbidden(asker: httpx.AsyncClient) -> None:
    await trouble(asker, mode="unauthorized")
    answer = await asker.get("Document")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic realm=")
    await trouble(asker, mode="forbidden")
    answer = await asker.get("Document")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "/IWFND/CM_CONSUMER/101")


async def test_rate_limited(asker: httpx.AsyncClient) -> None:
    await trouble(asker, mode="rate_limited")
    answer = await asker.get("Document")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    await trouble(asker, mode="rate_limited", retryAfterSeconds=0)
    assert (await asker.get("Document")).headers["retry-after"] == "0"


async def test_error_and_malformed(asker: httpx.AsyncClient) -> None:
    await trouble(asker, mode="error")
    answer = await asker.get("Document")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "/IWBEP/CM_MGW_RT/053")
    await trouble(asker, mode="malformed")
    answer = await asker.get("Document")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    with pytest.raises(ValueError, match="Unterminated"):
        answer.json()


async def test_an_upgrade_changes_fields_and_is_taken_back(asker: httpx.AsyncClient) -> None:
    fields = {"Line": {"Price": None, "ZZ_New": "Edm.String"}, "Document": {"Copies": "Edm.String"}}
    assert (await asker.put(f"{CONTROL}/fields", json=fields)).status_code == 204
    told = (await asker.get("$metadata", headers={"accept": "application/xml"})).text
    assert ('Name="ZZ_New" Type="Edm.String"' in told, 'Name="Price"' in told) == (True, False)
    assert 'Name="Copies" Type="Edm.String"' in told
    answer = await asker.get("Line?$select=Price&$format=json")
    assert (answer.status_code, "Price" in answer.json()["error"]["message"]["value"]) == (404, True)
    (line, *_) = (await asker.get("Line?$select=ZZ_New&$format=json")).json()["d"]["results"]
    assert line["ZZ_New"] == ""
    assert {row["Copies"] for row in (await asker.get("Document?$format=json")).json()["d"]["results"]} == {""}
    await asker.post(f"{CONTROL}/reset")
    assert 'Name="Price"' in (await asker.get("$metadata", headers={"accept": "application/xml"})).text


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"Paper": {"Text": None}}, "Paper is no entity set"),
        ({"Document": {"Number": None}}, "no property Number"),
        ({"Document": ["Text"]}, "Document must be an object of fields"),
        ({"Document": {"Text": 1}}, "Document must be an object of fields"),
    ],
)
async def test_no_upgrade_does_that(asker: httpx.AsyncClient, fields: Any, message: str) -> None:
    answer = await asker.put(f"{CONTROL}/fields", json=fields)
    assert (answer.status_code, message in answer.json()["error"]) == (400, True)


async def test_down_lets_the_error_out(asker: httpx.AsyncClient) -> None:
    await trouble(asker, mode="down")
    with pytest.raises(ConnectionRefusedError):
        await asker.get("Document")
    assert (await asker.get(f"{CONTROL}/faults")).json()["mode"] == "down"


async def test_down_begins_an_answer_that_no_server_can_write(controlled: ControlledSandbox) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        raise RuntimeError("Invalid HTTP header name.")

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    controlled.faults = controlled.faults.__class__(mode="down")
    scope: Any = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [], "client": None}
    with pytest.raises(ConnectionRefusedError):
        await controlled(scope, receive, send)
    assert [header for message in sent for header in message["headers"]] == [(b"\n", b"")]


async def test_slow_waits_and_can_be_given_up(application: ODataV2Sandbox, connect: Connect) -> None:
    asked = asyncio.Event()

    def entity_of(path: str) -> str | None:
        asked.set()
        return None

    async with connect(ControlledSandbox(application, entity_of=entity_of)) as client:
        await trouble(client, mode="slow", delayMs=600_000)
        waiting = asyncio.ensure_future(client.get("Document"))
        await asked.wait()
        assert not waiting.done()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await trouble(client, mode="slow", delayMs=0)
        assert (await client.get("Document")).status_code == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"mode": "broken"}, f"mode must be one of {', '.join(MODES)}"),
        ({"mode": None}, f"mode must be one of {', '.join(MODES)}"),
        ({"mode": ["none"]}, f"mode must be one of {', '.join(MODES)}"),
        ({"delayMs": -1}, "delayMs must be a whole number from 0 to 600000"),
        ({"delayMs": 600_001}, "delayMs must be a whole number from 0 to 600000"),
        ({"delayMs": True}, "delayMs must be a whole number from 0 to 600000"),
        ({"delayMs": "5"}, "delayMs must be a whole number from 0 to 600000"),
        ({"retryAfterSeconds": 1.5}, "retryAfterSeconds must be a whole number from 0 to 600000"),
        ({"entity": "ASSET"}, "entity must be null or one of ORDER, VENDOR"),
        ({"delay": 5}, "delay is not a field here; the fields are mode, delayMs, retryAfterSeconds, entity"),
    ],
)
async def test_faults_that_do_not_exist_are_refused(asker: httpx.AsyncClient, body: Any, message: str) -> None:
    answer = await asker.put(f"{CONTROL}/faults", json=body)
    assert (answer.status_code, answer.json()) == (400, {"error": message})


async def test_bodies_that_are_no_orders(asker: httpx.AsyncClient) -> None:
    answer = await asker.put(f"{CONTROL}/faults", content=b"{")
    assert (answer.status_code, answer.json()["error"]) == (400, "the body must be JSON")
    answer = await asker.put(f"{CONTROL}/faults", json=[])
    assert (answer.status_code, answer.json()["error"]) == (400, "the body must be a JSON object")
    answer = await asker.put(f"{CONTROL}/credentials", json={"username": "reader", "password": ""})
    assert answer.json() == {"error": "password must be a text that is not empty"}
    answer = await asker.put(f"{CONTROL}/credentials", json={"user": "reader"})
    assert answer.json() == {"error": "user is not a field here; the fields are username, password"}
    assert (await asker.get(f"{CONTROL}/other")).status_code == 404
    assert (await asker.post(CONTROL)).status_code == 404


async def test_a_changed_password(asker: httpx.AsyncClient) -> None:
    body = {"username": "reader", "password": "changed"}
    assert (await asker.put(f"{CONTROL}/credentials", json=body)).status_code == 204
    assert (await asker.get("Document")).status_code == 401
    assert (await asker.get("Document", auth=("reader", "changed"))).status_code == 200


async def test_reset_begins_again(controlled: ControlledSandbox, asker: httpx.AsyncClient) -> None:
    controlled.application.users["reader"] = "changed"
    await trouble(asker, mode="error")
    await asker.get("Document")
    assert (await asker.post(f"{CONTROL}/reset")).status_code == 204
    assert controlled.requests == []
    assert (await asker.get("Document")).status_code == 200


@pytest.mark.parametrize(
    ("peer", "status"),
    [(("127.0.0.1", 1), 200), (("::1", 1), 200), (None, 200), (("10.0.0.7", 1), 403), (("testclient", 1), 403)],
)
async def test_only_this_machine_gives_orders(controlled: ControlledSandbox, peer: Any, status: int) -> None:
    transport = httpx.ASGITransport(controlled, client=peer)
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await client.get(f"{CONTROL}/faults")).status_code == status
        assert (await client.get(f"{CONTROL}x/faults")).status_code == 401
