"""What happens to connections, told the same way to queries, subscriptions and webhooks."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.enums import enumeration
from schema.health import ConnectionHealth, ConnectionLifecycle, ConnectionStatus, StatusReason
from schema.model import described_type
from schema.records import Node
from schema.scalars import JSON
from schema.systems import System

if TYPE_CHECKING:
    from schema.connections import ConnectedSystem


@enumeration
class EventType(Enum):
    """What happened; new types may be added."""

    CONNECTION_CREATED = "A connection was created."
    CONNECTION_ACTIVATED = "It passed its first check."
    CONNECTION_DEGRADED = "Its system fails too often."
    CONNECTION_UNREACHABLE = "Its system cannot be reached."
    CONNECTION_RECOVERED = "Its system is well again."
    CONNECTION_RATE_LIMITED = "Its system has had too many calls."
    CONNECTION_RATE_LIMIT_CLEARED = "Its system takes calls again."
    CONNECTION_MISCONFIGURED = "Its settings do not fit the system."
    CONNECTION_REAUTHORIZATION_REQUIRED = "It needs new credentials."
    CONNECTION_REAUTHORIZED = "It has new credentials."
    CONNECTION_CREDENTIALS_EXPIRING = "Its credentials expire soon."
    CONNECTION_TOKEN_REFRESH_FAILED = "Its login could not be renewed."  # noqa: S105 - a description
    CONNECTION_PERMISSIONS_CHANGED = "Its user's rights have changed."
    CONNECTION_CIRCUIT_OPENED = "Calls to its system are held back."
    CONNECTION_CIRCUIT_CLOSED = "Calls to its system go through again."
    CONNECTION_PAUSED = "It was paused."
    CONNECTION_RESUMED = "It was resumed."
    CONNECTION_DISCONNECTED = "It was disconnected."
    CONNECTION_DATA_DELETED = "Its data was deleted."
    CONNECTION_SCHEMA_DRIFTED = "What the system says about its own fields has changed."


def event_name(type: EventType) -> str:
    """The type as webhooks write it, such as connection.degraded."""
    subject, _, what = type.name.lower().partition("_")
    return f"{subject}.{what}"


@described_type
class ConnectionState:
    """How a connection was at a moment."""

    status: ConnectionStatus = strawberry.field(description="How it was, in one word.")
    health: ConnectionHealth = strawberry.field(description="How the system answered.")
    lifecycle: ConnectionLifecycle = strawberry.field(description="Where it was between connecting and disconnecting.")


@described_type
class Event(Node):
    """Something that happened."""

    id: strawberry.ID = strawberry.field(description="The global id; later events have greater ids.")
    type: EventType = strawberry.field(description="What happened.")
    occurred_at: datetime = strawberry.field(description="When.")
    connection_id: strawberry.ID | None = strawberry.field(
        description="The connection concerned, even when it is gone."
    )
    connection: Annotated["ConnectedSystem", strawberry.lazy("schema.connections")] | None = strawberry.field(
        description="The connection concerned, as it is now."
    )
    customer_id: strawberry.ID | None = strawberry.field(description="The customer concerned.")
    system: System | None = strawberry.field(description="The kind of system.")
    sequence: int = strawberry.field(description="The place among the connection's events, without gaps.")
    previous: ConnectionState | None = strawberry.field(default=None, description="The state before.")
    current: ConnectionState | None = strawberry.field(default=None, description="The state after.")
    reason: StatusReason | None = strawberry.field(default=None, description="Why.")
    request_id: strawberry.ID | None = strawberry.field(default=None, description="The request that caused it.")
    data: JSON | None = strawberry.field(default=None, description="What else belongs to this type of event.")

    @strawberry.field(description="What happened, as webhooks write it, such as connection.degraded.")
    def name(self) -> str:
        """Spell the type."""
        return event_name(self.type)


@described_type
class ConnectionStatusUpdate:
    """How a connection is."""

    connection: Annotated["ConnectedSystem", strawberry.lazy("schema.connections")] = strawberry.field(
        description="The connection."
    )
    event: Event | None = strawberry.field(
        description="What has changed; null for the first answer about a connection."
    )
    cursor: str = strawberry.field(description="Pass it as `after` to continue from here.")
