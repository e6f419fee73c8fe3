"""Processes that share a login: whatever they meet at once, one of them asks for a new token."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from strawberry import ID

from connectors.auth import SessionLogin
from gateway.directory import generation_of
from gateway.outgoing.renewal import Next, Terms, decide
from gateway.stores.rows import SYSTEM, Connection, KeptSession
from gateway.stores.tables import sessions
from schema.lifecycle import ReconnectSystemInput
from tests.gateway.lives.story import Story
from tests.gateway.renewal.conftest import connect
from tests.servers.token_server import CANARY, Mill


async def ask_all(processes: list[Story], times: int) -> list[str]:
    """What so many questions come to that are asked at once, by all processes in turn."""
    return await asyncio.gather(*(processes[number % len(processes)].ask() for number in range(times)))


async def test_fifty_refusals_in_three_processes_bring_one_token_request(processes: list[Story], mill: Mill) -> None:
    mill.end_tokens(together=50)
    assert await ask_all(processes, 50) == ["ok"] * 50
    assert mill.refused == 50, "all of them were refused at once"
    assert mill.grants == [f"{CANARY}-refresh-1"]
    assert await processes[0].events() == []


async def test_it_goes_on_like_that(processes: list[Story], mill: Mill) -> None:
    for number in range(1, 4):
        processes[0].clock.moment += timedelta(seconds=60)
        mill.end_tokens(together=6)
        assert await ask_all(processes, 6) == ["ok"] * 6
        assert mill.grants[-1] == f"{CANARY}-refresh-{number}"
    assert len(mill.grants) == 3


async def test_a_session_ends_everywhere_and_is_renewed_once(processes: list[Story], mill: Mill) -> None:
    processes[0].clock.moment += timedelta(seconds=3601)
    mill.end_tokens()
    assert await ask_all(processes, 12) == ["ok"] * 12
    assert (len(mill.grants), mill.refused) == (1, 0), "nobody tries a session that has ended"


async def test_a_session_is_renewed_before_its_end(processes: list[Story], mill: Mill) -> None:
    first = processes[0]
    first.clock.moment += timedelta(seconds=3600 - 100)
    assert await ask_all(processes, 6) == ["ok"] * 6
    assert mill.grants == []
    first.clock.moment += timedelta(seconds=20)
    assert await ask_all(processes, 6) == ["ok"] * 6
    assert len(mill.grants) == 1


async def test_while_one_renews_early_the_others_go_on(processes: list[Story], mill: Mill) -> None:
    first, second, _ = processes
    first.clock.moment += timedelta(seconds=3600 - 60)
    mill.gate.clear()
    leader = asyncio.create_task(first.ask())
    await mill.reached.wait()
    assert {await first.ask(), await second.ask()} == {"ok"}
    assert not leader.done()
    mill.gate.set()
    assert await leader == "ok"
    assert len(mill.grants) == 1


async def test_nobody_asks_the_database_while_the_session_holds(story: Story, mill: Mill) -> None:
    await connect(story, mill)
    assert await story.ask() == "ok"
    story.store.sessions = None  # type: ignore[assignment] # whoever asks it fails
    story.directory._sessions.__dict__["store"] = None
    assert [await story.ask() for _ in range(5)] == ["ok"] * 5
    assert mill.grants == [f"{CANARY}-first"], "the session of the check is that of the connection"


async def test_a_leader_that_hangs_loses_its_turn(processes: list[Story], mill: Mill) -> None:
    """The first process is stopped with its request under way; the second one takes over when the lease has ended."""
    first, second, third = processes
    mill.rotates = False
    mill.end_tokens()
    mill.gate.clear()
    leader = asyncio.create_task(first.ask())
    await mill.reached.wait()
    waiter = asyncio.create_task(second.ask())
    mill.reached.clear()
    first.clock.moment += timedelta(seconds=11)
    await mill.reached.wait()
    assert len(mill.grants) == 2
    mill.gate.set()
    assert set(await asyncio.gather(leader, waiter, third.ask())) == {"ok"}
    assert len(mill.grants) == 2
    assert await first.events() == []


async def test_a_turn_that_came_to_nothing_is_given_back(processes: list[Story]) -> None:
    first, second = (each.live.source.auth for each in processes[:2])
    assert isinstance(first, SessionLogin)
    assert isinstance(second, SessionLogin)
    async with first.sessions.turn(first.sessions.current) as turn:
        assert turn.session is None
    async with asyncio.timeout(5), second.sessions.turn(second.sessions.current) as turn:
        assert turn.session is None


async def test_a_waiter_keeps_to_its_own_deadline(processes: list[Story], mill: Mill) -> None:
    first, second, _ = processes
    mill.end_tokens()
    mill.gate.clear()
    leader = asyncio.create_task(first.ask())
    await mill.reached.wait()
    assert await second.ask(seconds=0.05) == "TimedOut"
    mill.gate.set()
    assert await leader == "ok"
    assert await second.ask() == "ok"
    assert len(mill.grants) == 1


async def test_a_caller_in_a_hurry_does_not_lose_the_token(processes: list[Story], mill: Mill) -> None:
    """The answer comes when nobody waits for it any more; a refresh token in it is the only one that is good."""
    first, second, _ = processes
    mill.end_tokens()
    mill.gate.clear()
    assert await first.ask(seconds=0.1) == "TimedOut"
    assert len(mill.grants) == 1
    mill.gate.set()
    assert await second.ask() == "ok"
    assert await first.ask() == "ok"
    assert len(mill.grants) == 1


async def test_a_renewed_login_is_no_news(processes: list[Story], mill: Mill) -> None:
    """What is kept of answers stays, and nobody reads anew what is connected."""
    first = processes[0]
    row, sealed = await kept(first)
    epoch = await first.store.epoch()
    for tenant, name, text in await first.store.sealed():
        assert CANARY.encode() in first.keyring.unseal(text, tenant=tenant, row=name)
    scope = first.live.scope
    mill.end_tokens()
    assert await first.ask() == "ok"
    await first.directory.refresh()
    assert await first.store.epoch() == epoch
    assert (await kept(first))[1] == sealed
    assert first.live.scope == scope
    assert scope is not None
    assert scope.generation == generation_of(row, sealed, first.live.source.system.revision)


async def kept(story: Story) -> tuple[Connection, str]:
    snapshot = await story.store.snapshot()
    return snapshot.connections[story.connection_id], snapshot.sealed[story.connection_id]


async def test_client_credentials_are_shared_too(story: Story, mill: Mill) -> None:
    await connect(story, mill, "client")
    mill.end_tokens()
    assert await asyncio.gather(*(story.ask() for _ in range(5))) == ["ok"] * 5
    assert mill.grants == ["client_credentials"] * 2


async def test_the_session_dies_with_the_connection(story: Story, mill: Mill) -> None:
    await connect(story, mill)
    assert len(await rows_of(story)) == 1
    await story.life.disconnect(story.connection_id, None)
    assert await rows_of(story) == []
    assert story.directory._sessions._known == {}


async def test_a_session_under_way_when_the_connection_ends_is_not_kept(story: Story, mill: Mill) -> None:
    await connect(story, mill)
    mill.end_tokens()
    mill.gate.clear()
    mill.reached.clear()
    leader = asyncio.create_task(story.ask())
    await mill.reached.wait()
    await story.store.lifecycle.disconnect(story.connection_id, None, customer_id=None, by=SYSTEM)
    mill.gate.set()
    assert await leader == "RefreshFailed"
    assert await rows_of(story) == []


async def test_new_credentials_begin_a_new_session(processes: list[Story], mill: Mill) -> None:
    first, second, _ = processes
    mill.refresh_token = f"{CANARY}-given-anew"
    mill.valid.clear()
    before = await rows_of(first)
    first.clock.moment += timedelta(seconds=10)
    credentials = mill.credentials(first.plant.url)
    payload = await first.life.reconnect(ReconnectSystemInput(id=ID(first.connection_id), credentials=credentials))
    assert payload.errors == []
    assert mill.grants == [f"{CANARY}-given-anew"]
    (row,) = await rows_of(first)
    assert row.version != before[0].version
    assert await first.ask() == "ok"
    assert await second.ask() == "RefreshFailed", (
        "it does not know the new credentials yet, and makes nothing of the old"
    )
    await second.directory.refresh()
    assert await second.ask() == "ok"
    assert len(mill.grants) == 1


async def test_a_test_of_a_connection_uses_its_session(story: Story, mill: Mill) -> None:
    await connect(story, mill)
    payload = await story.life.test(story.connection_id)
    assert [check.status.name for check in payload.checks][-1] == "PASSED"
    assert mill.grants == [f"{CANARY}-first"]
    mill.end_tokens()
    await story.life.test(story.connection_id)
    assert mill.grants == [f"{CANARY}-first", f"{CANARY}-refresh-1"]
    assert await story.ask() == "ok"
    assert len(mill.grants) == 2


async def rows_of(story: Story) -> Sequence[Any]:
    return await story.store.database.rows(select(sessions))


def test_a_clock_that_was_set_back_makes_no_session_young() -> None:
    """What seems to have been replaced only later was replaced long ago, so that a refusal of it is no proof."""
    kept = KeptSession(version=1, sealed="sealed", replaced=-timedelta(minutes=50))
    assert decide(kept, "a", 1, is_refused=True, terms=Terms()) is Next.LOG_IN
