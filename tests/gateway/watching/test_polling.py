"""Looking again and again: at a hint at once, also at one that comes while it looks, and past every failure."""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator

import pytest

from gateway.watching.polling import Poll

NEVER = 3_600.0


@contextlib.asynccontextmanager
async def polling(poll: Poll) -> AsyncIterator[None]:
    task = asyncio.create_task(poll.run())
    try:
        async with asyncio.timeout(20.0):
            yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_hint_makes_it_look() -> None:
    looks: asyncio.Queue[int] = asyncio.Queue()
    poll = Poll(lambda: looks.put(1), "it", NEVER)
    async with polling(poll):
        await looks.get()
        poll.hint()
        await looks.get()
        assert looks.empty()


async def test_without_a_hint_it_looks_by_itself() -> None:
    looks: asyncio.Queue[int] = asyncio.Queue()
    async with polling(Poll(lambda: looks.put(1), "it", 0.001)):
        for _ in range(3):
            await looks.get()


async def test_a_hint_that_comes_while_it_looks_is_not_lost() -> None:
    begun: asyncio.Queue[int] = asyncio.Queue()
    may_end = asyncio.Event()

    async def look() -> None:
        await begun.put(1)
        await may_end.wait()

    poll = Poll(look, "it", NEVER)
    async with polling(poll):
        await begun.get()
        poll.hint()
        may_end.set()
        await begun.get()


async def test_a_failure_is_told_when_it_begins_and_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "gateway.watching.polling")
    looks: asyncio.Queue[int] = asyncio.Queue()
    left = [LookupError(), LookupError(), LookupError()]

    async def look() -> None:
        await looks.put(1)
        if left:
            raise left.pop()

    async with polling(Poll(look, "it", 0.001)):
        for _ in range(6):
            await looks.get()
    assert [re.sub(r"\d+\.\d", "some", record.getMessage()) for record in caplog.records] == [
        "it cannot be read; it is tried again and again",
        "it can be read again after some seconds",
    ]
