"""The rows of the store as values, and the ids that they have.

All times are aware and in UTC.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway import base62
from gateway.tokens import TokenKind

DISCONNECTED = "DISCONNECTED"
"""The lifecycle that ends a connection."""


def new_id(prefix: str) -> str:
    """Make an id such as `cus_0V3kQhZ2…`: the milliseconds of now, then 71 random bits.

    Ids that were made later sort later, except within the same millisecond.
    """
    return f"{prefix}_{base62.encode(time.time_ns() // 1_000_000, 8)}{base62.random(12)}"


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
    """A connection to one system of a customer; its credentials are kept apart."""

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
    created_at: datetime
    authorized_at: datetime | None = None
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
    revoked, by digest, and may have expired; `sealed` are the sealed credentials by connection.
    """

    epoch: int
    customers: Mapping[str, Customer]
    connections: Mapping[str, Connection]
    keys: Mapping[str, ApiKey] = field(repr=False)
    sealed: Mapping[str, str] = field(repr=False)
