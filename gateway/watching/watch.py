"""Keeps how connections are: what calls have come to is thought about apart from requests, and kept with its events."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from connectors.errors import Trouble, Unavailable
from connectors.ports import BreakerState, Call, Observer
from connectors.registry import find_system
from gateway.stores import rows
from gateway.stores.errors import StoreError
from gateway.stores.sql import Store
from gateway.watching import heard
from gateway.watching.absence import Absence
from gateway.watching.vitals import Called, Examined, Failing, Passed, Renewed, Report, Step, Turned, Vitals
from schema.model import ENTITIES, EntityType

_LOGGER = logging.getLogger(__name__)
_TOO_MANY = Unavailable("Too many calls have failed.")
_WAITING = 10_000
"""How many reports may wait while the store does not answer; then the oldest are given up."""
_ATTEMPTS = 20
_EVENTS_AT_ONCE = 500
_PATIENCE_SECONDS = 1.0
_CALLS_IN_ALL, _FEWEST_CALLS = 500_000, 10
"""How many calls are remembered in all, each in half a kilobyte, and how many of each connection in any case."""
NOTE_SECONDS = 30.0
"""How often it is written down when calls last went well and badly."""

Clock = Callable[[], datetime]
"""The time of day, in UTC."""
TellCall = Callable[[str, str, Callable[[], Any]], None]
"""Has other processes told of a call: the customer's id, the connection's id, and what writes the call as JSON."""


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


def _keep_quiet(customer_id: str, connection_id: str, words: Callable[[], Any]) -> None:
    """There is nobody to tell."""


async def _leave_alone(connection_id: str) -> None:
    """Nothing hurries; the trouble may be met again by itself."""


class Watch:
    """What this process knows of connections' health, by their ids.

    Changes are kept by compare-and-set: of several processes that see the same outage one is the first, and the
    others go on from what it has kept. `on_doubt` is called with the id of a connection whose trouble has to be met
    again before it counts, and `on_change` whenever there are new events. `tell_call` has other processes told of each
    call, with the customer, the connection and what gives the words for it, which they take in by `overhear`.
    """

    def __init__(self, store: Store, clock: Clock = now) -> None:
        self.clock = clock
        self.vitals: dict[str, Vitals] = {}
        self.on_doubt: Callable[[str], Awaitable[None]] = _leave_alone
        self.on_change: Callable[[], None] = lambda: None
        self.tell_call: TellCall = _keep_quiet
        self._store = store
        self._position: int | None = None
        self._waiting: deque[tuple[Vitals, int, Report]] = deque(maxlen=_WAITING)
        self._news = asyncio.Event()
        self._thinking = asyncio.Lock()
        self._absence = Absence(
            _LOGGER, "how connections are cannot be kept now", "how connections are can be kept again"
        )

    async def begin(self) -> None:
        """Know the events so far, so that only later ones have to be looked at."""
        self._position = (await self._store.events.range()).latest

    def follow(self, row: rows.Connection, state: rows.State, *, is_new: bool) -> Vitals:
        """The vitals of a connection in use; `is_new` says that its credentials or settings are."""
        known = self.vitals.get(row.id)
        if known is None:
            known = self.vitals[row.id] = vitals_of(row, state)
        known.adopt(state)
        if is_new:
            known.renew()
        return known

    def forget(self, connection_ids: Iterable[str]) -> None:
        """Forget what is no longer in use."""
        for connection_id in connection_ids:
            self.vitals.pop(connection_id, None)

    def observer(self, vitals: Vitals) -> Observer:
        """What hears of a connection's calls and of its breaker."""
        return _BreakerListener(self, vitals)

    def tester(self, vitals: Vitals) -> Observer:
        """What hears of the calls of a test, whose breaker is not the connection's."""
        return _Listener(self, vitals)

    def overhear(self, connection_id: str, words: Any) -> None:
        """Take in what another process has said of a call; words of another version are left out of account."""
        vitals = self.vitals.get(connection_id)
        if vitals is None:
            return
        try:
            vitals.overhear(heard.read(words))
        except ValueError:
            return

    def followed(self) -> Iterable[tuple[str, str]]:
        """The customer and the id of every connection in use."""
        return [(vitals.state.customer_id, key) for key, vitals in self.vitals.items()]

    def let_try(self, connection_id: str) -> None:
        """Let the next call through, because a system that was left alone has been found well."""
        vitals = self.vitals.get(connection_id)
        if vitals is not None and vitals.breaker is not None:
            vitals.breaker.hear_closed()

    def report(self, vitals: Vitals, generation: int, report: Report) -> None:
        """Take in what there is to think about; it is thought about soon, if it is still of the present generation."""
        self._waiting.append((vitals, generation, report))
        self._news.set()

    def renewed(self, vitals: Vitals, generation: int, trouble: Trouble | None) -> None:
        """Take in what the renewal of a login has come to; None where it went well."""
        self.report(vitals, generation, Renewed(trouble, self.clock()))

    def examined(self, vitals: Vitals, generation: int) -> None:
        """Take in that a test has found nothing wrong."""
        self.report(vitals, generation, Examined(self.clock()))

    async def run(self) -> None:
        """Think for ever; what cannot be kept now is kept later."""
        while True:
            await self._news.wait()
            try:
                await self.settle()
                self._absence.over()
            except StoreError as error:
                self._absence.met(error)
                await asyncio.sleep(_PATIENCE_SECONDS)

    async def settle(self) -> None:
        """Think about everything that has been reported."""
        async with self._thinking:
            self._news.clear()
            while self._waiting:
                vitals, generation, report = self._waiting[0]
                try:
                    if generation == vitals.generation:
                        await self._think(vitals, report)
                except StoreError:
                    self._news.set()
                    raise
                except Exception:
                    _LOGGER.exception("what a call has come to could not be thought about")
                if self._waiting and self._waiting[0][-1] is report:
                    self._waiting.popleft()

    async def _think(self, vitals: Vitals, report: Report) -> None:
        was_doubtful = vitals.machine.is_doubtful
        for _ in range(_ATTEMPTS):
            step = vitals.step(report)
            if step is None:
                break
            if await self._keep(vitals, step):
                break
            current = await self._store.states.read(vitals.state.connection_id)
            if current is None:
                break
            vitals.adopt(current)
        if vitals.machine.is_doubtful and not was_doubtful:
            await self.on_doubt(vitals.state.connection_id)

    async def _keep(self, vitals: Vitals, step: Step) -> bool:
        """Keep a change with its events, unless another process was the first."""
        previous = vitals.state.standing
        async with self._store.database.writing() as transaction:
            kept = await self._store.states.change(transaction, step.state)
            if kept is None:
                return False
            for event, data in step.events:
                told = rows.NewEvent(
                    type=event.name,
                    occurred_at=step.state.updated_at,
                    customer_id=kept.customer_id,
                    connection_id=kept.connection_id,
                    system=kept.system,
                    previous=previous,
                    current=kept.standing,
                    reason=kept.reason,
                    data=data,
                )
                await self._store.events.append(transaction, told)
        vitals.adopt(kept)
        if step.events:
            self.on_change()
        for event, _ in step.events:
            _LOGGER.info("a connection has changed: %s", event.name, extra={"connection_id": kept.connection_id})
        return True

    async def catch_up(self) -> None:
        """Adopt what other processes have kept."""
        if self._position is None:
            await self.begin()
        while True:
            found = await self._store.events.after(self._position or 0, first=_EVENTS_AT_ONCE)
            if not found:
                return
            concerned = {event.connection_id for event in found if event.connection_id in self.vitals}
            if concerned:
                self.adopt(await self._store.states.all([item for item in concerned if item is not None]))
            self._position = found[-1].number

    def adopt(self, states: Mapping[str, rows.State]) -> None:
        """Go on from states that were read."""
        for connection_id, state in states.items():
            if connection_id in self.vitals:
                self.vitals[connection_id].adopt(state)

    def pass_time(self) -> None:
        """End what only lasts until a moment, and forget calls where there are more connections than room for them."""
        moment, room = self.clock(), max(_FEWEST_CALLS, _CALLS_IN_ALL // max(1, len(self.vitals)))
        for vitals in self.vitals.values():
            vitals.keep_calls(room)
            if vitals.is_limited and vitals.machine.is_over(moment):
                self.report(vitals, vitals.generation, Passed(moment))

    def look_ahead(self, vitals: Vitals) -> None:
        """Tell, if it is time, that a connection's credentials expire."""
        moment = self.clock()
        if vitals.is_to_forecast(moment):
            self.report(vitals, vitals.generation, Passed(moment))

    async def note(self) -> None:
        """Write down when calls last went well and badly."""
        for vitals in list(self.vitals.values()):
            if not vitals.is_noted:
                vitals.is_noted = True
                try:
                    await self._store.states.note(
                        vitals.state.connection_id, vitals.last_success_at, vitals.last_failure_at
                    )
                except StoreError:
                    vitals.is_noted = False
                    raise


class _Listener(Observer):
    """Hears the calls of one connection with its present credentials and settings."""

    def __init__(self, watch: Watch, vitals: Vitals) -> None:
        self._watch = watch
        self._vitals = vitals
        self._generation = vitals.generation

    def called(self, call: Call) -> None:
        """Think about what the call has come to."""
        vitals, moment, entity = self._vitals, self._watch.clock(), _entity_type(call.entity)
        told = vitals.hear(call, entity, moment)
        if told is None:
            return
        self._watch.tell_call(vitals.state.customer_id, vitals.state.connection_id, partial(heard.written, told))
        if not told.is_hurried:
            self._report(Called(entity, call.trouble, moment))

    def _report(self, report: Report) -> None:
        self._watch.report(self._vitals, self._generation, report)


class _BreakerListener(_Listener):
    """Hears how the breaker is too; only its changes are reported, since other processes have breakers of their own."""

    def __init__(self, watch: Watch, vitals: Vitals) -> None:
        super().__init__(watch, vitals)
        self._breaker = BreakerState.CLOSED

    def called(self, call: Call) -> None:
        """A call that went well says that calls go through, also where an earlier process has kept otherwise."""
        super().called(call)
        is_kept = self._vitals.state.circuit == BreakerState.CLOSED.name
        if call.outcome == "ok" and self._breaker is BreakerState.CLOSED and not is_kept:
            self._report(Turned(self._breaker, self._watch.clock()))

    def broke(self, state: BreakerState) -> None:
        """Think about calls that are held back, or go through again."""
        if state is self._breaker:
            return
        self._breaker = state
        moment = self._watch.clock()
        self._report(Turned(state, moment))
        if state is BreakerState.OPEN:
            self._report(Failing(self._vitals.trouble or _TOO_MANY, moment))


def vitals_of(row: rows.Connection, state: rows.State) -> Vitals:
    """The vitals of a connection before any of its calls was heard."""
    system = find_system(row.system)
    models = () if system is None else (resource.model for resource in system.resources)
    return Vitals(state, frozenset(model.type for model in models))


def _entity_type(name: str) -> EntityType | None:
    return next((entity.type for entity in ENTITIES.values() if entity.name == name), None)
