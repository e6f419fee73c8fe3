"""R2: one bad connection never slows another."""

import asyncio
from pathlib import Path
from statistics import quantiles

import pytest

from tests.faults.plant import Plant, plant
from tests.faults.proxy import Fault


async def slowest(place: Plant, times: int = 100) -> float:
    """The 95th percentile of the times that the healthy connection takes, in seconds."""
    return quantiles([(await place.ask("healthy")).seconds for _ in range(times)], n=20)[-1]


async def besiege(place: Plant) -> None:
    """Ask the troubled connection a hundred times a second, without waiting for answers."""
    async with asyncio.TaskGroup() as group:
        while True:
            group.create_task(place.ask("troubled", timeout_ms=3_000))
            await asyncio.sleep(0.01)


async def test_calls_to_a_system_that_hangs_leave_the_others_alone(tmp_path: Path) -> None:
    async with plant(tmp_path) as place:
        await place.ask()
        place.proxy.fault, before = Fault.BLACK_HOLE, place.proxy.connections
        besieged = [asyncio.create_task(place.ask("troubled", timeout_ms=4_000)) for _ in range(40)]
        await place.proxy.reached(before + 8)
        answer = await place.ask("healthy")
        assert place.healthy_rows_are_there(answer)
        assert place.proxy.connections == before + 8
        assert not any(task.done() for task in besieged)
        outcomes = {(await task).outcome()[0] for task in besieged}
        assert outcomes == {"TIMED_OUT", "SKIPPED_CIRCUIT_OPEN"}
        assert place.proxy.connections <= before + 16


@pytest.mark.faults
async def test_the_ratio_with_and_without_a_bad_neighbour(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with plant(tmp_path) as place:
        place.proxy.fault = Fault.BLACK_HOLE
        alone, beside = [], []
        for _ in range(2):
            alone.append(await slowest(place))
            siege = asyncio.create_task(besiege(place))
            await asyncio.sleep(0.2)
            beside.append(await slowest(place))
            siege.cancel()
            await asyncio.gather(siege, return_exceptions=True)
        ratio = min(beside) / min(alone)
        with capsys.disabled():
            print(f"\nR2: p95 alone {min(alone) * 1e3:.1f} ms, beside {min(beside) * 1e3:.1f} ms: {ratio:.2f} times")
        assert ratio < 20, "beside a bad neighbour the others wait for it"
