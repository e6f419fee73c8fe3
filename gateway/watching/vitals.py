"""What one process knows of a connection: its kept state, and how its calls have gone lately."""

import secrets
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import quantiles
from typing import Any

from connectors.errors import BadAnswer, RateLimited, Reauthorize, RefreshFailed, TimedOut, Trouble, Unavailable
from connectors.ports import BreakerState, Call
from connectors.protection.breaker import Breaker
from gateway.connecting.expiry import notice
from gateway.logging import request_id
from gateway.stores import rows
from gateway.watching.health import Change, Health, HealthMachine, Reason
from gateway.watching.heard import HeardCall, heard
from schema.events import EventType
from schema.health import REMEDIES, ConnectionHealth, CredentialStatus, EntityHealthStatus, StatusReasonCode
from schema.model import EntityType

CALLS_KEPT = 100
FAILURES_IN_A_ROW = 5
"""So many, and a kind of record fares badly; when a system does is for its breaker to say."""
LATELY = timedelta(minutes=15)
_FAILURES = (Unavailable, TimedOut, BadAnswer)
_FAILURE_CODES = ("UPSTREAM_UNREACHABLE", "UPSTREAM_ERROR", "UPSTREAM_TIMEOUT", "UPSTREAM_BAD_RESPONSE")
_NEITHER_CODES = ("UPSTREAM_RATE_LIMITED", "REFRESH_BACKOFF")
_LIMITED_UNTIL = "limitedUntil"
_TOLD_OF_EXPIRY = "toldOfExpiry"


@dataclass(frozen=True, slots=True)
class Called:
    """A call has ended, well if there is no trouble."""

    entity: EntityType | None
    trouble: Trouble | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Failing:
    """So many calls have failed that something is wrong."""

    trouble: Trouble
    at: datetime


@dataclass(frozen=True, slots=True)
class Turned:
    """The circuit breaker has changed."""

    breaker: BreakerState
    at: datetime


@dataclass(frozen=True, slots=True)
class Renewed:
    """A login was renewed, or could not be, as the trouble says."""

    trouble: Trouble | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Examined:
    """A test has found nothing wrong."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Passed:
    """Time has passed."""

    at: datetime


Report = Called | Failing | Turned | Renewed | Examined | Passed
"""What there is to think about."""


@dataclass(frozen=True)
class Step:
    """The next state, and the events that tell of it, each with its data."""

    state: rows.State
    events: tuple[tuple[EventType, Mapping[str, Any] | None], ...]


@dataclass(eq=False)
class Vitals:
    """One connection as this process knows it.

    `entities` are the kinds of record that its system has, `breaker` is what holds its calls back, if it is in use.
    `calls` are the last ones of all processes that tell each other, and `trouble` is the last one met here.
    `generation` rises with new credentials and settings: what becomes of calls with earlier ones says nothing of them.
    """

    state: rows.State
    entities: frozenset[EntityType]
    breaker: Breaker | None = None
    machine: HealthMachine = field(init=False)
    calls: deque[HeardCall] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    failures: int = 0
    failures_by_entity: Counter[EntityType] = field(default_factory=Counter)
    errors: dict[EntityType, Mapping[str, Any]] = field(default_factory=dict)
    succeeded: dict[EntityType, datetime] = field(default_factory=dict)
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    trouble: Trouble | None = None
    is_noted: bool = True
    generation: int = 0
    _last: dict[EntityType, HeardCall] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.renew()

    @property
    def health(self) -> ConnectionHealth:
        """How the system answers, as far as was kept."""
        return ConnectionHealth[self.state.health]

    @property
    def is_limited(self) -> bool:
        """Whether the system has had too many calls."""
        return self.health is ConnectionHealth.RATE_LIMITED

    @property
    def limited_until(self) -> datetime | None:
        """When a system takes calls again that has had too many."""
        return health_of(self.state).limited_until

    def renew(self) -> None:
        """Forget what was thought of credentials or settings that were replaced."""
        self.generation += 1
        self.machine = HealthMachine(self.entities, health_of(self.state))
        self.failures = 0
        self.failures_by_entity.clear()

    def adopt(self, state: rows.State) -> None:
        """Go on from a state that was kept, unless it is older than the one that is known."""
        if state.version >= self.state.version:
            self.state = state
            self.machine.adopt(health_of(state))

    def refusal(self) -> Trouble | None:
        """Why the system is not to be asked now."""
        if self.health is not ConnectionHealth.REAUTHORIZATION_REQUIRED:
            return None
        reason = self.state.reason
        if reason is not None and reason.code == StatusReasonCode.TOKEN_REFRESH_FAILED.name:
            return Reauthorize("The login could not be renewed, so the system is not asked until it can be.")
        return Reauthorize("The system has refused the credentials, so it is not asked until it has new ones.")

    def hear(self, call: Call, entity: EntityType | None, now: datetime) -> HeardCall | None:
        """Remember a call that has ended; None where it has come to nothing."""
        if call.requests == 0 or (call.trouble is None and call.outcome != "ok"):
            return None
        started = now - timedelta(seconds=call.seconds)
        told = heard(call, entity, started, secrets.token_hex(8), request_id.get())
        self.remember(told)
        if told.is_hurried:
            return told
        self.is_noted = False
        if told.has_failed:
            self.trouble = call.trouble
        if isinstance(call.trouble, _FAILURES):
            self.failures += 1
        elif not isinstance(call.trouble, RateLimited | RefreshFailed):
            self.failures = 0
        if entity is not None:
            self.failures_by_entity[entity] += isinstance(call.trouble, _FAILURES)
            if call.trouble is None:
                self.failures_by_entity[entity] = 0
        return told

    def overhear(self, call: HeardCall) -> None:
        """Remember a call that another process has made; it is told of here, and decides nothing."""
        if all(call.id != known.id for known in self.calls):
            self.remember(call)

    def remember(self, call: HeardCall) -> None:
        """Keep what there is to tell of a call."""
        self.calls.append(call)
        if call.is_hurried:
            return
        if call.has_failed:
            self.last_failure_at = latest(call.ended_at, self.last_failure_at)
        else:
            self.last_success_at = latest(call.ended_at, self.last_success_at)
        if call.entity is None or (entity := EntityType.__members__.get(call.entity)) is None:
            return
        if call.failure is None:
            self.succeeded[entity] = latest(call.ended_at, self.succeeded.get(entity)) or call.ended_at
        if self._last.setdefault(entity, call).order > call.order:
            return
        self._last[entity] = call
        if call.failure is None:
            self.errors.pop(entity, None)
        elif call.has_failed:
            self.errors[entity] = {"code": call.failure.code, "message": call.failure.message}

    def keep_calls(self, most: int) -> None:
        """Forget all calls but the last ones."""
        while len(self.calls) > most:
            self.calls.popleft()

    def step(self, report: Report) -> Step | None:
        """What follows from a report: nothing, or a change that is to be kept."""
        if self.state.lifecycle != rows.ENABLED:
            return None
        match report:
            case Called(entity, None, at):
                change = self.machine.succeeded(entity, at) if entity is not None else None
            case Called(entity, trouble, at) if trouble is not None:
                change = self.machine.failed(entity, trouble, at)
            case Failing(trouble, at):
                change = self.machine.opened(trouble, at)
            case Renewed(trouble, at):
                change = self.machine.renewed(trouble, at)
            case Examined(at):
                change = self.machine.examined(at)
            case Passed(at):
                change = self.machine.passed(at)
            case Turned(breaker, at):
                return self._turn(breaker, at)
            case _:
                return None
        if change is None:
            return self._forecast(report.at) if isinstance(report, Passed) else None
        events = tuple((event, self._data(event, change, report)) for event in change.events)
        return Step(self._after(change, report.at), events)

    def _forecast(self, at: datetime) -> Step | None:
        """Tell that the credentials expire, once for each number of days before."""
        told = notice(self.state.credential_expires_at, self.state.memory.get(_TOLD_OF_EXPIRY), at)
        if told is None:
            return None
        state = replace(self._noted(at), memory={**self.state.memory, _TOLD_OF_EXPIRY: told})
        return Step(state, ((EventType.CONNECTION_CREDENTIALS_EXPIRING, told),))

    def is_to_forecast(self, at: datetime) -> bool:
        """Whether there is something to tell about the expiry of the credentials."""
        return self._forecast(at) is not None

    def _turn(self, breaker: BreakerState, at: datetime) -> Step | None:
        was_closed, is_closed = self.state.circuit == BreakerState.CLOSED.name, breaker is BreakerState.CLOSED
        if breaker.name == self.state.circuit or (was_closed and breaker is BreakerState.HALF_OPEN):
            return None
        opened_at = None if is_closed else self.state.circuit_opened_at or at
        state = replace(self._noted(at), circuit=breaker.name, circuit_opened_at=opened_at)
        if is_closed:
            return Step(state, ((EventType.CONNECTION_CIRCUIT_CLOSED, None),))
        return Step(state, ((EventType.CONNECTION_CIRCUIT_OPENED, None),) if was_closed else ())

    def _after(self, change: Change, at: datetime) -> rows.State:
        health = change.after
        reason = None if health.reason is None else kept_reason(health.reason)
        lost_reason = (self.state.lost_reason or reason) if health.lost_at is not None else None
        memory = {name: kept for name, kept in self.state.memory.items() if name != _LIMITED_UNTIL}
        if health.limited_until is not None:
            memory[_LIMITED_UNTIL] = health.limited_until.isoformat()
        return replace(
            self._noted(at),
            health=health.health.name,
            reason=reason,
            credential_status=_credential_status(health).name,
            entity_health={
                entity.name: rows.EntityHealth(
                    status=status.name,
                    last_success_at=self.last_success_of(entity),
                    last_error=self.error_of(entity),
                )
                for entity, status in health.entities.items()
            },
            lost_at=health.lost_at,
            lost_reason=lost_reason,
            memory=memory,
        )

    def _noted(self, at: datetime) -> rows.State:
        return replace(
            self.state,
            failure_count=self.failures,
            last_success_at=latest(self.last_success_at, self.state.last_success_at),
            last_failure_at=latest(self.last_failure_at, self.state.last_failure_at),
            updated_at=at,
        )

    def last_success_of(self, entity: EntityType) -> datetime | None:
        """When a call for a kind of record last went well."""
        kept = self.state.entity_health.get(entity.name)
        return latest(self.succeeded.get(entity), kept.last_success_at if kept is not None else None)

    def error_of(self, entity: EntityType) -> Mapping[str, Any] | None:
        """What last went wrong with a kind of record, while it does."""
        if entity in self.errors or entity in self.succeeded:
            return self.errors.get(entity)
        kept = self.state.entity_health.get(entity.name)
        return kept.last_error if kept is not None else None

    def status_of(self, entity: EntityType) -> EntityHealthStatus:
        """How one kind of record fares."""
        kept = self.machine.health.entities.get(entity, EntityHealthStatus.UNKNOWN)
        is_well = kept in (EntityHealthStatus.OK, EntityHealthStatus.UNKNOWN)
        is_failing = self.failures_by_entity[entity] >= FAILURES_IN_A_ROW
        return EntityHealthStatus.DEGRADED if is_well and is_failing else kept

    def last_calls(self) -> list[HeardCall]:
        """The calls that are remembered, newest first."""
        return sorted(self.calls, key=lambda call: call.order, reverse=True)

    def failures_in_a_row(self) -> int:
        """How many calls of all processes have failed since one went well, or as it was kept where none is known."""
        count, well_at = 0, latest(self.last_success_at, self.state.last_success_at)
        for call in self.last_calls():
            code = None if call.failure is None else call.failure.code
            if call.is_hurried or code in _NEITHER_CODES:
                continue
            if code not in _FAILURE_CODES or (well_at is not None and call.ended_at < well_at):
                return count
            count += 1
        return max(count, self.state.failure_count)

    def lately(self, now: datetime) -> list[HeardCall]:
        """The calls of the last minutes."""
        return [call for call in self.calls if now - call.started_at <= LATELY]

    def percentiles(self, now: datetime) -> tuple[float, float] | None:
        """How long calls have taken lately that went well, in seconds: half of them, and 95 of 100, no longer."""
        seconds = [call.seconds for call in self.lately(now) if call.failure is None]
        if not seconds:
            return None
        cuts = quantiles(seconds, n=20, method="inclusive") if len(seconds) > 1 else seconds * 19
        return cuts[9], cuts[18]

    @staticmethod
    def _data(event: EventType, change: Change, report: Report) -> Mapping[str, Any] | None:
        match event, report:
            case EventType.CONNECTION_RECOVERED, _ if change.before.lost_at is not None:
                return {"outageSeconds": max(0, round((report.at - change.before.lost_at).total_seconds()))}
            case EventType.CONNECTION_RATE_LIMITED, _ if change.after.limited_until is not None:
                return {"until": change.after.limited_until.isoformat()}
            case EventType.CONNECTION_PERMISSIONS_CHANGED, Called(entity, trouble) if entity is not None:
                return {"entity": entity.name, "isReadable": trouble is None}
            case _:
                return None


def health_of(state: rows.State) -> Health:
    """The machine's part of a kept state."""
    until = state.memory.get(_LIMITED_UNTIL)
    reason = state.reason
    return Health(
        health=ConnectionHealth[state.health],
        reason=None if reason is None else _reason_of(reason),
        lost_at=state.lost_at,
        limited_until=datetime.fromisoformat(until) if until is not None else None,
        expires_at=state.credential_expires_at,
        entities={EntityType[name]: EntityHealthStatus[kept.status] for name, kept in state.entity_health.items()},
        is_refresh_failing=state.credential_status == CredentialStatus.REFRESH_FAILING.name,
    )


def _credential_status(health: Health) -> CredentialStatus:
    if health.health is ConnectionHealth.REAUTHORIZATION_REQUIRED:
        return CredentialStatus.REVOKED
    return CredentialStatus.REFRESH_FAILING if health.is_refresh_failing else CredentialStatus.VALID


def _reason_of(kept: rows.Reason) -> Reason:
    code = StatusReasonCode[kept.code]
    return Reason(code, kept.message, kept.since, None if kept.remediation == REMEDIES[code] else kept.remediation)


def kept_reason(reason: Reason) -> rows.Reason:
    """A reason as it is kept, with what to do."""
    remedy = reason.remedy or REMEDIES[reason.code]
    return rows.Reason(code=reason.code.name, message=reason.message, since=reason.since, remediation=remedy)


def latest(*moments: datetime | None) -> datetime | None:
    """The latest of several moments, where there is one."""
    return max((moment for moment in moments if moment is not None), default=None)
