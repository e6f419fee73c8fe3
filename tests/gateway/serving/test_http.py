"""GraphQL over HTTP: what is taken, what is refused and in which form, without a plant behind it."""

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import strawberry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import Message

from gateway.keys.tokens import TokenKind
from gateway.serving.auth import Caller, check_key
from gateway.serving.http import GraphQLEndpoint, RequestIds
from gateway.serving.limits import limits_extension
from gateway.settings import Settings
from gateway.stores.rows import ApiKey
from gateway.telemetry.metrics import Metrics
from schema.errors import ErrorCode, failure

GRAPHQL, JSON = "application/graphql-response+json", "application/json"
NOW = datetime.now(UTC)
KEY = ApiKey(id="key_1", kind=TokenKind.ADMIN, name="x", scopes=("READ",), digest="", preview="", created_at=NOW)
KEYS = {
    "good": KEY,
    "expired": replace(KEY, expires_at=NOW - timedelta(seconds=1)),
    "revoked": replace(KEY, revoked_at=NOW),
}


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"Hello, {name}"

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError("s3cret in the engine room")

    @strawberry.field
    def needed(self) -> str:
        raise failure(ErrorCode.FORBIDDEN, "Not for you.", field="needed")


@strawberry.type
class Mutation:
    @strawberry.mutation
    def change(self) -> str:
        return "changed"


async def authenticate(token: str) -> Caller:
    return check_key(KEYS.get(token))


def make_context(caller: Caller, identifier: str) -> Any:
    return SimpleNamespace(caller=caller, request_id=identifier, is_complete=True)


def endpoint(**settings: Any) -> GraphQLEndpoint:
    """An endpoint over a small graph of its own."""
    schema = strawberry.Schema(Query, Mutation, extensions=[limits_extension(Settings())])
    schema.process_errors = lambda *_: None  # type: ignore[method-assign]
    return GraphQLEndpoint(
        schema,
        authenticate,
        make_context,
        lambda: "<title>Console</title>",
        Metrics(),
        max_body_bytes=2_000,
        **settings,
    )


def connected(**settings: Any) -> httpx.AsyncClient:
    """A client of the endpoint."""
    application = Starlette(
        routes=[Route("/graphql", endpoint(**settings), methods=None)], middleware=[Middleware(RequestIds)]
    )
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(application),
        base_url="http://gateway",
        headers={"Authorization": "Bearer good", "Accept": GRAPHQL},
    )


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with connected() as client:
        yield client


async def post(client: httpx.AsyncClient, query: Any = "{ hello }", **more: Any) -> httpx.Response:
    headers = more.pop("headers", {})
    return await client.post("/graphql", json={"query": query, **more}, headers=headers)


def error_of(answer: httpx.Response) -> Any:
    body = answer.json()
    (error,) = body["errors"]
    assert error["extensions"]["requestId"] == answer.headers["x-request-id"]
    assert error["extensions"]["remediation"]
    return error


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an answer that has no data."""
    assert "data" not in answer.json()
    return answer.status_code, error_of(answer)["extensions"]["code"]


async def test_a_query_is_answered(client: httpx.AsyncClient) -> None:
    answer = await post(client, "query H($n: String!) { hello(name: $n) }", variables={"n": "Ünï"}, operationName="H")
    assert (answer.status_code, answer.json()) == (200, {"data": {"hello": "Hello, Ünï"}})
    assert answer.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (GRAPHQL, GRAPHQL),
        (JSON, JSON),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL.upper()};charset=utf-8", GRAPHQL),
        (f"text/html, {JSON};q=0.5", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("", JSON),
        (f"{GRAPHQL};q=0, {JSON}", JSON),
    ],
)
async def test_the_answer_has_a_type_that_the_client_takes(
    client: httpx.AsyncClient, accept: str, media_type: str
) -> None:
    answer = await post(client, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == media_type


@pytest.mark.parametrize("accept", ["text/plain", "text/html", "image/*", f"{JSON};q=0"])
async def test_a_client_that_takes_nothing_of_ours_is_told(client: httpx.AsyncClient, accept: str) -> None:
    answer = await post(client, headers={"Accept": accept})
    assert refusal(answer) == (406, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "UNAUTHENTICATED"),
        ("", "UNAUTHENTICATED"),
        ("Bearer", "UNAUTHENTICATED"),
        ("Bearer  ", "UNAUTHENTICATED"),
        ("Basic Z29vZDpnb29k", "UNAUTHENTICATED"),
        ("good", "UNAUTHENTICATED"),
        ("Bearer unknown", "UNAUTHENTICATED"),
        ("Bearer good good", "UNAUTHENTICATED"),
        ("Bearer expired", "TOKEN_EXPIRED"),
        ("Bearer revoked", "TOKEN_REVOKED"),
    ],
)
async def test_without_a_valid_token_there_is_no_answer(
    client: httpx.AsyncClient, authorization: str | None, code: str
) -> None:
    client.headers.pop("Authorization")
    answer = await post(client, headers={} if authorization is None else {"Authorization": authorization})
    assert refusal(answer) == (401, code)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert error_of(answer)["extensions"]["category"] == "AUTH"


async def test_the_scheme_of_a_token_is_read_as_http_says(client: httpx.AsyncClient) -> None:
    assert (await post(client, headers={"Authorization": "bearer  good"})).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"\xff\xfe\x00",
        b"null",
        b'"{ hello }"',
        b"[]",
        b'[{"query": "{ hello }"}]',
        b"{}",
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": "  "}',
        b'{"query": 7}',
        b'{"query": ["{ hello }"]}',
        b'{"query": "{ hello }", "variables": []}',
        b'{"query": "{ hello }", "variables": "{}"}',
        b'{"query": "{ hello }", "operationName": 7}',
        b'{"query": "{ hello }", "extensions": []}',
        b"[" * 1_900,
    ],
)
@pytest.mark.parametrize("accept", [GRAPHQL, JSON])
async def test_a_body_that_is_no_request_is_refused(client: httpx.AsyncClient, body: bytes, accept: str) -> None:
    answer = await client.post("/graphql", content=body, headers={"Content-Type": JSON, "Accept": accept})
    assert refusal(answer) == (400, "BAD_REQUEST")
    assert answer.headers["content-type"].startswith(accept)


async def test_half_a_character_is_given_back_as_it_was_sent(client: httpx.AsyncClient) -> None:
    body = b'{"query": "query ($n: String!) { hello(name: $n) }", "variables": {"n": "\\ud800"}}'
    answer = await client.post("/graphql", content=body, headers={"Content-Type": JSON})
    assert (answer.status_code, answer.json()) == (200, {"data": {"hello": "Hello, \ud800"}})
    body = b'{"query": "{ hello(name: \\"\\ud800\\") }"}'
    assert (await client.post("/graphql", content=body, headers={"Content-Type": JSON})).status_code == 400


async def test_whoever_hangs_up_is_not_answered_and_that_is_no_fault() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError(f"nobody is there for {message}")

    headers = [(b"authorization", b"Bearer good"), (b"content-type", JSON.encode())]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
    await endpoint()(scope, receive, send)


async def test_null_parameters_are_as_if_left_out(client: httpx.AsyncClient) -> None:
    answer = await post(client, variables=None, operationName=None, extensions=None)
    assert answer.json() == {"data": {"hello": "Hello, world"}}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
async def test_only_json_is_taken(client: httpx.AsyncClient, kind: str) -> None:
    body = json.dumps({"query": "{ hello }"}).encode()
    answer = await client.post("/graphql", content=body, headers={"Content-Type": kind})
    assert refusal(answer) == (415, "BAD_REQUEST")


async def test_json_with_a_charset_is_json(client: httpx.AsyncClient) -> None:
    body = json.dumps({"query": "{ hello }"}).encode()
    answer = await client.post("/graphql", content=body, headers={"Content-Type": "Application/JSON; charset=utf-8"})
    assert answer.status_code == 200


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 100):
        yield b" " * 100


async def test_a_body_that_is_too_long_is_refused_however_it_comes(client: httpx.AsyncClient) -> None:
    for content in (b" " * 2_001, chunks(2_100)):
        answer = await client.post("/graphql", content=content, headers={"Content-Type": JSON})
        assert refusal(answer) == (413, "BAD_REQUEST")
        assert "2000 bytes" in error_of(answer)["message"]


SYNTAX, UNKNOWN, UNCOERCED = "{ hello", "{ nothing }", "query ($n: String!) { hello(name: $n) }"


@pytest.mark.parametrize(
    "query", [SYNTAX, UNKNOWN, UNCOERCED, "fragment F on Query { hello }", "}{", "{ hello } { hello }"]
)
@pytest.mark.parametrize(("accept", "status"), [(GRAPHQL, 400), (JSON, 200)])
async def test_a_query_that_cannot_be_executed_has_no_data(
    client: httpx.AsyncClient, query: str, accept: str, status: int
) -> None:
    answer = await post(client, query, variables={"n": 7}, headers={"Accept": accept})
    assert "data" not in answer.json()
    assert {error["extensions"]["code"] for error in answer.json()["errors"]} <= {"BAD_REQUEST", "VALIDATION_FAILED"}
    # One that names no operation to run is refused before the graph is asked, whatever the client takes.
    assert answer.status_code in (status, 400)
    if query in (SYNTAX, UNKNOWN, UNCOERCED):
        assert answer.status_code == status
        assert answer.json()["errors"][0]["locations"]


TWO = "query A { hello } query B { hello }"


@pytest.mark.parametrize(
    ("query", "name"),
    [("query A { hello }", "B"), (TWO, None), (TWO, ""), (TWO, "C")],
    ids=["unknown", "none", "empty", "third"],
)
async def test_an_operation_that_is_not_there_is_named(client: httpx.AsyncClient, query: str, name: str | None) -> None:
    answer = await post(client, query, operationName=name)
    assert refusal(answer) == (400, "BAD_REQUEST")
    assert "operationName" in error_of(answer)["message"]


async def test_one_of_several_operations_can_be_chosen(client: httpx.AsyncClient) -> None:
    assert (await post(client, TWO, operationName="B")).json() == {"data": {"hello": "Hello, world"}}


async def test_queries_can_be_got(client: httpx.AsyncClient) -> None:
    parameters = {
        "query": "query A($n: String) { hello(name: $n) } query B { hello }",
        "variables": json.dumps({"n": "you & me"}),
        "operationName": "A",
    }
    answer = await client.get("/graphql", params=parameters)
    assert (answer.status_code, answer.json()) == (200, {"data": {"hello": "Hello, you & me"}})


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({}, 400),
        ({"query": ""}, 400),
        ({"query": "{ hello }", "variables": "{"}, 400),
        ({"query": "{ hello }", "variables": "[]"}, 400),
        ({"query": "mutation { change }"}, 405),
        ({"query": "query A { hello } mutation B { change }", "operationName": "B"}, 405),
    ],
)
async def test_what_cannot_be_got_is_refused(
    client: httpx.AsyncClient, parameters: dict[str, str], status: int
) -> None:
    answer = await client.get("/graphql", params=parameters)
    assert refusal(answer) == (status, "BAD_REQUEST")
    assert answer.headers.get("allow") == ("POST" if status == 405 else None)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
async def test_other_methods_are_refused(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/graphql")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"


async def test_mutations_are_posted(client: httpx.AsyncClient) -> None:
    assert (await post(client, "mutation { change }")).json() == {"data": {"change": "changed"}}


async def test_a_browser_gets_a_page_without_a_token(client: httpx.AsyncClient) -> None:
    client.headers.pop("Authorization")
    answer = await client.get("/graphql", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.text == "<title>Console</title>"
    assert "default-src 'self'" in answer.headers["content-security-policy"]


async def test_a_refusal_of_a_field_keeps_its_own_words(client: httpx.AsyncClient) -> None:
    answer = await post(client, "{ hello needed }")
    assert (answer.status_code, answer.json()["data"]) == (200, None)
    error = error_of(answer)
    assert (error["message"], error["path"]) == ("Not for you.", ["needed"])
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("FORBIDDEN", "needed")


async def test_a_fault_of_ours_is_logged_and_not_told(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await post(client, "{ hello broken }")
    assert answer.json()["data"] == {"hello": "Hello, world", "broken": None}
    error = error_of(answer)
    assert (error["extensions"]["code"], error["path"]) == ("INTERNAL", ["broken"])
    assert "s3cret" not in answer.text
    assert "s3cret" in caplog.text


@pytest.mark.parametrize("sent", ["abc-123", "a" * 100, "trace:1.2_3"])
async def test_the_client_s_own_request_id_is_kept(client: httpx.AsyncClient, sent: str) -> None:
    answer = await post(client, "{", headers={"X-Request-Id": sent})
    assert answer.headers["x-request-id"] == sent
    assert error_of(answer)["extensions"]["requestId"] == sent


@pytest.mark.parametrize("sent", ["", "a" * 101, "a b", 'x"y', "<b>"])
async def test_an_unsafe_request_id_is_replaced(client: httpx.AsyncClient, sent: str) -> None:
    answer = await post(client, headers={"X-Request-Id": sent})
    assert answer.headers["x-request-id"].startswith("req_")


async def test_every_request_has_an_id_of_its_own(client: httpx.AsyncClient) -> None:
    ids = {(await post(client)).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize("query", ["{ helo }", "{ hello(namex: 1) }", "query ($n: Stringg) { hello(name: $n) }"])
async def test_where_the_schema_is_hidden_mistakes_do_not_bring_out_its_names(query: str) -> None:
    for shows_schema in (True, False):
        async with connected(shows_schema=shows_schema) as client:
            messages = [error["message"] for error in (await post(client, query)).json()["errors"]]
        assert any("Did you mean" in message for message in messages) is shows_schema
        assert all(messages)
