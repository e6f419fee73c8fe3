"""Whole stories: each event that is told, from which status to which, why, and nothing beside it."""

from datetime import timedelta

from tests.gateway.lives.story import Story
from tests.gateway.running import PASSWORD, USER

ORDERS = 0


async def test_a_password_is_changed_and_given(story: Story) -> None:
    await story.connect()
    story.plant.box.application.users[USER] = "another one"
    await story.ask()
    await story.wait_for("REAUTHORIZATION_REQUIRED")
    await story.wait(600, step=20)
    (error,) = (await story.reconnect("still wrong")).errors
    assert error.code.name == "CREDENTIALS_REJECTED"
    assert (await story.reconnect("another one")).errors == []
    await story.wait(600, step=20)
    assert await story.told() == [
        "REAUTHORIZATION_REQUIRED: ACTIVE > REAUTHORIZATION_REQUIRED, CREDENTIALS_REJECTED",
        "REAUTHORIZED: REAUTHORIZATION_REQUIRED > ACTIVE",
    ]


async def test_an_outage_of_five_minutes(story: Story) -> None:
    await story.connect()
    await story.plant.stop()
    await story.wait(300, step=5)
    await story.plant.start()
    await story.wait_for("OK")
    await story.wait(600, step=20)
    assert await story.told() == [
        "CIRCUIT_OPENED: ACTIVE > ACTIVE",
        "DEGRADED: ACTIVE > DEGRADED, ERROR_RATE_HIGH",
        "UNREACHABLE: DEGRADED > UNREACHABLE, CONNECTION_REFUSED",
        "CIRCUIT_CLOSED: UNREACHABLE > UNREACHABLE, CONNECTION_REFUSED",
        "RECOVERED: UNREACHABLE > ACTIVE",
    ]
    ((recovery),) = await story.data("RECOVERED")
    assert 120 <= recovery["outageSeconds"] <= 600


async def test_a_storm_of_429(story: Story) -> None:
    await story.connect()
    story.plant.trouble("rate_limited", retry_after_seconds=30)
    for _ in range(50):
        await story.ask()
        story.clock.moment += timedelta(seconds=0.5)
    story.plant.trouble("none")
    await story.wait(600, step=20)
    assert await story.told() == [
        "RATE_LIMITED: ACTIVE > RATE_LIMITED, RATE_LIMITED",
        "RATE_LIMIT_CLEARED: RATE_LIMITED > ACTIVE",
    ]


async def test_a_system_that_fails_every_other_time(story: Story) -> None:
    await story.connect()
    for turn in range(100):
        story.plant.trouble("error" if turn % 2 else "none")
        await story.ask()
        story.clock.moment += timedelta(seconds=1)
    story.plant.trouble("none")
    await story.wait(1_200, step=20)
    told = await story.told()
    story_of_one_outage = [
        "CIRCUIT_OPENED: ACTIVE > ACTIVE",
        "DEGRADED: ACTIVE > DEGRADED, ERROR_RATE_HIGH",
        "CIRCUIT_CLOSED: DEGRADED > DEGRADED, ERROR_RATE_HIGH",
        "RECOVERED: DEGRADED > ACTIVE",
    ]
    assert told == story_of_one_outage
    assert story.health == "OK"


async def test_one_kind_of_record_is_forbidden_for_half_an_hour(story: Story) -> None:
    await story.connect()
    resource = story.live.source.system.resources[ORDERS]
    story.plant.trouble("forbidden", entity=resource.model.type.name)
    await story.wait(1_800, step=60)
    story.plant.trouble("none")
    await story.wait(1_800, step=60)
    assert await story.told() == ["PERMISSIONS_CHANGED: ACTIVE > ACTIVE", "PERMISSIONS_CHANGED: ACTIVE > ACTIVE"]
    entity = resource.model.type.name
    assert await story.data("PERMISSIONS_CHANGED") == [
        {"entity": entity, "isReadable": False},
        {"entity": entity, "isReadable": True},
    ]


async def test_everything_is_forbidden_and_allowed_again(story: Story) -> None:
    await story.connect()
    story.plant.trouble("forbidden")
    await story.wait(1_200, step=60)
    story.plant.trouble("none")
    await story.wait(1_200, step=60)
    told = await story.told()
    kinds = len(story.directory.watch.vitals[story.connection_id].entities)
    assert told == [
        *["PERMISSIONS_CHANGED: ACTIVE > ACTIVE"] * (kinds - 1),
        "PERMISSIONS_CHANGED: ACTIVE > PERMISSION_DENIED, PERMISSION_MISSING",
        "PERMISSIONS_CHANGED: PERMISSION_DENIED > ACTIVE",
        *["PERMISSIONS_CHANGED: ACTIVE > ACTIVE"] * (kinds - 1),
    ]


async def test_credentials_of_another_company(story: Story) -> None:
    await story.connect()
    story.plant.box.application.users["OTHER-COMPANY"] = PASSWORD
    (error,) = (await story.reconnect(user="OTHER-COMPANY")).errors
    assert error.code.name == "ACCOUNT_MISMATCH"
    await story.wait(600, step=20)
    assert await story.told() == []
    kept = await story.store.states.read(story.connection_id)
    assert kept is not None
    assert (kept.health, kept.credential_status) == ("OK", "VALID")


async def test_a_pause_in_an_outage_and_an_end_in_another(story: Story) -> None:
    await story.connect()
    story.plant.trouble("error")
    for _ in range(6):
        await story.ask()
    await story.life.pause(story.connection_id, "works on the line")
    await story.wait(600, step=20)
    story.plant.trouble("none")
    await story.life.resume(story.connection_id)
    await story.wait(600, step=20)
    story.plant.trouble("error")
    for _ in range(6):
        await story.ask()
    await story.life.disconnect(story.connection_id, None)
    await story.life.delete_data(story.connection_id)
    assert await story.told() == [
        "CIRCUIT_OPENED: ACTIVE > ACTIVE",
        "DEGRADED: ACTIVE > DEGRADED, ERROR_RATE_HIGH",
        "PAUSED: DEGRADED > PAUSED, PAUSED_BY_USER",
        "RESUMED: PAUSED > DEGRADED",
        "CIRCUIT_CLOSED: DEGRADED > DEGRADED, ERROR_RATE_HIGH",
        "RECOVERED: DEGRADED > ACTIVE",
        "CIRCUIT_OPENED: ACTIVE > ACTIVE",
        "DEGRADED: ACTIVE > DEGRADED, ERROR_RATE_HIGH",
        "DISCONNECTED: DEGRADED > DISCONNECTED, DISCONNECTED_BY_USER",
        "DATA_DELETED: DISCONNECTED > DISCONNECTED",
    ]
