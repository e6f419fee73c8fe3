import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.stores.due import Due
from gateway.stores.rows import Lateness, NewWork, Work
from gateway.stores.sql import Store
from tests.gateway.stores.samples import NOON, opened

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
OVER = timedelta(0)


def probe(key: str = "con_1", **changes: object) -> NewWork:
    return NewWork(**{"kind": "probe", "key": key, "lane": "probes", **changes})  # type: ignore[arg-type]


async def schedule(store: Store, *works: NewWork) -> None:
    async with store.database.writing() as transaction:
        for work in works:
            await store.due.schedule(transaction, work)


async def claim(store: Store, lease: timedelta = HOUR) -> Work:
    (work,) = await store.due.claim("probes", first=10, lease=lease)
    return work


async def finish(store: Store, work: Work) -> bool:
    async with store.database.writing() as transaction:
        return await store.due.finish(transaction, work)


async def postpone(store: Store, work: Work, **options: object) -> bool:
    async with store.database.writing() as transaction:
        return await store.due.postpone(transaction, work, OVER, **options)  # type: ignore[arg-type]


async def test_work_is_claimed_when_it_is_due_and_in_its_lane(store: Store) -> None:
    late, later = probe("con_1", payload={"n": [1]}), probe("con_2", delay=-HOUR)
    await schedule(store, late, later, probe("con_3", delay=HOUR), probe("con_4", lane="webhooks"))
    assert (await store.due.claim("probes", first=1, lease=HOUR))[0].key == "con_2"
    work = await claim(store)
    assert (work.kind, work.key, work.lane, work.attempts, work.payload) == ("probe", "con_1", "probes", 1, {"n": [1]})
    assert await store.due.claim("probes", first=10, lease=HOUR) == []


async def test_what_is_finished_is_gone(store: Store) -> None:
    await schedule(store, probe())
    work = await claim(store)
    assert await finish(store, work)
    assert not await finish(store, work)
    assert await store.due.lateness() == {}


async def test_a_worker_that_comes_back_after_its_lease_changes_nothing(store: Store) -> None:
    await schedule(store, probe())
    dead = await claim(store, OVER)
    heir = await claim(store)
    assert heir.attempts == 2
    assert not await finish(store, dead)
    assert not await postpone(store, dead)
    assert not await store.due.extend(dead, HOUR)
    assert await finish(store, heir)


async def test_a_lease_can_be_made_longer_and_given_up(store: Store) -> None:
    await schedule(store, probe())
    work = await claim(store, OVER)
    assert await store.due.extend(work, HOUR)
    assert await store.due.claim("probes", first=10, lease=HOUR) == []
    assert await store.due.extend(work, OVER)
    assert (await claim(store)).key == work.key


async def test_periodic_work_moves_and_a_retry_counts_on(store: Store) -> None:
    await schedule(store, probe(payload="first"))
    assert await postpone(store, await claim(store), is_retry=True)
    second = await claim(store)
    assert (second.attempts, second.payload) == (2, "first")
    assert await postpone(store, second, payload="second")
    assert not await finish(store, second)
    third = await claim(store)
    assert (third.attempts, third.payload) == (1, "second")


async def test_what_is_scheduled_anew_replaces_and_what_is_ensured_stays(store: Store) -> None:
    await schedule(store, probe(payload="first"))
    claimed = await claim(store)
    async with store.database.writing() as transaction:
        await store.due.ensure(transaction, probe(payload="ensured"))
    assert await store.due.claim("probes", first=10, lease=HOUR) == []
    await schedule(store, probe(payload="second"))
    assert not await finish(store, claimed)
    again = await claim(store)
    assert (again.attempts, again.payload) == (1, "second")
    assert await finish(store, again)
    async with store.database.writing() as transaction:
        await store.due.ensure(transaction, probe(payload="ensured"))
    assert (await claim(store)).payload == "ensured"


async def test_a_name_that_is_used_again_is_no_way_in_for_an_earlier_worker(store: Store) -> None:
    await schedule(store, probe())
    earlier = await claim(store)
    async with store.database.writing() as transaction:
        assert await store.due.cancel(transaction, "con_1") == 1
    await schedule(store, probe())
    later = await claim(store)
    assert not await finish(store, earlier)
    assert await finish(store, later)


async def test_lateness_is_told_by_lane(store: Store) -> None:
    now = NOON
    due = Due(store.database, lambda: now)
    async with store.database.writing() as transaction:
        for work in (
            probe("a", delay=SECOND),
            probe("b", delay=2 * SECOND),
            probe("c", delay=HOUR),
            probe("d", lane="syncs"),
        ):
            await due.schedule(transaction, work)
    assert await due.claim("syncs", first=1, lease=HOUR)
    now = NOON + 5 * SECOND
    assert await due.lateness() == {"probes": Lateness(waiting=2, oldest=4 * SECOND)}


@pytest.fixture
async def pools(url: str) -> AsyncIterator[list[Store]]:
    """Two processes' worth of one database."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(opened(url)) for _ in range(2)]


async def test_of_many_workers_at_once_no_two_get_the_same(pools: list[Store]) -> None:
    keys = {f"con_{number:02}" for number in range(60)}
    await schedule(pools[0], *map(probe, sorted(keys)))

    async def work(store: Store) -> list[str]:
        done: list[str] = []
        while works := await store.due.claim("probes", first=4, lease=HOUR):
            for work in works:
                assert await finish(store, work)
            done += [work.key for work in works]
        return done

    done = await asyncio.gather(*(work(store) for store in pools for _ in range(3)))
    # A worker may find everything locked by others, so those who came last may have done nothing.
    assert sorted(key for part in done for key in part) == sorted(keys)


class Model:
    """What the rows should be: by key, when they are due, until when they are claimed, and which claim is in force."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[datetime, datetime | None, Work | None]] = {}

    def due(self, now: datetime) -> list[str]:
        free = [
            (due_at, key)
            for key, (due_at, until, _) in self.rows.items()
            if due_at <= now and (not until or until <= now)
        ]
        return [key for _, key in sorted(free)]

    def holds(self, work: Work) -> bool:
        return work.key in self.rows and self.rows[work.key][2] == work


keys = st.sampled_from(["a", "b", "c", "d"])
seconds = st.integers(0, 5)
steps = st.one_of(
    st.tuples(st.sampled_from(["schedule", "ensure"]), keys, seconds),
    st.tuples(st.just("cancel"), keys, st.just(0)),
    st.tuples(st.just("claim"), st.integers(1, 3), seconds),
    st.tuples(st.just("wait"), st.just(0), seconds),
    st.tuples(st.sampled_from(["finish", "postpone", "extend"]), st.integers(0, 5), seconds),
)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(steps, min_size=5, max_size=25))
async def test_work_is_never_claimed_twice_changed_late_or_lost(store: Store, given_steps: list[tuple]) -> None:  # type: ignore[type-arg]
    now, model, claims = NOON, Model(), list[Work]()
    due = Due(store.database, lambda: now)
    for name, what, number in given_steps:
        delay = number * SECOND
        async with store.database.writing() as transaction:
            if name == "wait":
                now += delay
            elif name == "schedule" or (name == "ensure" and what not in model.rows):
                await getattr(due, name)(transaction, probe(what, delay=delay))
                model.rows[what] = (now + delay, None, None)
            elif name == "ensure":
                await due.ensure(transaction, probe(what, delay=delay))
            elif name == "cancel":
                assert await due.cancel(transaction, what) == (model.rows.pop(what, None) is not None)
            elif name == "finish" and claims:
                work = claims[what % len(claims)]
                assert await due.finish(transaction, work) == model.holds(work)
                if model.holds(work):
                    del model.rows[work.key]
            elif name == "postpone" and claims:
                work = claims[what % len(claims)]
                assert await due.postpone(transaction, work, delay) == model.holds(work)
                if model.holds(work):
                    model.rows[work.key] = (now + delay, None, None)
        if name == "claim":
            works = await due.claim("probes", first=what, lease=delay)
            expected = model.due(now)
            assert len(works) == min(what, len(expected))
            assert {model.rows[work.key][0] for work in works} == {model.rows[key][0] for key in expected[: len(works)]}
            assert {work.key for work in works} <= set(expected)
            for work in works:
                model.rows[work.key] = (model.rows[work.key][0], now + delay, work)
            claims += works
        elif name == "extend" and claims:
            work = claims[what % len(claims)]
            assert await due.extend(work, delay) == model.holds(work)
            if model.holds(work):
                model.rows[work.key] = (model.rows[work.key][0], now + delay, work)
    now += HOUR
    left = await due.claim("probes", first=10, lease=HOUR)
    assert sorted(work.key for work in left) == sorted(model.rows)
    async with store.database.writing() as transaction:
        for work in left:
            assert await due.finish(transaction, work)
