"""`make bench`: measures every workload in turns and prints one table; no test fails because something is slow."""

import asyncio
import json
import os
import resource
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp

from tests.bench.contenders import ADMIN, Contender, our_gateway, stock_server
from tests.bench.measuring import Round, ask, memory_mb, one_round, pin
from tests.bench.source import source
from tests.bench.subscribers import FOLLOWERS, follow
from tests.bench.workloads import WORKLOADS, Workload, variables

_ROUNDS = 3
_SOURCES = "{ purchaseOrders(first: 100, connectionIds: $ids) { nodes { vendor { name } } sources { upstreamCalls } } }"


def body_of(workload: Workload, contender: Contender) -> dict[str, Any]:
    """The request that asks a workload of a contender."""
    return {"query": workload.query, "variables": variables(workload, contender.ids)}


async def compare_answers(contenders: list[Contender]) -> None:
    """Both have to say the same, or the figures mean nothing."""
    async with aiohttp.ClientSession() as session:
        for workload in WORKLOADS:
            answers = [await ask(session, contender, body_of(workload, contender)) for contender in contenders]
            told = {json.dumps(answer["data"]).replace("+00:00", "Z") for answer in answers}
            errors = [answer["errors"] for answer in answers if "errors" in answer]
            if errors:
                raise SystemExit(f"{workload.name} failed: {json.dumps(errors)[:2_000]}")
            if len(told) > 1:
                raise SystemExit(f"{workload.name}: the answers differ:\n" + "\n".join(text[:2_000] for text in told))


async def measure(contenders: list[Contender]) -> dict[tuple[str, str], list[Round]]:
    """Rounds in turns, so that a machine that slows down slows everyone."""
    found: dict[tuple[str, str], list[Round]] = {}
    for workload in WORKLOADS:
        for contender in contenders:  # the first requests pay for what later ones find ready
            await one_round(contender, body_of(workload, contender), max(workload.requests // 5, 8))
        for _ in range(_ROUNDS):
            for contender in contenders:
                done = await one_round(contender, body_of(workload, contender), workload.requests)
                found.setdefault((workload.name, contender.name), []).append(done)
        print(f"{workload.name} measured", file=sys.stderr)
    return found


async def upstream_calls(contender: Contender) -> int:
    """What our gateway says that a page with its links took."""
    body = {"query": f"query ($ids: [ID!]) {_SOURCES}", "variables": {"ids": [contender.ids["hundred"]]}}
    async with aiohttp.ClientSession() as session:
        answer = await ask(session, contender, body)
    return int(sum(item["upstreamCalls"] for item in answer["data"]["purchaseOrders"]["sources"]))


def print_table(contenders: list[Contender], found: dict[tuple[str, str], list[Round]]) -> None:
    """CPU of the best round, and how many times less ours is."""
    ours, *others = (contender.name for contender in contenders)
    print(f"\n| workload | {ours}, µs | {', µs | '.join(others)}, µs | ratio | median {ours}, ms |")
    print("|---|---|" + "---|" * len(others) + "---|---|")
    for workload in WORKLOADS:
        best = {name: min(item.cpu_us for item in found[workload.name, name]) for name in (ours, *others)}
        median = min(item.median_s for item in found[workload.name, ours]) * 1e3
        figures = " | ".join(f"{best[name]:,.0f}" for name in (ours, *others))
        ratio = best[others[-1]] / best[ours]
        print(f"| {workload.name}: {workload.about} | {figures} | {ratio:.2f} | {median:.1f} |")
    print()
    for contender in contenders:
        print(f"{contender.name}: {memory_mb(contender.process_id):.0f} MB resident")


def main() -> None:
    """Start everything, measure, print."""
    cores = sorted(os.sched_getaffinity(0))
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most_files, 16_384), most_files))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="switchgear-bench-")))
        address = stack.enter_context(source(folder / "source"))
        contenders = [
            stack.enter_context(our_gateway(folder, address)),
            stack.enter_context(stock_server(folder, address)),
        ]
        for contender in contenders:
            pin(contender.process_id, cores[0])
        os.sched_setaffinity(0, {cores[-1]})
        asyncio.run(compare_answers(contenders))
        found = asyncio.run(measure(contenders))
        print_table(contenders, found)
        followed = asyncio.run(follow(contenders[0], ADMIN, address))
        print(
            f"{FOLLOWERS:,} followers, a tenth of them stalled: {followed.kib_each:.0f} KiB each; one event known to "
            f"half after {followed.median_s:.2f} s, to 99 % after {followed.p99_s:.2f} s, to all {followed.told:,} "
            f"that listen after {followed.last_s:.2f} s"
        )
        print(f"100 orders with their vendors: {asyncio.run(upstream_calls(contenders[0]))} upstream calls")


if __name__ == "__main__":
    main()
