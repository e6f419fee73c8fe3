"""Asks every connection in use now and then how it is, also when nobody else does."""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from connectors.errors import Trouble
from connectors.protection.limits import Priority
from connectors.query import OrderBy, Read
from connectors.spec import Resource
from connectors.tally import Tally
from gateway.directory import Directory
from gateway.outgoing.renewal import Terms
from gateway.stores import rows
from gateway.stores.errors import StoreError
from gateway.stores.rows import NewWork, Work
from gateway.watching.absence import Absence
from gateway.watching.health import Patience
from gateway.watching.vitals import Vitals
from gateway.watching.watch import Watch
from resolvers.ports import LiveSource
from schema.health import ConnectionHealth

_LOGGER = logging.getLogger(__name__)
PROBE, LANE = "probe", "probes"
PROBE_SECONDS = 15.0
"""How long a system may take to answer a probe."""
_LEASE = timedelta(seconds=60)
_AT_ONCE = 256
"""How many probes one process has under way; a system that hangs holds its place for as long as it may take."""
_BATCH = 64
"""How many are claimed, or given back, in one transaction."""
_POLL_SECONDS = 1.0
_DRAIN_SECONDS = 5.0
_AFRESH = timedelta(minutes=10)
"""How often a system is asked that refuses the credentials: some lock a user who is refused too often."""
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=10)
_HELD_BACK = (ConnectionHealth.DEGRADED, ConnectionHealth.UNREACHABLE)
_NEEDS_SOMEONE = (ConnectionHealth.REAUTHORIZATION_REQUIRED, ConnectionHealth.MISCONFIGURED)
_PATIENCE, _TERMS = Patience(), Terms()


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
        if machine.health.is_refresh_failing:
            return _TERMS.rest
        if vitals.failures:
            return _FIRST_WAIT * (0.9 + 0.2 * self.chance())
        return self.usual()


def is_out_of_order(vitals: Vitals) -> bool:
    """Whether probes of a connection come ever more rarely."""
    return vitals.health in _HELD_BACK


Heard = Callable[[str, timedelta], None]
"""Takes the outcome of a probe in one word, and how late the probe was."""


@dataclass(frozen=True)
class _Done:
    """A piece of work that was carried out, and when it comes again."""

    work: Work
    delay: timedelta
    is_retry: bool
    payload: Any


@dataclass(eq=False)
class Prober:
    """Carries out the probes that are due, in batches under a lease, so that several workers share them."""

    directory: Directory
    watch: Watch
    pace: Pace = field(default_factory=Pace)
    heard: Heard = lambda outcome, lateness: None
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _has_room: asyncio.Event = field(default_factory=asyncio.Event)
    _done: list[_Done] = field(default_factory=list)
    _giving_back: asyncio.Lock = field(default_factory=asyncio.Lock)
    _absence: Absence = field(
        default_factory=lambda: Absence(_LOGGER, "no probes can be taken now", "probes can be taken again")
    )

    async def begin(self) -> None:
        """See that every connection in use has its probes; connections of earlier versions have none."""
        store = self.directory.store
        works = [probe_of(str(live.connection.id), self.pace.first()) for live in self.directory.lives()]
        for start in range(0, len(works), _BATCH):
            async with store.database.writing() as transaction:
                await store.due.ensure(transaction, *works[start : start + _BATCH])

    async def run(self) -> None:
        """Work for ever."""
        while True:
            await self._room()
            if not await self.look():
                await asyncio.sleep(_POLL_SECONDS)

    async def _room(self) -> None:
        """Wait until a whole batch can be begun."""
        while _AT_ONCE - len(self._running) < _BATCH:
            self._has_room.clear()
            await self._has_room.wait()

    async def look(self) -> bool:
        """Begin what is due, if the database answers; whether there may be more at once."""
        try:
            taken = await self.take()
        except StoreError as error:
            self._absence.met(error)
            return False
        self._absence.over()
        return taken == _BATCH

    async def take(self) -> int:
        """Begin what is due; how much there was."""
        free = min(_BATCH, _AT_ONCE - len(self._running))
        works = await self.directory.store.due.claim(LANE, first=free, lease=_LEASE) if free else []
        for work in works:
            task = asyncio.create_task(self._work(work))
            self._running.add(task)
            task.add_done_callback(self._leave)
        return len(works)

    def _leave(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if _AT_ONCE - len(self._running) >= _BATCH:
            self._has_room.set()

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
            self._absence.met(error)  # its lease ends, and somebody takes it again
        except Exception:
            _LOGGER.exception("a probe has failed", extra={"connection_id": work.key})

    async def _probe(self, work: Work) -> None:
        live, vitals = self.directory.live(work.key), self.watch.vitals.get(work.key)
        delay, is_retry, done = self.pace.usual(), False, int((work.payload or {}).get("done", 0))
        if live is not None and vitals is not None and vitals.state.lifecycle == rows.ENABLED:
            self.heard(await self._ask(live, done), self.watch.clock() - work.due_at)
            self.watch.look_ahead(vitals)
            await self.watch.settle()
            delay, is_retry = self.pace.after(vitals, work.attempts), is_out_of_order(vitals)
            if vitals.is_limited and vitals.limited_until is not None:
                delay = max(delay, vitals.limited_until - self.watch.clock())
        await self._give_back(_Done(work, delay, is_retry, {"done": done + 1}))

    async def _give_back(self, done: _Done) -> None:
        """Give a piece of work back, together with all that wait for the same."""
        store = self.directory.store
        self._done.append(done)
        async with self._giving_back:
            batch, self._done = self._done[:_BATCH], self._done[_BATCH:]
            if batch:
                async with store.database.writing() as transaction:
                    for each in sorted(batch, key=lambda item: item.work.key):
                        await store.due.postpone(
                            transaction, each.work, each.delay, is_retry=each.is_retry, payload=each.payload
                        )

    async def _ask(self, live: LiveSource, done: int) -> str:
        """Read one row of one kind of record, of another one each time; what it has come to is heard by the watch."""
        vitals = self.watch.vitals[str(live.connection.id)]
        if vitals.is_limited or live.source.guard.breaker.wait > 0:
            return "spared"
        resources = live.source.system.resources
        resource = resources[done % len(resources)]
        tally = Tally(entity=resource.model.name, priority=Priority.BACKGROUND)
        deadline = asyncio.get_running_loop().time() + PROBE_SECONDS
        with suppress(Trouble):
            await live.source.probe(smallest_read(resource), tally, deadline)
            return "good"
        return "bad"
