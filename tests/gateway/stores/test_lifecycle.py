"""Every change of a connection's life, with its state, event, credits and audit line."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from gateway.stores.database import Transaction
from gateway.stores.errors import InsufficientCredits, Missing, StoreError, WrongLifecycle
from gateway.stores.events import Events
from gateway.stores.lifecycle import Disconnected, Resealed
from gateway.stores.rows import SYSTEM, Actor, ApiKey, Checked, Connection, Event, NewEvent, NewWork, State
from gateway.stores.sql import Store
from gateway.stores.tables import credentials
from tests.gateway.stores.samples import NOON, connected, connection_of, key_of

OPERATOR = Actor(id="key_1", kind="ADMIN", request_id="req-1")
CHECKED = Checked(at=NOON, account="fingerprint", credential_expires_at=NOON + timedelta(days=90))


async def events_of(store: Store, connection: Connection) -> list[Event]:
    found = await store.events.after(0, first=100, connection_ids=[connection.id])
    assert [event.sequence for event in found] == list(range(1, len(found) + 1))
    return found


async def actions_of(store: Store, connection: Connection) -> list[str]:
    return sorted(line.action for line in await store.audit.page(first=100, connection_id=connection.id))


async def state_of(store: Store, connection: Connection) -> State:
    state = await store.states.read(connection.id)
    assert state is not None
    return state


async def change_state(store: Store, connection: Connection, **changes: Any) -> None:
    async with store.database.writing() as transaction:
        assert await store.states.change(transaction, replace(await state_of(store, connection), **changes))


async def connect(store: Store, cost: int = 0, **changes: Any) -> tuple[Connection, ApiKey]:
    connection = connection_of(await store.create_customer(name="Acme"), **changes)
    key = key_of(connection)
    await store.lifecycle.connect(connection, "sealed", key, by=OPERATOR, cost=cost, checked=CHECKED)
    return connection, key


async def probes(store: Store) -> list[str]:
    return [work.key for work in await store.due.claim("probes", first=100, lease=timedelta(0))]


def probe(connection: Connection) -> NewWork:
    return NewWork(kind="probe", key=connection.id, lane="probes")


# Connecting


async def test_connecting_keeps_a_state_two_events_a_line_and_takes_credits(store: Store) -> None:
    connection, _ = await connect(store, cost=8)
    state = await state_of(store, connection)
    assert (state.health, state.account, state.sequence) == ("OK", "fingerprint", 2)
    assert state.credential_expires_at == CHECKED.credential_expires_at
    assert state.last_success_at == NOON
    created, activated = await events_of(store, connection)
    assert (created.type, activated.type) == ("CONNECTION_CREATED", "CONNECTION_ACTIVATED")
    assert created.previous is None
    assert created.current is not None
    assert (created.current.status, activated.previous) == ("VALIDATING", created.current)
    assert activated.current == state.standing
    assert (activated.customer_id, activated.system) == (connection.customer_id, "sap_s4hana")
    assert activated.request_id == "req-1"
    assert (await store.credits.pool()).used == 8
    assert await actions_of(store, connection) == ["connection.connect"]


async def test_a_connection_that_waits_for_a_login_is_not_active(store: Store) -> None:
    connection = connection_of(await store.create_customer(name="Acme"), lifecycle="PENDING_AUTH")
    await store.lifecycle.connect(connection, "sealed", key_of(connection), by=OPERATOR, due=[probe(connection)])
    assert [event.type for event in await events_of(store, connection)] == ["CONNECTION_CREATED"]
    assert (await state_of(store, connection)).standing.status == "PENDING_AUTH"
    assert await probes(store) == [connection.id]


async def test_with_too_few_credits_nothing_is_kept(store: Store) -> None:
    async with store.database.writing() as transaction:
        await store.credits.grant(transaction, 7, OPERATOR)
    before = await store.events.range()
    with pytest.raises(InsufficientCredits):
        await connect(store, cost=8)
    assert await store.connections(None, first=10) == []
    assert await store.states.all() == {}
    assert await store.events.range() == before
    assert (await store.credits.pool()).used == 0


async def test_of_concurrent_connects_as_many_succeed_as_there_are_credits_for(store: Store) -> None:
    async with store.database.writing() as transaction:
        await store.credits.grant(transaction, 9, OPERATOR)
    results = await asyncio.gather(*(connect(store, cost=2) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(result, InsufficientCredits) for result in results) == 4
    assert len(await store.connections(None, first=10)) == len(await store.states.all()) == 4
    assert (await store.credits.pool()).balance == 1


# Pausing and resuming


async def test_a_pause_stops_the_probes_and_keeps_health_and_credits(store: Store) -> None:
    connection, _ = await connect(store, cost=4)
    await change_state(store, connection, health="DEGRADED")
    async with store.database.writing() as transaction:
        await store.due.schedule(transaction, probe(connection))

    paused = await store.lifecycle.pause(connection.id, "stocktaking", customer_id=connection.customer_id, by=OPERATOR)

    assert (paused.lifecycle, paused.pause_reason) == ("PAUSED", "stocktaking")
    assert paused.paused_at is not None
    assert await store.connection(connection.id, customer_id=None) == paused
    event = (await events_of(store, connection))[-1]
    assert event.type == "CONNECTION_PAUSED"
    assert (event.previous, event.current) == (
        replace(event.current, status="DEGRADED", lifecycle="ENABLED"),  # type: ignore[type-var]
        (await state_of(store, connection)).standing,
    )
    assert event.reason is not None
    assert (event.reason.code, event.reason.message) == ("PAUSED_BY_USER", "stocktaking")
    assert await probes(store) == []
    assert (await store.credits.pool()).used == 4

    resumed = await store.lifecycle.resume(
        connection.id, customer_id=connection.customer_id, by=OPERATOR, due=[probe(connection)]
    )

    assert resumed == connection
    assert (await state_of(store, connection)).health == "DEGRADED"
    assert (await events_of(store, connection))[-1].type == "CONNECTION_RESUMED"
    assert await probes(store) == [connection.id]
    assert await actions_of(store, connection) == ["connection.connect", "connection.pause", "connection.resume"]


async def test_pausing_or_resuming_again_changes_nothing(store: Store) -> None:
    connection, _ = await connect(store)
    assert await store.lifecycle.resume(connection.id, customer_id=None, by=OPERATOR) == connection
    paused = await store.lifecycle.pause(connection.id, "first", customer_id=None, by=OPERATOR)
    assert await store.lifecycle.pause(connection.id, "second", customer_id=None, by=OPERATOR) == paused
    assert len(await events_of(store, connection)) == 3


# Reconnecting


async def test_reconnecting_replaces_credentials_and_tokens_and_forgets_what_was_wrong(store: Store) -> None:
    connection, old = await connect(store, cost=8)
    await change_state(
        store, connection, health="REAUTHORIZATION_REQUIRED", credential_status="REVOKED", failure_count=9
    )
    new = key_of(connection)
    later = replace(CHECKED, at=NOON + timedelta(days=1))

    renewed = await store.lifecycle.reconnect(
        connection.id,
        lambda present: f"{present} again",
        customer_id=connection.customer_id,
        by=OPERATOR,
        checked=later,
        key=new,
        changes={"auth_method": "oauth", "settings": {"timeoutMs": 1}},
        due=[probe(connection)],
    )

    assert (renewed.auth_method, renewed.settings) == ("oauth", {"timeoutMs": 1})
    assert (renewed.base_url, renewed.authorized_at) == (connection.base_url, later.at)
    snapshot = await store.snapshot()
    assert set(snapshot.keys) == {new.digest}
    assert snapshot.sealed == {connection.id: "sealed again"}
    revoked = await store.key_by_digest(old.digest)
    assert revoked is not None
    assert revoked.revoked_at is not None
    state = await state_of(store, connection)
    assert (state.health, state.credential_status, state.failure_count) == ("OK", "VALID", 0)
    event = (await events_of(store, connection))[-1]
    assert event.type == "CONNECTION_REAUTHORIZED"
    assert event.previous is not None
    assert (event.previous.status, event.current) == ("REAUTHORIZATION_REQUIRED", state.standing)
    assert event.data == {"isTokenKept": False}
    assert (await store.credits.pool()).used == 8
    assert await probes(store) == [connection.id]


async def test_reconnecting_may_keep_the_token_and_keeps_a_pause(store: Store) -> None:
    connection, key = await connect(store)
    await store.lifecycle.pause(connection.id, None, customer_id=None, by=OPERATOR)
    renewed = await store.lifecycle.reconnect(connection.id, str, customer_id=None, by=OPERATOR, checked=CHECKED)
    assert renewed.lifecycle == "PAUSED"
    assert set((await store.snapshot()).keys) == {key.digest}


async def test_reconnecting_enables_what_waited_for_a_login(store: Store) -> None:
    connection, _ = await connect(store, lifecycle="PENDING_AUTH")
    renewed = await store.lifecycle.reconnect(connection.id, str, customer_id=None, by=OPERATOR, checked=CHECKED)
    assert renewed.lifecycle == "ENABLED"


# Updating


async def test_an_update_of_secrets_goes_with_the_state_and_is_audited(store: Store) -> None:
    connection, _ = await connect(store, settings={"headerNames": ["X-Gate"]})
    before, expires_at = await state_of(store, connection), NOON + timedelta(days=20)

    def reseal(present: Connection, sealed: str) -> Resealed:
        return Resealed(f"{sealed} and {present.settings['headerNames'][0]}", expires_at)

    await store.lifecycle.update(
        connection.id,
        lambda present: replace(present, settings={}),
        customer_id=None,
        by=OPERATOR,
        reseal=reseal,
        due=[probe(connection)],
    )
    assert (await store.snapshot()).sealed == {connection.id: "sealed and X-Gate"}
    after = await state_of(store, connection)
    assert (after.credential_expires_at, after.version) == (expires_at, before.version + 1)
    assert replace(after, credential_expires_at=before.credential_expires_at, version=before.version) == before
    entry, *_ = await store.audit.page(first=1)
    assert entry.details == {"changed": ["settings", "secrets"]}
    assert await probes(store) == [connection.id]


async def test_an_update_of_what_is_paused_begins_nothing(store: Store) -> None:
    connection, _ = await connect(store)
    await store.lifecycle.pause(connection.id, None, customer_id=None, by=OPERATOR)
    await store.lifecycle.update(
        connection.id, lambda present: present, customer_id=None, by=OPERATOR, due=[probe(connection)]
    )
    assert await probes(store) == []


async def test_an_update_sees_the_present_values_and_is_audited_by_name(store: Store) -> None:
    connection, _ = await connect(store, settings={"timeoutMs": 1})

    def change(present: Connection) -> Connection:
        return replace(present, name="new", tags=("a",), settings={**present.settings, "readOnly": True})

    updated = await store.lifecycle.update(connection.id, change, customer_id=connection.customer_id, by=OPERATOR)
    assert updated.settings == {"timeoutMs": 1, "readOnly": True}
    assert await store.connection(connection.id, customer_id=None) == updated
    lines = await store.audit.page(first=10, connection_id=connection.id)
    assert [line.details for line in lines if line.action == "connection.update"] == [
        {"changed": ["name", "settings", "tags"]}
    ]


async def test_concurrent_updates_lose_nothing(store: Store) -> None:
    connection, _ = await connect(store, tags=())
    await asyncio.gather(
        *(
            store.lifecycle.update(
                connection.id,
                lambda present, number=number: replace(present, tags=(*present.tags, str(number))),  # type: ignore[misc]
                customer_id=None,
                by=OPERATOR,
            )
            for number in range(8)
        )
    )
    found = await store.connection(connection.id, customer_id=None)
    assert found is not None
    assert sorted(found.tags) == [str(number) for number in range(8)]


async def test_an_update_does_not_touch_the_life_itself(store: Store) -> None:
    connection, _ = await connect(store)
    with pytest.raises(ValueError, match="cannot change lifecycle"):
        await store.lifecycle.update(
            connection.id, lambda present: replace(present, lifecycle="DISCONNECTED"), customer_id=None, by=OPERATOR
        )


# Disconnecting


async def test_disconnecting_ends_everything_and_returns_the_credits(store: Store) -> None:
    connection, key = await connect(store, cost=8)
    other, other_key = await connected(store, await store.create_customer(name="Other"))
    async with store.database.writing() as transaction:
        for one in (connection, other):
            await store.due.schedule(transaction, probe(one))

    ended, returned = await store.lifecycle.disconnect(
        connection.id, "replaced", customer_id=connection.customer_id, by=OPERATOR
    )

    assert (ended.lifecycle, ended.disconnect_reason, returned) == ("DISCONNECTED", "replaced", 8)
    found = await store.key_by_digest(key.digest)
    assert found is not None
    assert found.revoked_at == ended.disconnected_at
    snapshot = await store.snapshot()
    assert set(snapshot.connections) == set(snapshot.sealed) == {other.id}
    assert set(snapshot.keys) == {other_key.digest}
    rows = await store.database.rows(select(credentials))
    assert [row.connection_id for row in rows] == [other.id]
    assert await probes(store) == [other.id]
    event = (await events_of(store, connection))[-1]
    assert (event.type, event.data) == ("CONNECTION_DISCONNECTED", {"creditsReturned": 8})
    assert event.current is not None
    assert event.current.status == "DISCONNECTED"
    assert (await store.credits.pool()).used == 0


async def test_disconnecting_again_changes_nothing(store: Store) -> None:
    connection, _ = await connect(store, cost=8)
    first = await store.lifecycle.disconnect(connection.id, "first", customer_id=None, by=OPERATOR)
    second = await store.lifecycle.disconnect(connection.id, "second", customer_id=None, by=OPERATOR)
    assert second == Disconnected(first.connection, 0)
    assert len(await events_of(store, connection)) == 3


# What may not be


def all_changes(store: Store, connection_id: str, customer_id: str | None) -> list[Callable[[], Awaitable[object]]]:
    life, of = store.lifecycle, {"customer_id": customer_id, "by": OPERATOR}
    return [
        lambda: life.pause(connection_id, None, **of),  # type: ignore[arg-type]
        lambda: life.resume(connection_id, **of),  # type: ignore[arg-type]
        lambda: life.reconnect(connection_id, str, checked=CHECKED, **of),  # type: ignore[arg-type]
        lambda: life.update(connection_id, lambda present: replace(present, name="x"), **of),  # type: ignore[arg-type]
        lambda: life.disconnect(connection_id, None, **of),  # type: ignore[arg-type]
    ]


async def check_that_nothing_changes(store: Store, changes: list[Callable[[], Awaitable[object]]], error: type) -> None:
    before = (await store.snapshot(), await store.states.all(), await store.events.range())
    for change in changes:
        with pytest.raises(error):
            await change()
    assert (await store.snapshot(), await store.states.all(), await store.events.range()) == before


async def test_another_customers_connection_and_an_unknown_one_are_missing(store: Store) -> None:
    connection, _ = await connect(store)
    stranger = await store.create_customer(name="Stranger")
    await check_that_nothing_changes(store, all_changes(store, connection.id, stranger.id), Missing)
    await check_that_nothing_changes(store, all_changes(store, "con_x", None), Missing)


async def test_what_has_ended_cannot_go_on(store: Store) -> None:
    connection, _ = await connect(store)
    await store.lifecycle.disconnect(connection.id, None, customer_id=None, by=SYSTEM)
    await check_that_nothing_changes(store, all_changes(store, connection.id, None)[:-1], WrongLifecycle)


async def test_what_waits_for_a_login_can_neither_pause_nor_resume(store: Store) -> None:
    connection, _ = await connect(store, lifecycle="PENDING_AUTH")
    await check_that_nothing_changes(store, all_changes(store, connection.id, None)[:2], WrongLifecycle)


class Cut(StoreError):
    pass


class FailingEvents(Events):
    async def append(self, transaction: Transaction, event: NewEvent) -> Event:
        await super().append(transaction, event)
        raise Cut


async def test_a_change_whose_event_cannot_be_kept_does_not_happen(store: Store) -> None:
    connection, _ = await connect(store, cost=8)
    store.lifecycle._events = FailingEvents(store.database)
    changes = all_changes(store, connection.id, None)
    await check_that_nothing_changes(store, [changes[0], changes[2], changes[4]], Cut)
    assert (await store.credits.pool()).used == 8
    assert await actions_of(store, connection) == ["connection.connect"]


async def test_an_update_and_work_that_tells_of_something_do_not_wait_for_each_other(store: Store) -> None:
    connection, _ = await connected(store, await store.create_customer(name="Acme"))
    survey = NewWork(kind="survey", key=connection.id, lane="surveys")
    async with store.database.writing() as transaction:
        await store.due.schedule(transaction, survey)
    (work,) = await store.due.claim("surveys", first=1, lease=timedelta(minutes=1))
    async with store.database.writing() as transaction:
        assert await store.due.postpone(transaction, work, timedelta(minutes=1))
        update = store.lifecycle.update(
            connection.id,
            lambda row: row,
            customer_id=None,
            by=SYSTEM,
            reseal=lambda before, sealed: Resealed("anew", None),
            due=[survey],
        )
        updating = asyncio.create_task(update)
        await asyncio.wait([updating], timeout=0.1)
        await store.states.lock(transaction, connection.id)
    await updating
