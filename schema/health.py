"""How a connection is: its health, its circuit, its credentials, and the one word for all of it."""

from datetime import datetime
from enum import Enum
from typing import Protocol

import strawberry

from schema.capabilities import Operation
from schema.enums import enumeration
from schema.errors import Problem
from schema.model import EntityType, described_type
from schema.systems import AuthMethod


@enumeration
class ConnectionHealth(Enum):
    """How a system answers."""

    UNKNOWN = "Not known yet."
    OK = "Well."
    DEGRADED = "It fails too often."
    RATE_LIMITED = "It has had too many calls."
    UNREACHABLE = "It cannot be reached."
    REAUTHORIZATION_REQUIRED = "It refuses the credentials."
    PERMISSION_DENIED = "It lets the user read nothing."
    MISCONFIGURED = "The settings do not fit it."


@enumeration
class ConnectionLifecycle(Enum):
    """Where a connection is between connecting and disconnecting."""

    VALIDATING = "The first check is under way."
    ENABLED = "In use."
    PAUSED = "Paused."
    DISCONNECTED = "Disconnected."


@enumeration
class ConnectionStatus(Enum):
    """How a connection is, in one word; the first that fits, from the top."""

    DISCONNECTED = "It was disconnected."
    PAUSED = "It is paused."
    VALIDATING = "It is being checked."
    REAUTHORIZATION_REQUIRED = "It needs new credentials."
    MISCONFIGURED = "Its settings are wrong."
    PERMISSION_DENIED = "Its user may read nothing."
    UNREACHABLE = "The system cannot be reached."
    RATE_LIMITED = "The system has had too many calls."
    DEGRADED = "The system fails too often."
    ACTIVE = "All is well."


_OTHER_WORDS = {
    ConnectionHealth.UNKNOWN: ConnectionStatus.VALIDATING,
    ConnectionHealth.OK: ConnectionStatus.ACTIVE,
}


def headline(lifecycle: ConnectionLifecycle, health: ConnectionHealth) -> ConnectionStatus:
    """The one word for a connection; how its system answers counts only while it is in use."""
    if lifecycle is not ConnectionLifecycle.ENABLED:
        return ConnectionStatus[lifecycle.name]
    return _OTHER_WORDS.get(health) or ConnectionStatus[health.name]


@enumeration
class CircuitState(Enum):
    """Whether calls to a system go through."""

    CLOSED = "They go through."
    OPEN = "They are held back."
    HALF_OPEN = "A few are let through, to see."


@enumeration
class CredentialStatus(Enum):
    """The state of credentials."""

    VALID = "They work."
    REFRESH_FAILING = "The login cannot be renewed for now."
    EXPIRING = "They work, but expire soon."
    EXPIRED = "They have expired."
    REVOKED = "They were revoked or refused."


@enumeration
class EntityHealthStatus(Enum):
    """How one kind of record fares."""

    OK = "Well."
    DEGRADED = "Calls fail too often."
    PERMISSION_DENIED = "The user may not read these records."
    UNSUPPORTED = "The system has no such records."
    UNKNOWN = "Not known yet."


@enumeration
class StatusReasonCode(Enum):
    """Why a connection is as it is; new codes may be added."""

    PAUSED_BY_USER = "Someone paused it."
    DISCONNECTED_BY_USER = "Someone disconnected it."
    CREDENTIALS_REJECTED = "The system refused the credentials."
    CREDENTIALS_EXPIRED = "The credentials have expired."
    CREDENTIALS_REVOKED = "The credentials were revoked."
    TOKEN_REFRESH_FAILED = "The login could not be renewed."  # noqa: S105 - a description
    PERMISSION_MISSING = "The user lacks rights."
    RATE_LIMITED = "The system has had too many calls."
    ERROR_RATE_HIGH = "Too many calls fail."
    TIMEOUTS = "Too many calls get no answer."
    NAME_NOT_FOUND = "The system's host name is not known."
    CONNECTION_REFUSED = "Nothing answers at the address."
    TLS_FAILED = "No secure line could be made."
    WRONG_SYSTEM = "Another kind of system answers at the address."
    SETTINGS_INVALID = "A setting is wrong."


REMEDIES: dict[StatusReasonCode, str] = {
    StatusReasonCode.PAUSED_BY_USER: "Resume it with `resumeConnection`.",
    StatusReasonCode.DISCONNECTED_BY_USER: "Connect the system again with `connectSystem`.",
    StatusReasonCode.CREDENTIALS_REJECTED: "Give new credentials of the same account with `reconnectSystem`.",
    StatusReasonCode.CREDENTIALS_EXPIRED: "Give new credentials with `reconnectSystem`, or a new client certificate "
    "with `updateConnectionSettings`.",
    StatusReasonCode.CREDENTIALS_REVOKED: "Log in to the system anew, and give what it gives with `reconnectSystem`.",
    StatusReasonCode.TOKEN_REFRESH_FAILED: "Check that the token address answers; it is tried again by itself. "
    "If it stays, give new credentials with `reconnectSystem`.",
    StatusReasonCode.PERMISSION_MISSING: "Give the connection's user the rights that the system's setup guide lists.",
    StatusReasonCode.RATE_LIMITED: "Wait; calls go on by themselves. If it happens often, ask for a greater quota.",
    StatusReasonCode.ERROR_RATE_HIGH: "Look at the system's own log; calls go on by themselves once it is well.",
    StatusReasonCode.TIMEOUTS: "See what makes the system slow, or raise the connection's `timeoutMs`.",
    StatusReasonCode.NAME_NOT_FOUND: "Check the host name of the address, and the name server of the gateway.",
    StatusReasonCode.CONNECTION_REFUSED: "Check that the system runs, and that the firewall lets the gateway through.",
    StatusReasonCode.TLS_FAILED: "Check the system's certificate, and whether the gateway knows its authority.",
    StatusReasonCode.WRONG_SYSTEM: "Check the address: another kind of system answers there.",
    StatusReasonCode.SETTINGS_INVALID: "Check the connection's address and settings.",
}
"""What to do, for each reason."""


@described_type
class StatusReason:
    """Why a connection is as it is, and what to do."""

    code: StatusReasonCode = strawberry.field(description="The code.")
    message: str = strawberry.field(description="What happened, in a sentence.")
    since: datetime = strawberry.field(description="Since when.")
    remediation: str | None = strawberry.field(default=None, description="What to do about it.")


@described_type
class Circuit:
    """Whether calls to a system go through."""

    state: CircuitState = strawberry.field(default=CircuitState.CLOSED, description="The state.")
    opened_at: datetime | None = strawberry.field(default=None, description="Since when calls are held back.")
    next_probe_at: datetime | None = strawberry.field(default=None, description="When the next attempt is made.")
    failure_count: int = strawberry.field(default=0, description="How many calls have failed in a row.")


@described_type
class Credential:
    """The state of a connection's credentials; never the credentials themselves."""

    auth_method: AuthMethod | None = strawberry.field(description="The way of logging in.")
    status: CredentialStatus = strawberry.field(description="The state.")
    expires_at: datetime | None = strawberry.field(default=None, description="When they expire.")


@described_type
class Latency:
    """How fast a system has answered lately."""

    p50_ms: int = strawberry.field(name="p50Ms", description="Half of the calls took no longer.")
    p95_ms: int = strawberry.field(name="p95Ms", description="95 of 100 calls took no longer.")


@described_type
class RateLimit:
    """How many calls are still allowed."""

    remaining: int | None = strawberry.field(default=None, description="How many are left.")
    reset_at: datetime | None = strawberry.field(default=None, description="When the count starts again.")


@described_type
class EntityHealth:
    """How one kind of record fares."""

    entity: EntityType = strawberry.field(description="The kind of record.")
    status: EntityHealthStatus = strawberry.field(description="How it fares.")
    last_success_at: datetime | None = strawberry.field(default=None, description="When a call last went well.")
    last_error: Problem | None = strawberry.field(default=None, description="What last went wrong.")


@described_type
class UpstreamCall:
    """A call that was made to a connected system, without values."""

    started_at: datetime = strawberry.field(description="When.")
    duration_ms: int = strawberry.field(description="How long it took.")
    entity: EntityType | None = strawberry.field(description="The kind of record that it was about.")
    operation: Operation | None = strawberry.field(description="What it did.")
    request: str = strawberry.field(description="The method and path, without values.")
    http_status: int | None = strawberry.field(description="The status of the answer, where there was one.")
    error: Problem | None = strawberry.field(description="What went wrong.")
    request_id: strawberry.ID | None = strawberry.field(description="The request of ours that it belongs to.")


class Condition(Protocol):
    """How a connection is now, as the process behind the graph knows it."""

    @property
    def status(self) -> ConnectionStatus:
        """The one word for it."""

    @property
    def status_reason(self) -> StatusReason | None:
        """Why, and what to do."""

    @property
    def health(self) -> ConnectionHealth:
        """How the system answers."""

    @property
    def circuit(self) -> Circuit:
        """Whether calls go through."""

    @property
    def credential(self) -> Credential:
        """The state of the credentials."""

    @property
    def is_readable(self) -> bool:
        """Whether reads would be tried now."""

    @property
    def last_success_at(self) -> datetime | None:
        """When a call last went well."""

    @property
    def last_failure_at(self) -> datetime | None:
        """When a call last failed."""

    @property
    def lost_at(self) -> datetime | None:
        """When the system was lost, if it is."""

    @property
    def lost_reason(self) -> StatusReason | None:
        """Why it was lost."""

    @property
    def latency(self) -> Latency | None:
        """How fast the system has answered lately."""

    @property
    def error_rate(self) -> float | None:
        """The share of recent calls that failed."""

    @property
    def limits(self) -> RateLimit | None:
        """What the system still allows, where it has said so."""

    @property
    def entity_health(self) -> list[EntityHealth]:
        """How each kind of record fares."""

    def calls(self, first: int, only_failed: bool) -> list[UpstreamCall]:
        """The last calls, newest first."""
