"""Systems whose fields change: what is told of it, once, and what is not worth telling."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from connectors.sandbox.odata_v2 import metadata
from connectors.sandbox.odata_v2.refusals import ODataRefusal, not_authorized
from gateway.connecting.changing import update_connection
from gateway.stores.rows import Standing
from gateway.watching import drifting
from schema.administration import UpdateConnectionSettingsInput
from schema.settings import ConnectionSettingsInput, CustomFieldSettingInput
from tests.gateway.lives.story import Story, operator, telling
from tests.gateway.running import USER

HOURS = 3_600.0
ORDERS = "API_PURCHASEORDER_PROCESS_SRV/A_PurchaseOrder"


def upgrade(story: Story, collection: str, **fields: str | None) -> None:
    story.plant.box.application.redescribe(collection, fields)


def surveys(story: Story) -> int:
    return sum(request["path"].endswith("$metadata") for request in story.plant.box.requests)


async def connected(story: Story, **changes: Any) -> None:
    """A connection whose system has said once what its fields are."""
    await story.connect(**changes)
    await story.wait(120, step=60)
    assert surveys(story) == 7, "one for each service"
    assert await story.events() == []


async def go_on(story: Story, hours: float = 7) -> None:
    await story.wait(hours * HOURS, step=3_600)


async def test_a_field_that_is_gone_and_comes_back(story: Story) -> None:
    await connected(story)
    upgrade(story, "A_PurchaseOrder", PaymentTerms=None)
    await go_on(story)
    upgrade(story, "A_PurchaseOrder", PaymentTerms="Edm.String")
    await go_on(story)
    assert await story.events() == ["SCHEMA_DRIFTED", "SCHEMA_DRIFTED"]
    nothing: dict[str, Any] = {"added": [], "removed": [], "changed": [], "affected": []}
    gone, back = await story.data("SCHEMA_DRIFTED")
    entity = {"entity": "PURCHASE_ORDER", "source": ORDERS}
    assert gone == {**nothing, **entity, "removed": ["PaymentTerms"], "affected": ["paymentTerms"]}
    assert back == {**nothing, **entity, "added": ["PaymentTerms"]}
    *_, event = await story.store.events.after(0, first=10)
    assert event.previous == event.current == Standing(status="ACTIVE", health="OK", lifecycle="ENABLED")
    assert (event.reason, event.occurred_at <= story.clock()) == (None, True)


async def test_a_field_of_another_type_behind_a_link(story: Story) -> None:
    await connected(story)
    upgrade(story, "A_PurchaseOrderItem", OrderQuantity="Edm.String")
    await go_on(story, hours=14)
    (drift,) = await story.data("SCHEMA_DRIFTED")
    path = "to_PurchaseOrderItem.OrderQuantity"
    assert (drift["added"], drift["removed"]) == ([], [])
    assert drift["changed"] == [{"field": path, "from": "EXACT", "to": "TEXT"}]
    assert "lines.quantityOrdered" in drift["affected"]


async def test_each_kind_of_record_is_told_of_by_itself(story: Story) -> None:
    await connected(story)
    upgrade(story, "A_PurchaseOrder", PaymentTerms=None)
    upgrade(story, "A_BusinessPartnerAddress", StreetName=None)
    await go_on(story)
    told = [(item["entity"], item["source"], item["removed"]) for item in await story.data("SCHEMA_DRIFTED")]
    partner = "API_BUSINESS_PARTNER/A_BusinessPartner"
    street = "to_BusinessPartnerAddress.StreetName"
    assert told == [("PURCHASE_ORDER", ORDERS, ["PaymentTerms"]), ("VENDOR", partner, [street])]


async def test_a_field_that_nobody_reads_is_nobodys_business(story: Story) -> None:
    await connected(story)
    upgrade(story, "A_PurchaseOrder", ZZ_Plant="Edm.String", AddressCityName=None)
    await go_on(story, hours=14)
    assert await story.events() == []


async def test_the_same_is_asked_every_six_hours_and_told_never(story: Story) -> None:
    await connected(story)
    await go_on(story, hours=24)
    assert surveys(story) == 7 * 5
    assert await story.events() == []


async def test_a_custom_field_that_vanishes(story: Story) -> None:
    await connected(story)
    upgrade(story, "A_PurchaseOrder", ZZ_Plant="Edm.String")
    await add_field(story, "ZZ_Plant")
    await story.wait(120, step=60)
    upgrade(story, "A_PurchaseOrder", ZZ_Plant=None)
    await go_on(story)
    (drift,) = await story.data("SCHEMA_DRIFTED")
    assert (drift["removed"], drift["affected"]) == (["ZZ_Plant"], ["customFields.plant"])
    await add_field(story, None)
    upgrade(story, "A_PurchaseOrder", ZZ_Plant="Edm.Int32")
    await go_on(story)
    kept = await story.store.schemas.read(story.connection_id)
    assert kept is not None
    assert "ZZ_Plant" not in kept.fingerprints[f"PURCHASE_ORDER {ORDERS}"], "nobody reads it any more"
    assert len(await story.data("SCHEMA_DRIFTED")) == 1


async def add_field(story: Story, path: str | None) -> None:
    """Have one custom field, or none."""
    entity = story.live.source.system.resources[0].model.type
    custom = [] if path is None else [CustomFieldSettingInput(entity=entity, key="plant", path=path)]
    wanted = UpdateConnectionSettingsInput(
        id=story.connection_id,  # type: ignore[arg-type]
        settings=ConnectionSettingsInput(custom_fields=custom),
    )
    payload = await update_connection(operator(), story.directory, story.keyring, wanted)
    assert payload.errors == []


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_system_that_does_not_tell_is_left_as_it_is(
    story: Story, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(service: object) -> str:
        raise ODataRefusal(status, "X/1", "This is not told")

    monkeypatch.setattr(metadata, "edmx", refuse)
    await story.connect()
    await go_on(story, hours=20)
    assert surveys(story) >= 3
    assert (story.health, await story.events()) == ("OK", [])
    monkeypatch.undo()
    await go_on(story)
    assert await story.events() == [], "what is told for the first time has not changed"


async def test_what_is_not_told_for_a_while_has_not_gone(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    await connected(story)

    def refuse(service: object) -> str:
        raise not_authorized("X", "0001")

    monkeypatch.setattr(metadata, "edmx", refuse)
    await go_on(story)
    monkeypatch.undo()
    upgrade(story, "A_PurchaseOrder", PaymentTerms=None)
    await go_on(story)
    (drift,) = await story.data("SCHEMA_DRIFTED")
    assert drift["removed"] == ["PaymentTerms"]


async def test_nothing_is_asked_of_a_system_in_trouble(story: Story) -> None:
    await connected(story)
    story.plant.box.application.users[USER] = "another one"
    await story.ask()
    await story.wait_for("REAUTHORIZATION_REQUIRED")
    await go_on(story, hours=14)
    assert surveys(story) == 7
    assert await story.events() == ["REAUTHORIZATION_REQUIRED"]


async def test_a_limit_that_another_process_has_met_is_kept(story: Story) -> None:
    await connected(story)
    story.plant.trouble("rate_limited", retry_after_seconds=8 * 3_600)
    await story.ask()
    story.plant.trouble("none")
    async with telling(story.store, story) as other:
        await go_on(other)
        assert surveys(story) == 7
        await go_on(other, hours=2)
        assert surveys(story) == 14
        assert await story.events() == ["RATE_LIMITED", "RATE_LIMIT_CLEARED"]


async def test_new_credentials_are_a_reason_to_ask_and_what_was_known_stays(story: Story) -> None:
    await connected(story)
    upgrade(story, "A_PurchaseOrder", PaymentTerms=None)
    assert (await story.reconnect()).errors == []
    await story.wait(120, step=60)
    assert await story.events() == ["REAUTHORIZED", "SCHEMA_DRIFTED"]


async def test_a_restart_forgets_nothing(story: Story) -> None:
    await connected(story)
    upgrade(story, "A_PurchaseOrder", PaymentTerms=None)
    async with telling(story.store, story) as later:
        await later.prober.begin()
        await go_on(later)
        assert await later.events() == ["SCHEMA_DRIFTED"]


async def test_another_version_of_ours_compares_nothing(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    await connected(story)
    upgrade(story, "A_PurchaseOrder", PaymentTerms=None)
    monkeypatch.setattr(drifting, "_TAKING", "another version")
    await go_on(story)
    assert await story.events() == []


async def test_two_workers_tell_it_once(story: Story) -> None:
    await connected(story)
    upgrade(story, "A_PurchaseOrder", PaymentTerms=None)
    async with telling(story.store, story) as other:
        for _ in range(8):
            story.clock.moment += timedelta(hours=1)
            await work_at_once(story, other)
        assert await story.events() == ["SCHEMA_DRIFTED"]


async def work_at_once(*stories: Story) -> None:
    await asyncio.gather(*(each.surveys.take() for each in stories))
    for each in stories:
        await each.directory.watch.settle()


async def test_who_comes_too_late_tells_nothing(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    await connected(story)
    upgrade(story, "A_PurchaseOrder", PaymentTerms=None)
    story.clock.moment += timedelta(hours=8)
    read = story.store.schemas.read

    async def read_and_end(connection_id: str) -> Any:
        found = await read(connection_id)
        await story.life.disconnect(story.connection_id, None)
        return found

    monkeypatch.setattr(story.store.schemas, "read", read_and_end)
    assert await story.surveys.take() == 1
    assert await story.events() == ["DISCONNECTED"]
    assert await read(story.connection_id) is None


async def test_connections_of_earlier_versions_are_surveyed_by_and_by(story: Story) -> None:
    await story.connect()
    async with story.store.database.writing() as transaction:
        await story.store.due.cancel(transaction, story.connection_id)
    await story.surveys.begin()
    await story.surveys.begin()
    await story.wait(2.9 * HOURS, step=600)
    assert surveys(story) == 0
    await story.wait(0.2 * HOURS, step=600)
    assert surveys(story) == 7


async def test_a_pause_ends_it_until_the_connection_is_resumed(story: Story) -> None:
    await connected(story)
    await story.life.pause(story.connection_id, None)
    upgrade(story, "A_PurchaseOrder", PaymentTerms=None)
    await go_on(story)
    await story.life.resume(story.connection_id)
    await story.wait(120, step=60)
    assert await story.events() == ["PAUSED", "RESUMED", "SCHEMA_DRIFTED"]
