"""What every store of the cache promises, over memory and over a real Redis."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from gateway.stores.backends import CACHES, open_cache, scheme_of
from gateway.stores.breaker import Breaker
from gateway.stores.memory import MemoryCache
from gateway.stores.redis import RedisCache
from resolvers.ports import CacheEntry, CacheScope, CacheStore
from tests.gateway.stores.redis_server import PASSWORD, RedisServer
from tests.resolvers.cached_plant import TurnedClock

OURS = CacheScope("cus_ours", "con_1", "g1")
OTHERS = [
    replace(OURS, tenant="cus_theirs"),
    replace(OURS, connection="con_2"),
    replace(OURS, generation="g2"),
    CacheScope("cus_ours:con_1", "", "g1"),
    CacheScope("cus_ours}", "con_1", "g1"),
]
AREAS = ("orders", "lines")
OpenStore = Callable[[TurnedClock], CacheStore]


@pytest.fixture(params=["memory", "redis"])
def opens(request: pytest.FixtureRequest) -> OpenStore:
    """Opens a store of one kind; patient, because what is looked at here is not how soon it gives up."""
    if request.param == "memory":
        return lambda clock: MemoryCache(1_000_000, monotonic=lambda: clock.monotonic)
    server: RedisServer = request.getfixturevalue("redis_server")
    return lambda clock: RedisCache(
        server.url, timeout=20.0, wall=lambda: clock.wall, monotonic=lambda: clock.monotonic
    )


@contextlib.asynccontextmanager
async def opened(opens: OpenStore, clock: TurnedClock) -> AsyncIterator[CacheStore]:
    store = opens(clock)
    try:
        yield store
    finally:
        await store.close()


def entry(clock: TurnedClock, content: bytes = b"content", lifetime: float = 600.0) -> CacheEntry:
    return CacheEntry(content, clock.wall, clock.monotonic, 0.25, lifetime)


async def put(store: CacheStore, clock: TurnedClock, scope: CacheScope, *digests: str, **of_entry: Any) -> None:
    stamp = (await store.get(scope, AREAS, [])).stamp
    assert stamp is not None
    await store.put(scope, AREAS, {digest: entry(clock, **of_entry) for digest in digests}, stamp)


async def test_some_are_there_and_some_are_not(opens: OpenStore) -> None:
    clock = TurnedClock()
    async with opened(opens, clock) as store:
        await put(store, clock, OURS, "a", "b", content=bytes(range(256)))
        recalled = await store.get(OURS, AREAS, ["a", "b", "c"])
        assert recalled.entries.keys() == {"a", "b"}
        found = recalled.entries["a"]
        assert (found.content, found.fetched_at, found.cost) == (bytes(range(256)), clock.wall, 0.25)


async def test_age_is_counted_from_the_reading(opens: OpenStore) -> None:
    clock = TurnedClock()
    async with opened(opens, clock) as store:
        await put(store, clock, OURS, "a")
        began = clock.monotonic
        clock.turn(100.0)
        (found,) = (await store.get(OURS, AREAS, ["a"])).entries.values()
        assert found.as_of == pytest.approx(began, abs=1e-3)


async def test_others_find_nothing_of_ours(opens: OpenStore) -> None:
    clock = TurnedClock()
    async with opened(opens, clock) as store:
        await put(store, clock, OURS, "a")
        for other in OTHERS:
            assert (await store.get(other, AREAS, ["a"])).entries == {}


async def test_what_is_forgotten_is_not_found_again_nor_what_was_read_before(opens: OpenStore) -> None:
    clock = TurnedClock()
    async with opened(opens, clock) as store:
        for area in (None, "orders", "lines"):
            await put(store, clock, OURS, "a")
            before = (await store.get(OURS, AREAS, ["a"])).stamp
            assert before is not None
            await store.forget(OURS, area)
            assert (await store.get(OURS, AREAS, ["a"])).entries == {}
            await store.put(OURS, AREAS, {"a": entry(clock)}, before)
            assert (await store.get(OURS, AREAS, ["a"])).entries == {}
        await put(store, clock, OURS, "a")
        for scope, area in ((OURS, "vendors"), (OTHERS[0], None), (OTHERS[1], "orders")):
            await store.forget(scope, area)
        assert (await store.get(OURS, AREAS, ["a"])).entries.keys() == {"a"}


async def test_nothing_is_kept_without_bound(opens: OpenStore) -> None:
    clock = TurnedClock()
    async with opened(opens, clock) as store:
        await put(store, clock, OURS, "a", lifetime=0.05)
        clock.turn(0.06)
        await asyncio.sleep(0.06)
        assert (await store.get(OURS, AREAS, ["a"])).entries == {}


async def test_a_closed_store_gives_nothing_of_another_one(opens: OpenStore) -> None:
    clock = TurnedClock()
    async with opened(opens, clock) as store:
        token = await store.lock(OURS, "a", 5.0)
        assert token
        await store.unlock(OURS, "a", token)
        again = await store.lock(OURS, "a", 5.0)
        assert again


async def test_a_lock_is_one_process_s_alone_and_ends_by_itself(redis_server: RedisServer) -> None:
    one, other = (RedisCache(redis_server.url, timeout=20.0) for _ in range(2))
    token = await one.lock(OURS, "a", 0.2)
    assert token
    assert await other.lock(OURS, "a", 5.0) is None
    assert await other.lock(OURS, "b", 5.0)
    assert await other.lock(OTHERS[0], "a", 5.0)
    await other.unlock(OURS, "a", "not the token")
    assert await other.lock(OURS, "a", 5.0) is None
    while (taken := await other.lock(OURS, "a", 5.0)) is None:  # noqa: ASYNC110 - it is Redis that ends it
        await asyncio.sleep(0.02)
    await one.unlock(OURS, "a", token)
    assert await one.lock(OURS, "a", 5.0) is None
    await other.unlock(OURS, "a", taken)
    assert await one.lock(OURS, "a", 5.0)
    await one.close()
    await other.close()


@pytest.mark.parametrize("hours", [-1, 1, 24 * 365])
async def test_a_clock_that_jumps_makes_nothing_young(redis_server: RedisServer, hours: int) -> None:
    clock = TurnedClock()
    store = RedisCache(redis_server.url, timeout=20.0, wall=lambda: clock.wall, monotonic=lambda: clock.monotonic)
    await put(store, clock, OURS, "a", lifetime=60.0)
    key = next(iter(redis_server.ask.scan_iter("*:entry:*")))
    redis_server.ask.pexpire(key, 20_000)  # as if forty seconds had passed for Redis
    clock.wall += hours * 3_600
    (found,) = (await store.get(OURS, AREAS, ["a"])).entries.values()
    assert clock.monotonic - found.as_of >= 40.0
    await store.close()


async def test_an_entry_under_another_s_key_is_not_believed(redis_server: RedisServer) -> None:
    clock = TurnedClock()
    store = RedisCache(redis_server.url, timeout=20.0, wall=lambda: clock.wall, monotonic=lambda: clock.monotonic)
    await put(store, clock, OURS, "a")
    (key,) = redis_server.ask.scan_iter("*:entry:*")
    for wrong in (b"", b"{}", b"[]\n", b"null\nx", b"\x80\x04pickled", b'{"of": 1}\n', redis_server.ask.get(key)):
        moved = key.replace(b"cus_ours", b"cus_theirs")
        redis_server.ask.set(moved, wrong or b"", px=60_000)
        assert (await store.get(OTHERS[0], AREAS, ["a"])).entries == {}
    await store.close()


def test_a_password_is_never_shown(redis_server: RedisServer) -> None:
    assert PASSWORD not in repr(RedisCache(redis_server.url))


async def test_a_process_that_was_too_busy_does_not_blame_redis(redis_server: RedisServer) -> None:
    now = iter(range(0, 10_000, 10))
    breaker = Breaker(failures=1, monotonic=lambda: 0.0)
    store = RedisCache(redis_server.url, timeout=1e-9, breaker=breaker, monotonic=lambda: next(now))
    assert (await store.get(OURS, AREAS, ["a"])).stamp is None
    assert breaker.state.name == "CLOSED"
    honest = RedisCache(redis_server.url, timeout=1e-9, breaker=breaker, monotonic=lambda: 0.0)
    assert (await honest.get(OURS, AREAS, ["a"])).stamp is None
    assert breaker.state.name == "OPEN"
    await store.close()
    await honest.close()


async def test_every_key_begins_with_the_tenant(redis_server: RedisServer) -> None:
    clock = TurnedClock()
    store = RedisCache(redis_server.url, timeout=20.0)
    await put(store, clock, OURS, "a")
    await store.forget(OURS)
    await store.forget(OURS, "orders")
    await store.lock(OURS, "a", 5.0)
    keys = list(redis_server.ask.scan_iter())
    assert len(keys) == 4
    assert all(key.startswith(b"switchgear:{cus_ours}:con_1:") for key in keys)
    assert all(redis_server.ask.pttl(key) > 0 for key in keys)
    await store.close()


async def test_memory_has_a_bound_and_the_unused_goes_first() -> None:
    clock = TurnedClock()
    store = MemoryCache(5_000, monotonic=lambda: clock.monotonic)
    for number in range(3):
        await put(store, clock, OURS, f"{number}", content=b"x" * 1_000)
    await store.get(OURS, AREAS, ["0"])
    await put(store, clock, OURS, "3", content=b"x" * 1_000)
    assert (await store.get(OURS, AREAS, [*"0123"])).entries.keys() == {*"023"}
    await put(store, clock, OURS, "huge", content=b"x" * 10_000)
    assert store.size <= 5_000


def test_every_scheme_opens_its_store() -> None:
    assert {type(open_cache(f"{scheme}://x", 1, lambda: None)) for scheme in CACHES} == {MemoryCache, RedisCache}
    with pytest.raises(ValueError, match="memory://") as refused:
        scheme_of("postgres://user:secret@host")
    assert "secret" not in str(refused.value)


class TwoTenants(RuleBasedStateMachine):
    """Two tenants with the same ids do as they like; each sees what a dictionary of its own would have."""

    opens: OpenStore
    scopes = (OURS, OTHERS[0])

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = TurnedClock()
        self.store = self.opens(self.clock)
        self.known: list[dict[str, bytes]] = [{}, {}]
        for scope in self.scopes:
            self.runner.run(self.store.forget(scope))

    @rule(who=st.integers(0, 1), digest=st.sampled_from("abc"), content=st.binary(max_size=8))
    def keep(self, who: int, digest: str, content: bytes) -> None:
        self.runner.run(put(self.store, self.clock, self.scopes[who], digest, content=content))
        self.known[who][digest] = content

    @rule(who=st.integers(0, 1), area=st.sampled_from([None, *AREAS]))
    def forget(self, who: int, area: str | None) -> None:
        self.runner.run(self.store.forget(self.scopes[who], area))
        self.known[who].clear()

    @rule(who=st.integers(0, 1))
    def forget_what_is_not_there(self, who: int) -> None:
        self.runner.run(self.store.forget(self.scopes[who], "vendors"))

    @precondition(lambda self: self.clock.monotonic < 1_500)
    @rule(seconds=st.integers(0, 50))
    def wait(self, seconds: int) -> None:
        self.clock.turn(seconds)

    @invariant()
    def each_sees_its_own(self) -> None:
        for scope, known in zip(self.scopes, self.known, strict=True):
            recalled = self.runner.run(self.store.get(scope, AREAS, [*"abc"]))
            assert {digest: found.content for digest, found in recalled.entries.items()} == known

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()


def test_two_tenants_never_meet(opens: OpenStore) -> None:
    machine = type("Machine", (TwoTenants,), {"opens": staticmethod(opens)})
    run_state_machine_as_test(machine, settings=settings(max_examples=30, stateful_step_count=20, deadline=None))


@given(st.lists(st.text(max_size=5), min_size=3, max_size=3), st.lists(st.text(max_size=5), min_size=3, max_size=3))
def test_different_scopes_have_different_keys(one: list[str], other: list[str]) -> None:
    from gateway.stores.redis import _entry_key

    if one != other:
        assert _entry_key(CacheScope(*one), "d") != _entry_key(CacheScope(*other), "d")
