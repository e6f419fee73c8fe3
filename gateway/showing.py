"""Shows clients what the store keeps of connections' lives."""

import strawberry

from connectors.registry import find_system
from gateway.stores import rows
from resolvers.describing import describe_system
from schema.connections import ConnectedSystem
from schema.events import ConnectionState, Event, EventType
from schema.health import REMEDIES, ConnectionHealth, ConnectionLifecycle, StatusReason, StatusReasonCode, headline


def show_event(row: rows.Event, connection: ConnectedSystem | None) -> Event:
    """An event as clients see it; `connection` is its connection as it is now."""
    system = find_system(row.system) if row.system is not None else None
    return Event(
        id=strawberry.ID(row.id),
        type=EventType[row.type],
        occurred_at=row.occurred_at,
        connection_id=strawberry.ID(row.connection_id) if row.connection_id is not None else None,
        connection=connection,
        customer_id=strawberry.ID(row.customer_id) if row.customer_id is not None else None,
        system=describe_system(system) if system is not None else None,
        sequence=row.sequence,
        previous=show_standing(row.previous),
        current=show_standing(row.current),
        reason=show_reason(row.reason),
        request_id=strawberry.ID(row.request_id) if row.request_id is not None else None,
        data=row.data,
    )


def show_standing(row: rows.Standing | None) -> ConnectionState | None:
    """How a connection was at a moment, as clients see it."""
    if row is None:
        return None
    lifecycle, health = ConnectionLifecycle[row.lifecycle], ConnectionHealth[row.health]
    return ConnectionState(status=headline(lifecycle, health), health=health, lifecycle=lifecycle)


def show_reason(row: rows.Reason | None) -> StatusReason | None:
    """Why a connection is as it is, as clients see it."""
    if row is None:
        return None
    code = StatusReasonCode[row.code]
    return StatusReason(code=code, message=row.message, since=row.since, remediation=row.remediation or REMEDIES[code])
