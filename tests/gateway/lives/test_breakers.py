"""Breakers and health: a system fails when its breaker says so, and a breaker that was kept does not stay for ever."""

from datetime import timedelta
from typing import Any

import pytest

from connectors.errors import TimedOut
from connectors.ports import BreakerState, Call
from connectors.protection.limits import Priority, Thresholds
from schema.health import CircuitState
from tests.gateway.lives.story import Story, telling


async def fail(story: Story, times: int) -> None:
    story.plant.trouble("error")
    for _ in range(times):
        await story.ask()


async def test_a_system_is_degraded_when_its_breaker_opens(story: Story) -> None:
    await story.connect()
    story.live.source.guard.breaker._thresholds = Thresholds(failures_in_a_row=8)
    await fail(story, 7)
    assert (story.health, await story.events()) == ("OK", [])
    await fail(story, 1)
    assert (story.health, await story.events()) == ("DEGRADED", ["CIRCUIT_OPENED", "DEGRADED"])


async def test_who_is_in_a_hurry_degrades_nothing(story: Story) -> None:
    await story.connect()
    vitals = story.directory.watch.vitals[story.connection_id]
    listener = story.directory.watch.observer(vitals)
    for _ in range(10):
        listener.called(Call("PurchaseOrder", "timed_out", None, 1, trouble=TimedOut("It took too long.")))
    await story.directory.watch.settle()
    assert (story.health, await story.events()) == ("OK", [])


async def test_the_circuit_tells_of_its_next_try_and_probes_wait_for_it(story: Story) -> None:
    await story.connect()
    await fail(story, 5)
    circuit = story.live.connection.condition.circuit
    assert (circuit.state, circuit.failure_count, circuit.opened_at) == (CircuitState.OPEN, 5, story.clock())
    assert circuit.next_probe_at is not None
    assert circuit.next_probe_at > story.clock()
    assert not story.live.connection.condition.is_readable
    vitals = story.directory.watch.vitals[story.connection_id]
    assert story.prober.pace.after(vitals, 1) == circuit.next_probe_at - story.clock()
    assert await story.prober._ask(story.live, 0) == "spared"
    asked = len(story.plant.box.requests)
    story.plant.trouble("none")
    story.clock.moment = circuit.next_probe_at
    assert await story.prober._ask(story.live, 0) == "good", "a probe goes through a breaker that is half open"
    assert len(story.plant.box.requests) == asked + 1


async def test_new_credentials_that_work_end_a_row_of_failures(story: Story) -> None:
    await story.connect()
    await fail(story, 3)
    assert story.live.connection.condition.circuit.failure_count == 3
    story.plant.trouble("none")
    story.clock.moment += timedelta(seconds=1)
    assert (await story.reconnect()).errors == []
    assert story.live.connection.condition.circuit.failure_count == 0


async def test_a_test_that_goes_well_lets_calls_through(story: Story) -> None:
    await story.connect()
    await fail(story, 5)
    story.plant.trouble("none")
    assert await story.ask() == "CircuitOpen"
    await story.life.test(story.connection_id)
    assert await story.ask() == "ok"


async def test_good_credentials_let_calls_through(story: Story) -> None:
    await story.connect()
    await fail(story, 5)
    story.plant.trouble("none")
    assert (await story.reconnect()).errors == []
    assert await story.ask() == "ok"


async def test_a_test_that_fails_opens_no_breaker(story: Story) -> None:
    await story.connect()
    story.plant.trouble("error")
    vitals = story.directory.watch.vitals[story.connection_id]
    story.directory.watch.tester(vitals).broke(BreakerState.OPEN)
    for _ in range(6):
        await story.life.test(story.connection_id)
    assert (story.health, await story.events()) == ("OK", [])
    assert story.live.source.guard.breaker.state is BreakerState.CLOSED


async def test_an_open_circuit_does_not_survive_a_restart(story: Story) -> None:
    await story.connect()
    await fail(story, 5)
    story.plant.trouble("none")
    async with telling(story.store, story) as later:
        kept = await story.store.states.read(story.connection_id)
        assert kept is not None
        assert kept.circuit == "OPEN"
        assert later.live.connection.condition.is_readable
        assert await later.ask() == "ok"
        kept = await story.store.states.read(story.connection_id)
        assert kept is not None
        assert (kept.circuit, kept.circuit_opened_at) == ("CLOSED", None)
        assert await story.events() == ["CIRCUIT_OPENED", "DEGRADED", "CIRCUIT_CLOSED"]


async def test_a_breaker_that_is_first_met_half_open_is_no_opening(story: Story) -> None:
    await story.connect()
    await story.breaker(BreakerState.HALF_OPEN)
    assert await story.events() == []
    await story.breaker(BreakerState.OPEN)
    assert await story.events() == ["CIRCUIT_OPENED", "DEGRADED"]


async def test_probes_give_way_to_queries(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    await story.connect()
    priorities: list[Priority] = []
    guard, entered = story.live.source.guard, story.live.source.guard.entered

    def listening(method: str, priority: Priority, *times: Any):  # type: ignore[no-untyped-def]
        priorities.append(priority)
        return entered(method, priority, *times)

    monkeypatch.setattr(guard, "entered", listening)
    await story.ask()
    await story.prober._ask(story.live, 0)
    assert priorities == [Priority.INTERACTIVE, Priority.BACKGROUND]
