"""Hints between processes: customer first, gone when they no longer hold, and never in anybody's way."""

import asyncio
import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from connectors.ports import Hint, HintKind
from gateway.stores import redis_call_state
from gateway.stores.backends import open_call_state
from gateway.stores.call_state import MemoryCallState, SharedCallState
from gateway.stores.redis_call_state import RedisCallState
from tests.gateway.stores.redis_server import RedisServer, running_redis

KEY = ("cus_1", "account", "abc")


class Ear:
    """Keeps what is heard, and knows one key."""

    def __init__(self) -> None:
        self.heard: list[Hint] = []
        self.overheard: list[tuple[str, Any]] = []

    def hear(self, hint: Hint) -> None:
        self.heard.append(hint)

    def keys(self) -> Iterable[tuple[tuple[str, ...], HintKind]]:
        return [(KEY, HintKind.REST), (KEY, HintKind.OPEN)]

    def overhear(self, connection_id: str, words: Any) -> None:
        self.overheard.append((connection_id, words))

    def followed(self) -> Iterable[tuple[str, str]]:
        return [("cus_1", "con_1")]


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(20.0):
        while not check():  # noqa: ASYNC110 - whoever does it cannot tell
            await asyncio.sleep(0.01)


async def until_true(ask: Callable[[], Any], wanted: int = 1) -> None:
    async with asyncio.timeout(20.0):
        while await ask() != wanted:  # noqa: ASYNC110 - Redis does not tell
            await asyncio.sleep(0.01)


class Process:
    """A call state that listens while the block lasts."""

    def __init__(self, state: SharedCallState) -> None:
        self.state = state
        self.ear = Ear()

    async def __aenter__(self) -> "Process":
        self.task = asyncio.create_task(self.state.run(self.ear, self.ear))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.state.close()


async def test_a_hint_reaches_the_others_and_is_kept_for_as_long_as_it_holds(redis_server: RedisServer) -> None:
    async with (
        Redis.from_url(redis_server.url) as redis,
        Process(open_call_state(redis_server.url)) as one,
        Process(open_call_state(redis_server.url)) as two,
    ):
        await until(lambda: one.state.processes == two.state.processes == 2)
        one.state.tell(Hint(KEY, HintKind.REST, 30.0))
        await until(lambda: bool(two.ear.heard))
        assert two.ear.heard == [Hint(KEY, HintKind.REST, 30.0)]
        assert one.ear.heard == []
        assert 29_000 < await redis.pttl("switchgear:{cus_1}:calls:rest:account:abc") <= 30_000
        async with Process(open_call_state(redis_server.url)) as late:
            await until(lambda: bool(late.ear.heard))
            (hint,) = late.ear.heard
            assert (hint.key, hint.kind) == (KEY, HintKind.REST)
            assert 28.0 < hint.seconds <= 30.0


async def test_calls_are_told_and_the_last_ones_kept_under_their_customer(redis_server: RedisServer) -> None:
    async with (
        Redis.from_url(redis_server.url) as redis,
        Process(open_call_state(redis_server.url)) as one,
        Process(open_call_state(redis_server.url)) as two,
    ):
        await until(lambda: one.state.processes == two.state.processes == 2)
        for number in range(150):
            one.state.tell_call("cus_1", "con_1", partial(int, number))
        one.state.tell_call("cus_2", "con_2", lambda: "another's")
        await until(lambda: len(two.ear.overheard) == 151)
        assert two.ear.overheard[-2:] == [("con_1", 149), ("con_2", "another's")]
        assert one.ear.overheard == []
        assert await redis.llen("switchgear:{cus_1}:made:con_1") == 100
        assert 890 < await redis.ttl("switchgear:{cus_2}:made:con_2") <= 900
        async with Process(open_call_state(redis_server.url)) as late:
            await until(lambda: bool(late.ear.overheard))
            assert late.ear.overheard == [("con_1", number) for number in range(50, 150)]


async def test_calls_to_a_connection_that_has_ended_are_forgotten(redis_server: RedisServer) -> None:
    async with Redis.from_url(redis_server.url) as redis, Process(open_call_state(redis_server.url)) as one:
        one.state.tell_call("cus_1", "con_1", lambda: "early")
        one.state.tell_call("cus_1", "con_2", lambda: "of another")
        await until_true(lambda: redis.llen("switchgear:{cus_1}:made:con_1"))
        one.state.tell_call("cus_1", "con_1", lambda: "late")
        await one.state.forget_calls("cus_1", "con_1")
        one.state.tell_call("cus_1", "con_2", lambda: "of another")
        await until_true(lambda: redis.llen("switchgear:{cus_1}:made:con_2"), 2)
        assert await redis.exists("switchgear:{cus_1}:made:con_1") == 0


async def test_what_is_well_again_is_no_longer_kept(redis_server: RedisServer) -> None:
    async with Redis.from_url(redis_server.url) as redis, Process(open_call_state(redis_server.url)) as one:
        one.state.tell(Hint(KEY, HintKind.OPEN, 30.0))
        await asyncio.sleep(0)
        await until_true(lambda: redis.exists("switchgear:{cus_1}:calls:open:account:abc"))
        one.state.tell(Hint(KEY, HintKind.CLOSED))
        await until_true(lambda: redis.pttl("switchgear:{cus_1}:calls:open:account:abc"), -2)


async def test_a_process_that_ends_no_longer_counts(redis_server: RedisServer) -> None:
    async with Process(open_call_state(redis_server.url)) as one:
        async with Process(open_call_state(redis_server.url)):
            await until(lambda: one.state.processes == 2)
        await until(lambda: one.state.processes == 1)


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '["x", 1, "REST", 1]', json.dumps(["x", [], "LATER", 1])])
async def test_words_of_another_version_are_left_out_of_account(text: str, redis_server: RedisServer) -> None:
    async with Redis.from_url(redis_server.url) as redis, Process(open_call_state(redis_server.url)) as one:
        await until_true(lambda: redis.publish("switchgear:calls", text))
        await redis.publish("switchgear:calls", json.dumps(["x", list(KEY), "CLOSED", 0]))
        await until(lambda: Hint(KEY, HintKind.CLOSED) in one.ear.heard)
        await redis.publish("switchgear:made", text)
        await redis.publish("switchgear:made", json.dumps(["x", [["con_1", "words"]]]))
        await until(lambda: ("con_1", "words") in one.ear.overheard)


async def test_without_redis_nothing_is_said_and_nothing_waits() -> None:
    state = open_call_state("redis://127.0.0.1:9/0")
    assert isinstance(state, RedisCallState)
    async with Process(state) as alone:
        for _ in range(1_000):
            state.tell(Hint(KEY, HintKind.REST, 30.0))
        assert len(state._sending) <= 100
        await until(lambda: not state._sending)
        assert (state.processes, alone.ear.heard, alone.task.done()) == (1, [], False)


async def test_a_redis_that_refuses_everything_is_told_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(redis_call_state, "_PAUSE_SECONDS", 0.01)
    with running_redis(tmp_path) as full:
        full.configure(maxmemory=1)
        async with Process(open_call_state(full.url)):
            await until(lambda: full.ask.info("stats")["total_error_replies"] > 5)
            full.configure(maxmemory=0)
            await until(lambda: len(caplog.records) > 1)
    said = [record.getMessage().partition(" (")[0] for record in caplog.records]
    assert said == ["Redis does not answer", "Redis answers again; processes limit their calls together"]


async def test_in_memory_there_is_nobody_to_tell() -> None:
    async with Process(open_call_state("memory://")) as alone:
        assert isinstance(alone.state, MemoryCallState)
        alone.state.tell(Hint(KEY, HintKind.REST, 30.0))
        assert (alone.state.processes, alone.ear.heard) == (1, [])
