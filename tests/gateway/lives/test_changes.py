"""What callers do with connections, and what is left of it: states, tokens, credits, events."""

from typing import Any

from gateway.connecting.connections import CallerAdministration
from gateway.keys.tokens import TokenKind
from schema.administration import UpdateConnectionSettingsInput
from schema.model import EntityType
from schema.settings import ConnectionSettingsInput, CustomFieldSettingInput
from schema.systems import Deployment
from tests.gateway.lives.story import Story, operator
from tests.gateway.running import PASSWORD, USER


def statuses(checks: list[Any]) -> dict[str, str]:
    return {check.name.name: check.status.name for check in checks}


async def keys_in_force(story: Story) -> int:
    snapshot = await story.store.snapshot()
    return sum(key.kind is TokenKind.CONNECTION for key in snapshot.keys.values())


WELL = {
    "DNS": "PASSED",
    "TCP": "PASSED",
    "TLS": "SKIPPED",
    "HTTP": "PASSED",
    "SYSTEM": "PASSED",
    "CREDENTIALS": "PASSED",
    "PERMISSIONS": "PASSED",
}


async def test_connecting_says_what_was_checked(story: Story) -> None:
    payload = await story.connect()
    assert payload.errors == []
    assert statuses(payload.checks) == {**WELL, "CREDITS": "PASSED"}
    condition = payload.connection.condition
    assert (condition.status.name, condition.health.name) == ("ACTIVE", "OK")
    assert {item.status.name for item in condition.entity_health} == {"OK"}
    assert condition.credential.auth_method.key == "basic"


async def test_what_was_checked_is_told_also_where_a_setting_is_refused(story: Story) -> None:
    misnamed = CustomFieldSettingInput(entity=EntityType.VENDOR, key="zone", path="NoSuchField")
    payload = await story.connect(settings=ConnectionSettingsInput(custom_fields=[misnamed]))
    assert len(payload.errors) == 1
    assert statuses(payload.checks) == WELL


async def test_a_dry_run_keeps_and_takes_nothing(story: Story) -> None:
    await story.store.credits.provide(10, story.life.caller.actor)
    payload = await story.connect(dry_run=True)
    assert (payload.errors, payload.connection) == ([], None)
    assert statuses(payload.checks) == {**WELL, "CREDITS": "PASSED"}
    assert (await story.store.credits.pool()).used == 0
    assert await story.store.events.after(0, first=10) == []


async def test_credits_are_taken_and_returned(story: Story) -> None:
    await story.store.credits.provide(12, story.life.caller.actor)
    first = await story.connect(deployment=Deployment.ON_PREMISES)
    assert (await story.store.credits.pool()).balance == 4
    second = await story.connect(name="another")
    assert second.errors == []
    asked = len(story.plant.box.requests)
    third = await story.connect(name="one too many")
    (error,) = third.errors
    assert (error.code.name, error.required, error.available) == ("INSUFFICIENT_CREDITS", 4, 0)
    assert (statuses(third.checks), len(story.plant.box.requests)) == ({"CREDITS": "FAILED"}, asked)
    ended = await story.life.disconnect(str(first.connection.id), "moved")
    assert ended.credits_returned == 8
    assert (await story.life.disconnect(str(first.connection.id), "again")).credits_returned == 0
    entries = await story.store.credits.ledger(first=10)
    assert [(entry.kind, entry.amount, entry.balance_after) for entry in reversed(entries)] == [
        ("GRANTED", 12, 12),
        ("TAKEN", -8, 4),
        ("TAKEN", -4, 0),
        ("RETURNED", 8, 8),
    ]


async def test_new_credentials_of_the_same_account(story: Story) -> None:
    before = (await story.connect()).api_token
    story.plant.box.application.users[USER] = "another one"
    await story.ask()
    await story.wait_for("REAUTHORIZATION_REQUIRED")
    wrong = await story.reconnect(PASSWORD)
    assert [error.code.name for error in wrong.errors] == ["CREDENTIALS_REJECTED"]
    assert statuses(wrong.checks)["CREDENTIALS"] == "FAILED"
    assert statuses(wrong.checks)["PERMISSIONS"] == "SKIPPED"
    renewed = await story.reconnect("another one")
    assert renewed.errors == []
    assert renewed.api_token not in (None, before)
    assert renewed.connection.id == story.connection_id
    assert await keys_in_force(story) == 1
    assert story.health == "OK"
    assert await story.ask() == "ok"
    assert await story.events() == ["REAUTHORIZATION_REQUIRED", "REAUTHORIZED"]


async def test_a_token_can_be_kept(story: Story) -> None:
    await story.connect()
    preview = story.live.connection.token_preview
    renewed = await story.reconnect(keep_token=True)
    assert (renewed.errors, renewed.api_token) == ([], None)
    assert story.live.connection.token_preview == preview


async def test_credentials_of_another_account_are_refused(story: Story) -> None:
    await story.connect()
    story.plant.box.application.users["SOMEONE"] = "else"
    asked = len(story.plant.box.requests)
    refused = await story.reconnect("else", user="SOMEONE")
    (error,) = refused.errors
    assert error.code.name == "ACCOUNT_MISMATCH"
    assert USER in error.expected_account
    assert "SOMEONE" in error.actual_account
    assert len(story.plant.box.requests) == asked
    assert await story.ask() == "ok", "the connection goes on with what it had"
    assert await story.events() == []


async def test_another_language_or_client_is_still_the_same_account(story: Story) -> None:
    first: Any = {"sap-client": "100"}
    second: Any = {"sap-client": "200"}
    await story.connect(settings=ConnectionSettingsInput(options=first))
    administration = CallerAdministration(operator(), story.directory, story.keyring, story.prober.pace)
    changed = await administration.update_connection_settings(
        UpdateConnectionSettingsInput(
            id=story.connection_id,  # type: ignore[arg-type]
            settings=ConnectionSettingsInput(options=second),
        )
    )
    assert changed.errors == []
    assert (await story.reconnect()).errors == []
    story.plant.box.application.users["SOMEONE"] = "else"
    (error,) = (await story.reconnect("else", user="SOMEONE")).errors
    assert error.code.name == "ACCOUNT_MISMATCH"
    assert "200" in error.expected_account


async def test_a_pause_stops_queries_and_probes(story: Story) -> None:
    await story.connect()
    paused = await story.life.pause(story.connection_id, "stocktaking")
    assert paused.connection is not None
    condition = paused.connection.condition
    assert condition.status.name == "PAUSED"
    assert condition.status_reason is not None
    assert condition.status_reason.message == "stocktaking"
    assert not condition.is_readable
    asked = len(story.plant.box.requests)
    assert await story.ask() == "Paused"
    await story.wait(300)
    assert len(story.plant.box.requests) == asked
    again = await story.life.pause(story.connection_id, None)
    assert again.errors == []
    resumed = await story.life.resume(story.connection_id)
    assert resumed.errors == []
    assert await story.ask() == "ok"
    await story.wait(120)
    assert len(story.plant.box.requests) > asked + 1
    assert await story.events() == ["PAUSED", "RESUMED"]


async def test_what_is_disconnected_stays_so(story: Story) -> None:
    await story.connect()
    await story.life.disconnect(story.connection_id, "sold")
    assert await keys_in_force(story) == 0
    assert story.directory.live(story.connection_id) is None
    for error in (
        *(await story.life.pause(story.connection_id, None)).errors,
        *(await story.life.resume(story.connection_id)).errors,
        *(await story.life.test(story.connection_id)).errors,
        *(await story.reconnect()).errors,
    ):
        assert error.code.name == "CONNECTION_DISCONNECTED"
    asked = len(story.plant.box.requests)
    await story.wait(300)
    assert len(story.plant.box.requests) == asked
    assert await story.events() == ["DISCONNECTED"]


async def test_a_new_connection_names_the_one_that_it_replaces(story: Story) -> None:
    customer = (await story.store.create_customer(name="Plant")).id
    first = await story.connect(customer_id=customer)
    await story.life.disconnect(story.connection_id, None)
    second = await story.connect(customer_id=customer)
    assert second.connection.predecessor_id == first.connection.id
    other = await story.connect()
    assert other.connection.predecessor_id is None, "another customer's connection is no predecessor"


async def test_data_is_deleted_only_after_the_end(story: Story) -> None:
    await story.connect()
    (error,) = (await story.life.delete_data(story.connection_id)).errors
    assert "`disconnectSystem`" in str(error.remediation)
    assert story.forgotten == []
    await story.life.disconnect(story.connection_id, None)
    deleted = await story.life.delete_data(story.connection_id)
    assert (deleted.errors, deleted.records_deleted) == ([], 0)
    assert story.forgotten == [story.connection_id]
    assert await story.events() == ["DISCONNECTED", "DATA_DELETED"]


async def test_a_test_of_a_well_connection(story: Story) -> None:
    await story.connect()
    tested = await story.life.test(story.connection_id)
    assert statuses(tested.checks) == WELL
    assert await story.events() == []


async def test_a_test_says_how_far_it_came(story: Story) -> None:
    await story.connect()
    for mode, failed, passed in (
        ("unauthorized", "CREDENTIALS", "SYSTEM"),
        ("forbidden", "PERMISSIONS", "CREDENTIALS"),
        ("malformed", "SYSTEM", "HTTP"),
        ("down", "HTTP", "TCP"),
    ):
        story.plant.trouble(mode)
        checks = (await story.life.test(story.connection_id)).checks
        found = statuses(checks)
        assert (mode, found[failed], found[passed]) == (mode, "FAILED", "PASSED")
        (check,) = [check for check in checks if check.status.name == "FAILED"]
        assert len(str(check.message).split(". ")) >= 2, "what happened, and what to do"
        assert PASSWORD not in str(checks)
    await story.plant.stop()
    assert statuses((await story.life.test(story.connection_id)).checks) == {
        **dict.fromkeys(WELL, "SKIPPED"),
        "DNS": "PASSED",
        "TCP": "FAILED",
    }


async def test_a_test_finds_that_a_password_is_back(story: Story) -> None:
    await story.connect()
    story.plant.box.application.users[USER] = "another one"
    await story.ask()
    await story.wait_for("REAUTHORIZATION_REQUIRED")
    story.plant.box.application.users[USER] = PASSWORD
    await story.life.test(story.connection_id)
    assert story.health == "OK"
    assert (await story.events())[-1] == "RECOVERED"
