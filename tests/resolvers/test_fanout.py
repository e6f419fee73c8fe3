"""One question to several sources: each has an outcome of its own, and none harms the others."""

import asyncio
from itertools import chain, repeat
from typing import Any

import pytest

from connectors import errors
from connectors.query import Page, Read
from resolvers.ports import LiveSource, ReadLimits
from tests.resolvers.graph import Graph
from tests.resolvers.tables import Abilities, TableSource, order_row, source_of, table

QUERY = """
query Orders($first: Int = 10, $filter: PurchaseOrderFilter, $orderBy: [PurchaseOrderSort!], $timeoutMs: Int) {
  purchaseOrders(first: $first, filter: $filter, orderBy: $orderBy, timeoutMs: $timeoutMs) {
    nodes { remoteId connection { id } }
    pageInfo { hasNextPage endCursor }
    isComplete
    sources {
      connection { id } status count upstreamCalls servedFrom fetchedAt filteredHere truncated
      calls { purpose path requests status error { code } }
      error { code category message remediation retryable retryAfterMs connectionId system upstream { status code } }
    }
  }
}
"""


class OurOwnMistake(Exception):
    """Nothing that a source can do."""


class RefusedTwice(errors.AddressRefused):
    """A kind of trouble that is only known by what it is a kind of."""


def failing(name: str, trouble: Exception) -> LiveSource:
    live = table(name, [order_row("k1")])
    source_of(live).troubles = repeat(trouble)
    return live


def good(name: str, count: int = 2, able: Abilities | None = None) -> LiveSource:
    return table(name, [order_row(f"k{index}", number=str(index)) for index in range(count)], able)


async def ask(*lives: LiveSource, limits: ReadLimits | None = None, **variables: Any) -> Any:
    graph = Graph(lives, limits=limits or ReadLimits())
    return (await graph.run(QUERY, **variables))["purchaseOrders"]


def outcome(page: Any, name: str) -> Any:
    return next(item for item in page["sources"] if item["connection"]["id"] == f"con_{name}")


@pytest.mark.parametrize(
    ("trouble", "status", "code", "category", "retryable"),
    [
        (errors.Reauthorize("x"), "REAUTHORIZATION_REQUIRED", "REAUTHORIZATION_REQUIRED", "CONNECTION", False),
        (errors.RefreshFailed("x", retry_after=1.5), "ERROR", "REFRESH_BACKOFF", "CONNECTION", True),
        (errors.PermissionDenied("x"), "PERMISSION_DENIED", "UPSTREAM_PERMISSION_DENIED", "BUSINESS", False),
        (errors.RateLimited("x", retry_after=1.5), "RATE_LIMITED", "UPSTREAM_RATE_LIMITED", "UPSTREAM", True),
        (errors.CircuitOpen("x", retry_after=1.5), "SKIPPED_CIRCUIT_OPEN", "CIRCUIT_OPEN", "UPSTREAM", True),
        (errors.TimedOut("x"), "TIMED_OUT", "UPSTREAM_TIMEOUT", "UPSTREAM", True),
        (errors.Unavailable("x"), "ERROR", "UPSTREAM_UNREACHABLE", "UPSTREAM", True),
        (errors.Unavailable("x", upstream=errors.Upstream(503)), "ERROR", "UPSTREAM_ERROR", "UPSTREAM", True),
        (errors.WrongSystem("x"), "ERROR", "CONNECTION_MISCONFIGURED", "CONNECTION", False),
        (errors.AddressRefused("x"), "ERROR", "CONNECTION_MISCONFIGURED", "CONNECTION", False),
        (RefusedTwice("x"), "ERROR", "CONNECTION_MISCONFIGURED", "CONNECTION", False),
        (errors.Rejected("x"), "ERROR", "UPSTREAM_REJECTED", "BUSINESS", False),
        (errors.NotFound("x"), "ERROR", "RECORD_NOT_FOUND", "DATA", False),
        (errors.BadAnswer("x"), "ERROR", "UPSTREAM_BAD_RESPONSE", "UPSTREAM", False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_a_trouble_is_told_and_the_others_answer(
    trouble: Exception, status: str, code: str, category: str, retryable: bool
) -> None:
    page = await ask(good("a"), failing("b", trouble), good("c"))
    assert [node["connection"]["id"] for node in page["nodes"]] == ["con_a", "con_c", "con_a", "con_c"]
    assert page["isComplete"] is False
    assert page["pageInfo"]["hasNextPage"] is False
    told = outcome(page, "b")
    assert (told["status"], told["count"], told["upstreamCalls"]) == (status, 0, 1)
    assert told["servedFrom"] is None
    assert told["fetchedAt"] is None
    error = told["error"]
    assert (error["code"], error["category"], error["retryable"]) == (code, category, retryable)
    assert (error["connectionId"], error["system"]) == ("con_b", "table")
    assert error["remediation"]
    is_timed = isinstance(trouble, errors.RateLimited | errors.CircuitOpen | errors.RefreshFailed)
    assert error["retryAfterMs"] == (1_500 if is_timed else None)
    assert outcome(page, "a")["status"] == outcome(page, "c")["status"] == "OK"


async def test_a_mistake_of_ours_is_one_source_s_too_and_says_nothing_of_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    page = await ask(good("a"), failing("b", OurOwnMistake("s3cret")))
    assert len(page["nodes"]) == 2
    error = outcome(page, "b")["error"]
    assert error["code"] == "INTERNAL"
    assert "s3cret" not in error["message"]
    assert "OurOwnMistake" in caplog.text


async def test_a_silent_source_is_given_up_at_its_deadline() -> None:
    silent = good("b")
    source_of(silent).silent = frozenset({"orders"})
    page = await ask(good("a"), silent, timeoutMs=400)
    assert [node["connection"]["id"] for node in page["nodes"]] == ["con_a", "con_a"]
    assert page["isComplete"] is False
    assert (outcome(page, "b")["status"], outcome(page, "b")["error"]["code"]) == ("TIMED_OUT", "UPSTREAM_TIMEOUT")
    assert outcome(page, "b")["upstreamCalls"] == 1


async def test_a_connection_s_own_timeout_counts_where_the_query_names_none() -> None:
    silent = good("b")
    source_of(silent).silent = frozenset({"orders"})
    source_of(silent).timeout_ms = 50
    assert outcome(await ask(silent), "b")["status"] == "TIMED_OUT"


async def test_when_nobody_answers_the_page_is_empty_and_can_be_asked_again() -> None:
    lives = [failing("a", errors.Unavailable("x")), failing("b", errors.TimedOut("x"))]
    page = await ask(*lives)
    assert page["nodes"] == []
    assert page["isComplete"] is False
    assert page["pageInfo"]["hasNextPage"] is False
    for live in lives:
        source_of(live).troubles = iter(())
    query = "query ($after: String) { purchaseOrders(first: 10, after: $after) { nodes { remoteId } } }"
    again = await Graph(lives).run(query, after=page["pageInfo"]["endCursor"])
    assert len(again["purchaseOrders"]["nodes"]) == 2


async def test_without_connections_there_is_nothing_and_that_is_complete() -> None:
    page = await ask()
    assert page["nodes"] == page["sources"] == []
    assert page["isComplete"] is True
    assert page["pageInfo"] == {"hasNextPage": False, "endCursor": None}


async def test_a_system_without_such_records_leaves_the_answer_complete() -> None:
    lives = [good("a", able=Abilities(has_vendors=False)), table("b", [], vendors=[{"key": "v1", "name": "V"}])]
    query = "{ vendors { nodes { name } isComplete sources { status error { code } } } }"
    page = (await Graph(lives).run(query))["vendors"]
    assert page["nodes"] == [{"name": "V"}]
    assert page["isComplete"] is True
    assert page["sources"][0] == {"status": "UNSUPPORTED", "error": {"code": "ENTITY_UNSUPPORTED"}}


async def test_too_many_rows_to_sort_here_are_no_answer_of_that_source() -> None:
    unable = good("b", 6, Abilities(sorts=False, page_size=2))
    page = await ask(
        good("a"), unable, limits=ReadLimits(max_scan_rows=4), orderBy=[{"field": "NUMBER", "direction": "ASC"}]
    )
    assert [node["connection"]["id"] for node in page["nodes"]] == ["con_a", "con_a"]
    assert page["isComplete"] is False
    assert outcome(page, "b")["status"] == "UNSUPPORTED"
    assert outcome(page, "b")["error"]["code"] == "UNSUPPORTED_SORT"


async def test_a_scan_at_its_bound_says_what_it_could_not_push() -> None:
    unable = good("a", 9, Abilities(filters=False, page_size=2))
    condition = {"number": {"eq": "8"}, "title": {"isNull": True}}
    page = await ask(unable, limits=ReadLimits(max_scan_rows=4), filter=condition)
    told = outcome(page, "a")
    assert (told["status"], told["error"]["code"]) == ("PARTIAL", "FILTER_TOO_EXPENSIVE")
    assert told["truncated"] is True
    assert set(told["filteredHere"]) == {"number", "title", "isDeleted"}
    assert "number" in told["error"]["message"]
    assert page["pageInfo"]["hasNextPage"] is True


async def test_a_source_whose_rows_cannot_be_meant_is_not_asked() -> None:
    lives = [good("a"), good("b")]
    page = await ask(*lives, filter={"connectionId": {"eq": "con_b"}})
    assert [node["connection"]["id"] for node in page["nodes"]] == ["con_b", "con_b"]
    assert [len(source_of(live).reads) for live in lives] == [0, 1]
    assert outcome(page, "a")["upstreamCalls"] == 0


async def test_a_finished_source_is_not_asked_again() -> None:
    lives = [good("a", 1), good("b", 5)]
    graph = Graph(lives)
    query = """query ($after: String) {
      purchaseOrders(first: 3, after: $after) { nodes { remoteId } pageInfo { endCursor } sources { status } }
    }"""
    cursor = (await graph.run(query))["purchaseOrders"]["pageInfo"]["endCursor"]
    page = (await graph.run(query, after=cursor))["purchaseOrders"]
    assert len(page["nodes"]) == 3
    assert [len(source_of(live).reads) for live in lives] == [1, 2]
    assert page["sources"] == [{"status": "OK"}, {"status": "OK"}]


class Turnstile(TableSource):
    """Counts how many sources are being asked at the same time."""

    inside = most = 0

    async def fetch(self, read: Read, *arguments: Any) -> Page:
        Turnstile.inside += 1
        Turnstile.most = max(Turnstile.most, Turnstile.inside)
        for _ in range(5):
            await asyncio.sleep(0)
        Turnstile.inside -= 1
        return await super().fetch(read, *arguments)


async def test_only_so_many_sources_are_asked_at_once() -> None:
    lives = [good(f"t{index}") for index in range(9)]
    for live in lives:
        source_of(live).__class__ = Turnstile
    page = await ask(*lives, limits=ReadLimits(max_sources_at_once=3), first=200)
    assert len(page["nodes"]) == 18
    assert Turnstile.most == 3


async def test_a_source_whose_turn_never_came_is_not_blamed() -> None:
    silent = [good("a"), good("b")]
    for live in silent:
        source_of(live).silent = frozenset({"orders"})
    page = await ask(*silent, good("c"), limits=ReadLimits(max_sources_at_once=2), timeoutMs=300)
    assert [source["status"] for source in page["sources"]] == ["TIMED_OUT"] * 3
    assert [source["upstreamCalls"] for source in page["sources"]] == [1, 1, 0]
    assert "was not asked" in outcome(page, "c")["error"]["message"]
    assert "did not answer" in outcome(page, "a")["error"]["message"]


async def test_too_many_sources_are_refused_with_the_limit() -> None:
    graph = Graph([good("a"), good("b"), good("c")], limits=ReadLimits(max_sources=2))
    result = await graph.execute(QUERY)
    assert result.data == {"purchaseOrders": None}
    assert result.errors[0].extensions["code"] == "QUERY_TOO_COMPLEX"
    assert "at most 2" in result.errors[0].message
    assert "connectionIds" in result.errors[0].message


async def test_a_name_instead_of_an_id_is_answered_with_the_id() -> None:
    result = await Graph([good("a")]).execute('{ purchaseOrders(connectionIds: ["a"]) { nodes { id } } }')
    assert result.errors[0].message.endswith("That is a name: take the id, con_a.")


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        ("first: 201", "VALIDATION_FAILED", "first"),
        ("first: -1", "VALIDATION_FAILED", "first"),
        ("first: null", "VALIDATION_FAILED", "first"),
        ("timeoutMs: 0", "VALIDATION_FAILED", "timeoutMs"),
        ("timeoutMs: 120001", "VALIDATION_FAILED", "timeoutMs"),
        ('connectionIds: ["con_a", "con_z"]', "CONNECTION_NOT_FOUND", "connectionIds"),
        ('systems: ["sap"]', "VALIDATION_FAILED", "systems"),
        ('after: "nonsense"', "INVALID_CURSOR", "after"),
        ("orderBy: [{field: NUMBER}, {field: NUMBER}]", "VALIDATION_FAILED", "orderBy"),
        ("filter: {number: {eq: null}}", "VALIDATION_FAILED", "filter.number.eq"),
    ],
)
async def test_an_argument_out_of_range_is_named(arguments: str, code: str, field: str) -> None:
    live = good("a")
    refused = await Graph([live]).refused(f"{{ purchaseOrders({arguments}) {{ nodes {{ id }} }} }}")
    assert (refused["code"], refused["field"]) == (code, field)
    assert refused["remediation"]
    assert source_of(live).reads == []


@pytest.mark.parametrize(
    "arguments", ["after: null", "filter: null", "orderBy: null", "orderBy: []", "timeoutMs: null"]
)
async def test_null_is_as_if_left_out(arguments: str) -> None:
    data = await Graph([good("a")]).run(f"{{ purchaseOrders({arguments}) {{ nodes {{ id }} }} }}")
    assert len(data["purchaseOrders"]["nodes"]) == 2


async def test_no_rows_can_be_asked_for() -> None:
    page = await ask(good("a"), first=0)
    assert page["nodes"] == []
    assert page["pageInfo"]["hasNextPage"] is True
    assert page["pageInfo"]["endCursor"]


async def test_a_page_says_where_it_stands() -> None:
    query = """query ($after: String) { purchaseOrders(first: 2, after: $after) {
      edges { cursor } pageInfo { startCursor hasPreviousPage endCursor }
    } }"""
    graph = Graph([good("a", 3)])
    first = (await graph.run(query))["purchaseOrders"]
    assert first["pageInfo"]["startCursor"] == first["edges"][0]["cursor"]
    assert first["pageInfo"]["hasPreviousPage"] is False
    second = (await graph.run(query, after=first["pageInfo"]["endCursor"]))["purchaseOrders"]
    assert len(second["edges"]) == 1
    assert second["pageInfo"]["hasPreviousPage"] is True


async def test_an_empty_choice_asks_nobody() -> None:
    data = await Graph([good("a")]).run("{ purchaseOrders(connectionIds: []) { nodes { id } sources { status } } }")
    assert data["purchaseOrders"] == {"nodes": [], "sources": []}


async def test_whoever_requires_a_complete_answer_gets_it_or_an_error() -> None:
    query = "{ purchaseOrders(requireComplete: true) { nodes { remoteId } } }"
    live = failing("b", errors.Unavailable("x"))
    result = await Graph([good("a"), live]).execute(query)
    assert result.data == {"purchaseOrders": None}
    (error,) = result.errors
    assert error.extensions["code"] == "UPSTREAM_UNREACHABLE"
    assert [(item["connectionId"], item["status"], item["code"]) for item in error.extensions["sources"]] == [
        ("con_a", "OK", None),
        ("con_b", "ERROR", "UPSTREAM_UNREACHABLE"),
    ]
    source_of(live).troubles = chain(())
    assert len((await Graph([good("a"), live]).run(query))["purchaseOrders"]["nodes"]) == 3


async def test_the_last_page_is_not_followed_by_an_empty_one() -> None:
    """Rows that are here already tell that no more of them pass."""
    rows = [order_row(f"k{index}", number="wanted" if index < 3 else "other") for index in range(8)]
    live = table("a", rows, Abilities(filters=False, page_size=50))
    page = await ask(live, filter={"number": {"eq": "wanted"}}, first=3)
    assert [node["remoteId"] for node in page["nodes"]] == ["k0", "k1", "k2"]
    assert page["pageInfo"]["hasNextPage"] is False


async def test_a_filter_on_a_field_that_the_system_does_not_fill_is_named() -> None:
    """No row can pass, so that nothing is asked; without its name nobody would know why."""
    lives = [good("a", able=Abilities(has_moments=False)), good("b")]
    page = await ask(*lives, filter={"updatedAt": {"gt": "2026-01-01T00:00:00Z"}})
    assert outcome(page, "a")["filteredHere"] == ["updatedAt"]
    assert (outcome(page, "a")["status"], outcome(page, "a")["upstreamCalls"]) == ("OK", 0)
    assert outcome(page, "b")["filteredHere"] == []


async def test_a_row_whose_sort_value_cannot_be_read_is_named() -> None:
    live = table("a", [order_row("k1", number=["no text"])])
    page = await ask(live, orderBy=[{"field": "NUMBER"}])
    error = outcome(page, "a")["error"]
    assert (error["code"], "k1" in error["message"]) == ("UPSTREAM_BAD_RESPONSE", True)
