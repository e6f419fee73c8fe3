"""Shows clients what the store keeps: events, customers and keys."""

import logging
from collections.abc import Container, Iterable

import strawberry

from connectors.registry import find_system
from gateway.connecting.stored_settings import described_settings
from gateway.stores import rows
from resolvers.describing import describe_system
from schema.connections import ApiKey, ApiKeyKind, ApiKeyScope, ConnectedSystem, Customer, Environment
from schema.events import ConnectionState, Event, EventType
from schema.health import (
    REMEDIES,
    Condition,
    ConnectionHealth,
    ConnectionLifecycle,
    StatusReason,
    StatusReasonCode,
    headline,
)
from schema.systems import Deployment

_LOGGER = logging.getLogger(__name__)


def is_told(row: rows.Event) -> bool:
    """Whether this version knows what has happened; a newer one beside it may have kept it."""
    return row.type in EventType.__members__


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


def describe_customer(row: rows.Customer) -> Customer:
    """A customer as clients see it."""
    return Customer(
        id=strawberry.ID(row.id),
        name=row.name,
        external_id=row.external_id,
        metadata=row.metadata,
        created_at=row.created_at,
    )


def describe_key(row: rows.ApiKey, customer: Customer | None, connection: ConnectedSystem | None) -> ApiKey:
    """A key as clients see it."""
    return ApiKey(
        id=strawberry.ID(row.id),
        name=row.name,
        kind=ApiKeyKind[row.kind.name],
        scopes=[ApiKeyScope[scope] for scope in row.scopes],
        customer=customer,
        connection=connection,
        preview=row.preview,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )


def previews_of(keys: Iterable[rows.ApiKey], connection_ids: Container[str]) -> dict[str, str]:
    """The start and end of the newest token of each of these connections, in whatever order the keys were read."""
    own = [
        (key.created_at, key.id, key.connection_id, key.preview)
        for key in keys
        if key.connection_id is not None and key.connection_id in connection_ids
    ]
    return {connection_id: preview for _, _, connection_id, preview in sorted(own)}


def is_known(row: rows.Connection) -> bool:
    """Whether this version knows the connection's system; a newer one may have made it."""
    is_known = find_system(row.system) is not None
    if not is_known:
        _LOGGER.error("a connection's system is not known to this version", extra={"connection_id": row.id})
    return is_known


def describe_connection(
    row: rows.Connection, customer: Customer | None, preview: str | None, condition: Condition
) -> ConnectedSystem:
    """A connection as clients see it."""
    system = find_system(row.system)
    if system is None:
        raise LookupError(f"this version does not know the system {row.system!r}")
    return ConnectedSystem(
        id=strawberry.ID(row.id),
        name=row.name,
        system=describe_system(system),
        customer=customer,
        deployment=Deployment[row.deployment],
        environment=Environment[row.environment],
        tags=list(row.tags),
        metadata=row.metadata,
        lifecycle=ConnectionLifecycle[row.lifecycle],
        created_at=row.created_at,
        authorized_at=row.authorized_at,
        settings=described_settings(row.settings),
        token_preview=preview,
        condition=condition,
        predecessor_id=row.predecessor_id,
    )
