"""The kept sessions: one at a time makes a new one, and only in the place of the one that it has read."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from gateway.stores.rows import SYSTEM, Checked, Connection, KeptSession, NewSession, session_row
from gateway.stores.sessions import Sessions
from gateway.stores.sql import Store
from gateway.stores.tables import sessions as sessions_table
from tests.gateway.stores.samples import NOON, connected, end, opened

LEASE, REST = timedelta(seconds=10), timedelta(seconds=30)


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(store: Store, clock: Clock) -> Sessions:
    return Sessions(store.database, clock)


async def read(sessions: Sessions, connection: Connection) -> KeptSession:
    found = await sessions.read(connection.id, connection.authorized_at)
    assert found is not None
    return found


async def lease(sessions: Sessions, connection: Connection, owner: str = "a", version: int | None = None) -> int | None:
    return await sessions.lease(connection.id, connection.authorized_at, version, owner, LEASE)


async def test_a_session_from_its_beginning(sessions: Sessions, connection: Connection, clock: Clock) -> None:
    assert await read(sessions, connection) == KeptSession()
    version = await lease(sessions, connection)
    assert version is not None
    assert await read(sessions, connection) == KeptSession(version=version, owner="a", leased=LEASE)
    new = NewSession(sealed="sealed", lifetime=timedelta(hours=1))
    assert await sessions.keep(connection.id, version, new, is_replacement=False) == version + 1
    clock.now += timedelta(seconds=5)
    left = timedelta(seconds=3595)
    assert await read(sessions, connection) == KeptSession(version=version + 1, sealed="sealed", left=left)
    assert await lease(sessions, connection, "b", version + 1) == version + 1
    await sessions.keep(connection.id, version + 1, NewSession(sealed="other"), is_replacement=True)
    clock.now += timedelta(seconds=7)
    replaced = timedelta(seconds=7)
    assert await read(sessions, connection) == KeptSession(version=version + 2, sealed="other", replaced=replaced)


async def test_one_of_many_gets_the_turn(sessions: Sessions, connection: Connection, url: str, clock: Clock) -> None:
    async with opened(url) as other:
        both = [sessions, Sessions(other.database, clock)]
        first = [lease(both[n % 2], connection, str(n)) for n in range(8)]
        (version,) = [taken for taken in await asyncio.gather(*first) if taken is not None]
        again = [lease(both[n % 2], connection, f"x{n}", version) for n in range(8)]
        assert set(await asyncio.gather(*again)) == {None}
        clock.now += LEASE
        again = [lease(both[n % 2], connection, f"x{n}", version) for n in range(8)]
        assert sorted(map(str, await asyncio.gather(*again))).count(str(version)) == 1


async def test_who_was_thought_to_be_dead_does_not_overwrite(
    sessions: Sessions, connection: Connection, clock: Clock
) -> None:
    version = await lease(sessions, connection)
    assert version is not None
    clock.now += LEASE
    assert await lease(sessions, connection, "b", version) == version
    assert await sessions.keep(connection.id, version, NewSession(sealed="of b"), is_replacement=False)
    assert await sessions.keep(connection.id, version, NewSession(sealed="of a"), is_replacement=False) is None
    assert not await sessions.fail(connection.id, version, "a", rest=REST)
    assert (await read(sessions, connection)).sealed == "of b"


async def test_who_was_thought_to_be_dead_may_still_be_the_first(
    sessions: Sessions, connection: Connection, clock: Clock
) -> None:
    """Its refresh token is the one that counts, and the other one's is refused for it."""
    version = await lease(sessions, connection)
    assert version is not None
    clock.now += LEASE
    assert await lease(sessions, connection, "b", version) == version
    assert await sessions.fail(connection.id, version, "b", rest=REST, refusal="REVOKED")
    assert await sessions.keep(connection.id, version, NewSession(sealed="of a"), is_replacement=False)
    assert (await read(sessions, connection)).refusal is None


async def test_the_same_one_takes_its_turn_again(sessions: Sessions, connection: Connection) -> None:
    version = await lease(sessions, connection)
    assert await lease(sessions, connection, "a", version) == version
    assert await lease(sessions, connection, "b", version) is None
    await sessions.release(connection.id, "b")
    assert await lease(sessions, connection, "b", version) is None
    await sessions.release(connection.id, "a")
    assert await lease(sessions, connection, "b", version) == version


async def test_after_a_failure_nobody_gets_the_turn_for_a_while(
    sessions: Sessions, connection: Connection, clock: Clock
) -> None:
    version = await lease(sessions, connection)
    assert version is not None
    assert await sessions.fail(connection.id, version, "a", rest=REST)
    assert await read(sessions, connection) == KeptSession(version=version, failures=1, rests=REST)
    assert await lease(sessions, connection, "b", version) is None
    clock.now += REST
    assert await lease(sessions, connection, "b", version) == version
    assert await sessions.fail(connection.id, version, "b", rest=REST, refusal="EXHAUSTED")
    kept = await read(sessions, connection)
    assert (kept.failures, kept.refusal, kept.leased) == (2, "EXHAUSTED", None)


async def test_other_credentials_have_no_part_in_it(store: Store, sessions: Sessions, connection: Connection) -> None:
    stale = replace(connection, authorized_at=NOON - timedelta(days=1))
    assert await sessions.read(stale.id, stale.authorized_at) is None
    assert await lease(sessions, stale) is None
    version = await lease(sessions, connection)
    assert version is not None
    later = NOON + timedelta(days=1)
    await store.lifecycle.reconnect(
        connection.id,
        lambda _: "new credentials",
        customer_id=None,
        by=SYSTEM,
        checked=Checked(at=later),
        session=NewSession(sealed="of the check"),
    )
    assert await sessions.keep(connection.id, version, NewSession(sealed="late"), is_replacement=False) is None
    assert await sessions.read(connection.id, connection.authorized_at) is None
    kept = await read(sessions, replace(connection, authorized_at=later))
    assert (kept.sealed, kept.leased) == ("of the check", None)


async def test_what_has_ended_has_no_session(store: Store, sessions: Sessions, connection: Connection) -> None:
    version = await lease(sessions, connection)
    assert version is not None
    await sessions.keep(connection.id, version, NewSession(sealed="sealed"), is_replacement=False)
    assert session_row(connection.id) in [row for _, row, _ in await store.sealed()]
    await end(store, connection.id, None, customer_id=None)
    assert await store.sealed() == []
    assert await sessions.read(connection.id, connection.authorized_at) is None
    assert await lease(sessions, connection) is None
    assert await sessions.keep(connection.id, version + 1, NewSession(sealed="late"), is_replacement=False) is None


async def test_times_are_those_of_the_database(store: Store, connection: Connection) -> None:
    version = await lease(store.sessions, connection)
    kept = await read(store.sessions, connection)
    assert (kept.version, kept.owner) == (version, "a")
    assert kept.leased is not None
    assert timedelta(seconds=5) < kept.leased <= LEASE


async def test_sessions_are_sealed_anew_with_the_credentials(store: Store) -> None:
    row, _ = await connected(store, await store.create_customer(name="Acme"))
    version = await store.sessions.lease(row.id, row.authorized_at, None, "a", LEASE)
    assert version is not None
    await store.sessions.keep(row.id, version, NewSession(sealed="session"), is_replacement=False)
    assert await store.reseal(lambda tenant, name, text: f"{tenant} {name} {text}") == 2
    assert sorted(await store.sealed()) == [
        (row.customer_id, row.id, f"{row.customer_id} {row.id} sealed"),
        (row.customer_id, f"{row.id}/session", f"{row.customer_id} {row.id}/session session"),
    ]


async def test_nobody_logs_in_for_a_connection_that_is_just_ending(
    store: Store, connection: Connection, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read while the end is not committed yet is out of date when the turn is given."""
    reached, go_on, give_back = asyncio.Event(), asyncio.Event(), store.credits.give_back

    async def slowly(*given: Any) -> int:
        reached.set()
        await go_on.wait()
        return await give_back(*given)

    monkeypatch.setattr(store.credits, "give_back", slowly)
    async with opened(url) as other:
        ending = asyncio.create_task(end(store, connection.id, None, customer_id=None))
        await reached.wait()
        turn = asyncio.create_task(lease(other.sessions, connection))
        await asyncio.wait([turn], timeout=0.1)
        go_on.set()
        await ending
        assert await turn is None
        assert await other.database.rows(select(sessions_table)) == []
