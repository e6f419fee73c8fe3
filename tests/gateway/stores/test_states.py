import asyncio
from dataclasses import replace

from gateway.stores.rows import SYSTEM, Connection, EntityHealth, Reason, Standing, State
from gateway.stores.sql import Store
from tests.gateway.stores.samples import NOON, connected


async def read(store: Store, connection: Connection) -> State:
    state = await store.states.read(connection.id)
    assert state is not None
    return state


async def change(store: Store, state: State) -> State | None:
    async with store.database.writing() as transaction:
        return await store.states.change(transaction, state)


async def test_a_state_comes_back_as_it_was(store: Store, connection: Connection) -> None:
    reason = Reason(code="TIMEOUTS", message="No answer.", since=NOON, remediation="Wait.")
    state = replace(
        await read(store, connection),
        health="UNREACHABLE",
        reason=reason,
        circuit="OPEN",
        circuit_opened_at=NOON,
        next_probe_at=NOON,
        failure_count=7,
        credential_status="EXPIRING",
        credential_expires_at=NOON,
        entity_health={"VENDOR": EntityHealth(status="OK", last_success_at=NOON, last_error={"code": "X"})},
        account="fingerprint",
        last_success_at=NOON,
        last_failure_at=NOON,
        lost_at=NOON,
        lost_reason=reason,
        memory={"successes": [1, None]},
        updated_at=NOON,
    )
    kept = await change(store, state)
    assert kept == replace(state, version=state.version + 1)
    assert await read(store, connection) == kept
    assert await store.states.read("con_x") is None


async def test_all_states_are_read_or_some(store: Store, connection: Connection) -> None:
    other, _ = await connected(store, await store.create_customer(name="Other"))
    everything = await store.states.all()
    assert set(everything) == {connection.id, other.id}
    assert everything[other.id] == await read(store, other)
    assert set(await store.states.all([other.id, "con_x"])) == {other.id}


async def test_of_two_who_read_the_same_version_one_changes_it(store: Store, connection: Connection) -> None:
    seen = await read(store, connection)
    assert await change(store, replace(seen, health="DEGRADED")) is not None
    assert await change(store, replace(seen, health="UNREACHABLE")) is None
    assert (await read(store, connection)).health == "DEGRADED"


async def test_concurrent_changes_by_compare_and_set_lose_nothing(store: Store, connection: Connection) -> None:
    async def count_one() -> int:
        tries = 1
        while True:
            seen = await read(store, connection)
            if await change(store, replace(seen, failure_count=seen.failure_count + 1)) is not None:
                return tries
            tries += 1

    tries = await asyncio.gather(*(count_one() for _ in range(20)))
    assert (await read(store, connection)).failure_count == 20
    assert sum(tries) >= 20


async def test_a_change_decided_before_a_pause_does_not_come_after_it(store: Store, connection: Connection) -> None:
    seen = await read(store, connection)
    await store.lifecycle.pause(connection.id, None, customer_id=None, by=SYSTEM)
    assert await change(store, replace(seen, health="DEGRADED")) is None
    assert (await read(store, connection)).standing == Standing(status="PAUSED", health="UNKNOWN", lifecycle="PAUSED")


async def test_a_change_leaves_the_epoch(store: Store, connection: Connection) -> None:
    epoch = await store.epoch()
    await change(store, await read(store, connection))
    assert await store.epoch() == epoch


def test_one_word_tells_how_a_connection_stands() -> None:
    words = {
        ("DISCONNECTED", "OK"): "DISCONNECTED",
        ("PAUSED", "DEGRADED"): "PAUSED",
        ("PENDING_AUTH", "UNKNOWN"): "PENDING_AUTH",
        ("VALIDATING", "UNKNOWN"): "VALIDATING",
        ("ENABLED", "UNKNOWN"): "VALIDATING",
        ("ENABLED", "OK"): "ACTIVE",
        ("ENABLED", "RATE_LIMITED"): "RATE_LIMITED",
    }
    assert {given: Standing.of(*given).status for given in words} == words
