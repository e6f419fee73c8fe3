"""Stories of connections: each trouble gives exactly the events that it should, in their order."""

from datetime import timedelta

import pytest

from connectors.errors import Unavailable as UnavailableSystem
from gateway.stores.errors import Unavailable
from gateway.watching.vitals import Failing
from tests.gateway.lives.story import Story, operator, telling
from tests.gateway.running import PASSWORD, USER
from tests.gateway.stores.samples import NOON

ORDERS = 0


async def test_a_well_connection_is_asked_once_a_minute(story: Story) -> None:
    await story.connect()
    asked = story.plant.reads
    await story.wait(600)
    assert 9 <= story.plant.reads - asked <= 11
    assert await story.events() == []


async def test_a_password_is_changed_and_changed_back(story: Story) -> None:
    await story.connect()
    story.plant.box.application.users[USER] = "another one"
    assert await story.ask() == "Reauthorize"
    assert story.health == "OK", "one refusal is no proof"
    assert await story.wait_for("REAUTHORIZATION_REQUIRED") <= 4
    assert await story.events() == ["REAUTHORIZATION_REQUIRED"]
    asked = story.plant.reads
    assert await story.ask() == "Reauthorize"
    assert story.plant.reads == asked, "a system that refuses the credentials is not asked"
    reason = story.live.connection.condition.status_reason
    assert reason is not None
    assert "reconnectSystem" in str(reason.remediation)
    await story.wait(300)
    assert story.plant.reads == asked, "some systems lock a user who is refused too often"
    story.plant.box.application.users[USER] = PASSWORD
    await story.wait_for("OK")
    assert await story.events() == ["REAUTHORIZATION_REQUIRED", "RECOVERED"]
    assert await story.ask() == "ok"


async def test_one_refusal_under_load_is_no_proof(story: Story) -> None:
    await story.connect()
    story.plant.trouble("unauthorized")
    assert await story.ask() == "Reauthorize"
    story.plant.trouble("none")
    await story.wait(120)
    assert (story.health, await story.events()) == ("OK", [])


async def test_an_outage_of_five_minutes(story: Story) -> None:
    await story.connect()
    await story.plant.stop()
    assert await story.wait_for("DEGRADED") <= 120, "within two intervals of probes"
    assert await story.wait_for("UNREACHABLE") <= 120
    lost = story.live.connection.condition
    assert lost.lost_at is not None
    assert lost.lost_reason is not None
    await story.wait(180)
    await story.plant.start()
    await story.wait_for("OK")
    assert await story.events() == ["CIRCUIT_OPENED", "DEGRADED", "UNREACHABLE", "CIRCUIT_CLOSED", "RECOVERED"]
    ((outage),) = await story.data("RECOVERED")
    assert 240 <= outage["outageSeconds"] <= 900
    assert story.live.connection.condition.lost_at is None


async def test_a_system_that_answers_errors_is_degraded_but_not_out_of_reach(story: Story) -> None:
    await story.connect()
    story.plant.trouble("error")
    answers = [await story.ask() for _ in range(20)]
    assert answers == ["Unavailable"] * 5 + ["CircuitOpen"] * 15
    assert story.health == "DEGRADED"
    await story.wait(600)
    assert await story.events() == ["CIRCUIT_OPENED", "DEGRADED"]
    story.plant.trouble("none")
    await story.wait_for("OK")
    assert await story.events() == ["CIRCUIT_OPENED", "DEGRADED", "CIRCUIT_CLOSED", "RECOVERED"]


async def test_a_storm_of_429(story: Story) -> None:
    await story.connect()
    story.plant.trouble("rate_limited", retry_after_seconds=30)
    for _ in range(50):
        assert await story.ask() == "RateLimited"
    condition = story.live.connection.condition
    assert condition.status.name == "RATE_LIMITED"
    assert condition.limits is not None
    assert condition.limits.reset_at is not None
    assert condition.circuit.failure_count == 0, "too many calls are no failure"
    asked = story.plant.reads
    await story.wait(25)
    assert story.plant.reads == asked
    story.plant.trouble("none")
    await story.wait(10)
    assert await story.events() == ["RATE_LIMITED", "RATE_LIMIT_CLEARED"]
    assert story.health == "OK"


async def test_flapping_is_told_once(story: Story) -> None:
    await story.connect()
    for turn in range(40):
        story.plant.trouble("none" if turn % 3 else "error")
        await story.ask()
    assert story.live.connection.condition.error_rate == pytest.approx(1 / 3, abs=0.05)
    assert await story.events() == []
    breaker = story.live.source.guard.breaker
    for turn in range(100):
        story.clock.moment += timedelta(seconds=breaker.wait)
        story.plant.trouble("none" if turn > 5 and turn % 2 else "error")
        await story.ask()
    assert await story.events() == ["CIRCUIT_OPENED", "DEGRADED"]
    story.plant.trouble("none")
    await story.wait_for("OK")
    assert await story.events() == ["CIRCUIT_OPENED", "DEGRADED", "CIRCUIT_CLOSED", "RECOVERED"]


async def test_one_kind_of_record_is_forbidden(story: Story) -> None:
    await story.connect()
    resource = story.live.source.system.resources[ORDERS]
    story.plant.trouble("forbidden", entity=resource.model.type.name)
    for _ in range(3):
        await story.ask(ORDERS)
    entity = resource.model.type
    assert await story.events() == ["PERMISSIONS_CHANGED"]
    assert await story.data("PERMISSIONS_CHANGED") == [{"entity": entity.name, "isReadable": False}]
    connection = story.live.connection
    assert connection.condition.status.name == "ACTIVE"
    (fares,) = [item for item in connection.condition.entity_health if item.entity is entity]
    assert fares.status.name == "PERMISSION_DENIED"
    assert fares.last_error is not None
    (capability,) = connection.capabilities([entity])
    assert {item.operation.name: item.support.name for item in capability.operations}["READ"] == "NOT_PERMITTED"
    story.plant.trouble("none")
    assert await story.ask(ORDERS) == "ok"
    assert await story.events() == ["PERMISSIONS_CHANGED", "PERMISSIONS_CHANGED"]


async def test_a_user_who_may_read_nothing(story: Story) -> None:
    await story.connect()
    story.plant.trouble("forbidden")
    for place in range(len(story.live.source.system.resources)):
        assert await story.ask(place) == "PermissionDenied"
    assert story.health == "PERMISSION_DENIED"
    assert set(await story.events()) == {"PERMISSIONS_CHANGED"}


async def test_two_processes_see_one_outage_and_tell_it_once(story: Story) -> None:
    await story.connect()
    async with telling(story.store, story) as other:
        story.plant.trouble("error")
        for _ in range(6):
            for each in (story, other):
                await each.ask()
        assert (story.health, other.health) == ("DEGRADED", "DEGRADED")
        assert await story.events() == ["CIRCUIT_OPENED", "DEGRADED"]
        story.plant.trouble("none")
        await story.wait_for("OK")
        await other.directory.watch.catch_up()
        assert other.health == "OK"
        assert await story.events() == ["CIRCUIT_OPENED", "DEGRADED", "CIRCUIT_CLOSED", "RECOVERED"]


async def test_probes_are_shared_by_workers(story: Story) -> None:
    await story.connect()
    async with telling(story.store, story) as other:
        asked = story.plant.reads
        for _ in range(300):
            await story.wait(1)
            if await other.prober.take():
                await other.prober.drain()
        assert 4 <= story.plant.reads - asked <= 6


async def test_a_change_that_cannot_be_kept_is_kept_later(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    await story.connect()
    story.plant.trouble("rate_limited", retry_after_seconds=30)
    change = story.store.states.change

    async def unavailable(*given: object) -> None:
        raise Unavailable("the database does not answer")

    monkeypatch.setattr(story.store.states, "change", unavailable)
    with pytest.raises(Unavailable):
        await story.ask()
    assert (story.health, await story.events()) == ("OK", [])
    monkeypatch.setattr(story.store.states, "change", change)
    await story.directory.watch.settle()
    assert (story.health, await story.events()) == ("RATE_LIMITED", ["RATE_LIMITED"])


async def test_when_calls_last_went_well_is_written_down(story: Story) -> None:
    await story.connect()
    story.clock.moment += timedelta(seconds=10)
    await story.ask()
    before = await story.store.states.read(story.connection_id)
    assert before is not None
    assert before.last_success_at == NOON
    await story.directory.watch.note()
    after = await story.store.states.read(story.connection_id)
    assert after is not None
    assert after.last_success_at == NOON + timedelta(seconds=10)
    assert after.version == before.version


async def test_too_many_calls_neither_count_as_failures_nor_forgive_them(story: Story) -> None:
    await story.connect()
    for mode in ("error", "error", "error", "error", "rate_limited"):
        story.plant.trouble(mode, retry_after_seconds=0)
        await story.ask()
    story.plant.trouble("error")
    assert await story.ask() == "Unavailable"
    assert (await story.events())[-1] == "DEGRADED"


async def test_what_is_heard_of_a_paused_connection_changes_nothing(story: Story) -> None:
    await story.connect()
    watch, vitals = story.directory.watch, story.directory.watch.vitals[story.connection_id]
    trouble = UnavailableSystem("The connection to the system broke off.")
    watch.report(vitals, vitals.generation, Failing(trouble, story.clock()))
    await story.store.lifecycle.pause(story.connection_id, None, customer_id=None, by=operator().actor)
    await watch.settle()
    watch.report(vitals, vitals.generation, Failing(trouble, story.clock()))
    await watch.settle()
    assert await story.events() == ["PAUSED"]
