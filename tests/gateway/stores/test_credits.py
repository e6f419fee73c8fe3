import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.stores.database import Transaction
from gateway.stores.errors import InsufficientCredits
from gateway.stores.rows import SYSTEM, Actor, CreditPool, new_id
from gateway.stores.sql import Store

OPERATOR = Actor(id="key_1", kind="ADMIN", request_id="req-1")
Change = Callable[[Transaction], Awaitable[object]]


async def change(store: Store, *changes: Change) -> None:
    async with store.database.writing() as transaction:
        for one in changes:
            await one(transaction)


async def check_that_the_ledger_adds_up(store: Store) -> None:
    pool, sum_ = await store.credits.pool(), 0
    for number, entry in enumerate(reversed(await store.credits.ledger(first=10_000)), 1):
        sum_ += entry.amount
        assert (entry.number, entry.balance_after) == (number, sum_)
    assert sum_ == (pool.granted or 0) - pool.used


async def test_credits_do_not_matter_until_some_are_granted(store: Store) -> None:
    assert await store.credits.pool() == CreditPool(granted=None, used=0)
    await change(store, lambda transaction: store.credits.take(transaction, 8, "con_1", SYSTEM))
    pool = await store.credits.pool()
    assert (pool.used, pool.balance) == (8, None)
    await change(store, lambda transaction: store.credits.grant(transaction, 10, OPERATOR))
    assert (await store.credits.pool()).balance == 2
    await check_that_the_ledger_adds_up(store)


async def test_too_few_credits_are_refused_with_the_numbers(store: Store) -> None:
    await change(store, lambda transaction: store.credits.grant(transaction, 10, OPERATOR))
    await change(store, lambda transaction: store.credits.take(transaction, 8, "con_1", OPERATOR))
    with pytest.raises(InsufficientCredits) as refused:
        await change(store, lambda transaction: store.credits.take(transaction, 4, "con_2", OPERATOR))
    assert (refused.value.required, refused.value.available) == (4, 2)
    assert await store.credits.pool() == CreditPool(granted=10, used=8)
    taken, granted = await store.credits.ledger(first=10)
    assert (taken.kind, taken.amount, taken.balance_after, taken.connection_id) == ("TAKEN", -8, 2, "con_1")
    assert (granted.kind, granted.amount, granted.balance_after, granted.actor) == ("GRANTED", 10, 10, "key_1")
    assert await store.credits.find(taken.number) == taken
    assert taken.id == "crd_00000000002"
    assert await store.credits.ledger(first=10, before=2) == [granted]


async def test_a_connection_gives_back_what_it_holds_and_no_more(store: Store) -> None:
    returned: list[int] = []

    async def give_back(transaction: Transaction) -> None:
        returned.append(await store.credits.give_back(transaction, "con_1", SYSTEM))

    await change(
        store,
        lambda transaction: store.credits.take(transaction, 4, "con_1", SYSTEM),
        lambda transaction: store.credits.take(transaction, 2, "con_1", SYSTEM),
        lambda transaction: store.credits.take(transaction, 8, "con_2", SYSTEM),
        give_back,
        give_back,
    )
    assert returned == [6, 0]
    assert (await store.credits.pool()).used == 8
    await check_that_the_ledger_adds_up(store)


async def test_the_pool_can_be_set_and_saying_the_same_again_is_no_entry(store: Store) -> None:
    for granted in (5, 5, 3, None, None):
        await change(store, lambda transaction, to=granted: store.credits.adjust(transaction, to, OPERATOR))  # type: ignore[misc]
    assert [entry.amount for entry in await store.credits.ledger(first=10)] == [-3, -2, 5]
    await check_that_the_ledger_adds_up(store)


@pytest.mark.parametrize("amount", [-1, 0])
async def test_only_positive_amounts_change_anything(store: Store, amount: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        await change(store, lambda transaction: store.credits.grant(transaction, amount, SYSTEM))
    with pytest.raises(ValueError, match="positive"):
        await change(store, lambda transaction: store.credits.take(transaction, -1, "con_1", SYSTEM))
    await change(store, lambda transaction: store.credits.take(transaction, 0, "con_1", SYSTEM))
    assert await store.credits.ledger(first=1) == []


@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    granted=st.integers(0, 60),
    costs=st.lists(st.sampled_from([1, 2, 4, 8]), min_size=1, max_size=16),
    returns=st.sets(st.integers(0, 15)),
)
async def test_the_ledger_adds_up_and_no_more_is_taken_than_there_is(
    store: Store, granted: int, costs: list[int], returns: set[int]
) -> None:
    used = (await store.credits.pool()).used
    await change(store, lambda transaction: store.credits.adjust(transaction, used + granted, OPERATOR))
    run = new_id("con")

    async def take(index: int, cost: int) -> int:
        try:
            await change(store, lambda transaction: store.credits.take(transaction, cost, f"{run}_{index}", SYSTEM))
        except InsufficientCredits:
            return 0
        return cost

    taken = await asyncio.gather(*(take(index, cost) for index, cost in enumerate(costs)))
    pool = await store.credits.pool()
    assert pool.used == used + sum(taken)
    assert pool.balance == granted - sum(taken)
    assert pool.balance >= 0
    assert all(cost > pool.balance for cost, got in zip(costs, taken, strict=True) if not got)

    async def give_back(index: int) -> None:
        await change(store, lambda transaction: store.credits.give_back(transaction, f"{run}_{index}", SYSTEM))

    # Every one of them twice at once: what is held goes back once.
    await asyncio.gather(*(give_back(index) for index in returns for _ in range(2)))
    left = sum(got for index, got in enumerate(taken) if index not in returns)
    assert (await store.credits.pool()).used == used + left
    await check_that_the_ledger_adds_up(store)
