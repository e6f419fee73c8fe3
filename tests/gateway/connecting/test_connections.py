"""Connecting and disconnecting: every refusal is typed and named, and leaves nothing behind."""

import json
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from connectors.systems.sap_s4hana.spec import sap_s4hana
from gateway.connecting.forms import Refused, check_texts
from gateway.keys.keyring import Keyring
from schema.administration import ConnectSystemInput
from schema.systems import Deployment
from tests.gateway.peers import Server, answering, sending
from tests.gateway.running import (
    ADMIN,
    PASSWORD,
    USER,
    RunningGateway,
    StandIn,
    credentials,
    running_gateway,
    stand_in,
)

ORDERS = "{ purchaseOrders(first: 200) { nodes { id } isComplete sources { status error { code } } } }"
CONNECTIONS = "{ connections(first: 200) { nodes { id name lifecycle } } }"
DISCONNECT = """
mutation ($id: ID!) {
  disconnectSystem(input: {id: $id, reason: "moved"}) { connection { id lifecycle } errors { __typename code field } }
}
"""
KEYRING = Keyring.generate()


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def gateway(tmp_path: Path) -> AsyncIterator[RunningGateway]:
    async with running_gateway(tmp_path, KEYRING) as gateway:
        yield gateway


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def empty_gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningGateway]:
    """One for all refusals, since none of them may leave anything behind."""
    async with running_gateway(tmp_path_factory.mktemp("empty"), KEYRING) as gateway:
        yield gateway


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing() -> AsyncIterator[StandIn]:
    async with stand_in() as standing:
        yield standing


@pytest.fixture
def erp(standing: StandIn) -> StandIn:
    standing.box.reset()
    return standing


def stored(gateway: RunningGateway, table: str) -> list[dict[str, Any]]:
    """The rows of a table, read past the product."""
    with sqlite3.connect(f"file:{gateway.folder / 'switchgear.db'}?mode=ro", uri=True) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(f"SELECT * FROM {table}")]  # noqa: S608 - our own names


def contents(gateway: RunningGateway) -> bytes:
    """Everything that is on disk."""
    return b"".join(path.read_bytes() for path in gateway.folder.iterdir() if path.is_file())


async def nothing_was_kept(gateway: RunningGateway) -> None:
    assert (await gateway.data(CONNECTIONS))["connections"]["nodes"] == []
    assert stored(gateway, "connections") == stored(gateway, "credentials") == []
    assert [key["kind"] for key in stored(gateway, "api_keys")] == ["ADMIN"]
    assert PASSWORD.encode() not in contents(gateway)


def only_error(payload: dict[str, Any]) -> dict[str, Any]:
    assert payload["connection"] is None
    assert payload["apiToken"] is None
    (error,) = payload["errors"]
    assert PASSWORD not in json.dumps(payload)
    assert error["remediation"]
    found: dict[str, Any] = error
    return found


def full(url: str = "http://127.0.0.1:1") -> dict[str, str]:
    return {"url": url, "username": USER, "password": PASSWORD}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"system": "sap"}, "system"),
        ({"system": ""}, "system"),
        ({"system": "SAP_S4HANA"}, "system"),
        ({"authMethod": "oauth"}, "authMethod"),
        ({"credentials": credentials(**full(), client="100")}, "credentials.client"),
        ({"credentials": credentials(**full()) + credentials(password="other")}, "credentials.password"),
        ({"credentials": credentials(url="http://127.0.0.1:1", username=USER)}, "credentials.password"),
        ({"credentials": credentials(**{**full(), "username": "  "})}, "credentials.username"),
        ({"credentials": []}, "credentials.url"),
        ({"settings": {"options": {"client": "100"}}}, "settings.options.client"),
        ({"settings": {"options": {"sap-client": "1"}}}, "settings.options.sap-client"),
        ({"settings": {"options": {"sap-client": 100}}}, "settings.options.sap-client"),
        ({"settings": {"options": ["sap-client"]}}, "settings.options"),
        ({"settings": {"options": "sap-client"}}, "settings.options"),
        ({"settings": {"timeoutMs": 0}}, "settings.timeoutMs"),
        ({"settings": {"timeoutMs": -1}}, "settings.timeoutMs"),
        ({"settings": {"timeoutMs": 120_001}}, "settings.timeoutMs"),
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "half \ud800"}, "name"),
        ({"tags": ["half \ud800"]}, "tags"),
        ({"credentials": credentials(**{**full(), "password": "half \ud800"})}, "credentials.password"),
        ({"credentials": credentials(**{**full(), "url": "http://half\ud800"})}, "credentials.url"),
        ({"tags": [""]}, "tags"),
        ({"tags": ["x"] * 21}, "tags"),
        ({"metadata": {"x": "y" * 10_000}}, "metadata"),
        ({"customerId": "cus_nobody"}, "customerId"),
        ({"customerId": ""}, "customerId"),
    ],
)
async def test_a_wrong_value_is_named(empty_gateway: RunningGateway, changes: dict[str, Any], field: str) -> None:
    payload = await empty_gateway.connect("http://127.0.0.1:1", **changes)
    error = only_error(payload)
    assert (error["code"], error["field"]) == ("VALIDATION_FAILED", field)
    await nothing_was_kept(empty_gateway)


async def test_a_system_that_runs_elsewhere_says_where() -> None:
    given = ConnectSystemInput(system="x", auth_method="basic", credentials=[], name="x", deployment=Deployment.CLOUD)
    with pytest.raises(Refused, match="runs only on premises: the deployment is ON_PREMISES"):
        check_texts(given, replace(sap_s4hana, deployments=(Deployment.ON_PREMISES,)))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "erp",
        "//erp.example.com",
        "ftp://erp.example.com",
        "file:///etc/passwd",
        "http://",
        "http:///path",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://user:secret@127.0.0.1:1",
        "http://127.0.0.1:1/?sap-client=100",
        "http://127.0.0.1:1/#top",
        "http://127.0.0.1:1\\@example.com",
        "http://erp example.com",
        "http://[::1",
        "http://10.1.2.3",
        "http://xn--\x00",
        "javascript:alert(1)",
        "http://" + "a" * 70 + ".example.com",
        "http://exämple..com",
    ],
)
async def test_a_bad_address_is_refused_under_its_field(empty_gateway: RunningGateway, url: str) -> None:
    error = only_error(await empty_gateway.connect(url))
    assert error["field"] == "credentials.url"
    assert error["code"] in ("VALIDATION_FAILED", "UPSTREAM_UNREACHABLE")
    await nothing_was_kept(empty_gateway)


async def test_refused_credentials_say_so(empty_gateway: RunningGateway, erp: StandIn) -> None:
    wrong = credentials(url=erp.url, username=USER, password="not it")
    payload = await empty_gateway.connect(erp.url, credentials=wrong)
    error = only_error(payload)
    assert (error["__typename"], error["code"]) == ("CredentialsRejected", "CREDENTIALS_REJECTED")
    assert "not it" not in json.dumps(payload)
    await nothing_was_kept(empty_gateway)


async def test_a_user_without_any_right_is_told(empty_gateway: RunningGateway, erp: StandIn) -> None:
    erp.trouble("forbidden")
    error = only_error(await empty_gateway.connect(erp.url))
    assert (error["__typename"], error["code"]) == ("PermissionDenied", "UPSTREAM_PERMISSION_DENIED")
    await nothing_was_kept(empty_gateway)


@pytest.mark.parametrize(
    ("mode", "code", "retryable"),
    [
        ("down", "UPSTREAM_UNREACHABLE", True),
        ("rate_limited", "UPSTREAM_RATE_LIMITED", True),
        ("error", "UPSTREAM_ERROR", True),
        ("malformed", "UPSTREAM_BAD_RESPONSE", False),
    ],
)
async def test_a_system_in_trouble_is_not_connected(
    tmp_path: Path, erp: StandIn, mode: str, code: str, retryable: bool
) -> None:
    erp.trouble(mode, retry_after_seconds=60)
    async with running_gateway(tmp_path) as gateway:  # its own: a system that asks for a rest is given one
        error = only_error(await gateway.connect(erp.url))
        assert (error["__typename"], error["code"], error["retryable"]) == ("ConnectionUnavailable", code, retryable)
        await nothing_was_kept(gateway)


async def test_where_nothing_listens_there_is_no_connection(empty_gateway: RunningGateway) -> None:
    async with Server(answering(b"")) as gone:
        url = f"http://127.0.0.1:{gone.port}"
    error = only_error(await empty_gateway.connect(url))
    assert (error["__typename"], error["code"]) == ("ConnectionUnavailable", "UPSTREAM_UNREACHABLE")
    assert "Nothing answers" in error["message"]
    await nothing_was_kept(empty_gateway)


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"<html><title>Welcome</title></html>", "text/html"), (b"{}", "application/json"), (b"[]", "application/json")],
)
async def test_something_else_at_the_address_is_no_such_system(
    empty_gateway: RunningGateway, body: bytes, kind: str
) -> None:
    async with Server(answering(body, f"Content-Type: {kind}")) as site:
        error = only_error(await empty_gateway.connect(f"http://127.0.0.1:{site.port}"))
    assert error["__typename"] == "ConnectionUnavailable"
    assert error["code"] in ("UPSTREAM_BAD_RESPONSE", "CONNECTION_MISCONFIGURED")
    assert error["field"] == "credentials.url"
    assert "Welcome" not in error["message"]
    await nothing_was_kept(empty_gateway)


async def test_a_redirect_is_not_followed(empty_gateway: RunningGateway, erp: StandIn) -> None:
    location = f"HTTP/1.1 302 Found\r\nLocation: {erp.url}/sap/opu/odata/sap/\r\nContent-Length: 0\r\n\r\n"
    async with Server(sending(location.encode())) as site:
        error = only_error(await empty_gateway.connect(f"http://127.0.0.1:{site.port}"))
    assert (error["__typename"], error["code"]) == ("ConnectionUnavailable", "CONNECTION_MISCONFIGURED")
    assert erp.box.requests == []
    await nothing_was_kept(empty_gateway)


async def test_a_dry_run_checks_and_keeps_nothing(empty_gateway: RunningGateway, erp: StandIn) -> None:
    payload = await empty_gateway.connect(erp.url, dryRun=True)
    assert payload == {"connection": None, "apiToken": None, "errors": []}
    assert len(erp.box.requests) == len(sap_s4hana.resources)
    await nothing_was_kept(empty_gateway)


async def test_a_user_with_one_right_is_connected(gateway: RunningGateway, erp: StandIn) -> None:
    erp.trouble("forbidden", entity="VENDOR")
    assert (await gateway.connect(erp.url))["errors"] == []


async def test_a_connection_is_as_it_was_asked_for_and_its_token_works(gateway: RunningGateway, erp: StandIn) -> None:
    metadata = {"plant": 7, "lines": [1.5, None, "ü"], "empty": {}}
    payload = await gateway.connect(
        erp.url,
        name="  Our ERP ",
        tags=["paper", "eu"],
        metadata=metadata,
        environment="SANDBOX",
        deployment="ON_PREMISES",
        settings={"timeoutMs": 5_000, "options": {"sap-client": "100"}},
    )
    assert payload["errors"] == []
    connection, token = payload["connection"], payload["apiToken"]
    assert connection == {
        "id": connection["id"],
        "name": "Our ERP",
        "lifecycle": "ENABLED",
        "tags": ["paper", "eu"],
        "metadata": metadata,
        "tokenPreview": f"sgk_…{token[-4:]}",
        "environment": "SANDBOX",
        "deployment": "ON_PREMISES",
        "customer": {"id": await gateway.customer()},
        "system": {"key": "sap_s4hana"},
    }
    erp.box.requests.clear()
    data = await gateway.data(ORDERS, token)
    assert data["purchaseOrders"]["isComplete"] is True
    assert data["purchaseOrders"]["nodes"]
    assert erp.box.requests[0]["query"]["sap-client"] == "100"


@pytest.mark.parametrize("metadata", [{}, [], 0, False, "", {"a": None}])
async def test_metadata_comes_back_unchanged(gateway: RunningGateway, erp: StandIn, metadata: Any) -> None:
    payload = await gateway.connect(erp.url, metadata=metadata)
    assert payload["connection"]["metadata"] == metadata
    query = "query ($id: ID!) { connection(id: $id) { metadata } }"
    again = await gateway.data(query, id=payload["connection"]["id"])
    assert again["connection"]["metadata"] == metadata


async def test_no_secret_is_kept_in_plain_text(gateway: RunningGateway, erp: StandIn) -> None:
    connection_id, token = await gateway.connected(erp)
    kept = contents(gateway)
    for secret in (PASSWORD, token, ADMIN, token.partition("_")[2]):
        assert secret.encode() not in kept
    (sealed,) = stored(gateway, "credentials")
    opened = json.loads(KEYRING.unseal(sealed["sealed"], tenant=await gateway.customer(), row=connection_id))
    assert opened == {"answers": {"url": erp.url, "username": USER, "password": PASSWORD}}


async def test_a_token_dies_with_its_connection(gateway: RunningGateway, erp: StandIn) -> None:
    connection_id, token = await gateway.connected(erp)
    other_id, other = await gateway.connected(erp)
    extra = (await gateway.new_key(kind="CONNECTION", connectionId=connection_id, scopes=["READ"]))["apiToken"]
    await gateway.data(ORDERS, extra)
    payload = (await gateway.data(DISCONNECT, id=connection_id))["disconnectSystem"]
    assert payload == {"connection": {"id": connection_id, "lifecycle": "DISCONNECTED"}, "errors": []}
    assert await gateway.refused(ORDERS, token) == "TOKEN_REVOKED"
    assert await gateway.refused(ORDERS, extra) == "TOKEN_REVOKED"
    assert (await gateway.data(ORDERS, other))["purchaseOrders"]["isComplete"] is True
    assert [row["connection_id"] for row in stored(gateway, "credentials")] == [other_id]
    nodes = (await gateway.data(CONNECTIONS))["connections"]["nodes"]
    assert {node["id"]: node["lifecycle"] for node in nodes} == {connection_id: "DISCONNECTED", other_id: "ENABLED"}
    choice = f'{{ purchaseOrders(connectionIds: ["{connection_id}"]) {{ nodes {{ id }} }} }}'
    assert await gateway.refused(choice) == "CONNECTION_NOT_FOUND"


async def test_disconnecting_twice_is_no_error_and_what_is_not_there_is(gateway: RunningGateway, erp: StandIn) -> None:
    connection_id, _ = await gateway.connected(erp)
    for _ in range(2):
        payload = (await gateway.data(DISCONNECT, id=connection_id))["disconnectSystem"]
        assert payload["errors"] == []
    payload = (await gateway.data(DISCONNECT, id="con_nothing"))["disconnectSystem"]
    assert payload == {
        "connection": None,
        "errors": [{"__typename": "NotFound", "code": "CONNECTION_NOT_FOUND", "field": "id"}],
    }


async def test_another_process_on_the_same_data_learns_of_both(gateway: RunningGateway, erp: StandIn) -> None:
    async with running_gateway(gateway.folder, KEYRING) as other:
        connection_id, token = await gateway.connected(erp)
        await other.process.directory.refresh()
        assert (await other.data(ORDERS, token))["purchaseOrders"]["isComplete"] is True
        await gateway.data(DISCONNECT, id=connection_id)
        await other.process.directory.refresh()
        assert await other.refused(ORDERS, token) == "TOKEN_REVOKED"


async def test_credentials_outlive_the_process(tmp_path: Path, erp: StandIn) -> None:
    async with running_gateway(tmp_path, KEYRING) as before:
        _, token = await before.connected(erp)
    async with running_gateway(tmp_path, KEYRING) as after:
        assert (await after.data(ORDERS, token))["purchaseOrders"]["nodes"]


async def test_another_keyring_opens_no_connection_and_no_token(tmp_path: Path, erp: StandIn) -> None:
    async with running_gateway(tmp_path, KEYRING) as before:
        _, token = await before.connected(erp)
    async with running_gateway(tmp_path, Keyring.generate()) as after:
        assert await after.refused(ORDERS, token) == "UNAUTHENTICATED"
        (source,) = (await after.data(ORDERS))["purchaseOrders"]["sources"]
        assert source == {"status": "REAUTHORIZATION_REQUIRED", "error": {"code": "REAUTHORIZATION_REQUIRED"}}


async def test_a_changed_password_is_told_by_the_source(gateway: RunningGateway, erp: StandIn) -> None:
    _, token = await gateway.connected(erp)
    erp.box.application.users[USER] = "changed"
    (source,) = (await gateway.data(ORDERS, token))["purchaseOrders"]["sources"]
    assert source == {"status": "REAUTHORIZATION_REQUIRED", "error": {"code": "REAUTHORIZATION_REQUIRED"}}
