"""Single flight: one asks, the others wait no longer than they may, and nobody waits for the dead."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import TimedOut, Unavailable
from resolvers.flights import Flights, Land


def soon(seconds: float = 60.0) -> float:
    return asyncio.get_running_loop().time() + seconds


class Calls:
    """A call that ends when the test says so, and counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.ends = asyncio.Event()

    async def lead(self, land: Land[int]) -> int:
        self.begun += 1
        number = self.begun
        await self.ends.wait()
        await turns(5)
        return number


def always(landed: int) -> bool:
    return True


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_equal_questions_share_a_call_and_others_do_not() -> None:
    flights, one, other = Flights[int](), Calls(), Calls()
    same = [asyncio.create_task(flights.share("one", one.lead, always, soon())) for _ in range(5)]
    different = asyncio.create_task(flights.share("other", other.lead, always, soon()))
    await turns()
    one.ends.set()
    other.ends.set()
    assert await asyncio.gather(*same) == [(1, True), *[(1, False)] * 4]
    assert await different == (1, True)
    assert (one.begun, other.begun, len(flights)) == (1, 1, 0)


async def test_when_the_first_is_cancelled_another_goes_instead() -> None:
    flights, calls = Flights[int](), Calls()
    tasks = [asyncio.create_task(flights.share("q", calls.lead, always, soon())) for _ in range(5)]
    await turns()
    tasks[0].cancel()
    await turns()
    assert calls.begun == 2
    calls.ends.set()
    assert await asyncio.gather(*tasks[1:]) == [(2, True), *[(2, False)] * 3]
    assert tasks[0].cancelled()


async def test_one_who_waits_and_leaves_disturbs_nobody() -> None:
    flights, calls = Flights[int](), Calls()
    tasks = [asyncio.create_task(flights.share("q", calls.lead, always, soon())) for _ in range(3)]
    await turns()
    tasks[1].cancel()
    await turns()
    calls.ends.set()
    assert await tasks[0] == (1, True)
    assert await tasks[2] == (1, False)


async def test_everyone_waits_until_its_own_deadline_only() -> None:
    flights, calls = Flights[int](), Calls()
    first = asyncio.create_task(flights.share("q", calls.lead, always, soon()))
    await turns()
    with pytest.raises(TimedOut):
        await flights.share("q", calls.lead, always, soon(0.01))
    calls.ends.set()
    assert await first == (1, True)
    assert calls.begun == 1


async def test_an_answer_that_is_not_accepted_is_asked_for_again() -> None:
    flights, calls = Flights[int](), Calls()
    first = asyncio.create_task(flights.share("q", calls.lead, always, soon()))
    await turns()
    picky = [asyncio.create_task(flights.share("q", calls.lead, lambda landed: landed > 1, soon())) for _ in range(3)]
    await turns()
    calls.ends.set()
    assert await first == (1, True)
    assert sorted(await asyncio.gather(*picky)) == [(2, False), (2, False), (2, True)]


async def test_a_fault_of_the_first_is_its_own() -> None:
    flights, calls = Flights[int](), Calls()

    async def fails(land: Land[int]) -> int:
        await turns(3)
        raise Unavailable("gone")

    first = asyncio.create_task(flights.share("q", fails, always, soon()))
    await turns(1)
    calls.ends.set()
    second = asyncio.create_task(flights.share("q", calls.lead, always, soon()))
    with pytest.raises(Unavailable):
        await first
    assert await second == (1, True)


async def test_those_who_wait_need_not_wait_until_the_answer_is_kept() -> None:
    flights, kept = Flights[int](), asyncio.Event()

    async def lead(land: Land[int]) -> int:
        await turns(3)
        land(7)
        await kept.wait()
        return 7

    first = asyncio.create_task(flights.share("q", lead, always, soon()))
    await turns(1)
    assert await flights.share("q", lead, always, soon()) == (7, False)
    assert await flights.share("q", lead, always, soon()) == (7, False)
    assert not first.done()
    kept.set()
    assert await first == (7, True)


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from("ab")),
        st.tuples(st.just("cancel"), st.integers(0, 30)),
        st.tuples(st.just("end"), st.sampled_from("ab")),
    ),
    max_size=40,
)


@given(MOVES)
@settings(deadline=None, max_examples=150)
def test_whatever_happens_one_call_at_a_time_and_everyone_is_answered(moves: list[tuple[str, Any]]) -> None:
    """At no time are there two calls for one question, and nobody is left waiting."""

    async def play() -> None:
        flights = Flights[str]()
        under_way: dict[str, list[asyncio.Future[str]]] = {"a": [], "b": []}
        tasks: list[asyncio.Task[tuple[str, bool]]] = []

        def leads(question: str) -> Callable[[Land[str]], Any]:
            async def lead(land: Land[str]) -> str:
                future = asyncio.get_running_loop().create_future()
                under_way[question].append(future)
                assert len(under_way[question]) == 1
                try:
                    return str(await future)
                finally:
                    under_way[question].remove(future)

            return lead

        def end(question: str) -> None:
            for future in under_way[question]:
                if not future.done():
                    future.set_result(question)

        for move, what in moves:
            if move == "ask":
                tasks.append(asyncio.create_task(flights.share(what, leads(what), lambda landed: True, soon())))
            elif move == "cancel" and what < len(tasks):
                tasks[what].cancel()
            elif move == "end":
                end(what)
            await turns(3)
        while not all(task.done() for task in tasks):
            end("a")
            end("b")
            await turns(1)
        for task in tasks:
            assert task.cancelled() or task.result()[0] in ("a", "b")
        assert len(flights) == 0

    asyncio.run(play())
