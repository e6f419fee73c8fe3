"""Asks every connection in use now and then how it is, also when nobody else does."""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from connectors.errors import Trouble
from connectors.protection.limits import Priority
from connectors.query import OrderBy, Read
from connectors.spec import Resource
from connectors.tally import Tally
from gateway.directory import Directory
from gateway.health import Patience
from gateway.stores import rows
from gateway.stores.errors import StoreError
from gateway.stores.rows import NewWork, Work
from gateway.vitals import Vitals
from gateway.watch import Watch
from resolvers.ports import LiveSource
from schema.health import ConnectionHealth

_LOGGER = logging.getLogger(__name__)
PROBE, LANE = "probe", "probes"
PROBE_SECONDS = 15.0
"""How long a system may take to answer a probe."""
_LEASE = timedelta(seconds=60)
_AT_ONCE = 32
_POLL_SECONDS = 1.0
_DRAIN_SECONDS = 5.0
_AFRESH = timedelta(minutes=10)
"""How often a system is asked that refuses the credentials: some lock a user who is refused too often."""
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=10)
_HELD_BACK = (ConnectionHealth.DEGRADED, ConnectionHealth.UNREACHABLE)
_NEEDS_SOMEONE = (ConnectionHealth.REAUTHORIZATION_REQUIRED, ConnectionHealth.MISCONFIGURED)
_PATIENCE = Patience()


def probe_of(connection_id: str, delay: timedelta) -> NewWork:
    """The probes of a connection, as work that is due after a while."""
    return NewWork(kind=PROBE, key=connection_id, lane=LANE, delay=delay)


def smallest_read(resource: Resource) -> Read:
    """One row of a collection, with nothing but its key."""
    return Read(resource.source, frozenset({resource.key}), resource.where, (OrderBy(resource.key),), 1)


@dataclass(frozen=True)
class Pace:
    """How often connections are asked; `chance` draws a number from 0 to 1."""

    interval: timedelta = timedelta(seconds=60)
    chance: Callable[[], float] = random.random

    def first(self) -> timedelta:
        """When a connection is first asked, so that not all are asked at once."""
        return self.interval * self.chance()

    def usual(self) -> timedelta:
        """When a connection is asked again that is well: after the interval, a tenth more or less."""
        return self.interval * (0.9 + 0.2 * self.chance())

    def after(self, vitals: Vitals, attempts: int) -> timedelta:
        """When to ask again; `attempts` counts the probes in a row that found the system out of order."""
        machine, health = vitals.machine, vitals.health
        if vitals.breaker is not None and vitals.breaker.wait > 0:
            return timedelta(seconds=vitals.breaker.wait)
        if machine.is_doubtful:
            return _PATIENCE.confirm
        if machine.is_recovering:
            return _PATIENCE.recovery
        if health in _NEEDS_SOMEONE:
            return _AFRESH * (0.9 + 0.2 * self.chance())
        if health in _HELD_BACK:
            most: timedelta = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(attempts, 10))
            return max(timedelta(seconds=1), most * self.chance())
        if vitals.failures:
            return _FIRST_WAIT * (0.9 + 0.2 * self.chance())
        return self.usual()


def is_out_of_order(vitals: Vitals) -> bool:
    """Whether probes of a connection come ever more rarely."""
    return vitals.health in _HELD_BACK


Heard = Callable[[str, timedelta], None]
"""Takes the outcome of a probe in one word, and how late the probe was."""


@dataclass(eq=False)
class Prober:
    """Carries out the probes that are due, in batches under a lease, so that several workers share them."""

    directory: Directory
    watch: Watch
    pace: Pace = field(default_factory=Pace)
    heard: Heard = lambda outcome, lateness: None
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    async def begin(self) -> None:
        """See that every connection in use has its probes; connections of earlier versions have none."""
        store = self.directory.store
        async with store.database.writing() as transaction:
            for live in self.directory.lives():
                await store.due.ensure(transaction, probe_of(str(live.connection.id), self.pace.first()))

    async def run(self) -> None:
        """Work for ever."""
        while True:
            is_full = False
            try:
                is_full = await self.take() == _AT_ONCE
            except StoreError as error:
                _LOGGER.error("no work can be taken now: %s", error)
            if not is_full:
                await asyncio.sleep(_POLL_SECONDS)

    async def take(self) -> int:
        """Begin what is due; how much there was."""
        free = _AT_ONCE - len(self._running)
        works = await self.directory.store.due.claim(LANE, first=free, lease=_LEASE) if free else []
        for work in works:
            task = asyncio.create_task(self._work(work))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return len(works)

    async def drain(self) -> None:
        """Let what has begun come to its end, for a while."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=_DRAIN_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _work(self, work: Work) -> None:
        try:
            await self._probe(work)
        except StoreError as error:
            _LOGGER.error("a probe could not be finished: %s", error, extra={"connection_id": work.key})
        except Exception:
            _LOGGER.exception("a probe has failed", extra={"connection_id": work.key})

    async def _probe(self, work: Work) -> None:
        live, vitals = self.directory.live(work.key), self.watch.vitals.get(work.key)
        delay, is_retry, done = self.pace.usual(), False, int((work.payload or {}).get("done", 0))
        if live is not None and vitals is not None and vitals.state.lifecycle == rows.ENABLED:
            self.heard(await self._ask(live, done), self.watch.clock() - work.due_at)
            await self.watch.settle()
            delay, is_retry = self.pace.after(vitals, work.attempts), is_out_of_order(vitals)
            if vitals.is_limited and vitals.limited_until is not None:
                delay = max(delay, vitals.limited_until - self.watch.clock())
        payload: Any = {"done": done + 1}
        store = self.directory.store
        async with store.database.writing() as transaction:
            await store.due.postpone(transaction, work, delay, is_retry=is_retry, payload=payload)

    async def _ask(self, live: LiveSource, done: int) -> str:
        """Read one row of one kind of record, of another one each time; what it has come to is heard by the watch."""
        vitals = self.watch.vitals[str(live.connection.id)]
        if vitals.is_limited or live.source.guard.breaker.wait > 0:
            return "spared"
        resources = live.source.system.resources
        resource = resources[done % len(resources)]
        source = replace(live.source, held=lambda: None)
        tally = Tally(entity=resource.model.name, priority=Priority.BACKGROUND)
        deadline = asyncio.get_running_loop().time() + PROBE_SECONDS
        with suppress(Trouble):
            await source.fetch(smallest_read(resource), tally, deadline)
            return "good"
        return "bad"
