"""`python -m tests.bench.crowd`: 50,000 connections, in one process: what a change costs, and how many probes a second.

Systems answer at once, so that what is measured is this product and its database. Compare figures of one run.
"""

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert

from connectors.protection.protections import Protections
from connectors.registry import find_system
from gateway.directory import Directory
from gateway.keys.keyring import Keyring
from gateway.outgoing.egress import Egress
from gateway.stores.rows import SYSTEM, State
from gateway.stores.sql import Store
from gateway.stores.tables import connection_states, connections, credentials, customers, due
from gateway.watching.probing import LANE, PROBE, Pace, Prober
from gateway.watching.vitals import Vitals
from tests.bench.measuring import memory_mb
from tests.gateway.stores.samples import NOON, connection_of
from tests.servers.postgresql import stoppable_postgresql

CONNECTIONS = 50_000
_OF_ONE_CUSTOMER = 5
_AT_ONCE = 1_000
_PROBES = 10_000
_TICK = 0.005


async def fill(store: Store, keyring: Keyring) -> None:
    """Put in customers with five connections each, and a probe that is due for every connection."""
    rows: dict[Table, list[dict[str, Any]]] = {}
    for number in range(CONNECTIONS):
        customer, key = f"cus_{number // _OF_ONE_CUSTOMER:020}", f"con_{number:020}"
        if number % _OF_ONE_CUSTOMER == 0:
            made = {"id": customer, "name": f"Plant {number}", "created_at": NOON}
            rows.setdefault(customers, []).append(made)
        rows.setdefault(connections, []).append(_connection(key, customer, number))
        answers = f'{{"url": "https://sap-{number}.example.com", "username": "u", "password": "p"}}'.encode()
        sealed = keyring.seal(answers, tenant=customer, row=key)
        rows.setdefault(credentials, []).append({"connection_id": key, "sealed": sealed})
        rows.setdefault(connection_states, []).append(_state(key))
        rows.setdefault(due, []).append(_probe(key))
    for table, values in rows.items():
        for start in range(0, len(values), _AT_ONCE):
            async with store.database.writing() as transaction:
                await transaction.execute(insert(table), values[start : start + _AT_ONCE])


def _connection(key: str, customer: str, number: int) -> dict[str, Any]:
    from gateway.stores.mapping import values_of
    from gateway.stores.rows import Customer

    row = connection_of(Customer(id=customer, name="", created_at=NOON), id=key, name=f"ERP {number}", settings={})
    return values_of(row)


def _state(key: str) -> dict[str, Any]:
    state = State(
        connection_id=key, customer_id="", system="", lifecycle="", version=1, sequence=2, health="OK", updated_at=NOON
    )
    return {column.name: getattr(state, column.name) for column in connection_states.c}


def _probe(key: str) -> dict[str, Any]:
    return {"kind": PROBE, "key": key, "lane": LANE, "due_at": NOON, "generation": 1, "attempts": 0}


@contextlib.asynccontextmanager
async def ticking() -> AsyncIterator[Callable[[], float]]:
    """The longest that the event loop was not free, in seconds."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_TICK)
            longest = max(longest, time.perf_counter() - began - _TICK)

    task = asyncio.create_task(tick())
    await asyncio.sleep(_TICK * 2)
    try:
        yield lambda: longest
    finally:
        task.cancel()


async def measure_changes(store: Store, keyring: Keyring, kind: str) -> None:
    """Read everything for the first time, and again after one connection was changed."""
    egress = Egress("cloud")
    directory = Directory(store, keyring, egress, Protections(), max_answer_bytes=1_000_000)
    before = memory_mb(_process())
    for what in ("first reading", "one of them changed", "another one changed"):
        await store.lifecycle.update(f"con_{len(what):020}", partial(replace, name=what), customer_id=None, by=SYSTEM)
        async with ticking() as longest:
            began = time.perf_counter()
            await directory.refresh()
            took = time.perf_counter() - began
            await asyncio.sleep(_TICK * 3)
            print(f"{kind}: {what}: {took:.2f} s, the loop was held for {longest() * 1e3:,.0f} ms at most")
    print(f"{kind}: {(memory_mb(_process()) - before) / CONNECTIONS * 1e3:,.1f} kB for each connection")
    await directory.close()
    egress.close()


@dataclass
class _Answering:
    """A source whose system answers at once."""

    system: Any
    held: Any = None
    guard: Any = None

    async def probe(self, *_: Any) -> None:
        await asyncio.sleep(0)

    fetch = probe


@dataclass
class _Everyone:
    """A directory, and vitals, in which every connection is the same well one."""

    store: Store
    live_source: Any
    vitals_of_all: Vitals
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def live(self, key: str) -> Any:
        return self.live_source

    @property
    def vitals(self) -> Any:
        return self

    def get(self, key: str) -> Vitals:
        return self.vitals_of_all

    __getitem__ = get

    async def settle(self) -> None:
        return None


@dataclass
class _Named:
    id: str = "con"


@dataclass
class _Breaker:
    wait: float = 0.0


@dataclass
class _Guard:
    breaker: _Breaker = field(default_factory=_Breaker)


@dataclass
class _Live:
    source: _Answering
    connection: _Named = field(default_factory=_Named)


async def measure_probes(store: Store, kind: str) -> None:
    """Let one prober work until so many probes are done."""
    state = State(
        connection_id="con",
        customer_id="cus",
        system="sap_s4hana",
        lifecycle="ENABLED",
        version=0,
        sequence=0,
        health="OK",
        updated_at=NOON,
    )
    everyone: Any = _Everyone(
        store, _Live(_Answering(find_system("sap_s4hana"), guard=_Guard())), Vitals(state, frozenset())
    )
    done = 0

    def heard(outcome: str, lateness: timedelta) -> None:
        nonlocal done
        done += outcome == "good"

    prober = Prober(everyone, everyone, Pace(), heard)
    began = time.perf_counter()
    working = asyncio.create_task(prober.run())
    while done < _PROBES and time.perf_counter() - began < 60:  # noqa: ASYNC110 - what is waited for counts by itself
        await asyncio.sleep(0.05)
    took = time.perf_counter() - began
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await prober.drain()
    print(f"{kind}: {done:,} probes in {took:.1f} s: {done / took:,.0f} a second")


def _process() -> int:
    import os

    return os.getpid()


@contextlib.contextmanager
def urls(folder: Path) -> Iterator[dict[str, str]]:
    """A database of each kind."""
    with stoppable_postgresql(folder) as postgresql:
        yield {"SQLite": f"sqlite:///{folder / 'crowd.db'}", "PostgreSQL": postgresql.url}


async def run(kinds: dict[str, str], parts: list[str]) -> None:
    """Fill and measure one database after the other."""
    for kind, url in kinds.items():
        store, keyring = await Store.open(url), Keyring.generate()
        await fill(store, keyring)
        if "probes" in parts:
            await measure_probes(store, kind)
        if "changes" in parts:
            await measure_changes(store, keyring, kind)
        await store.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="switchgear-crowd-") as folder, urls(Path(folder)) as kinds:
        asyncio.run(run(kinds, sys.argv[1:] or ["probes", "changes"]))
