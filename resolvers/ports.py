"""What resolving a request needs from the process around it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from connectors.client import Source
from schema.administration import (
    ConnectSystemInput,
    CreateApiKeyInput,
    CreateCustomerInput,
    UpdateConnectionSettingsInput,
)
from schema.connections import ApiKey, ConnectedSystem, Directory, Viewer


@dataclass(frozen=True, eq=False)
class LiveSource:
    """A connection that the caller may read, and how to ask it."""

    connection: ConnectedSystem
    source: Source


class CallerDirectory(Directory, Protocol):
    """What the caller of one request can see; every answer is already narrowed to that."""

    tenant: str
    """The customer whose data the caller reads, or a word for all of them; first in every key."""

    def sources(self) -> Sequence[LiveSource]:
        """The connections in use, in the order of their ids."""

    async def connection(self, connection_id: str) -> ConnectedSystem | None:
        """A connection by id, whatever its state."""

    async def key(self, key_id: str) -> ApiKey | None:
        """A key by id."""

    async def viewer(self) -> Viewer:
        """Who is asking."""

    def require(self, scope: str) -> None:
        """Raise SCOPE_MISSING unless the caller's key has the scope."""


class Administration(Protocol):
    """What the caller of one request may change; each method returns the payload of its mutation."""

    async def connect_system(self, given: ConnectSystemInput) -> Any:
        """Check the credentials live, then store the connection and make its token."""

    async def update_connection_settings(self, given: UpdateConnectionSettingsInput) -> Any:
        """Change a connection's name or settings, after a look at what they name in its system."""

    async def disconnect_system(self, connection_id: str, reason: str | None) -> Any:
        """End a connection and its tokens."""

    async def create_customer(self, given: CreateCustomerInput) -> Any:
        """Add a customer."""

    async def create_api_key(self, given: CreateApiKeyInput) -> Any:
        """Make a key; its secret is shown this once."""

    async def revoke_api_key(self, key_id: str) -> Any:
        """Make a key invalid at once."""


@dataclass(frozen=True)
class ReadLimits:
    """What protects everyone: how long, how many and how much one request may read."""

    timeout_ms: int = 10_000
    max_sources: int = 50
    max_sources_at_once: int = 16
    max_scan_rows: int = 5_000


@dataclass(eq=False)
class Context:
    """Everything that the resolvers of one request share; `started` and `deadline` are times of the event loop."""

    directory: CallerDirectory
    administration: Administration
    cursor_key: bytes = field(repr=False)
    request_id: str
    limits: ReadLimits
    started: float
    deadline: float
    fetched_at: datetime
    loaders: dict[Any, Any] = field(default_factory=dict, repr=False)

    def deadline_for(self, live: LiveSource, timeout_ms: int | None) -> float:
        """Until when a source may answer: as the query wishes, else the connection, else the settings."""
        wish = timeout_ms or live.source.timeout_ms or self.limits.timeout_ms
        return min(self.deadline, self.started + wish / 1000)
