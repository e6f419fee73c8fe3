"""A snapshot that is renewed by what was changed is the one that reading everything gives."""

import random
from collections.abc import Awaitable, Callable, Set
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from gateway.keys import tokens
from gateway.keys.tokens import TokenKind
from gateway.stores import changes
from gateway.stores.errors import Missing, WrongLifecycle
from gateway.stores.lifecycle import Resealed
from gateway.stores.rows import SYSTEM, Checked, NewSession, Snapshot
from gateway.stores.sql import Store
from tests.gateway.stores.samples import NOON, connected, key_of

ALL: Any = {"customer_id": None, "by": SYSTEM}


async def renewed(store: Store, before: Snapshot) -> tuple[Snapshot, Set[str] | None]:
    """The renewed snapshot, which must be the one that reading everything gives."""
    renewal = await store.renew(before)
    assert renewal.snapshot == await store.snapshot()
    return renewal.snapshot, renewal.changed


async def test_every_change_is_found_by_itself(store: Store) -> None:
    customer = await store.create_customer(name="Acme")
    one, _ = await connected(store, customer)
    two, key = await connected(store, customer)
    further = replace(key_of(two), digest=tokens.digest("further", b"pepper"))
    of_customer = replace(further, id="key_c", kind=TokenKind.CUSTOMER, connection_id=None, digest="c")
    fresh, life = replace(key_of(two), digest="fresh"), store.lifecycle
    acts: list[tuple[Callable[[], Awaitable[Any]], set[str]]] = [
        (lambda: store.create_customer(name="Other"), set()),
        (lambda: store.create_api_key(of_customer), set()),
        (lambda: store.revoke_api_key("key_c", customer_id=None), set()),
        (lambda: store.revoke_api_key("key_c", customer_id=None), set()),
        (lambda: store.create_api_key(further), {two.id}),
        (lambda: store.revoke_api_key(further.id, customer_id=None), {two.id}),
        (lambda: life.update(one.id, lambda row: replace(row, name="New"), **ALL), {one.id}),
        (lambda: life.pause(one.id, None, **ALL), {one.id}),
        (lambda: life.pause(one.id, None, **ALL), {one.id}),
        (lambda: life.resume(one.id, **ALL), {one.id}),
        (lambda: life.reconnect(two.id, lambda _: "anew", checked=Checked(at=NOON), key=fresh, **ALL), {two.id}),
        (lambda: life.disconnect(two.id, None, **ALL), {two.id}),
        (lambda: life.delete_data(two.id, **ALL), {two.id}),
    ]
    snapshot = await store.snapshot()
    assert key.digest in snapshot.keys
    for act, expected in acts:
        await act()
        snapshot, changed = await renewed(store, snapshot)
        assert changed == expected
    assert (set(snapshot.connections), set(snapshot.sealed)) == ({one.id}, {one.id})
    assert await renewed(store, snapshot) == (snapshot, frozenset())


async def test_several_changes_are_found_together(store: Store) -> None:
    before = await store.snapshot()
    customer = await store.create_customer(name="Acme")
    one, _ = await connected(store, customer)
    two, _ = await connected(store, customer)
    await store.lifecycle.disconnect(one.id, None, **ALL)
    snapshot, changed = await renewed(store, before)
    assert changed == {one.id, two.id}
    assert set(snapshot.connections) == {two.id}


async def test_where_it_is_not_known_everything_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    connection, _ = await connected(store, await store.create_customer(name="Acme"))
    before = await store.snapshot()
    async with store.database.changing():
        pass  # as an earlier version does, which keeps no notes
    await store.lifecycle.pause(connection.id, None, **ALL)
    before, changed = await renewed(store, before)
    assert changed is None
    await store.reseal(lambda customer, row, sealed: sealed + "!")
    before, changed = await renewed(store, before)
    assert (changed, before.sealed) == (None, {connection.id: "sealed!"})
    monkeypatch.setattr(changes, "_MOST", 1)
    for _ in range(2):
        await store.lifecycle.pause(connection.id, None, **ALL)
    assert (await renewed(store, before))[1] is None
    assert (await renewed(store, replace(before, epoch=-1)))[1] is None


async def test_old_notes_are_forgotten(store: Store) -> None:
    before = await store.snapshot()
    for number in range(5):
        await store.create_customer(name=str(number))
    assert await store.changes.forget(keep=2) == 3
    assert (await renewed(store, before))[1] is None
    assert (await renewed(store, replace(before, epoch=3, customers=(await store.snapshot()).customers)))[1] == set()


async def test_a_database_that_was_restored_is_read_anew(store: Store) -> None:
    await store.create_customer(name="Acme")
    now = await store.snapshot()
    later = replace(now, epoch=now.epoch + 3, customers={})
    assert await renewed(store, later) == (now, None)


@pytest.mark.parametrize("seed", range(3))
async def test_after_random_acts_nothing_is_missing(store: Store, seed: int) -> None:
    chance, life = random.Random(seed), store.lifecycle  # noqa: S311 - the same acts every time
    customer = await store.create_customer(name="Acme")
    rows = [(await connected(store, customer))[0] for _ in range(4)]
    keys = [key_of(row, digest=f"{seed} {number}") for number, row in enumerate(rows * 3)]
    acts: list[Callable[[int], Awaitable[Any]]] = [
        lambda n: store.create_customer(name=str(n)),
        lambda n: store.create_api_key(keys.pop()),
        lambda n: store.revoke_api_key(next(iter(snapshot.keys.values())).id, customer_id=None),
        lambda n: life.pause(rows[n].id, "why", **ALL),
        lambda n: life.resume(rows[n].id, **ALL),
        lambda n: life.update(rows[n].id, lambda row: replace(row, name=f"{row.name}."), **ALL),
        lambda n: life.update(rows[n].id, lambda row: row, reseal=lambda row, text: Resealed(f"{text}.", NOON), **ALL),
        lambda n: life.update(rows[n].id, lambda row: row, account=lambda row: "another", **ALL),
        lambda n: life.reconnect(
            rows[n].id, lambda text: "anew", checked=Checked(at=NOON), session=NewSession(sealed="new"), **ALL
        ),
        lambda n: life.disconnect(rows[n].id, None, **ALL) if n == 0 else life.pause(rows[n].id, None, **ALL),
        lambda n: store.reseal(lambda tenant, name, text: f"{text}!"),
        lambda n: connected(store, customer),
    ]
    snapshot = await store.snapshot()
    for _ in range(12):
        for _ in range(chance.randint(1, 3)):
            with suppress(WrongLifecycle, Missing, StopIteration, IndexError):
                await chance.choice(acts)(chance.randrange(len(rows)))
        snapshot, _ = await renewed(store, snapshot)
