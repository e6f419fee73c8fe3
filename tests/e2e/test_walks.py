"""Walks over everything that the demo's systems hold: each row once, and as many as they say themselves."""

from collections import Counter
from typing import Any

import pytest

from tests.e2e.demo import ORDERS, SUPPLIERS, Demo
from tests.e2e.processes import Client

WALK = """
query Walk($first: Int!, $after: String, $orderBy: [%sSort!], $filter: %sFilter) {
  page: %s(first: $first, after: $after, orderBy: $orderBy, filter: $filter) {
    nodes { remoteId updatedAt connection { name } }
    pageInfo { hasNextPage endCursor }
    isComplete
  }
}
"""
ORDER_WALK = WALK % ("PurchaseOrder", "PurchaseOrder", "purchaseOrders")
VENDOR_WALK = WALK % ("Vendor", "Vendor", "vendors")


def pages(client: Client, query: str, first: int, **variables: Any) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = []
    cursor = None
    while True:
        page = client.data(query, first=first, after=cursor, **variables)["page"]
        assert page["isComplete"] is True
        found.append(page["nodes"])
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        assert len(found) < 300


def names(found: list[list[dict[str, Any]]]) -> list[tuple[str, str]]:
    return [(node["connection"]["name"], node["remoteId"]) for page in found for node in page]


def undeleted(demo: Demo, name: str) -> int:
    return demo.sandboxes[name].count(ORDERS, "PurchasingDocumentDeletionCode ne 'L'")


@pytest.mark.parametrize("first", [200, 100, 37])
def test_without_an_order_each_row_comes_once_and_every_system_at_once(demo: Demo, first: int) -> None:
    found = pages(demo.first, ORDER_WALK, first)
    assert {node["connection"]["name"] for node in found[0]} == {"sap-eu", "sap-us"}
    rows = names(found)
    assert len(rows) == len(set(rows))
    assert Counter(name for name, _ in rows) == {name: undeleted(demo, name) for name in ("sap-eu", "sap-us")}
    assert all(len(page) == first for page in found[:-1])


@pytest.mark.parametrize(("first", "direction"), [(200, "ASC"), (61, "DESC")])
def test_in_an_order_each_row_comes_once_and_in_its_place(demo: Demo, first: int, direction: str) -> None:
    found = pages(demo.first, ORDER_WALK, first, orderBy=[{"field": "UPDATED_AT", "direction": direction}])
    rows = names(found)
    assert len(rows) == len(set(rows)) == undeleted(demo, "sap-eu") + undeleted(demo, "sap-us")
    times = [node["updatedAt"] for page in found for node in page]
    assert times == sorted(times, reverse=direction == "DESC")


def test_an_order_that_no_system_makes_is_made_here(demo: Demo) -> None:
    found = pages(demo.first, VENDOR_WALK, 50, orderBy=[{"field": "NAME", "direction": "ASC"}])
    expected = sum(demo.sandboxes[name].count(SUPPLIERS, "DeletionIndicator eq false") for name in ("sap-eu", "sap-us"))
    assert len(set(names(found))) == len(names(found)) == expected


def test_the_admin_walks_over_every_customer(demo: Demo) -> None:
    rows = names(pages(demo.admin, ORDER_WALK, 200))
    assert Counter(name for name, _ in rows) == {name: undeleted(demo, name) for name in demo.sandboxes}


def test_a_filter_that_is_done_here_walks_on_too(demo: Demo) -> None:
    query = ORDER_WALK.replace("remoteId updatedAt", "remoteId updatedAt number")
    expected = {
        (name, row["PurchaseOrder"])
        for name in ("sap-eu", "sap-us")
        for row in demo.sandboxes[name].rows(ORDERS, select="PurchaseOrder,PurchasingDocumentDeletionCode")
        if "7" in row["PurchaseOrder"] and row["PurchasingDocumentDeletionCode"] != "L"
    }
    rows = names(pages(demo.first, query, 25, filter={"number": {"contains": "7"}}))
    assert len(rows) == len(set(rows))
    assert set(rows) == expected


def test_a_system_that_failed_in_the_middle_is_taken_up_again(demo: Demo) -> None:
    rows: list[tuple[str, str]] = []
    cursor = None
    for turn in range(300):
        demo.sandboxes["sap-us"].trouble("error" if turn in (1, 2) else "none")
        page = demo.first.data(ORDER_WALK, first=60, after=cursor)["page"]
        assert page["isComplete"] is (turn not in (1, 2))
        rows.extend((node["connection"]["name"], node["remoteId"]) for node in page["nodes"])
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"] and page["isComplete"]:
            break
    assert len(rows) == len(set(rows)) == undeleted(demo, "sap-eu") + undeleted(demo, "sap-us")
