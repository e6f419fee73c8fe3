import asyncio
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, StatementError

from gateway.connecting.changing import merging
from gateway.keys.tokens import TokenKind
from gateway.stores.errors import Conflict, Missing, WrongLifecycle
from gateway.stores.rows import SYSTEM, Connection, Customer
from gateway.stores.sql import Store
from gateway.stores.tables import credentials
from tests.gateway.stores.samples import NOON, connected, connection_of, end, key_of

# Round trips


async def test_rows_come_back_as_they_were(store: Store) -> None:
    customer = await store.create_customer(name="Acme", external_id="crm-1", metadata={"a": [1, None]})
    connection, key = await connected(store, customer)
    assert await store.customer(customer.id) == customer
    assert await store.connection(connection.id, customer_id=None) == connection
    assert await store.key_by_digest(key.digest) == key
    assert key.digest not in repr(key)


async def test_times_are_kept_in_utc_and_given_aware(store: Store) -> None:
    customer = await store.create_customer(name="Acme")
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    connection, _ = await connected(store, customer, authorized_at=tokyo)
    found = await store.connection(connection.id, customer_id=None)
    assert found is not None
    assert found.authorized_at == NOON
    assert found.authorized_at.tzinfo is UTC


async def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    customer = await store.create_customer(name="Acme")
    with pytest.raises(StatementError, match="needs a time zone"):
        await connected(store, customer, authorized_at=NOON.replace(tzinfo=None))


async def test_what_does_not_exist_is_none(store: Store) -> None:
    assert await store.customer("cus_x") is None
    assert await store.connection("con_x", customer_id=None) is None
    assert await store.key_by_digest("x") is None


# Customers


async def test_an_external_id_is_unique_where_given(store: Store) -> None:
    await store.create_customer(name="one", external_id="crm-1")
    with pytest.raises(Conflict) as caught:
        await store.create_customer(name="two", external_id="crm-1")
    assert caught.value.field == "external_id"
    await store.create_customer(name="three")
    await store.create_customer(name="four")
    assert len(await store.customers(first=10)) == 3


async def test_customers_are_found_by_a_part_of_the_name(store: Store) -> None:
    for name in ("Nordwerk AG", "Werk_Süd", "Acme 100%"):
        await store.create_customer(name=name)

    async def names(part: str) -> list[str]:
        return sorted(customer.name for customer in await store.customers(first=10, text=part))

    assert await names("werk") == ["Nordwerk AG", "Werk_Süd"]
    assert await names("Süd") == ["Werk_Süd"]
    assert await names("%") == ["Acme 100%"]
    assert await names("k_") == ["Werk_Süd"]


async def test_customers_are_found_by_external_id(store: Store) -> None:
    wanted = await store.create_customer(name="one", external_id="crm-1")
    await store.create_customer(name="two", external_id="crm-2")
    assert await store.customers(first=10, external_id="crm-1") == [wanted]
    assert await store.customers(first=10, external_id="CRM-1") == []


async def test_pages_cover_every_row_once(store: Store) -> None:
    made = {(await store.create_customer(name=str(number))).id for number in range(7)}
    seen: list[str] = []
    while page := await store.customers(first=3, after=seen[-1] if seen else None):
        assert len(page) <= 3
        seen += [customer.id for customer in page]
    assert seen == sorted(made)


# Connections


async def test_a_connection_its_credentials_and_its_key_are_made_together_or_not_at_all(store: Store) -> None:
    customer = await store.create_customer(name="Acme")
    _, taken = await connected(store, customer)
    before = await store.snapshot()
    connection = connection_of(customer)
    with pytest.raises(IntegrityError):
        await store.lifecycle.connect(connection, "sealed", key_of(connection, digest=taken.digest), by=SYSTEM)
    assert await store.connection(connection.id, customer_id=None) is None
    assert await store.snapshot() == before


async def test_a_connection_needs_a_customer(store: Store) -> None:
    nobody = Customer(id="cus_x", name="nobody", created_at=NOON)
    with pytest.raises(Missing) as caught:
        await connected(store, nobody)
    assert caught.value.what == "customer"


async def test_a_connection_and_its_key_must_belong_together(store: Store) -> None:
    customer = await store.create_customer(name="Acme")
    with pytest.raises(ValueError, match="not for this connection"):
        await store.lifecycle.connect(connection_of(customer), "sealed", key_of(connection_of(customer)), by=SYSTEM)


async def test_connections_are_listed_by_what_they_are(store: Store) -> None:
    customer = await store.create_customer(name="Acme")
    sap, _ = await connected(store, customer)
    tryton, _ = await connected(store, customer, system="tryton", environment="SANDBOX", lifecycle="PAUSED")
    assert await store.connections(None, first=10, system="tryton") == [tryton]
    assert await store.connections(None, first=10, environment="PRODUCTION") == [sap]
    assert await store.connections(None, first=10, lifecycle="PAUSED") == [tryton]
    assert await store.connections(None, first=10, system="tryton", lifecycle="ENABLED") == []
    assert await store.connections(None, first=1) == [sap]
    assert await store.connections(None, first=1, after=sap.id) == [tryton]


async def change(
    store: Store,
    connection_id: str,
    settings: dict[str, Any],
    values: dict[str, Any] | None = None,
    customer_id: str | None = None,
) -> Connection:
    return await store.lifecycle.update(
        connection_id, merging(settings, values or {}), customer_id=customer_id, by=SYSTEM
    )


async def test_a_change_leaves_what_it_does_not_name(store: Store) -> None:
    customer = await store.create_customer(name="Acme")
    connection, _ = await connected(store, customer)
    first = await change(store, connection.id, {"a": 1, "b": 2}, {"name": "N"}, customer_id=customer.id)
    epoch = await store.epoch()
    second = await change(store, connection.id, {"a": None, "c": [3]}, {"tags": ("t",)}, customer_id=None)
    kept = {name: value for name, value in connection.settings.items() if name not in "abc"}
    assert (first.name, first.settings) == ("N", {**kept, "a": 1, "b": 2})
    assert (second.name, second.tags, second.settings) == ("N", ("t",), {**kept, "b": 2, "c": [3]})
    assert await store.connection(connection.id, customer_id=None) == second
    assert await store.epoch() == epoch + 1


async def test_changes_at_the_same_time_are_all_kept(store: Store) -> None:
    customer = await store.create_customer(name="Acme")
    connection, _ = await connected(store, customer)
    changes = [change(store, connection.id, {f"s{n}": n}) for n in range(10)]
    await asyncio.gather(*changes)
    found = await store.connection(connection.id, customer_id=None)
    assert found is not None
    assert {f"s{n}": n for n in range(10)}.items() <= found.settings.items()


async def test_only_a_connection_of_ones_own_that_is_in_use_can_be_changed(store: Store) -> None:
    customer, other = await store.create_customer(name="Acme"), await store.create_customer(name="Other")
    connection, _ = await connected(store, customer)
    with pytest.raises(Missing):
        await change(store, connection.id, {"a": 1}, {}, customer_id=other.id)
    await store.lifecycle.disconnect(connection.id, None, customer_id=None, by=SYSTEM)
    with pytest.raises(WrongLifecycle):
        await change(store, connection.id, {"a": 1}, {}, customer_id=None)


async def test_disconnecting_revokes_the_keys_and_deletes_the_credentials(store: Store) -> None:
    customer = await store.create_customer(name="Acme")
    connection, key = await connected(store, customer)
    second = key_of(connection)
    await store.create_api_key(second)
    other, other_key = await connected(store, customer)

    ended = await end(store, connection.id, "replaced", customer_id=customer.id)

    assert ended.lifecycle == "DISCONNECTED"
    assert ended.disconnect_reason == "replaced"
    assert ended.disconnected_at is not None
    for revoked in (key, second):
        found = await store.key_by_digest(revoked.digest)
        assert found is not None
        assert found.revoked_at == ended.disconnected_at
    snapshot = await store.snapshot()
    assert set(snapshot.connections) == set(snapshot.sealed) == {other.id}
    assert set(snapshot.keys) == {other_key.digest}
    async with store.database.reading() as reading:
        assert [row.connection_id for row in await reading.execute(select(credentials))] == [other.id]


async def test_disconnecting_again_changes_nothing(store: Store) -> None:
    customer = await store.create_customer(name="Acme")
    connection, _ = await connected(store, customer)
    ended = await end(store, connection.id, "first", customer_id=None)
    assert await end(store, connection.id, "second", customer_id=None) == ended


async def test_an_unknown_connection_cannot_be_disconnected(store: Store) -> None:
    with pytest.raises(Missing):
        await end(store, "con_x", None, customer_id=None)


# Keys


async def test_keys_of_every_kind_are_kept(store: Store) -> None:
    customer = await store.create_customer(name="Acme")
    connection, own = await connected(store, customer)
    admin = key_of(connection, kind=TokenKind.ADMIN, customer_id=None, connection_id=None)
    whole = key_of(connection, kind=TokenKind.CUSTOMER, connection_id=None)
    for key in (admin, whole):
        await store.create_api_key(key)
    assert set(map(repr, await store.api_keys(None, first=10))) == set(map(repr, (own, admin, whole)))
    assert await store.api_keys(None, first=10, connection_id=connection.id) == [own]


async def test_a_key_needs_a_customer_and_a_connection_that_is_in_use(store: Store) -> None:
    customer = await store.create_customer(name="Acme")
    connection, _ = await connected(store, customer)
    with pytest.raises(Missing, match="customer"):
        await store.create_api_key(key_of(connection, customer_id="cus_x", connection_id=None))
    with pytest.raises(Missing, match="connection"):
        await store.create_api_key(key_of(connection, connection_id="con_x"))
    await end(store, connection.id, None, customer_id=None)
    with pytest.raises(Missing, match="connection"):
        await store.create_api_key(key_of(connection))


async def test_a_revoked_key_stays_and_keeps_its_time(store: Store) -> None:
    customer = await store.create_customer(name="Acme")
    _, key = await connected(store, customer)
    revoked = await store.revoke_api_key(key.id, customer_id=None)
    assert revoked.revoked_at is not None
    assert await store.revoke_api_key(key.id, customer_id=None) == revoked
    assert await store.key_by_digest(key.digest) == revoked
    assert (await store.snapshot()).keys == {}
    with pytest.raises(Missing):
        await store.revoke_api_key("key_x", customer_id=None)


async def test_the_last_use_only_moves_forward(store: Store) -> None:
    customer = await store.create_customer(name="Acme")
    _, key = await connected(store, customer)
    for minutes in (5, 3):
        await store.touch_key(key.id, NOON + timedelta(minutes=minutes))
    found = await store.key_by_digest(key.digest)
    assert found is not None
    assert found.last_used_at == NOON + timedelta(minutes=5)


# Customers do not meet


async def test_nothing_of_another_customer_is_seen_or_changed(store: Store) -> None:
    ours = await store.create_customer(name="ours")
    theirs = await store.create_customer(name="theirs")
    connection, key = await connected(store, theirs)
    mine, my_key = await connected(store, ours)

    assert await store.connection(connection.id, customer_id=ours.id) is None
    assert await store.connections(ours.id, first=10) == [mine]
    assert await store.api_keys(ours.id, first=10) == [my_key]
    assert await store.api_keys(ours.id, first=10, connection_id=connection.id) == []
    with pytest.raises(Missing):
        await end(store, connection.id, None, customer_id=ours.id)
    with pytest.raises(Missing):
        await store.revoke_api_key(key.id, customer_id=ours.id)
    with pytest.raises(Missing):
        await store.create_api_key(key_of(connection, customer_id=ours.id))
    assert await store.connection(connection.id, customer_id=theirs.id) == connection
    assert await store.key_by_digest(key.digest) == key


# Epoch and snapshots


async def test_every_change_raises_the_epoch_and_a_use_of_a_key_does_not(store: Store) -> None:
    epochs = [await store.epoch()]

    async def note() -> None:
        epochs.append(await store.epoch())

    customer = await store.create_customer(name="Acme")
    await note()
    connection, key = await connected(store, customer)
    await note()
    await store.create_api_key(key_of(connection))
    await note()
    await store.revoke_api_key(key.id, customer_id=None)
    await note()
    await end(store, connection.id, None, customer_id=None)
    await note()
    assert epochs == [0, 1, 2, 3, 4, 5]
    await store.touch_key(key.id, NOON)
    assert await store.epoch() == 5


async def test_a_change_that_fails_leaves_the_epoch(store: Store) -> None:
    await store.create_customer(name="one", external_id="x")
    with pytest.raises(Conflict):
        await store.create_customer(name="two", external_id="x")
    with pytest.raises(Missing):
        await end(store, "con_x", None, customer_id=None)
    assert await store.epoch() == 1


async def test_a_snapshot_holds_what_requests_need(store: Store) -> None:
    customer = await store.create_customer(name="Acme")
    connection, key = await connected(store, customer)
    paused, paused_key = await connected(store, customer, lifecycle="PAUSED")
    snapshot = await store.snapshot()
    assert snapshot.epoch == await store.epoch()
    assert snapshot.customers == {customer.id: customer}
    assert snapshot.connections == {connection.id: connection, paused.id: paused}
    assert snapshot.keys == {key.digest: key, paused_key.digest: paused_key}
    assert snapshot.sealed == {connection.id: "sealed", paused.id: "sealed"}
    assert "sealed'" not in repr(snapshot)
    assert key.digest not in repr(snapshot)
