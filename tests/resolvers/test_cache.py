"""The cache over a store: ages, shared failures, early refreshes, and stores that know nothing."""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from connectors.errors import PermissionDenied, Reauthorize, RefreshFailed, TimedOut, Trouble, Unavailable
from connectors.ports import CacheOutcome
from gateway.stores.memory import MemoryCache
from resolvers.cache import Body, ReadCache, Wanted
from resolvers.ports import CacheEntry, CacheScope, Recalled
from tests.resolvers.cached_plant import TurnedClock

SCOPE = CacheScope("cus_one", "con_one", "g")


@dataclass
class System:
    """What is asked behind the cache: every answer has a number, and takes so many seconds of the turned clock."""

    clock: TurnedClock = field(default_factory=TurnedClock)
    trouble: Trouble | None = None
    seconds: float = 0.0
    asked: list[list[str]] = field(default_factory=list)

    async def ask(self, missing: Sequence[str], deadline: float) -> Mapping[str, Body]:
        self.asked.append(list(missing))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.clock.turn(self.seconds)
        if self.trouble is not None:
            raise self.trouble
        return {digest: Body(f"{digest}{len(self.asked)}".encode(), math.inf) for digest in missing}


@dataclass
class Bench:
    """A cache, what it stands before, and what it has done."""

    system: System
    cache: ReadCache
    outcomes: Counter[CacheOutcome]

    def wanted(self, *digests: str, age: float = 60.0, stale: bool = False, seconds: float = 60.0) -> Wanted:
        oldest = self.system.clock.monotonic - age if age else math.inf
        deadline = asyncio.get_running_loop().time() + seconds
        return Wanted(SCOPE, ("orders",), digests, oldest, stale, deadline)

    async def get(self, *digests: str, age: float = 60.0, stale: bool = False) -> dict[str, str]:
        answer = await self.cache.answer(self.wanted(*digests, age=age, stale=stale), self.system.ask)
        return {digest: entry.content.decode() for digest, entry in answer.entries.items()}


def bench(store: object | None = None, chance: Callable[[], float] = lambda: 0.0) -> Bench:
    system, outcomes = System(), Counter[CacheOutcome]()
    cache = ReadCache(
        store or MemoryCache(1_000_000, monotonic=lambda: system.clock.monotonic),  # type: ignore[arg-type]
        observe=lambda outcome: outcomes.update([outcome]),
        wall=lambda: system.clock.wall,
        monotonic=lambda: system.clock.monotonic,
        chance=chance,
    )
    return Bench(system, cache, outcomes)


async def test_only_what_is_missing_is_asked_for() -> None:
    at = bench()
    assert await at.get("a", "b") == {"a": "a1", "b": "b1"}
    assert await at.get("b", "c") == {"b": "b1", "c": "c2"}
    assert at.system.asked == [["a", "b"], ["c"]]
    assert at.outcomes == {CacheOutcome.MISS: 2}


async def test_an_answer_is_as_old_as_the_beginning_of_its_call() -> None:
    at = bench()
    at.system.seconds = 10.0
    await at.get("a")
    at.system.clock.turn(49.0)
    assert await at.get("a") == {"a": "a1"}
    at.system.clock.turn(2.0)
    assert await at.get("a") == {"a": "a2"}


async def test_those_who_ask_for_younger_answers_are_not_given_older_ones() -> None:
    at = bench()
    await at.get("a")
    at.system.clock.turn(30.0)
    older, younger = await asyncio.gather(at.get("a", age=60), at.get("a", age=10))
    assert (older, younger) == ({"a": "a1"}, {"a": "a2"})


async def test_a_failure_is_shared_and_a_later_request_tries_again() -> None:
    at = bench()
    at.system.trouble = Unavailable("gone")
    found = await asyncio.gather(*(at.get("a") for _ in range(20)), return_exceptions=True)
    assert {type(item) for item in found} == {Unavailable}
    assert len(at.system.asked) == 1
    at.system.trouble = None
    assert await at.get("a") == {"a": "a2"}


async def test_that_the_time_of_one_was_up_says_nothing_of_the_others() -> None:
    at = bench()
    at.system.trouble = TimedOut("too slow")
    tasks = [asyncio.create_task(at.get("a")) for _ in range(3)]
    await asyncio.sleep(0)
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(item) for item in found} == {TimedOut}
    assert len(at.system.asked) == 3


async def test_those_who_read_live_neither_join_nor_wait() -> None:
    at, ends = bench(), asyncio.Event()

    async def ask(missing: Sequence[str], deadline: float) -> Mapping[str, Body]:
        at.system.asked.append(list(missing))
        await ends.wait()
        return {}

    tasks = [asyncio.create_task(at.cache.answer(at.wanted("a", age=0), ask)) for _ in range(3)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(at.system.asked) == 3
    ends.set()
    await asyncio.gather(*tasks)


async def test_an_older_answer_stands_in_only_where_it_is_accepted() -> None:
    at = bench()
    await at.get("a")
    at.system.clock.turn(100.0)
    for trouble, stands_in in (
        (Unavailable("x"), True),
        (Reauthorize("x"), True),
        (RefreshFailed("x"), True),
        (PermissionDenied("x"), False),
    ):
        at.system.trouble = trouble
        if stands_in:
            assert await at.get("a", stale=True) == {"a": "a1"}
        else:
            with pytest.raises(PermissionDenied):
                await at.get("a", stale=True)
        with pytest.raises(type(trouble)):
            await at.get("a")


async def test_those_who_wait_too_long_are_given_an_older_answer_as_well() -> None:
    at = bench()
    await at.get("a")
    at.system.clock.turn(100.0)
    ends = asyncio.Event()

    async def never(missing: Sequence[str], deadline: float) -> Mapping[str, Body]:
        await ends.wait()
        return {}

    first = asyncio.create_task(at.cache.answer(at.wanted("a", stale=True), never))
    await asyncio.sleep(0)
    answer = await at.cache.answer(at.wanted("a", stale=True, seconds=0.01), never)
    assert (answer.stale, type(answer.trouble)) == (frozenset("a"), TimedOut)
    first.cancel()


async def test_keys_that_are_there_are_given_although_the_others_failed() -> None:
    at = bench()
    await at.get("a")
    at.system.trouble = Unavailable("gone")
    answer = await at.cache.answer(at.wanted("a", "b"), at.system.ask)
    assert list(answer.entries) == ["a"]
    assert answer.trouble is at.system.trouble
    assert answer.stale == frozenset()


async def test_what_was_read_while_something_was_forgotten_is_not_kept() -> None:
    at = bench()

    async def ask(missing: Sequence[str], deadline: float) -> Mapping[str, Body]:
        found = await at.system.ask(missing, deadline)
        await at.cache.forget(SCOPE, "orders")
        return found

    await at.cache.answer(at.wanted("a"), ask)
    assert await at.get("a") == {"a": "a2"}


async def test_what_is_made_of_another_collection_stays() -> None:
    at = bench()
    await at.get("a")
    await at.cache.forget(SCOPE, "vendors")
    assert await at.get("a") == {"a": "a1"}
    await at.cache.forget(replace(SCOPE, connection="con_two"))
    assert await at.get("a") == {"a": "a1"}
    await at.cache.forget(SCOPE)
    assert await at.get("a") == {"a": "a2"}


@pytest.mark.parametrize(("age", "chance", "refreshes"), [(50, 0.0, 0), (50, 0.999, 1), (1, 0.5, 0), (59.9, 0.5, 1)])
async def test_the_nearer_the_end_the_likelier_is_an_early_refresh(age: float, chance: float, refreshes: int) -> None:
    at = bench(chance=lambda: chance)
    at.system.seconds = 5.0
    await at.get("a", age=65)
    at.system.seconds = 0.0
    at.system.clock.turn(age)
    answer = await at.cache.answer(at.wanted("a", age=65), at.system.ask)
    for _ in range(3):
        at.cache.refresh_early(at.wanted("a", age=65), answer.entries["a"], at.system.ask)
    assert await at.get("a", age=65) == {"a": "a1"}
    for _ in range(20):
        await asyncio.sleep(0)
    assert at.outcomes[CacheOutcome.REFRESHED] == refreshes
    assert await at.get("a", age=65) == {"a": f"a{1 + refreshes}"}


class Shelf(MemoryCache):
    """A store that another process uses too: it holds a lock, and may bring the answer after a while."""

    def __init__(self, brings: CacheEntry | None, looks: int) -> None:
        super().__init__(1_000_000, monotonic=lambda: 1_000.0)
        self.brings = brings
        self.looks = looks
        self.unlocked: list[str] = []
        self.is_free = False

    async def get(self, scope: CacheScope, areas: Sequence[str], digests: Sequence[str]) -> Recalled:
        self.looks -= 1
        recalled = await super().get(scope, areas, digests)
        if self.looks <= 0 and self.brings is not None:
            return Recalled(recalled.stamp, dict.fromkeys(digests, self.brings))
        return recalled

    async def lock(self, scope: CacheScope, digest: str, seconds: float) -> str | None:
        return "ours" if self.is_free or self.looks <= 0 else None

    async def unlock(self, scope: CacheScope, digest: str, token: str) -> None:
        self.unlocked.append(token)


async def test_what_another_process_is_asking_is_waited_for() -> None:
    at = bench(Shelf(CacheEntry(b"theirs", 0.0, 1_000.0, 0.0, 60.0), looks=3))
    at.cache.pause = lambda seconds: asyncio.sleep(0)
    assert await at.get("a") == {"a": "theirs"}
    assert at.system.asked == []


async def test_what_another_process_has_brought_between_look_and_lock_is_not_asked_for_again() -> None:
    shelf = Shelf(CacheEntry(b"theirs", 0.0, 1_000.0, 0.0, 60.0), looks=2)
    shelf.is_free = True
    at = bench(shelf)
    assert await at.get("a") == {"a": "theirs"}
    assert at.system.asked == []
    assert shelf.unlocked == ["ours"]


async def test_when_another_process_has_given_up_we_ask_ourselves_under_our_own_lock() -> None:
    shelf = Shelf(None, looks=3)
    at = bench(shelf)
    at.cache.pause = lambda seconds: asyncio.sleep(0)
    assert await at.get("a") == {"a": "a1"}
    assert shelf.unlocked == ["ours"]


async def test_nobody_waits_for_another_process_for_ever() -> None:
    at = bench(Shelf(None, looks=1_000_000))
    at.cache.pause = lambda seconds: asyncio.sleep(0)
    answer = await at.cache.answer(at.wanted("a", seconds=0.05), at.system.ask)
    assert answer.asked == frozenset("a")
