"""Requests that are refused, over the wire and under the default settings: status, code and words."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.e2e.demo import Demo
from tests.e2e.processes import Client

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
NEW_KEY = """
mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiToken apiKey { id } errors { code } } }
"""
TO_DEPTH_15 = "{ connections { nodes { customer " * 4 + "{ connections { nodes { id } } }" + " }" * 12
TO_DEPTH_16 = TO_DEPTH_15.replace("{ id }", "{ customer { id } }")


def send(demo: Demo, content: Any, *, token: str | None = None, **headers: str) -> httpx.Response:
    given = {
        "Content-Type": JSON,
        "Accept": GRAPHQL,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    given["Authorization"] = f"Bearer {token or demo.notes['customers'][0]['key']}"
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return httpx.post(f"{demo.url}/graphql", content=body, headers=given)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    error = answer.json()["errors"][0]
    assert error["extensions"]["requestId"] == answer.headers["x-request-id"]
    assert error["extensions"]["remediation"]
    return answer.status_code, error["extensions"]["code"]


def query(text: str, **more: Any) -> dict[str, Any]:
    return {"query": text, **more}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"{", (400, "BAD_REQUEST")),
        ({}, (400, "BAD_REQUEST")),
        ([query("{ systems { key } }")], (400, "BAD_REQUEST")),
        (query("{ systems { key }"), (400, "BAD_REQUEST")),
        (query("{ nothing }"), (400, "BAD_REQUEST")),
        (query("query A { systems { key } }", operationName="B"), (400, "BAD_REQUEST")),
        (query("query ($n: Int!) { systems { key } node(id: $n) { id } }", variables={"n": 1}), (400, "BAD_REQUEST")),
        (query("{" + " a" * 6_000 + " }"), (400, "QUERY_TOO_COMPLEX")),
        (query("{ " + " ".join(f"a{n}: systems {{ key }}" for n in range(31)) + " }"), (400, "QUERY_TOO_COMPLEX")),
        (query(TO_DEPTH_16), (400, "QUERY_TOO_DEEP")),
        (query("{ ...A } fragment A on Query " + TO_DEPTH_16), (400, "QUERY_TOO_DEEP")),
        (b" " * 1_000_001, (413, "BAD_REQUEST")),
        (query("{ purchaseOrders(first: 201) { nodes { id } } }"), (200, "VALIDATION_FAILED")),
        (query("{ purchaseOrders(timeoutMs: 0) { nodes { id } } }"), (200, "VALIDATION_FAILED")),
        (query('{ purchaseOrders(systems: ["sap"]) { nodes { id } } }'), (200, "VALIDATION_FAILED")),
        (query('{ purchaseOrders(connectionIds: ["con_x"]) { nodes { id } } }'), (200, "CONNECTION_NOT_FOUND")),
        (query('{ purchaseOrders(after: "x") { nodes { id } } }'), (200, "INVALID_CURSOR")),
        (query("{ purchaseOrders(filter: {total: {amount: {gt: 1.5}}}) { nodes { id } } }"), (400, "BAD_REQUEST")),
        (query("{ purchaseOrders(filter: {number: {eq: null}}) { nodes { id } } }"), (200, "VALIDATION_FAILED")),
        (query("mutation { createCustomer(input: {name: 7}) { errors { code } } }"), (400, "BAD_REQUEST")),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_said(demo: Demo, content: Any, expected: tuple[int, str]) -> None:
    assert refusal(send(demo, content)) == expected
    assert not any(sandbox.requests() for sandbox in demo.sandboxes.values())


def test_the_greatest_depth_that_is_allowed_is_answered(demo: Demo) -> None:
    assert "errors" not in send(demo, query(TO_DEPTH_15)).json()


def test_types_that_are_not_ours_are_refused(demo: Demo) -> None:
    good = query("{ systems { key } }")
    assert refusal(send(demo, good, Content_Type="text/plain")) == (415, "BAD_REQUEST")
    assert refusal(send(demo, good, Accept="text/plain")) == (406, "BAD_REQUEST")
    for accept in (JSON, GRAPHQL):
        assert send(demo, good, Accept=accept).headers["content-type"].startswith(accept)


def test_a_change_cannot_be_got(demo: Demo) -> None:
    change = 'mutation { createCustomer(input: {name: "x"}) { customer { id } } }'
    answer = httpx.get(
        f"{demo.url}/graphql", params={"query": change}, headers={"Authorization": f"Bearer {demo.notes['adminToken']}"}
    )
    assert refusal(answer) == (405, "BAD_REQUEST")
    assert len(demo.admin.data("{ customers { nodes { id } } }")["customers"]["nodes"]) == 2


def new_key(demo: Demo, **given: Any) -> dict[str, Any]:
    given = {
        "name": "k",
        "kind": "CUSTOMER",
        "customerId": demo.notes["customers"][0]["id"],
        "scopes": ["READ"],
        **given,
    }
    made: dict[str, Any] = demo.admin.data(NEW_KEY, input=given)["createApiKey"]
    assert made["errors"] == []
    return made


@pytest.mark.parametrize("token", ["nonsense", "sgc_" + "0" * 36, "sgc_" + "é" * 36])
def test_a_wrong_token_opens_nothing(demo: Demo, token: str) -> None:
    answer = httpx.post(
        f"{demo.url}/graphql",
        json=query("{ systems { key } }"),
        headers=[(b"Authorization", f"Bearer {token}".encode())],
    )
    assert refusal(answer) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_revoked_and_an_expired_token_say_so(demo: Demo) -> None:
    revoked, brief = new_key(demo), new_key(demo, expiresAt=(datetime.now(UTC) + timedelta(seconds=1)).isoformat())
    demo.admin.data(
        "mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { errors { code } } }", id=revoked["apiKey"]["id"]
    )
    good = query("{ systems { key } }")
    assert refusal(send(demo, good, token=revoked["apiToken"])) == (401, "TOKEN_REVOKED")
    end = time.monotonic() + 10
    while "errors" not in send(demo, good, token=brief["apiToken"]).json():
        assert time.monotonic() < end
    assert refusal(send(demo, good, token=brief["apiToken"])) == (401, "TOKEN_EXPIRED")


def test_a_key_that_only_reads_changes_nothing(demo: Demo) -> None:
    with Client(demo.url, new_key(demo)["apiToken"]) as reader:
        connection_id = demo.connection_id("sap-eu")
        change = "mutation ($id: ID!) { disconnectSystem(input: {id: $id}) { errors { code } } }"
        assert reader.code(change, id=connection_id) == "SCOPE_MISSING"
        assert reader.data("{ purchaseOrders(first: 2) { isComplete } }") == {"purchaseOrders": {"isComplete": True}}


def test_many_customers_at_once_get_their_own_answers(demo: Demo) -> None:
    text = "{ purchaseOrders(first: 20) { nodes { connection { id } vendor { id connection { id } } } isComplete } }"
    own = {
        customer["key"]: {item["id"] for item in customer["connections"] if item["name"] in demo.sandboxes}
        for customer in demo.notes["customers"]
    }
    with ThreadPoolExecutor(8) as pool:
        turns = [key for _ in range(8) for key in own]
        answers = pool.map(lambda key: (key, send(demo, query(text), token=key).json()), turns)
        for key, answer in answers:
            page = answer["data"]["purchaseOrders"]
            assert page["isComplete"] is True
            assert {node["connection"]["id"] for node in page["nodes"]} == own[key]
            assert all(node["vendor"]["connection"] == node["connection"] for node in page["nodes"])
