"""Freshness over a whole query: what is asked, what is not, and what the answer says of its age."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from connectors.errors import PermissionDenied
from connectors.ports import CacheOutcome
from gateway.stores.memory import MemoryCache
from resolvers.ports import CacheEntry, CacheScope
from schema.freshness import Freshness
from tests.resolvers.cached_plant import CachedPlant, TurnedClock, cached_plant
from tests.resolvers.tables import Abilities, order_row, source_of, table

ORDERS = """
query Orders($freshness: FreshnessInput, $systems: [ID!], $first: Int = 5, $filter: PurchaseOrderFilter) {
  purchaseOrders(first: $first, freshness: $freshness, connectionIds: $systems, filter: $filter) {
    nodes { id number vendor { id name meta { source fetchedAt } } meta { source fetchedAt missing { path reason } } }
    isComplete
    pageInfo { hasNextPage }
    sources {
      connection { name } status servedFrom fetchedAt upstreamCalls
      calls { purpose requests status error { code } } error { code }
    }
  }
}
"""
PLAIN = """
query Plain($freshness: FreshnessInput) {
  purchaseOrders(first: 5, freshness: $freshness, connectionIds: ["con_sap-eu"]) {
    nodes { id meta { source fetchedAt } }
    isComplete
    sources { status servedFrom fetchedAt upstreamCalls error { code } }
  }
}
"""
MINUTE = {"maxAgeSeconds": 60}
STAND_IN = {"maxAgeSeconds": 60, "staleOnError": True}
EU = ["con_sap-eu"]


async def page(plant: CachedPlant, query: str = ORDERS, **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await plant.run(query, **variables))["purchaseOrders"]
    return found


def told(found: dict[str, Any], name: str) -> list[Any]:
    return [source[name] for source in found["sources"]]


async def test_asking_again_within_the_age_costs_no_call() -> None:
    plant = cached_plant()
    first = await page(plant, freshness=MINUTE)
    assert told(first, "servedFrom") == ["LIVE", "LIVE"]
    assert told(first, "upstreamCalls") == [plant.calls("sap-eu"), plant.calls("sap-us")] == [2, 2]
    plant.plant.forget()
    plant.clock.turn(59)
    again = await page(plant, freshness=MINUTE)
    assert plant.calls("sap-eu") == plant.calls("sap-us") == 0
    assert told(again, "upstreamCalls") == [0, 0]
    assert told(again, "servedFrom") == ["CACHE", "CACHE"]
    assert told(again, "status") == ["OK", "OK"]
    assert told(again, "fetchedAt") == told(first, "fetchedAt")
    assert again["isComplete"] is True
    assert {node["meta"]["source"] for node in again["nodes"]} == {"CACHE"}
    assert {node["vendor"]["meta"]["source"] for node in again["nodes"]} == {"CACHE"}
    assert [node["number"] for node in again["nodes"]] == [node["number"] for node in first["nodes"]]
    assert [node["vendor"]["name"] for node in again["nodes"]] == [node["vendor"]["name"] for node in first["nodes"]]


async def test_an_answer_that_is_too_old_is_read_again() -> None:
    plant = cached_plant()
    await page(plant, freshness=MINUTE)
    plant.clock.turn(61)
    plant.plant.forget()
    again = await page(plant, freshness=MINUTE)
    assert told(again, "servedFrom") == ["LIVE", "LIVE"]
    assert plant.calls("sap-eu") == 2


@pytest.mark.parametrize("freshness", [None, {}, {"maxAgeSeconds": 0}, {"maxAgeSeconds": 0, "staleOnError": True}])
async def test_live_is_live(freshness: Any) -> None:
    plant = cached_plant()
    await page(plant, freshness=MINUTE)
    plant.plant.forget()
    again = await page(plant, freshness=freshness)
    assert told(again, "servedFrom") == ["LIVE", "LIVE"]
    assert plant.calls("sap-eu") == 2


async def test_a_connection_has_its_own_default() -> None:
    plant = cached_plant(freshness=Freshness(60, True))
    await page(plant)
    plant.plant.forget()
    assert told(await page(plant), "servedFrom") == ["CACHE", "CACHE"]
    assert told(await page(plant, freshness={"maxAgeSeconds": 0}), "servedFrom") == ["LIVE", "LIVE"]
    plant.plant.trouble("sap-eu", "error")
    assert told(await page(plant, freshness={"maxAgeSeconds": 0}), "status") == ["STALE", "OK"]
    assert told(await page(plant, freshness={"maxAgeSeconds": 0, "staleOnError": False}), "status") == ["ERROR", "OK"]


async def test_a_negative_age_is_refused() -> None:
    plant = cached_plant()
    refused = await plant.plant.refused(PLAIN, freshness={"maxAgeSeconds": -1})
    assert (refused["code"], refused["field"]) == ("VALIDATION_FAILED", "freshness.maxAgeSeconds")


async def test_another_question_is_not_answered_with_this_one() -> None:
    plant = cached_plant()
    await page(plant, freshness=MINUTE, first=5)
    for other in ({"first": 6}, {"filter": {"status": {"eq": "ISSUED"}}}):
        found = await page(plant, freshness=MINUTE, **other)
        assert {node["meta"]["source"] for node in found["nodes"]} == {"LIVE"}


async def test_links_ask_only_for_the_keys_that_are_not_there() -> None:
    plant = cached_plant()
    few = await page(plant, freshness=MINUTE, first=3, systems=EU)
    plant.plant.forget()
    more = await page(plant, freshness=MINUTE, first=20, systems=EU)
    known = {node["vendor"]["id"] for node in few["nodes"]}
    (asked,) = [item["query"]["$filter"] for item in plant.plant.asked("sap-eu") if item["entity"] == "VENDOR"]
    sources = {node["vendor"]["id"]: node["vendor"]["meta"]["source"] for node in more["nodes"]}
    assert {key for key, source in sources.items() if source == "CACHE"} == known
    assert asked.count("Supplier eq") == len(sources) - len(known) > 0
    assert told(more, "servedFrom") == ["CACHE"]


async def test_that_there_is_no_record_is_remembered_for_a_short_time() -> None:
    plant = cached_plant()
    order = (await page(plant, systems=EU))["nodes"][0]["id"]
    query = "query ($id: ID!) { purchaseOrder(id: $id, freshness: {maxAgeSeconds: 600}) { id meta { source } } }"
    rows = plant.plant.rows("sap-eu", "A_PurchaseOrder")
    kept = list(rows)
    rows.clear()
    plant.plant.forget()
    for _ in range(3):
        assert await plant.run(query, id=order) == {"purchaseOrder": None}
    assert plant.calls() == 1
    rows.extend(kept)
    plant.clock.turn(31)
    assert await plant.run(query, id=order) == {"purchaseOrder": {"id": order, "meta": {"source": "LIVE"}}}
    assert await plant.run(query, id=order) == {"purchaseOrder": {"id": order, "meta": {"source": "CACHE"}}}


async def test_an_older_answer_stands_in_and_says_so() -> None:
    plant = cached_plant()
    first = await page(plant, freshness=STAND_IN, systems=EU)
    plant.clock.turn(600)
    plant.plant.trouble("sap-eu", "error")
    stale = await page(plant, freshness=STAND_IN, systems=EU)
    (source,) = stale["sources"]
    assert (source["status"], source["servedFrom"]) == ("STALE", "STALE")
    assert source["error"] == {"code": "UPSTREAM_ERROR"}
    assert source["fetchedAt"] == first["sources"][0]["fetchedAt"]
    assert [(call["purpose"], call["status"]) for call in source["calls"]] == [("ROWS", "STALE"), ("LINK", "STALE")]
    assert stale["isComplete"] is False
    assert [node["id"] for node in stale["nodes"]] == [node["id"] for node in first["nodes"]]
    assert {node["meta"]["source"] for node in stale["nodes"]} == {"STALE"}
    assert {node["vendor"]["meta"]["source"] for node in stale["nodes"]} == {"STALE"}
    assert all(node["meta"]["missing"] == [] for node in stale["nodes"])


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("down", "UPSTREAM_UNREACHABLE"),
        ("unauthorized", "REAUTHORIZATION_REQUIRED"),
        ("rate_limited", "UPSTREAM_RATE_LIMITED"),
        ("malformed", "UPSTREAM_BAD_RESPONSE"),
    ],
)
async def test_every_failure_may_be_stood_in_for(mode: str, code: str) -> None:
    plant = cached_plant()
    await page(plant, PLAIN, freshness=STAND_IN)
    plant.clock.turn(600)
    plant.plant.trouble("sap-eu", mode, retry_after_seconds=60)
    (source,) = (await page(plant, PLAIN, freshness=STAND_IN))["sources"]
    assert (source["status"], source["error"]["code"]) == ("STALE", code)
    (source,) = (await page(plant, PLAIN, freshness=MINUTE))["sources"]
    assert (source["servedFrom"], source["error"]["code"]) == (None, code)


async def test_a_system_that_is_left_alone_is_stood_in_for() -> None:
    plant = cached_plant()
    await page(plant, PLAIN, freshness=STAND_IN)
    plant.clock.turn(600)
    plant.plant.trouble("sap-eu", "down")
    for _ in range(6):
        (source,) = (await page(plant, PLAIN, freshness=STAND_IN))["sources"]
    assert (source["status"], source["error"]["code"], source["upstreamCalls"]) == ("STALE", "CIRCUIT_OPEN", 0)
    (source,) = (await page(plant, PLAIN))["sources"]
    assert (source["status"], source["servedFrom"]) == ("SKIPPED_CIRCUIT_OPEN", None)


async def test_a_system_that_is_too_slow_is_stood_in_for() -> None:
    plant = cached_plant()
    query = PLAIN.replace("first: 5", "first: 5, timeoutMs: 300")
    await page(plant, query, freshness=STAND_IN)
    plant.clock.turn(600)
    plant.plant.trouble("sap-eu", "slow")
    (source,) = (await page(plant, query, freshness=STAND_IN))["sources"]
    assert (source["status"], source["error"]["code"]) == ("STALE", "UPSTREAM_TIMEOUT")


async def test_a_right_that_was_lost_is_never_stood_in_for() -> None:
    plant = cached_plant()
    await page(plant, PLAIN, freshness=STAND_IN)
    plant.clock.turn(600)
    plant.plant.trouble("sap-eu", "forbidden")
    (source,) = (await page(plant, PLAIN, freshness=STAND_IN))["sources"]
    assert (source["status"], source["servedFrom"]) == ("PERMISSION_DENIED", None)
    plant.plant.trouble("sap-eu", "error")
    (source,) = (await page(plant, PLAIN, freshness=STAND_IN))["sources"]
    assert (source["status"], source["servedFrom"]) == ("ERROR", None)


async def test_a_right_that_a_live_query_has_seen_lost_ends_what_was_kept() -> None:
    plant = cached_plant()
    await page(plant, PLAIN, freshness=STAND_IN)
    plant.plant.trouble("sap-eu", "forbidden")
    await page(plant, PLAIN)
    plant.plant.trouble("sap-eu", "error")
    for freshness in (MINUTE, STAND_IN):
        (source,) = (await page(plant, PLAIN, freshness=freshness))["sources"]
        assert (source["status"], source["servedFrom"]) == ("ERROR", None)


async def test_a_right_that_a_count_has_seen_lost_ends_what_was_kept() -> None:
    plant = cached_plant()
    await page(plant, PLAIN, freshness=STAND_IN)
    (live,) = (live for live in plant.plant.lives if live.connection.name == "sap-eu")

    async def refuse(*_: Any) -> int:
        raise PermissionDenied("The user may not read this.")

    live.source.count = refuse  # type: ignore[method-assign, assignment] # what a user may list but not count
    counted = PLAIN.replace("nodes", "totalCount nodes", 1)
    (source,) = (await page(plant, counted, freshness=STAND_IN))["sources"]
    assert source["status"] == "OK"
    plant.plant.trouble("sap-eu", "error")
    (source,) = (await page(plant, PLAIN, freshness=STAND_IN))["sources"]
    assert (source["status"], source["servedFrom"]) == ("ERROR", None)


async def test_what_is_kept_is_kept_for_so_long_only() -> None:
    plant = cached_plant(keep_seconds=3_600)
    await page(plant, PLAIN, freshness=STAND_IN)
    plant.clock.turn(3_601)
    plant.plant.trouble("sap-eu", "error")
    (source,) = (await page(plant, PLAIN, freshness=STAND_IN))["sources"]
    assert (source["status"], source["servedFrom"]) == ("ERROR", None)


async def test_after_a_write_nothing_older_is_found() -> None:
    plant = cached_plant()
    await page(plant, freshness=MINUTE)
    scope = plant.plant.lives[0].scope
    assert scope is not None
    await plant.cache.forget(scope)
    assert told(await page(plant, freshness=MINUTE), "servedFrom") == ["LIVE", "CACHE"]


async def test_long_answers_are_not_kept() -> None:
    plant = cached_plant(max_entry_bytes=100)
    await page(plant, PLAIN, freshness=MINUTE)
    assert told(await page(plant, PLAIN, freshness=MINUTE), "servedFrom") == ["LIVE"]


async def test_an_answer_that_came_in_parts_is_found_whole() -> None:
    plant = cached_plant()
    many: dict[str, Any] = {"first": 120, "systems": EU, "filter": {"text": "45"}}
    first = await page(plant, freshness=MINUTE, **many)
    parts = plant.calls(entity="PURCHASE_ORDER")
    assert parts > 1
    plant.plant.forget()
    again = await page(plant, freshness=MINUTE, **many)
    assert plant.calls() == 0
    assert [node["id"] for node in again["nodes"]] == [node["id"] for node in first["nodes"]]


class Leaky(MemoryCache):
    """Keeps the first thing that it is given, and nothing after that."""

    is_full = False

    async def put(self, scope: CacheScope, areas: Sequence[str], entries: Mapping[str, CacheEntry], stamp: str) -> None:
        if not self.is_full:
            self.is_full = True
            await super().put(scope, areas, entries, stamp)


@pytest.mark.parametrize("seconds", [5, 20])
async def test_an_answer_whose_rest_is_gone_is_continued_at_once_or_read_again(seconds: int) -> None:
    clock = TurnedClock()
    plant = cached_plant(clock=clock, store=Leaky(10_000_000, monotonic=lambda: clock.monotonic))
    many: dict[str, Any] = {"first": 120, "systems": EU, "filter": {"text": "45"}}
    query = ORDERS.replace("vendor { id name meta { source fetchedAt } }", "")
    first = await page(plant, query, freshness=MINUTE, **many)
    parts = plant.calls()
    plant.plant.forget()
    clock.turn(seconds)
    again = await page(plant, query, freshness=MINUTE, **many)
    is_continued = plant.calls() == parts - 1
    assert is_continued == (seconds < 10)
    assert again["sources"][0]["servedFrom"] == ("CACHE" if is_continued else "LIVE")
    assert [node["id"] for node in again["nodes"]] == [node["id"] for node in first["nodes"]]


async def test_pages_of_different_ages_that_contradict_each_other_are_read_again() -> None:
    plant = cached_plant()
    rows = [order_row(str(number), number=f"n{number}") for number in range(1, 10)]
    live = table("one", rows, Abilities(has_moments=False, page_size=4))
    plant.plant.lives = [replace(live, scope=CacheScope("cus_test", "con_one", "g"))]
    query = """
    query ($first: Int!) {
      purchaseOrders(first: $first, freshness: {maxAgeSeconds: 60}, orderBy: [{field: NUMBER}]) {
        nodes { number } sources { status servedFrom upstreamCalls }
      }
    }
    """
    await page(plant, query, first=3)
    rows[0]["number"] = "n99"
    found = await page(plant, query, first=9)
    assert told(found, "status") == ["OK"]
    assert told(found, "servedFrom") == ["LIVE"]
    assert [node["number"] for node in found["nodes"]] == [*(f"n{number}" for number in range(2, 10)), "n99"]
    assert told(found, "upstreamCalls") == [len(source_of(live).reads) - 1]


async def test_an_answer_is_renewed_behind_its_reader() -> None:
    plant = cached_plant()
    plant.cache.monotonic = lambda: plant.clock.monotonic + 5.0 * plant.calls("sap-eu")
    await page(plant, PLAIN, freshness=MINUTE)
    plant.clock.turn(40)
    plant.chances.append(0.999)
    early = await page(plant, PLAIN, freshness=MINUTE)
    assert (told(early, "servedFrom"), told(early, "upstreamCalls")) == (["CACHE"], [0])
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task is not asyncio.current_task()))
    assert plant.calls() == 2
    plant.clock.turn(40)
    later = await page(plant, PLAIN, freshness=MINUTE)
    assert (told(later, "servedFrom"), plant.calls()) == (["CACHE"], 2)


async def test_equal_misses_cost_one_call() -> None:
    plant = cached_plant()
    plant.plant.trouble("sap-eu", "slow", delay_ms=200)
    plant.plant.timeout = 120.0
    query = PLAIN.replace("first: 5", "first: 5, timeoutMs: 120000")
    found = await asyncio.gather(*(page(plant, query, freshness=MINUTE) for _ in range(100)))
    assert plant.calls() == 1
    sources = [source for item in found for source in item["sources"]]
    assert sum(source["upstreamCalls"] for source in sources) == 1
    assert sorted({source["servedFrom"] for source in sources}) == ["CACHE", "LIVE"]
    assert plant.outcomes[CacheOutcome.MISS] == 1
    assert plant.outcomes[CacheOutcome.JOINED] > 0
    assert plant.outcomes.total() == 100


async def test_equal_misses_share_their_links_too() -> None:
    plant = cached_plant()
    plant.plant.trouble("sap-eu", "slow", delay_ms=100)
    found = await asyncio.gather(*(page(plant, freshness=MINUTE, systems=EU) for _ in range(50)))
    assert plant.calls() == 2 == sum(source["upstreamCalls"] for item in found for source in item["sources"])
    assert all(node["vendor"] for item in found for node in item["nodes"])


async def test_live_reads_join_nobody() -> None:
    plant = cached_plant()
    plant.plant.trouble("sap-eu", "slow", delay_ms=50)
    await asyncio.gather(*(page(plant, PLAIN, freshness={"staleOnError": True}) for _ in range(5)))
    assert plant.calls() == 5
