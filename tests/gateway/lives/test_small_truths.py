"""What is easily told wrongly of a connection: whose hurry it was, whether it has ended, and whose account it is."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from connectors.errors import Disconnected, LoginRefused, PermissionDenied, Refusal, TimedOut
from connectors.ports import Call
from connectors.tally import Tally
from gateway.connecting.changing import update_connection
from gateway.watching.probing import probe_of, smallest_read
from schema.administration import UpdateConnectionSettingsInput
from schema.scalars import JSON
from schema.settings import ConnectionSettingsInput
from tests.gateway.lives.story import Story, operator, telling
from tests.gateway.running import PASSWORD, USER


async def ask_within(story: Story, seconds: float) -> str:
    """What a query comes to that has so much time."""
    source = story.live.source
    resource = source.system.resources[0]
    deadline = asyncio.get_running_loop().time() + seconds
    try:
        async with asyncio.timeout_at(deadline):
            await source.fetch(smallest_read(resource), Tally(entity=resource.model.name), deadline)
    except (TimedOut, TimeoutError):
        return "too late"
    finally:
        await story.directory.watch.settle()
    return "ok"


def entity_states(story: Story) -> set[str]:
    return {item.status.name for item in story.live.connection.condition.entity_health}


async def hurry(story: Story, seconds: float) -> None:
    """Ask often, and with too little time."""
    story.plant.trouble("slow", delay_ms=500)
    for _ in range(5):
        assert await ask_within(story, seconds) == "too late"


async def test_who_hurries_does_not_make_a_system_look_ill(story: Story) -> None:
    await story.connect()
    condition = story.live.connection.condition
    well_at, vitals = condition.last_success_at, story.directory.watch.vitals[story.connection_id]
    story.clock.moment += timedelta(minutes=1)
    await hurry(story, 0.05)
    assert (condition.last_success_at, vitals.failures) == (well_at, 0)
    assert (condition.health.name, condition.circuit.state.name, entity_states(story)) == ("OK", "CLOSED", {"OK"})
    assert (condition.error_rate, condition.last_failure_at) == (0.0, None)
    assert [call.error and call.error.code.name for call in condition.calls(1, True)] == ["UPSTREAM_TIMEOUT"]
    assert await ask_within(story, 10.0) == "ok"


async def test_who_gives_a_system_its_usual_time_does(story: Story) -> None:
    await story.connect(settings=ConnectionSettingsInput(timeout_ms=20))
    await hurry(story, 0.05)
    condition = story.live.connection.condition
    assert (condition.health.name, condition.circuit.state.name) == ("DEGRADED", "OPEN")
    assert "DEGRADED" in entity_states(story)
    assert (condition.error_rate or 0.0) > 0


async def test_a_probe_of_a_connection_that_ends_meanwhile_is_no_failure(story: Story) -> None:
    await story.connect()
    story.plant.trouble("slow", delay_ms=300)
    live, vitals = story.live, story.directory.watch.vitals[story.connection_id]
    before = len(story.plant.box.requests)
    probing = asyncio.create_task(story.prober._ask(live, 0))
    async with asyncio.timeout(10.0):
        while len(story.plant.box.requests) == before:  # noqa: ASYNC110 - it is on its way
            await asyncio.sleep(0.005)
    await live.source.end(Disconnected("The connection was disconnected."))
    assert await probing == "bad"
    failure = vitals.calls[-1].failure
    assert failure is not None
    assert failure.code == "CONNECTION_DISCONNECTED"
    assert vitals.failures == 0


async def test_a_probe_asks_also_a_system_that_is_held_back(story: Story) -> None:
    await story.connect()
    story.plant.trouble("unauthorized")
    await story.wait_for("REAUTHORIZATION_REQUIRED")
    story.plant.trouble("none")
    assert await story.ask() == "Reauthorize"
    assert await story.prober._ask(story.live, 0) == "good"


async def change(story: Story, **options: Any) -> None:
    settings = ConnectionSettingsInput(options=JSON(options))
    given = UpdateConnectionSettingsInput(id=story.connection_id, settings=settings)  # type: ignore[arg-type]
    payload = await update_connection(operator(), story.directory, story.keyring, given)
    assert payload.errors == []


async def test_the_account_that_is_kept_follows_the_options(story: Story) -> None:
    await story.connect()
    await change(story, **{"sap-client": "200"})
    state = await story.store.states.read(story.connection_id)
    assert state is not None
    assert "200" in str(state.account)
    version = state.version
    await change(story, **{"sap-client": "200", "sap-language": "DE"})
    again = await story.store.states.read(story.connection_id)
    assert again is not None
    assert (again.version > version) is (again.account != state.account)


async def test_a_successor_is_found_by_the_account_of_last(story: Story) -> None:
    await story.connect()
    first, customer = story.connection_id, story.live.connection.customer
    assert customer is not None
    await change(story, **{"sap-client": "200"})
    await story.life.disconnect(first, None)
    options = ConnectionSettingsInput(options=JSON({"sap-client": "200"}))
    payload = await story.connect(customer_id=str(customer.id), settings=options)
    assert payload.errors == []
    assert payload.connection.predecessor_id == first
    assert PASSWORD not in str(payload)


async def test_all_probes_that_are_due_are_taken_without_a_pause(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.watching.probing._POLL_SECONDS", 3_600.0)
    monkeypatch.setattr("gateway.watching.probing._AT_ONCE", 8)
    monkeypatch.setattr("gateway.watching.probing._BATCH", 5)
    async with story.store.database.writing() as transaction:
        for number in range(42):
            await story.store.due.schedule(transaction, probe_of(f"con_{number}", timedelta(seconds=-1)))
    working = asyncio.create_task(story.prober.run())
    async with asyncio.timeout(20):
        while await story.store.due.lateness() or story.prober._running:  # noqa: ASYNC110 - it works beside
            await asyncio.sleep(0.01)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    story.clock.moment += timedelta(minutes=5)
    assert (await story.store.due.lateness())["probes"].waiting == 42


async def test_what_becomes_of_old_credentials_says_nothing_of_new_ones(story: Story) -> None:
    """A refusal that is not thought about yet, or comes late, is one of credentials that nobody uses any more."""
    await story.connect()
    watch, vitals = story.directory.watch, story.directory.watch.vitals[story.connection_id]
    old = story.live.source.observer
    watch.renewed(vitals, vitals.generation, LoginRefused("It is over.", refusal=Refusal.REVOKED))
    assert (await story.reconnect()).errors == []
    forbidden = Call("PurchaseOrder", "permission_denied", requests=1, trouble=PermissionDenied("Not yours."))
    old.called(forbidden)
    await watch.settle()
    assert (story.health, await story.events()) == ("OK", ["REAUTHORIZED"])
    story.live.source.observer.called(forbidden)
    await watch.settle()
    assert await story.events() == ["REAUTHORIZED", "PERMISSIONS_CHANGED"]


async def test_every_process_tests_the_credentials_of_now(story: Story) -> None:
    await story.connect()
    async with telling(story.store, story) as other:
        story.plant.box.application.users[USER] = "another one"
        assert (await story.reconnect("another one")).errors == []
        payload = await other.life.test(story.connection_id)
        assert [check.status.name for check in payload.checks][-1] == "PASSED"


async def test_many_connections_leave_room_for_fewer_calls_of_each(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    await story.connect()
    for _ in range(7):
        assert await story.ask() == "ok"
    watch, vitals = story.directory.watch, story.directory.watch.vitals[story.connection_id]
    last = [call.id for call in vitals.calls]
    watch.pass_time()
    assert len(vitals.calls) == 7
    monkeypatch.setattr("gateway.watching.watch._CALLS_IN_ALL", 5)
    monkeypatch.setattr("gateway.watching.watch._FEWEST_CALLS", 2)
    watch.pass_time()
    assert [call.id for call in vitals.calls] == last[-5:]
    monkeypatch.setattr("gateway.watching.watch._CALLS_IN_ALL", 1)
    watch.pass_time()
    assert [call.id for call in vitals.calls] == last[-2:]


async def test_who_needs_no_session_has_none(story: Story) -> None:
    await story.connect()
    assert await story.ask() == "ok"
    assert story.directory._sessions._known == {}


async def test_a_limit_ends_though_the_clock_is_set_back(story: Story) -> None:
    await story.connect()
    story.plant.trouble("rate_limited", retry_after_seconds=30)
    assert await story.ask() == "RateLimited"
    assert story.health == "RATE_LIMITED"
    story.plant.trouble("none")
    story.clock.moment -= timedelta(hours=1)
    await story.wait(1)
    assert (story.health, await story.events()) == ("OK", ["RATE_LIMITED", "RATE_LIMIT_CLEARED"])
