"""What is explained is what happens: the same requests, no more calls, the same filters here, the same gaps."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.resolvers.watched import SECRET, WatchedPlant, silent_plant, watched_plant

SOURCES = "sources { connection { id } filteredHere upstreamCalls status error { code } }"
META = "connection { id } meta { missing { path reason } }"
LASTING = ("NOT_MAPPED", "NOT_SUPPORTED_BY_SYSTEM")

PLAIN = {
    "orders": "purchaseOrders { nodes { number title total { amount currency } %s } %s }",
    "orders of a day": 'purchaseOrders(filter: {orderDate: {gte: "2020-01-01"}}) { nodes { orderDate %s } %s }',
    "a few orders": "purchaseOrders(first: 2) { nodes { requiredDate paymentTerms { code } %s } %s }",
    "no orders": "purchaseOrders(first: 0) { nodes { number %s } %s }",
    "how many orders": "purchaseOrders(first: 2) { totalCount nodes { number %s } %s }",
    "orders with lines": "purchaseOrders { nodes { lines { nodes { lineNumber unitPrice { amount } } } %s } %s }",
    "vendors": "vendors(first: 100) { nodes { number name %s } %s }",
    "assets": "assets(first: 20) { nodes { number name %s } %s }",
}
"""Queries whose calls are known exactly."""

OTHERS = {
    "orders and vendors": "purchaseOrders { nodes { number vendor { number name %s } %s } %s }",
    "orders by number": "purchaseOrders(first: 3, orderBy: [{field: NUMBER}]) { nodes { number %s } %s }",
    "orders by change": "purchaseOrders(orderBy: [{field: UPDATED_AT, direction: DESC}]) { nodes { number %s } %s }",
    "orders by day and number": (
        "purchaseOrders(first: 3, orderBy: [{field: ORDER_DATE, direction: DESC}, {field: NUMBER}]) "
        "{ nodes { number %s } %s }"
    ),
    "orders found by text": 'purchaseOrders(filter: {text: "0"}) { nodes { number title %s } %s }',
    "orders of no state": "purchaseOrders(filter: {status: {eq: DRAFT}}) { nodes { status %s } %s }",
    "orders either way": (
        'purchaseOrders(filter: {or: [{number: {contains: "4"}}, {orderDate: {lt: "2019-01-01"}}]}) '
        "{ nodes { number %s } %s }"
    ),
    "vendors by name": "vendors(orderBy: [{field: NAME}]) { nodes { name addresses { city } %s } %s }",
    "assets and work": "assets(first: 5) { nodes { name workOrders(first: 3) { nodes { number %s } } %s } %s }",
    "work and assets": "workOrders(first: 10) { nodes { number asset { name } tasks { nodes { number } } %s } %s }",
    "items and stock": "inventoryItems { nodes { number name stockLevels { nodes { onHand { value } } } %s } %s }",
    "items of lines": "purchaseOrders(first: 4) { nodes { lines { nodes { item { number name } } } %s } %s }",
    "vendors and orders": (
        'vendors(first: 4) { nodes { purchaseOrders(first: 2, filter: {number: {contains: "5"}}) '
        "{ nodes { number vendor { name } %s } } %s } %s }"
    ),
}


def written(query: str) -> str:
    *inner, _ = [META] * query.count("%s")
    return f"{{ {query % (*inner, SOURCES)} }}"


def by_connection(explained: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for read in explained["reads"]:
        found.setdefault(read["connection"]["id"], []).append(read)
    return found


async def both(plant: WatchedPlant, query: str, **variables: Any) -> tuple[dict[str, list[Any]], Any, Any]:
    """What is explained of each connection, then what happens: the answer's data and its cost."""
    explained = await plant.explain(query, **variables)
    assert explained["problems"] == []
    assert all(line.sent == [] for line in plant.lines.values())
    result = await plant.execute(query, **variables)
    assert result.errors is None, result.errors
    assert explained["cost"] == result.extensions["cost"]["estimated"]
    return by_connection(explained), result.data, result.extensions["cost"]


@pytest.mark.parametrize("query", [*PLAIN.values(), *OTHERS.values()], ids=[*PLAIN, *OTHERS])
async def test_the_requests_are_sent_as_explained_and_calls_are_not_more(query: str) -> None:
    plant = watched_plant()
    reads, _, cost = await both(plant, written(query))
    for name, line in plant.lines.items():
        told = {(item["method"], item["url"], item["body"]) for read in reads[name] if (item := read["request"])}
        assert told <= set(line.sent)
        assert sum(read["upstreamCalls"] for read in reads[name]) >= len(line.sent)
        assert not line.sent or line.sent[0] in told
    assert cost["upstreamCalls"] == sum(len(line.sent) for line in plant.lines.values())
    assert cost["actual"] <= cost["estimated"]


@pytest.mark.parametrize("query", PLAIN.values(), ids=PLAIN)
async def test_plain_lists_take_as_many_calls_as_explained(query: str) -> None:
    plant = watched_plant()
    reads, *_ = await both(plant, written(query))
    for name, line in plant.lines.items():
        assert sum(read["upstreamCalls"] for read in reads[name]) == len(line.sent)


@pytest.mark.parametrize("query", [*PLAIN.values(), *OTHERS.values()], ids=[*PLAIN, *OTHERS])
async def test_filters_and_gaps_are_those_of_the_answer(query: str) -> None:
    plant = watched_plant()
    reads, data, _ = await both(plant, written(query))
    ((root, page),) = data.items()
    for source in page["sources"]:
        told = [read for read in reads[source["connection"]["id"]] if read["path"] == f"{root}.nodes"]
        assert {name for read in told for name in read["filtersHere"]} == set(source["filteredHere"])
    lasting = {(path, *gap) for path, gap in gaps(page["nodes"], f"{root}.nodes")}
    explained = {
        (read["path"], connection, gap["path"], gap["reason"])
        for connection, found in reads.items()
        for read in found
        for gap in read["missing"]
    }
    seen = {(f"{root}.nodes", node["connection"]["id"]) for node in page["nodes"]}
    assert lasting <= explained
    # What has no parts in these rows, such as lines or terms, cannot tell of them.
    assert {gap for gap in explained if gap[:2] in seen and "." not in gap[2]} <= lasting


def gaps(rows: Any, path: str) -> list[tuple[str, tuple[str, str, str]]]:
    """The gaps of records that do not depend on the record, also of those that they link to."""
    found = []
    for row in rows:
        for gap in row.get("meta", {}).get("missing", ()):
            if gap["reason"] in LASTING:
                found.append((path, (row["connection"]["id"], gap["path"], gap["reason"])))
        for name, value in row.items():
            inner = value.get("nodes", [value]) if isinstance(value, Mapping) else []
            found += gaps([item for item in inner if "meta" in item], f"{path}.{name}")
    return found


async def test_a_record_is_explained_with_the_request_that_reads_it() -> None:
    plant = watched_plant()
    page = await plant.run("{ purchaseOrders(first: 4) { nodes { id } } vendors(first: 4) { nodes { id } } }")
    orders, vendors = ([node["id"] for node in page[name]["nodes"]] for name in ("purchaseOrders", "vendors"))
    for query in (
        f'{{ purchaseOrder(id: "{orders[0]}") {{ number vendor {{ name }} }} }}',
        f'{{ node(id: "{orders[1]}") {{ ... on PurchaseOrder {{ title vendor {{ name }} }} }} }}',
        f'{{ nodes(ids: ["{orders[0]}", "{vendors[1]}"]) {{ id ... on Vendor {{ name }} }} }}',
    ):
        for line in plant.lines.values():
            line.sent.clear()
        reads, _, cost = await both(plant, query)
        sent = [request for line in plant.lines.values() for request in line.sent]
        told = [item for found in reads.values() for read in found if (item := read["request"])]
        assert {(item["method"], item["url"], item["body"]) for item in told} <= set(sent)
        assert told
        assert sum(read["upstreamCalls"] for found in reads.values() for read in found) >= len(sent)
        assert cost["actual"] <= cost["estimated"]


@pytest.mark.parametrize("query", [*PLAIN.values(), *OTHERS.values()], ids=[*PLAIN, *OTHERS])
async def test_nothing_is_asked_and_no_secret_is_shown(query: str) -> None:
    result = await silent_plant().run(
        "query ($query: String!) { explain(query: $query) { reads { request { method url body } } } }",
        query=written(query),
    )
    requests = [read["request"] for read in result["explain"]["reads"] if read["request"]]
    assert len(requests) >= 2 or "DRAFT" in query
    assert SECRET not in str(result)
    assert all("example.com/" in request["url"] for request in requests)


async def test_the_second_page_is_explained_from_its_cursor() -> None:
    plant = watched_plant()
    query = "query ($after: String) { purchaseOrders(first: 3, after: $after) { nodes { id } pageInfo { endCursor } } }"
    _, first, _ = await both(plant, query)
    for line in plant.lines.values():
        line.sent.clear()
    reads, *_ = await both(plant, query, after=first["purchaseOrders"]["pageInfo"]["endCursor"])
    for name, line in plant.lines.items():
        told = [(item["method"], item["url"], item["body"]) for read in reads[name] if (item := read["request"])]
        assert told == line.sent


async def test_the_total_is_asked_for_where_every_system_can_tell() -> None:
    query = "purchaseOrders(first: 2%s) { totalCount nodes { number } }"
    explained = by_connection(await silent_plant().explain(f"{{ {query % ''} }}"))
    for reads in explained.values():
        assert [read["path"] for read in reads] == ["purchaseOrders.nodes", "purchaseOrders.totalCount"]
        total = reads[1]
        assert (total["upstreamCalls"], total["upstreamFields"], total["missing"]) == (1, [], [])
        assert total["request"]
    filtered = query % ', filter: {title: {contains: "a"}}'
    explained = by_connection(await silent_plant().explain(f"{{ {filtered} }}"))
    assert [len(reads) for reads in explained.values()] == [1, 1, 1]


async def test_a_filter_that_is_pushed_in_part_is_named_twice() -> None:
    plant = silent_plant()
    query = '{ vendors(filter: {name: {contains: "a"}, number: {eq: "7"}}) { nodes { id } } }'
    reads = by_connection(await plant.explain(query))
    for name in ("sap_s4hana", "odoo", "tryton"):
        (read,) = reads[name]
        assert "number" in read["filtersPushed"]
        assert set(read["filtersPushed"]) | set(read["filtersHere"]) >= {"name", "number"}
        assert read["isLimitPushed"] is (read["filtersHere"] == [])
    assert any({"name"} <= set(read["filtersPushed"]) & set(read["filtersHere"]) for (read,) in reads.values())


async def test_a_source_that_cannot_match_is_not_asked_and_says_so() -> None:
    query = '{ purchaseOrders(filter: {requiredDate: {gte: "2026-01-01"}}) { nodes { id } } }'
    (read,) = by_connection(await silent_plant().explain(query))["sap_s4hana"]
    assert (read["upstreamCalls"], read["request"], read["filtersPushed"]) == (0, None, ["isDeleted"])


async def test_a_filter_that_decides_without_asking_decides_here() -> None:
    query = '{ purchaseOrders(filter: {or: [{requiredDate: {isNull: true}}, {number: {eq: "7"}}]}) { nodes { id } } }'
    (read,) = by_connection(await silent_plant().explain(query))["sap_s4hana"]
    assert (read["filtersPushed"], read["filtersHere"]) == (["isDeleted"], ["requiredDate"])
    assert read["isLimitPushed"]


async def test_rows_below_rows_are_counted() -> None:
    explained = await silent_plant().explain(
        '{ vendors(first: 5, systems: ["sap_s4hana"]) { nodes { purchaseOrders(first: 40) { nodes { '
        "vendor { name } lines { nodes { item { number } } } } } } } }"
    )
    calls = {read["path"].removeprefix("vendors.nodes"): read["upstreamCalls"] for read in explained["reads"]}
    orders, items = 5 * 40, 5 * 40 * 20
    assert calls == {
        "": 1,
        ".purchaseOrders": 5_000 // 100 + 5,
        ".purchaseOrders.vendor": -(-orders // 60),
        ".purchaseOrders.lines.item": -(-items // 60),
    }


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ("{ purchaseOrders { nodes { numer } } }", "BAD_REQUEST", "numer"),
        ("{ purchaseOrders {", "BAD_REQUEST", "Syntax Error"),
        ("mutation { revokeApiKey(input: {id: \"x\"}) { errors { code } } }", "BAD_REQUEST", "Only queries"),
        ("query A { viewer { id } } query B { viewer { id } }", "BAD_REQUEST", "operationName"),
        ("query ($first: Int!) { purchaseOrders(first: $first) { nodes { id } } }", "BAD_REQUEST", "$first"),
        ("{ purchaseOrders(first: 300) { nodes { id } } }", "VALIDATION_FAILED", "between 0 and 200"),
        ("{ purchaseOrders(connectionIds: [\"con_x\"]) { nodes { id } } }", "CONNECTION_NOT_FOUND", "con_x"),
        ("{ purchaseOrders(after: \"x\") { nodes { id } } }", "INVALID_CURSOR", "cursor"),
        ("{ vendors { nodes { purchaseOrders(first: -1) { nodes { id } } } } }", "VALIDATION_FAILED", "between"),
    ],
)  # fmt: skip
async def test_what_would_be_refused_is_a_problem_and_not_a_fault(query: str, code: str, said: str) -> None:
    explained = await silent_plant().explain(query)
    (found,) = explained["problems"]
    assert found["code"] == code
    assert said in found["message"]
    assert found["remediation"]
    assert explained["reads"] == []


async def test_one_root_that_is_wrong_leaves_the_others_explained() -> None:
    explained = await silent_plant().explain(
        "{ a: purchaseOrders(first: 300) { nodes { id } } b: vendors { nodes { id } } viewer { __typename } }"
    )
    assert [found["code"] for found in explained["problems"]] == ["VALIDATION_FAILED"]
    assert {read["path"] for read in explained["reads"]} == {"b.nodes"}


async def test_an_explanation_explains_itself_as_nothing() -> None:
    explained = await silent_plant().explain('{ explain(query: "{ vendors { nodes { id } } }") { cost } }')
    assert (explained["cost"], explained["reads"], explained["problems"]) == (0, [], [])


async def test_variables_that_are_no_object_are_refused() -> None:
    query = '{ explain(query: "{ viewer { __typename } }", variables: [1]) { cost } }'
    assert (await silent_plant().refused(query))["code"] == "VALIDATION_FAILED"
