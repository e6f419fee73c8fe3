"""What must hold of everything that is kept, whatever has happened to the processes that wrote it."""

from collections import defaultdict

from gateway.stores import rows
from gateway.stores.sql import Store

_ALL = 1_000_000


async def must_be_whole(url: str) -> None:
    """No event is missing or out of sequence, no connection is half made, and the ledger adds up."""
    store = await Store.open(url)
    try:
        await _events_must_follow_each_other(store)
        await _connections_must_be_whole(store)
        await _ledger_must_add_up(store)
    finally:
        await store.close()


async def _events_must_follow_each_other(store: Store) -> None:
    found = await store.events.after(0, first=_ALL)
    assert [event.number for event in found] == list(range(1, len(found) + 1))
    assert (await store.events.range()).latest == len(found)
    sequences = defaultdict(list)
    for event in found:
        if event.connection_id is not None:
            sequences[event.connection_id].append(event.sequence)
    for connection_id, numbers in sequences.items():
        assert numbers == list(range(1, len(numbers) + 1)), connection_id


async def _connections_must_be_whole(store: Store) -> None:
    """One in use has credentials and a key in force, one that was ended has neither; each has told of its life."""
    snapshot = await store.snapshot()
    reached = {key.connection_id for key in snapshot.keys.values()}
    told = defaultdict(set)
    for event in await store.events.after(0, first=_ALL):
        told[event.connection_id].add(event.type)
    for connection in await store.connections(None, first=_ALL):
        is_over = connection.lifecycle == rows.DISCONNECTED
        assert (connection.id in snapshot.sealed) is not is_over, connection.id
        assert (connection.id in reached) is not is_over, connection.id
        assert ("CONNECTION_DISCONNECTED" in told[connection.id]) is is_over, connection.id
        assert "CONNECTION_CREATED" in told[connection.id], connection.id
        assert await store.states.read(connection.id) is not None, connection.id


async def _ledger_must_add_up(store: Store) -> None:
    entries = list(reversed(await store.credits.ledger(first=_ALL)))
    balance = 0
    for number, entry in enumerate(entries, start=1):
        balance += entry.amount
        assert (entry.number, entry.balance_after) == (number, balance)
    pool = await store.credits.pool()
    assert balance == (pool.granted or 0) - pool.used
