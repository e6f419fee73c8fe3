"""What happens to connections, told the same way to queries, subscriptions and webhooks."""

from enum import Enum

from schema.enums import enumeration


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
    CONNECTION_PERMISSIONS_CHANGED = "Its user's rights have changed."
    CONNECTION_CIRCUIT_OPENED = "Calls to its system are held back."
    CONNECTION_CIRCUIT_CLOSED = "Calls to its system go through again."
    CONNECTION_PAUSED = "It was paused."
    CONNECTION_RESUMED = "It was resumed."
    CONNECTION_DISCONNECTED = "It was disconnected."
    CONNECTION_DATA_DELETED = "Its data was deleted."


def event_name(type: EventType) -> str:
    """The type as webhooks write it, such as connection.degraded."""
    subject, _, what = type.name.lower().partition("_")
    return f"{subject}.{what}"
