"""Deletes events that are old enough, as one piece of work that all processes share, and measures how late work is."""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import timedelta

from gateway.stores.errors import StoreError
from gateway.stores.rows import NewWork, Work
from gateway.stores.sql import Store
from gateway.telemetry.metrics import Metrics
from gateway.watching.absence import Absence
from gateway.watching.watch import Clock, now

_LOGGER = logging.getLogger(__name__)
LANE = "upkeep"
_LEASE = timedelta(minutes=5)
_EVERY = timedelta(hours=1)
_AT_ONCE = 1_000
"""How many events one transaction deletes, so that nobody waits for it for long."""
_EPOCHS_KEPT = 10_000
"""How many changes a process may have missed before it reads everything anew."""
_POLL_SECONDS = 15.0


@dataclass(eq=False)
class Upkeep:
    """Sweeps out events that are older than `retention`."""

    store: Store
    retention: timedelta
    metrics: Metrics
    clock: Clock = now
    _absence: Absence = field(
        default_factory=lambda: Absence(_LOGGER, "nothing can be swept out now", "things can be swept out again")
    )

    async def begin(self) -> None:
        """See that there is the work, once for all processes."""
        async with self.store.database.writing() as transaction:
            await self.store.due.ensure(transaction, NewWork(kind="sweep", key="events", lane=LANE))

    async def run(self) -> None:
        """Work for ever."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                self._absence.met(error)
            else:
                self._absence.over()
            await asyncio.sleep(_POLL_SECONDS)

    async def look(self) -> None:
        """Measure how late work is, and do what of this work is due."""
        self.metrics.late(await self.store.due.lateness())
        for work in await self.store.due.claim(LANE, first=1, lease=_LEASE):
            await self._sweep(work)

    async def _sweep(self, work: Work) -> None:
        """Delete batch after batch while the work is this process's own."""
        older_than = self.clock() - self.retention
        deleted = _AT_ONCE
        while deleted == _AT_ONCE:
            if not await self.store.due.extend(work, _LEASE):
                return
            deleted = await self.store.events.forget(older_than, first=_AT_ONCE)
            self.metrics.swept(deleted)
        await self.store.changes.forget(keep=_EPOCHS_KEPT)
        async with self.store.database.writing() as transaction:
            await self.store.due.postpone(transaction, work, _EVERY)
