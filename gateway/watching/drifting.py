"""Compares now and then what systems say of the fields that are read of them with what they said before."""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import version
from typing import Any

from connectors.errors import Reauthorize, Trouble
from connectors.fingerprint import Drift, Fingerprint, Surveyor, drift_of
from connectors.protection.limits import Priority
from connectors.readings import Reading, readings_of
from connectors.spec import System
from connectors.tally import Tally
from gateway.directory import Directory
from gateway.stores import rows
from gateway.stores.database import Transaction
from gateway.stores.errors import StoreError
from gateway.stores.rows import NewEvent, NewWork, Work
from gateway.watching.absence import Absence
from gateway.watching.probing import probe_of
from gateway.watching.watch import Watch
from resolvers.ports import LiveSource
from schema.events import EventType
from schema.health import ConnectionHealth

_LOGGER = logging.getLogger(__name__)
SURVEY, LANE = "survey", "surveys"
SOON = timedelta(minutes=1)
"""When a system is asked that was just connected, or has new credentials or settings."""
INTERVAL = timedelta(hours=6)
_LATER = timedelta(minutes=10)
"""When a system is asked again that could not be asked now."""
_ANSWER_SECONDS = 15.0
_LEASE = timedelta(seconds=60)
_AT_ONCE = 8
_BATCH = 64
"""How many rows one transaction writes."""
_POLL_SECONDS = 5.0
_MOST = 50
"""How many names of each sort an event lists."""
_TAKING = f"{version('switchgear')} 1"
"""How fingerprints are taken; those that were taken in another way are not compared."""


def survey_of(connection_id: str, delay: timedelta = SOON) -> NewWork:
    """The surveys of a connection's system, as work that is due after a while."""
    return NewWork(kind=SURVEY, key=connection_id, lane=LANE, delay=delay)


def work_of(connection_id: str, delay: timedelta) -> list[NewWork]:
    """Everything that is done for a connection in use again and again; its first probe comes after `delay`."""
    return [probe_of(connection_id, delay), survey_of(connection_id)]


@dataclass
class _Survey:
    """What a system has said, and how that differs; `is_whole` if there is nothing left to ask."""

    found: dict[str, Fingerprint] = field(default_factory=dict)
    drifts: list[Drift] = field(default_factory=list)
    is_whole: bool = True


@dataclass(frozen=True)
class Surveys:
    """Carries out the surveys that are due, a few at a time under a lease; `chance` draws a number from 0 to 1."""

    directory: Directory
    watch: Watch
    chance: Callable[[], float] = random.random
    _absence: Absence = field(
        default_factory=lambda: Absence(_LOGGER, "no surveys can be taken now", "surveys can be taken again")
    )

    async def begin(self) -> None:
        """See that every connection in use is surveyed; those of earlier versions are not yet, and come by and by."""
        store = self.directory.store
        works = [survey_of(str(live.connection.id), INTERVAL * self.chance()) for live in self.directory.lives()]
        for start in range(0, len(works), _BATCH):
            async with store.database.writing() as transaction:
                await store.due.ensure(transaction, *works[start : start + _BATCH])

    async def run(self) -> None:
        """Work for ever; whatever is broken off is done again when its lease has ended."""
        while True:
            taken = 0
            try:
                taken = await self.take()
            except StoreError as error:
                self._absence.met(error)
            else:
                self._absence.over()
            if not taken:
                await asyncio.sleep(_POLL_SECONDS)

    async def take(self, lane: str = LANE) -> int:
        """Carry out some of what is due; how much there was."""
        works = await self.directory.store.due.claim(lane, first=_AT_ONCE, lease=_LEASE)
        outcomes = await asyncio.gather(*map(self._carry_out, works), return_exceptions=True)
        for work, found in zip(works, outcomes, strict=True):
            if isinstance(found, Exception):
                _LOGGER.error("a survey has failed", exc_info=found, extra={"connection_id": work.key})
        return len(works)

    async def _carry_out(self, work: Work) -> None:
        """Ask a system, keep what it says, and tell of what differs."""
        store, survey, schema = self.directory.store, _Survey(is_whole=False), None
        live, vitals = self.directory.live(work.key), self.watch.vitals.get(work.key)
        if live is not None and vitals is not None and vitals.health is ConnectionHealth.OK:
            revision = _revision(live.source.system)
            before = await store.schemas.read(work.key)
            known = before.fingerprints if before is not None and before.revision == revision else {}
            readings = {reading.name: reading for reading in readings_of(live.source.effective)}
            kept = {name: kinds for name, kinds in known.items() if name in readings}
            survey = await self._ask(live, readings.values(), known, work)
            schema = rows.Schema(
                connection_id=work.key,
                revision=revision,
                fingerprints={**kept, **survey.found},
                seen_at=self.watch.clock(),
            )
        delay = INTERVAL * (0.9 + 0.2 * self.chance()) if survey.is_whole else _LATER
        async with store.database.writing() as transaction:
            if not await store.due.postpone(transaction, work, delay):
                return
            if schema is not None:
                await store.schemas.keep(transaction, schema)
            await self._tell(transaction, work.key, survey.drifts)
        if survey.drifts:
            self.watch.on_change()

    async def _ask(
        self, live: LiveSource, readings: Iterable[Reading], known: Mapping[str, Fingerprint], work: Work
    ) -> _Survey:
        """Take the fingerprint of one reading after the other, until the system is found to be in trouble."""
        survey = _Survey()
        surveyor = Surveyor(live.source, Tally(priority=Priority.BACKGROUND))
        for reading in readings:
            try:
                found = await surveyor.survey(reading, asyncio.get_running_loop().time() + _ANSWER_SECONDS)
            except Reauthorize:
                break  # some systems lock a user who is refused too often
            except Trouble:
                survey.is_whole = False
                break
            before = {path: kind for path, kind in known.get(reading.name, {}).items() if path in reading.fields}
            survey.found[reading.name] = {**before, **found}
            drift = drift_of(reading, before, found)
            survey.drifts += [] if drift is None else [drift]
            if not await self.directory.store.due.extend(work, _LEASE):
                break
        return survey

    async def _tell(self, transaction: Transaction, connection_id: str, drifts: Sequence[Drift]) -> None:
        """Keep an event for each reading that differs; how the connection is does not change by it."""
        for drift in drifts:
            state = await self.directory.store.states.lock(transaction, connection_id)
            told = NewEvent(
                type=EventType.CONNECTION_SCHEMA_DRIFTED.name,
                occurred_at=self.watch.clock(),
                customer_id=state.customer_id,
                connection_id=connection_id,
                system=state.system,
                previous=state.standing,
                current=state.standing,
                data=_data(drift),
            )
            await self.directory.store.events.append(transaction, told)
            _LOGGER.info("a system describes itself differently", extra={"connection_id": connection_id})


def _revision(system: System) -> str:
    """A word that changes with everything of ours that decides what a fingerprint is."""
    return f"{_TAKING} {system.key} {system.revision}".strip()


def _data(drift: Drift) -> dict[str, Any]:
    """What an event tells: the paths as the system calls them, and what clients see of them."""
    entity, lists = drift.reading.entity, (drift.added, drift.removed, drift.changed, drift.affected)
    changed = [{"field": item.path, "from": item.before, "to": item.after} for item in drift.changed[:_MOST]]
    data: dict[str, Any] = {
        "entity": entity.name if entity is not None else None,
        "source": drift.reading.source,
        "added": list(drift.added[:_MOST]),
        "removed": list(drift.removed[:_MOST]),
        "changed": changed,
        "affected": list(drift.affected[:_MOST]),
    }
    if drift.reading.object is not None:
        data["customObject"] = drift.reading.object
    left_out = sum(max(0, len(names) - _MOST) for names in lists)
    return data | {"leftOut": left_out} if left_out else data
