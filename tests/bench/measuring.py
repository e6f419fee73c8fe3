"""Measures what a program spends on requests: CPU time of its process tree, memory, and how long answers take."""

import asyncio
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.bench.contenders import Contender

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_CLIENTS = 4


@dataclass(frozen=True)
class Round:
    """One round: CPU microseconds of a request, and the median of the seconds that answers took."""

    cpu_us: float
    median_s: float


def family(process_id: int) -> list[int]:
    """A process and all that it has started."""
    found = [process_id]
    children = Path(f"/proc/{process_id}/task/{process_id}/children")
    for child in children.read_text().split() if children.exists() else ():
        found += family(int(child))
    return found


def cpu_seconds(process_id: int) -> float:
    """The CPU time that a process tree has used."""
    total = 0
    for member in family(process_id):
        numbers = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        total += int(numbers[11]) + int(numbers[12])
    return total / _TICK


def memory_mb(process_id: int) -> float:
    """The resident memory of a process tree in megabytes."""
    pages = sum(int(Path(f"/proc/{member}/statm").read_text().split()[1]) for member in family(process_id))
    return pages * _PAGE / 1e6


def pin(process_id: int, core: int) -> None:
    """Keep a process tree on one core."""
    for member in family(process_id):
        for thread in os.listdir(f"/proc/{member}/task"):
            os.sched_setaffinity(int(thread), {core})


async def ask(session: aiohttp.ClientSession, contender: Contender, body: dict[str, Any]) -> Any:
    """One answer, read whole."""
    async with session.post(contender.url, json=body, headers=contender.headers) as answer:
        return await answer.json(content_type=None)


async def one_round(contender: Contender, body: dict[str, Any], requests: int) -> Round:
    """Ask so many times with a few clients at once."""
    taken: list[float] = []
    left = iter(range(requests))

    async def client(session: aiohttp.ClientSession) -> None:
        for _ in left:
            started = time.perf_counter()
            async with session.post(contender.url, json=body, headers=contender.headers) as answer:
                await answer.read()
            taken.append(time.perf_counter() - started)

    async with aiohttp.ClientSession() as session:
        before = cpu_seconds(contender.process_id)
        await asyncio.gather(*(client(session) for _ in range(_CLIENTS)))
        spent = cpu_seconds(contender.process_id) - before
    return Round(spent / requests * 1e6, statistics.median(taken))
