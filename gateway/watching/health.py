"""Decides how a connection is, from what calls to its system have come to; it asks and stores nothing itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from connectors.errors import (
    AddressRefused,
    BadAnswer,
    LoginRefused,
    NoSuchRecords,
    PermissionDenied,
    RateLimited,
    Reauthorize,
    Refusal,
    Sent,
    TimedOut,
    Trouble,
    Unavailable,
    WrongSystem,
)
from gateway.connecting.expiry import has_expired
from schema.events import EventType
from schema.health import ConnectionHealth, EntityHealthStatus, StatusReasonCode
from schema.model import EntityType

_STAGES = {
    "DNS": StatusReasonCode.NAME_NOT_FOUND,
    "TCP": StatusReasonCode.CONNECTION_REFUSED,
    "TLS": StatusReasonCode.TLS_FAILED,
}
_REFUSALS = {
    Refusal.REVOKED: StatusReasonCode.CREDENTIALS_REVOKED,
    Refusal.REJECTED: StatusReasonCode.CREDENTIALS_REJECTED,
    Refusal.EXHAUSTED: StatusReasonCode.TOKEN_REFRESH_FAILED,
}
_HELD_BACK = (ConnectionHealth.DEGRADED, ConnectionHealth.UNREACHABLE)
_NEEDS_SOMEONE = (ConnectionHealth.REAUTHORIZATION_REQUIRED, ConnectionHealth.MISCONFIGURED)
_APART = timedelta(minutes=1)
"""So far the clocks of two processes may be apart; by more, and one was set back."""


@dataclass(frozen=True)
class Patience:
    """How sure the machine has to be.

    A refusal of credentials, or another kind of system at the address, counts when it is met again after `confirm`:
    one under load is no proof. A system is out of reach when for `unreachable` no failed call could even be sent. It
    is well again after two good calls that lie `recovery` apart, with no failure between. `limit` is how long it is
    left alone where it does not say when it takes calls again.
    """

    confirm: timedelta = timedelta(seconds=2)
    unreachable: timedelta = timedelta(seconds=60)
    recovery: timedelta = timedelta(seconds=5)
    limit: timedelta = timedelta(seconds=30)


@dataclass(frozen=True)
class Reason:
    """Why a connection is as it is."""

    code: StatusReasonCode
    message: str
    since: datetime
    remedy: str | None = None


@dataclass(frozen=True)
class Health:
    """What every process knows of a connection's health.

    `lost_at` is when its system stopped answering well, `expires_at` when its credentials expire, where that is known.
    `is_refresh_failing` says that the login cannot be renewed for now, whether or not the system can still be asked.
    """

    health: ConnectionHealth = ConnectionHealth.UNKNOWN
    reason: Reason | None = None
    lost_at: datetime | None = None
    limited_until: datetime | None = None
    expires_at: datetime | None = None
    entities: Mapping[EntityType, EntityHealthStatus] = field(default_factory=dict)
    is_refresh_failing: bool = False


@dataclass(frozen=True)
class Change:
    """A step from one health to another, and the events that tell of it."""

    before: Health
    after: Health
    events: tuple[EventType, ...]


@dataclass(eq=False)
class HealthMachine:
    """The machine of one connection in one process; `entities` are the kinds of record that its system has.

    `health` is shared and changes only by `adopt`: whoever keeps it decides whether a proposed change was the first.
    What calls have come to lately is known to this process alone. Times are those of the wall clock; where that was
    set back, what is waited for begins anew.
    """

    entities: frozenset[EntityType]
    health: Health = field(default_factory=Health)
    patience: Patience = field(default_factory=Patience)
    _good_since: datetime | None = None
    _unsent_since: datetime | None = None
    _doubted: tuple[type[Trouble], datetime] | None = None

    def adopt(self, health: Health) -> None:
        """Go on from a health that was stored, by this process or another one."""
        self.health = health

    @property
    def is_doubtful(self) -> bool:
        """Whether there was a trouble that counts only when it is met again."""
        return self._doubted is not None and self.health.health not in _NEEDS_SOMEONE

    @property
    def is_recovering(self) -> bool:
        """Whether the latest calls went well, in a system that is not well yet."""
        return self._good_since is not None and self.health.health in (*_HELD_BACK, *_NEEDS_SOMEONE)

    def succeeded(self, entity: EntityType, now: datetime) -> Change | None:
        """A call for a kind of record went well."""
        self._unsent_since = self._doubted = None
        first = self._good_since = _earlier(self._good_since, now)
        old = self.health
        knew = old.entities.get(entity)
        after = replace(old, entities={**old.entities, entity: EntityHealthStatus.OK})
        events: tuple[EventType, ...] = ()
        if knew is EntityHealthStatus.PERMISSION_DENIED:
            events = (EventType.CONNECTION_PERMISSIONS_CHANGED,)
        if old.health in (ConnectionHealth.UNKNOWN, ConnectionHealth.PERMISSION_DENIED):
            after = _well(after, now)
        elif old.health in (*_HELD_BACK, *_NEEDS_SOMEONE) and now - first >= self.patience.recovery:
            after = _well(after, now)
            events = (*events, EventType.CONNECTION_RECOVERED)
        elif old.health is ConnectionHealth.RATE_LIMITED and self.is_over(now):
            after = _well(after, now)
            events = (*events, EventType.CONNECTION_RATE_LIMIT_CLEARED)
        return self._propose(after, events)

    def examined(self, now: datetime) -> Change | None:
        """A test has found everything well; that is worth more than two good calls."""
        self._unsent_since = self._doubted = None
        if self.health.health not in (*_HELD_BACK, *_NEEDS_SOMEONE):
            return None
        return self._propose(_well(self.health, now), (EventType.CONNECTION_RECOVERED,))

    def failed(self, entity: EntityType | None, trouble: Trouble, now: datetime) -> Change | None:
        """A call came to trouble; what a system refuses about one request says nothing of its health."""
        match trouble:
            case RateLimited():
                return self._limited(trouble, now)
            case LoginRefused():
                return self._refused(trouble, now)
            case Reauthorize():
                is_over = has_expired(self.health.expires_at, now)
                code = StatusReasonCode.CREDENTIALS_EXPIRED if is_over else StatusReasonCode.CREDENTIALS_REJECTED
                health = ConnectionHealth.REAUTHORIZATION_REQUIRED
                return self._doubt(trouble, code, health, EventType.CONNECTION_REAUTHORIZATION_REQUIRED, now)
            case WrongSystem() | AddressRefused():
                is_wrong = isinstance(trouble, WrongSystem)
                code = StatusReasonCode.WRONG_SYSTEM if is_wrong else StatusReasonCode.SETTINGS_INVALID
                health = ConnectionHealth.MISCONFIGURED
                return self._doubt(trouble, code, health, EventType.CONNECTION_MISCONFIGURED, now)
            case PermissionDenied() if entity is not None:
                return self._forbidden(entity, trouble, now)
            case NoSuchRecords() if entity is not None:
                absent = {**self.health.entities, entity: EntityHealthStatus.UNSUPPORTED}
                return self._propose(replace(self.health, entities=absent), ())
            case Unavailable() | TimedOut() | BadAnswer():
                return self._unanswered(trouble, now)
            case _:
                return None

    def renewed(self, trouble: Trouble | None, now: datetime) -> Change | None:
        """The login was renewed, or could not be; a trouble that lasts is told once."""
        old = self.health
        is_well = old.health in (ConnectionHealth.UNKNOWN, ConnectionHealth.OK)
        if isinstance(trouble, LoginRefused):
            return self._refused(trouble, now)
        if trouble is None:
            reason = None if is_well else old.reason
            told = (EventType.CONNECTION_RECOVERED,) if is_well and old.is_refresh_failing else ()
            return self._propose(replace(old, is_refresh_failing=False, reason=reason), told)
        if old.is_refresh_failing or old.health is ConnectionHealth.REAUTHORIZATION_REQUIRED:
            return None
        reason = Reason(StatusReasonCode.TOKEN_REFRESH_FAILED, trouble.message, now) if is_well else old.reason
        failing = replace(old, is_refresh_failing=True, reason=reason)
        return self._propose(failing, (EventType.CONNECTION_TOKEN_REFRESH_FAILED,))

    def opened(self, trouble: Trouble, now: datetime) -> Change | None:
        """So many calls have failed that further ones are held back."""
        old = self.health
        if old.health not in (ConnectionHealth.UNKNOWN, ConnectionHealth.OK, ConnectionHealth.RATE_LIMITED):
            return None
        code = StatusReasonCode.TIMEOUTS if isinstance(trouble, TimedOut) else StatusReasonCode.ERROR_RATE_HIGH
        reason = Reason(code, trouble.message, now)
        after = replace(old, health=ConnectionHealth.DEGRADED, reason=reason, lost_at=now, limited_until=None)
        return self._propose(after, (EventType.CONNECTION_DEGRADED,))

    def passed(self, now: datetime) -> Change | None:
        """Time has passed; what only lasts until a moment ends there."""
        if self.health.health is not ConnectionHealth.RATE_LIMITED or not self.is_over(now):
            return None
        return self._propose(_well(self.health, now), (EventType.CONNECTION_RATE_LIMIT_CLEARED,))

    def is_over(self, now: datetime) -> bool:
        """Whether a limit has ended, if there is one; one that was met in the future was met before a clock was set."""
        until, reason = self.health.limited_until, self.health.reason
        return until is None or now >= until or (reason is not None and now < reason.since - _APART)

    def _limited(self, trouble: RateLimited, now: datetime) -> Change | None:
        """Too many calls are no failure: the system answers, and says when to come back."""
        old = self.health
        if old.health in (*_NEEDS_SOMEONE, ConnectionHealth.PERMISSION_DENIED):
            return None
        wait = self.patience.limit if trouble.retry_after is None else timedelta(seconds=trouble.retry_after)
        until = max(now + wait, old.limited_until or now)
        if old.health is ConnectionHealth.RATE_LIMITED:
            return self._propose(replace(old, limited_until=until), ())
        reason = Reason(StatusReasonCode.RATE_LIMITED, trouble.message, now)
        after = replace(old, health=ConnectionHealth.RATE_LIMITED, reason=reason, limited_until=until, lost_at=None)
        return self._propose(after, (EventType.CONNECTION_RATE_LIMITED,))

    def _doubt(
        self, trouble: Trouble, code: StatusReasonCode, health: ConnectionHealth, event: EventType, now: datetime
    ) -> Change | None:
        """Believe it when it is met again, a while later and with nothing good between."""
        self._good_since = None
        if self._doubted is None or self._doubted[0] is not type(trouble) or now < self._doubted[1]:
            self._doubted = (type(trouble), now)
            return None
        if self.health.health is health or now - self._doubted[1] < self.patience.confirm:
            return None
        reason = Reason(code, trouble.message, now, trouble.remedy)
        lost_at = self.health.lost_at or now
        return self._propose(
            replace(self.health, health=health, reason=reason, lost_at=lost_at, limited_until=None), (event,)
        )

    def _refused(self, trouble: LoginRefused, now: datetime) -> Change | None:
        """Whom the login is asked of has said so, which is proof enough."""
        self._good_since = self._doubted = None
        if self.health.health is ConnectionHealth.REAUTHORIZATION_REQUIRED:
            return None
        after = replace(
            self.health,
            health=ConnectionHealth.REAUTHORIZATION_REQUIRED,
            reason=Reason(_REFUSALS[trouble.refusal], trouble.message, now),
            lost_at=self.health.lost_at or now,
            limited_until=None,
            is_refresh_failing=False,
        )
        return self._propose(after, (EventType.CONNECTION_REAUTHORIZATION_REQUIRED,))

    def _forbidden(self, entity: EntityType, trouble: Trouble, now: datetime) -> Change | None:
        """One kind of record may not be read; when none may, the connection is of no use."""
        self._unsent_since = self._doubted = None
        old = self.health
        if old.entities.get(entity) is EntityHealthStatus.PERMISSION_DENIED:
            return None
        entities = {**old.entities, entity: EntityHealthStatus.PERMISSION_DENIED}
        after = replace(old, entities=entities)
        usable = (EntityHealthStatus.PERMISSION_DENIED, EntityHealthStatus.UNSUPPORTED)
        if all(entities.get(item) in usable for item in self.entities):
            reason = Reason(StatusReasonCode.PERMISSION_MISSING, trouble.message, now)
            after = replace(after, health=ConnectionHealth.PERMISSION_DENIED, reason=reason)
        return self._propose(after, (EventType.CONNECTION_PERMISSIONS_CHANGED,))

    def _unanswered(self, trouble: Trouble, now: datetime) -> Change | None:
        self._good_since = self._doubted = None
        if trouble.sent is not Sent.NOT_SENT:
            self._unsent_since = None
            return None
        first = self._unsent_since = _earlier(self._unsent_since, now)
        if self.health.health is not ConnectionHealth.DEGRADED or now - first < self.patience.unreachable:
            return None
        stage = trouble.stage if isinstance(trouble, Unavailable) else None
        reason = Reason(
            _STAGES.get(stage or "", StatusReasonCode.CONNECTION_REFUSED), trouble.message, now, trouble.remedy
        )
        after = replace(self.health, health=ConnectionHealth.UNREACHABLE, reason=reason)
        return self._propose(after, (EventType.CONNECTION_UNREACHABLE,))

    def _propose(self, after: Health, events: tuple[EventType, ...]) -> Change | None:
        return None if after == self.health else Change(self.health, after, events)


def _earlier(since: datetime | None, now: datetime) -> datetime:
    """Since when something lasts; since now where the clock was set back meanwhile."""
    return now if since is None else min(since, now)


def _well(health: Health, now: datetime) -> Health:
    """The system is well; that the login cannot be renewed is still told."""
    reason = None
    if health.is_refresh_failing:
        code = StatusReasonCode.TOKEN_REFRESH_FAILED
        is_told = health.reason is not None and health.reason.code is code
        reason = health.reason if is_told else Reason(code, "The login cannot be renewed for now.", now)
    return replace(health, health=ConnectionHealth.OK, reason=reason, lost_at=None, limited_until=None)
