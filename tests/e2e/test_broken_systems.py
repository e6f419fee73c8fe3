"""Systems in trouble: the others answer in time, and what went wrong is told with a way out."""

import time
from typing import Any

import pytest

from tests.e2e.demo import ORDERS, Demo

QUERY = """
query Orders($timeoutMs: Int) {
  purchaseOrders(first: 20, timeoutMs: $timeoutMs, orderBy: [{field: UPDATED_AT, direction: DESC}]) {
    nodes { number vendor { name } connection { name } meta { missing(paths: ["vendor"]) { path reason } } }
    pageInfo { hasNextPage endCursor }
    isComplete
    sources {
      connection { name } status count upstreamCalls
      calls { purpose status requests }
      error { code message remediation retryable retryAfterMs upstream { status } }
    }
  }
}
"""


def told(page: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (source for source in page["sources"] if source["connection"]["name"] == name)
    source: dict[str, Any] = found
    return source


def test_one_down_and_one_slow_leave_the_third(demo: Demo) -> None:
    demo.sandboxes["sap-eu"].trouble("down")
    demo.sandboxes["sap-us"].trouble("slow", delayMs=30_000)
    started = time.monotonic()
    page = demo.admin.data(QUERY, timeoutMs=1_500)["purchaseOrders"]
    assert time.monotonic() - started < 5
    assert {node["connection"]["name"] for node in page["nodes"]} == {"sap-mills"}
    assert len(page["nodes"]) == 20
    assert all(node["vendor"] for node in page["nodes"])
    assert page["isComplete"] is False
    down, slow = told(page, "sap-eu"), told(page, "sap-us")
    assert (down["status"], down["error"]["code"]) == ("ERROR", "UPSTREAM_UNREACHABLE")
    assert (slow["status"], slow["error"]["code"]) == ("TIMED_OUT", "UPSTREAM_TIMEOUT")
    for source in (down, slow):
        assert source["error"]["remediation"]
        assert source["error"]["retryable"] is True
        assert source["count"] == 0
    assert told(page, "sap-mills")["status"] == "OK"


@pytest.mark.parametrize(
    ("mode", "status", "code"),
    [
        ("unauthorized", "REAUTHORIZATION_REQUIRED", "REAUTHORIZATION_REQUIRED"),
        ("forbidden", "PERMISSION_DENIED", "UPSTREAM_PERMISSION_DENIED"),
        ("error", "ERROR", "UPSTREAM_ERROR"),
        ("malformed", "ERROR", "UPSTREAM_BAD_RESPONSE"),
        ("down", "ERROR", "UPSTREAM_UNREACHABLE"),
    ],
)
def test_every_trouble_has_its_code(demo: Demo, mode: str, status: str, code: str) -> None:
    demo.sandboxes["sap-us"].trouble(mode)
    page = demo.first.data(QUERY)["purchaseOrders"]
    source = told(page, "sap-us")
    assert (source["status"], source["error"]["code"]) == (status, code)
    assert source["error"]["remediation"]
    assert source["error"]["retryAfterMs"] is None
    assert source["upstreamCalls"] == len(demo.sandboxes["sap-us"].requests())
    assert {node["connection"]["name"] for node in page["nodes"]} == {"sap-eu"}
    assert page["isComplete"] is False


def test_too_many_calls_are_told_and_then_waited_for(demo: Demo) -> None:
    demo.sandboxes["sap-us"].trouble("rate_limited", retryAfterSeconds=3)
    told_first = told(demo.first.data(QUERY, timeoutMs=3_000)["purchaseOrders"], "sap-us")
    told_next = told(demo.first.data(QUERY, timeoutMs=2_000)["purchaseOrders"], "sap-us")
    for source in (told_first, told_next):
        assert (source["status"], source["error"]["code"]) == ("RATE_LIMITED", "UPSTREAM_RATE_LIMITED")
        assert source["error"]["remediation"]
    assert told_first["error"]["retryAfterMs"] == 3_000
    assert (told_first["upstreamCalls"], told_next["upstreamCalls"]) == (1, 0)
    assert len(demo.sandboxes["sap-us"].requests()) == 1
    demo.sandboxes["sap-us"].trouble("none")
    assert demo.first.data(QUERY)["purchaseOrders"]["isComplete"] is True


@pytest.mark.parametrize(
    ("mode", "reason", "status"),
    [
        ("forbidden", "NOT_PERMITTED", "PERMISSION_DENIED"),
        ("error", "SOURCE_ERROR", "ERROR"),
        ("slow", "SOURCE_ERROR", "TIMED_OUT"),
    ],
)
def test_vendors_that_cannot_be_read_leave_the_orders(demo: Demo, mode: str, reason: str, status: str) -> None:
    demo.sandboxes["sap-us"].trouble(mode, entity="VENDOR", delayMs=30_000)
    page = demo.first.data(QUERY, timeoutMs=1_500)["purchaseOrders"]
    assert {node["connection"]["name"] for node in page["nodes"]} == {"sap-eu", "sap-us"}
    for node in page["nodes"]:
        if node["connection"]["name"] == "sap-us":
            assert node["vendor"] is None
            assert node["meta"]["missing"] == [{"path": "vendor", "reason": reason}]
        else:
            assert node["vendor"]["name"]
            assert node["meta"]["missing"] == []
    source = told(page, "sap-us")
    assert source["status"] == "OK"
    assert [(call["purpose"], call["status"]) for call in source["calls"]] == [("ROWS", "OK"), ("LINK", status)]
    assert source["upstreamCalls"] == len(demo.sandboxes["sap-us"].requests())


def test_when_every_system_is_down_the_page_is_empty_and_says_why(demo: Demo) -> None:
    for sandbox in demo.sandboxes.values():
        sandbox.trouble("down")
    page = demo.first.data(QUERY)["purchaseOrders"]
    assert page["nodes"] == []
    assert page["isComplete"] is False
    assert page["pageInfo"]["hasNextPage"] is False
    assert [source["error"]["code"] for source in page["sources"]] == ["UPSTREAM_UNREACHABLE"] * 2


def test_a_single_record_of_a_broken_system_is_an_error(demo: Demo) -> None:
    node = "query ($id: ID!) { node(id: $id) { id } }"
    listed = demo.second.data("{ purchaseOrders(first: 1) { nodes { id } } }")
    order_id = listed["purchaseOrders"]["nodes"][0]["id"]
    demo.sandboxes["sap-mills"].trouble("error")
    assert demo.second.code(node, id=order_id) == "UPSTREAM_ERROR"
    demo.sandboxes["sap-mills"].trouble("none")
    assert demo.second.data(node, id=order_id) == {"node": {"id": order_id}}


def test_a_trouble_that_is_over_is_forgotten(demo: Demo) -> None:
    demo.sandboxes["sap-us"].trouble("down")
    demo.first.data(QUERY)
    demo.sandboxes["sap-us"].trouble("none")
    page = demo.first.data(QUERY)["purchaseOrders"]
    assert page["isComplete"] is True
    assert demo.sandboxes["sap-us"].count(ORDERS) > 0


def test_whoever_requires_a_complete_answer_gets_an_error_with_every_outcome(demo: Demo) -> None:
    demo.sandboxes["sap-us"].trouble("forbidden")
    answer = demo.first.ask("{ purchaseOrders(requireComplete: true) { nodes { id } } }")
    assert answer["data"] == {"purchaseOrders": None}
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "UPSTREAM_PERMISSION_DENIED"
    assert [source["status"] for source in error["extensions"]["sources"]] == ["OK", "PERMISSION_DENIED"]
