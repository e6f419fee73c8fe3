"""R3: the load on a failing system is bounded, and repeated is in one place only."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.faults.plant import Plant, plant
from tests.faults.proxy import answer_bytes

BUSY = answer_bytes(503)
NEVER_OPEN: dict[str, Any] = {"breaker_failures": 1_000_000, "breaker_window_calls": 1_000_000}


async def storm(place: Plant, calls: int, at_once: int = 8) -> list[int]:
    """How many requests each query says that it took."""
    place.proxy.answer(BUSY)
    taken = []
    for _ in range(calls // at_once):
        answers = await asyncio.gather(*(place.ask("troubled") for _ in range(at_once)))
        taken += [answer.source()["upstreamCalls"] for answer in answers]
    return taken


async def test_a_system_that_fails_is_left_alone_after_five_calls(tmp_path: Path) -> None:
    async with plant(tmp_path) as place:
        taken = await storm(place, 80)
        assert sum(taken) == len(place.proxy.requests)
        assert 5 <= len(place.proxy.requests) <= 5 + 7  # seven more were under way with the fifth
        last = await place.ask("troubled", "healthy")
        assert last.outcome() == ("SKIPPED_CIRCUIT_OPEN", "CIRCUIT_OPEN")
        error = last.source()["error"]
        assert 0 < error["retryAfterMs"] <= 5_000
        assert (error["retryable"], error["upstream"], last.source()["upstreamCalls"]) == (True, None, 0)
        assert "503" in error["message"]
        assert place.healthy_rows_are_there(last)


async def test_repetitions_are_a_tenth_even_where_the_breaker_stays_closed(tmp_path: Path) -> None:
    async with plant(tmp_path, **NEVER_OPEN) as place:
        taken = await storm(place, 80)
        assert sum(taken) == len(place.proxy.requests)
        assert len(place.proxy.requests) <= 80 * 1.1 + 1
        assert max(taken) > 1, "nothing was repeated at all"


@pytest.mark.faults
@pytest.mark.parametrize("settings", [{}, NEVER_OPEN], ids=["breaker", "no breaker"])
async def test_a_minute_of_nothing_but_503(settings: dict[str, Any], tmp_path: Path) -> None:
    async with plant(tmp_path, **settings) as place:
        place.proxy.answer(BUSY)
        loop = asyncio.get_running_loop()
        end, taken = loop.time() + 60.0, []
        while loop.time() < end:
            answers = await asyncio.gather(*(place.ask("troubled") for _ in range(8)))
            taken += [answer.source()["upstreamCalls"] for answer in answers]
        assert sum(taken) == len(place.proxy.requests) <= len(taken) * 1.1 + 1
