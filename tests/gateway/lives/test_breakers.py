"""Breakers and health: when a system fails is said by one of them alone, and a breaker that was kept does not stay."""

import asyncio

import pytest

from connectors.errors import TimedOut
from gateway.probing import smallest_read
from tests.gateway.lives.story import Story


async def fail(story: Story, times: int) -> None:
    story.plant.trouble("error")
    for _ in range(times):
        await story.ask()


async def test_a_system_is_degraded_when_its_breaker_opens(story: Story) -> None:
    await story.connect()
    story.live.source.guard.breaker._thresholds = _more_patient(story)
    await fail(story, 7)
    assert (story.health, await story.events()) == ("OK", [])
    await fail(story, 1)
    assert (story.health, await story.events()) == ("DEGRADED", ["CIRCUIT_OPENED", "DEGRADED"])


async def test_those_who_are_in_a_hurry_degrade_nothing(story: Story) -> None:
    await story.connect()
    resource = story.live.source.system.resources[0]
    story.plant.trouble("slow", seconds=5)
    for _ in range(8):
        with pytest.raises(TimedOut):
            await story.live.source.fetch(
                smallest_read(resource), story.tally(), asyncio.get_running_loop().time() + 0.05
            )
    await story.directory.watch.settle()
    assert (story.health, await story.events()) == ("OK", [])
