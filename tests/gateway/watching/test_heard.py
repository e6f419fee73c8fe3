"""Every process tells the same of calls, whichever has made them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from connectors.errors import Rejected, TimedOut, Unavailable, Upstream
from connectors.ports import Call
from gateway.keys.keyring import Keyring
from gateway.watching import heard
from gateway.watching.vitals import Vitals
from schema.model import EntityType
from tests.gateway.running import RunningGateway, StandIn, running_gateway, stand_in
from tests.gateway.stores.redis_server import RedisServer
from tests.gateway.stores.samples import NOON
from tests.gateway.watching.test_probing import vitals

CONDITION = """
query Condition($id: ID!) {
  connection(id: $id) {
    latency { p50Ms p95Ms } errorRate circuit { state failureCount } lastSuccessAt lastFailureAt
    entityHealth { entity status lastSuccessAt lastError { code message } }
    calls(first: 100) { startedAt durationMs request httpStatus requestId error { code message upstream { status } } }
  }
}
"""
ORDERS = "{ purchaseOrders(first: 1) { sources { status } } }"
TROUBLES = (None, Unavailable("It broke off.", upstream=Upstream(503, "E1", "busy", "r-1")), TimedOut("Too late."))


def call(number: int, trouble: Any = None) -> Call:
    outcome = "ok" if trouble is None else "unavailable"
    return Call(
        entity="PurchaseOrder", outcome=outcome, requests=1, seconds=number / 10, about="GET x", trouble=trouble
    )


calls = st.lists(st.tuples(st.integers(0, 50), st.sampled_from(TROUBLES), st.booleans()), max_size=30)


def told(known: Vitals) -> Any:
    """Everything that is told of the calls of a connection."""
    order = EntityType.PURCHASE_ORDER
    times = (known.last_success_at, known.last_failure_at, known.last_success_of(order), known.error_of(order))
    return known.last_calls(), known.percentiles(NOON), known.failures_in_a_row(), times


@given(calls)
def test_who_hears_of_calls_later_tells_the_same(made: list[tuple[int, Any, bool]]) -> None:
    one, two = vitals("OK"), vitals("OK")
    for number, trouble, is_first in sorted(made, key=lambda item: item[0]):
        here = one if is_first else two
        here.hear(call(number, trouble), EntityType.PURCHASE_ORDER, NOON.replace(minute=number))
    words = [heard.written(kept) for kept in (*one.calls, *two.calls)]
    for told_later in (*words, *reversed(words)):  # what is told again changes nothing
        one.overhear(heard.read(told_later))
        two.overhear(heard.read(told_later))
    assert told(one) == told(two)


def test_what_others_have_met_decides_nothing_here() -> None:
    one, two = vitals("OK"), vitals("OK")
    for _ in range(9):
        one.hear(call(1, TROUBLES[1]), EntityType.PURCHASE_ORDER, NOON)
        two.overhear(one.calls[-1])
    assert (one.failures, two.failures) == (9, 0)
    assert (two.trouble, two.is_noted, two.status_of(EntityType.PURCHASE_ORDER).name) == (None, True, "UNKNOWN")


def test_a_refused_request_is_no_fault_of_the_system() -> None:
    known = vitals("OK")
    known.hear(call(1, Rejected("No such field.")), None, NOON)
    (kept,) = known.calls
    assert (kept.has_failed, known.last_success_at, known.last_failure_at) == (False, NOON, None)


@pytest.mark.parametrize(
    "change", [{"entity": "SHIP"}, {"failure": {"code": "NEW", "message": "x", "is_of_system": True}}, {"more": 1}]
)
def test_words_of_another_version_are_refused(change: dict[str, Any]) -> None:
    known = vitals("OK")
    known.hear(call(1), EntityType.PURCHASE_ORDER, NOON)
    words = heard.written(known.calls[-1])
    assert heard.read(words) == known.calls[-1]
    with pytest.raises(ValueError, match=r"not known|Unexpected keyword"):
        heard.read({**words, **change})


@pytest.fixture
async def sap() -> AsyncIterator[StandIn]:
    async with stand_in() as system:
        yield system


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await check():  # noqa: ASYNC110 - the other process does not tell
            await asyncio.sleep(0.02)


async def test_processes_with_one_redis_answer_the_same(
    tmp_path: Path, redis_server: RedisServer, sap: StandIn
) -> None:
    settings: dict[str, Any] = {"cache_url": SecretStr(redis_server.url), "probe_seconds": 3600}
    keyring = Keyring.generate()

    async def condition(gateway: RunningGateway, connection: str) -> Any:
        return (await gateway.data(CONDITION, id=connection))["connection"]

    async with (
        running_gateway(tmp_path, keyring, **settings) as one,
        running_gateway(tmp_path, keyring, **settings) as two,
    ):
        connection, token = await one.connected(sap)
        await two.data(ORDERS, token)
        sap.trouble("error")
        await one.data(ORDERS, token)
        made = len(sap.box.requests)

        async def is_known() -> bool:
            found = [await condition(each, connection) for each in (one, two)]
            return found[0] == found[1] and len(found[0]["calls"]) >= 2

        await until(is_known)
        known = await condition(two, connection)
        assert known["errorRate"] > 0
        assert {item["error"] and item["error"]["code"] for item in known["calls"]} == {None, "UPSTREAM_ERROR"}
        assert len(sap.box.requests) == made
        async with running_gateway(tmp_path, keyring, **settings) as late:

            async def is_recalled() -> bool:
                return bool(await condition(late, connection) == known)

            await until(is_recalled)
