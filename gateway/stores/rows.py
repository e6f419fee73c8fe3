"""The rows of the store as values, and the ids that they have.

All times are aware and in UTC. Codes such as `ENABLED` and `CONNECTION_PAUSED` are those of the GraphQL schema.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from gateway.keys import base62
from gateway.keys.tokens import TokenKind

PENDING_AUTH = "PENDING_AUTH"
VALIDATING = "VALIDATING"
ENABLED = "ENABLED"
PAUSED = "PAUSED"
DISCONNECTED = "DISCONNECTED"
"""The lifecycle that ends a connection."""

UNKNOWN = "UNKNOWN"
OK = "OK"

_EVENT_DIGITS = 11  # 62 to this power exceeds 63 bits
_ENTRY_DIGITS = 11


def event_id(number: int) -> str:
    """The global id of the event with a number; ids sort like the numbers."""
    return f"evt_{base62.encode(number, _EVENT_DIGITS)}"


def event_number(text: str) -> int | None:
    """The number in the global id of an event; None where the text is none."""
    digits = text.removeprefix("evt_")
    is_id = text.startswith("evt_") and len(digits) == _EVENT_DIGITS
    return base62.decode(digits) if is_id else None


def entry_number(text: str) -> int | None:
    """The number in the global id of an entry of the ledger; None where the text is none."""
    digits = text.removeprefix("crd_")
    is_id = text.startswith("crd_") and len(digits) == _ENTRY_DIGITS
    return base62.decode(digits) if is_id else None


def new_id(prefix: str) -> str:
    """Make an id such as `cus_0V3kQhZ2…`: the milliseconds of now, then 71 random bits.

    Ids that were made later sort later, except within the same millisecond.
    """
    return f"{prefix}_{base62.encode(time.time_ns() // 1_000_000, 8)}{base62.random(12)}"


# Customers, connections, keys


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """A customer; `external_id` is the caller's own key for it, unique where given."""

    id: str
    name: str
    external_id: str | None = None
    metadata: Any = None
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """A connection to one system of a customer; its credentials are kept apart.

    `predecessor_id` is the disconnected connection that this one replaces.
    """

    id: str
    customer_id: str
    name: str
    system: str
    auth_method: str
    deployment: str
    environment: str
    tags: tuple[str, ...] = ()
    metadata: Any = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    base_url: str
    lifecycle: str
    predecessor_id: str | None = None
    created_at: datetime
    authorized_at: datetime | None = None
    paused_at: datetime | None = None
    pause_reason: str | None = None
    disconnected_at: datetime | None = None
    disconnect_reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """An API token as it is kept: by digest.

    An ADMIN key has no customer, a CUSTOMER key has one, a CONNECTION key has a connection and its customer.
    """

    id: str
    kind: TokenKind
    name: str
    customer_id: str | None = None
    connection_id: str | None = None
    scopes: tuple[str, ...]
    digest: str = field(repr=False)
    preview: str
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """What requests are served from, as it was when the store's epoch was `epoch`.

    `connections` are all that are not disconnected, whatever their lifecycle; `keys` are those that are not
    revoked, by digest, and may have expired; `sealed` are the sealed credentials by connection, and `states`
    tell how these are.
    """

    epoch: int
    customers: Mapping[str, Customer]
    connections: Mapping[str, Connection]
    keys: Mapping[str, ApiKey] = field(repr=False)
    sealed: Mapping[str, str] = field(repr=False)
    states: Mapping[str, "State"]


# How connections are


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why something is as it is: a StatusReasonCode, a sentence, since when, and what to do about it."""

    code: str
    message: str
    since: datetime
    remediation: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How a connection is at one time, as events tell it."""

    status: str
    health: str
    lifecycle: str

    @classmethod
    def of(cls, lifecycle: str, health: str) -> Self:
        """Derive the status, one word for both: what is not in use stands by its lifecycle, the rest by its health."""
        words = {UNKNOWN: VALIDATING, OK: "ACTIVE"}
        status = lifecycle if lifecycle != ENABLED else words.get(health, health)
        return cls(status=status, health=health, lifecycle=lifecycle)


@dataclass(frozen=True, kw_only=True, slots=True)
class EntityHealth:
    """How one kind of record fares, an EntityHealthStatus; `last_error` is a Problem as JSON."""

    status: str
    last_success_at: datetime | None = None
    last_error: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """How a connection is.

    `version` rises with every change of the state or of the lifecycle, `sequence` counts the connection's
    events. `customer_id`, `system` and `lifecycle` are the connection's own and only told here. `memory` is
    what the health machine remembers besides; nobody else reads it.
    """

    connection_id: str
    customer_id: str
    system: str
    lifecycle: str
    version: int
    sequence: int
    health: str = UNKNOWN
    reason: Reason | None = None
    circuit: str = "CLOSED"
    circuit_opened_at: datetime | None = None
    next_probe_at: datetime | None = None
    failure_count: int = 0
    credential_status: str = "VALID"
    credential_expires_at: datetime | None = None
    entity_health: Mapping[str, EntityHealth] = field(default_factory=dict)
    account: str | None = None
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    lost_at: datetime | None = None
    lost_reason: Reason | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)
    updated_at: datetime

    @property
    def standing(self) -> Standing:
        """Return what events tell of it."""
        return Standing.of(self.lifecycle, self.health)


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What a live check of credentials has found, at `at`; `account` is a fingerprint of whom they belong to."""

    at: datetime
    account: str | None = None
    credential_expires_at: datetime | None = None
    entity_health: Mapping[str, EntityHealth] = field(default_factory=dict)


def session_row(connection_id: str) -> str:
    """The name of a connection's session to whoever seals it, apart from that of its credentials."""
    return f"{connection_id}/session"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewSession:
    """What a login has given, sealed, and for how long it holds, where that is known."""

    sealed: str = field(repr=False)
    lifetime: timedelta | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptSession:
    """The session of a connection as it is kept; durations are as of when it was read, None where nothing is set.

    `version` rises with every new session, and is None where there is no row yet. `left` is how long the session
    holds, `leased` how long its `owner` may take to make a new one, `rests` how long nobody is to try, after
    `failures` in a row. `replaced` is how long ago it took the place of one that was refused. `refusal` is why there
    is none to be had.
    """

    version: int | None = None
    sealed: str | None = field(default=None, repr=False)
    left: timedelta | None = None
    replaced: timedelta | None = None
    owner: str | None = None
    leased: timedelta | None = None
    failures: int = 0
    rests: timedelta | None = None
    refusal: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    """What a system said of the paths that are read of it, by the names of the readings, when last asked, at `seen_at`.

    `revision` is that of the description that the paths are from.
    """

    connection_id: str
    revision: str
    fingerprints: Mapping[str, Mapping[str, str | None]]
    seen_at: datetime


# What happened, and who did it


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who does something: a key by id and kind, or the product itself, and in which request."""

    id: str | None = None
    kind: str
    request_id: str | None = None

    def __str__(self) -> str:
        return self.id or self.kind


SYSTEM = Actor(kind="system")
"""The product itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEvent:
    """An event before it has its place; `type` is an EventType, `data` is free of secrets."""

    type: str
    occurred_at: datetime
    customer_id: str | None = None
    connection_id: str | None = None
    system: str | None = None
    previous: Standing | None = None
    current: Standing | None = None
    reason: Reason | None = None
    request_id: str | None = None
    data: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Event(NewEvent):
    """An event; `number` is its place among all in the order of commits, `sequence` among its connection's.

    Numbers may have gaps once old events are deleted; sequences begin at 1 and have none. An event without a
    connection has the sequence 0.
    """

    number: int
    sequence: int

    @property
    def id(self) -> str:
        """Make the global id, which sorts like the number."""
        return event_id(self.number)


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """One line of the audit log; `details` are free of secrets."""

    id: str
    at: datetime
    actor_id: str | None
    actor_kind: str
    action: str
    customer_id: str | None
    connection_id: str | None
    request_id: str | None
    details: Any


# Credits


@dataclass(frozen=True, kw_only=True, slots=True)
class CreditPool:
    """The credits in all; `granted` is None where they do not matter."""

    granted: int | None
    used: int

    @property
    def balance(self) -> int | None:
        """Return how many are left; None where they do not matter."""
        return None if self.granted is None else self.granted - self.used


@dataclass(frozen=True, kw_only=True, slots=True)
class CreditEntry:
    """One line of the ledger; the amounts up to it add up to `balance_after`, which counts from 0 if unlimited."""

    number: int
    kind: str
    amount: int
    balance_after: int
    connection_id: str | None
    actor: str
    created_at: datetime

    @property
    def id(self) -> str:
        """Make the global id, which sorts like the number."""
        return f"crd_{base62.encode(self.number, _ENTRY_DIGITS)}"


# Background work


@dataclass(frozen=True, kw_only=True, slots=True)
class NewWork:
    """Work to be done in the background, `delay` from now.

    `kind` and `key` name it, such as a probe of one connection; `lane` is the queue that it waits in.
    """

    kind: str
    key: str
    lane: str
    delay: timedelta = timedelta()
    payload: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """Work that was claimed: `generation` fences what is said about it later, `attempts` counts from 1."""

    kind: str
    key: str
    lane: str
    generation: int
    attempts: int
    due_at: datetime
    payload: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Lateness:
    """How much of a lane is due and waits for a worker, and for how long the oldest has."""

    waiting: int
    oldest: timedelta
