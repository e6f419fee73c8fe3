"""What resolving a request needs from the process around it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from graphql import ValidationRule

from connectors.client import Source
from connectors.tally import Tally
from schema.administration import (
    ConnectSystemInput,
    CreateApiKeyInput,
    CreateCustomerInput,
    UpdateConnectionSettingsInput,
)
from schema.connections import ApiKey, ConnectedSystem, Directory, Viewer
from schema.credits import CreditLedgerEntry, CreditPool
from schema.events import ConnectionStatusUpdate, Event
from schema.filters import Tree
from schema.freshness import UNSAID, Freshness
from schema.lifecycle import ReconnectSystemInput

if TYPE_CHECKING:
    from resolvers.cache import ReadCache


@dataclass(frozen=True, slots=True)
class CacheScope:
    """Whose entries are meant; every key begins with it, the tenant first.

    `tenant` is the customer that the connection belongs to. `generation` is another one whenever anything about the
    connection changes, so that what was kept before is never found again.
    """

    tenant: str
    connection: str
    generation: str


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One answer that is kept.

    `fetched_at` is when it was read, in seconds since 1970, and `as_of` the same as a time of this process's monotonic
    clock. `cost` is how long the reading took, and `lifetime` how long it may be kept, both in seconds.
    """

    content: bytes = field(repr=False)
    fetched_at: float
    as_of: float
    cost: float
    lifetime: float


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a cache still has of a question.

    `stamp` has to come along when the answer is kept: once anything is forgotten there is another one. None says that
    the cache cannot be used now.
    """

    stamp: str | None
    entries: Mapping[str, CacheEntry] = field(default_factory=dict)


class CacheStore(Protocol):
    """Where answers are kept. It never raises: a cache that is out of order finds nothing and keeps nothing.

    `areas` are the collections that an answer was made of.
    """

    async def get(self, scope: CacheScope, areas: Sequence[str], digests: Sequence[str]) -> Recalled:
        """What there is of several entries, at once."""

    async def put(self, scope: CacheScope, areas: Sequence[str], entries: Mapping[str, CacheEntry], stamp: str) -> None:
        """Keep entries, unless something was forgotten since the stamp was given."""

    async def forget(self, scope: CacheScope, area: str | None = None) -> None:
        """Make all entries of a connection unreachable, of whatever generation; or those made of one collection."""

    async def lock(self, scope: CacheScope, digest: str, seconds: float) -> str | None:
        """A token for asking a question alone among all processes; None where another process is asking it.

        A lock that is not given back ends by itself after so many seconds.
        """

    async def unlock(self, scope: CacheScope, digest: str, token: str) -> None:
        """Give a lock back; one that has ended meanwhile, and may be another's now, is left alone."""

    async def close(self) -> None:
        """Close whatever is open."""


@dataclass(frozen=True, eq=False)
class LiveSource:
    """A connection that the caller may read, and how to ask it.

    `scope` is where its answers are kept, if they may be, and `freshness` how old they may be by default.
    """

    connection: ConnectedSystem
    source: Source
    scope: CacheScope | None = None
    freshness: Freshness = UNSAID


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


class History(Protocol):
    """What has happened, as the caller of one request may see it."""

    async def events(
        self, tree: Tree, first: int | None, after: str | None, connection: ConnectedSystem | None = None
    ) -> Any:
        """A page of events, the latest first."""

    async def event(self, event_id: str) -> Event | None:
        """An event by id."""

    async def credit_pool(self) -> CreditPool:
        """The credits, for an operator."""

    async def pool_node(self) -> CreditPool | None:
        """The credits, or null."""

    async def ledger(self, first: int | None, after: str | None) -> Any:
        """A page of the ledger, the latest entry first."""

    async def entry(self, entry_id: str) -> CreditLedgerEntry | None:
        """An entry of the ledger by id."""


class ConnectionLife(Protocol):
    """What the caller of one request may do with a connection that there is; each method returns a payload."""

    async def reconnect(self, given: ReconnectSystemInput) -> Any:
        """Check new credentials live, then give them to the connection."""

    async def test(self, connection_id: str) -> Any:
        """Check the connection in stages."""

    async def pause(self, connection_id: str, reason: str | None) -> Any:
        """Stop its use for a while."""

    async def resume(self, connection_id: str) -> Any:
        """End a pause."""

    async def disconnect(self, connection_id: str, reason: str | None) -> Any:
        """End it, and its tokens."""

    async def delete_data(self, connection_id: str) -> Any:
        """Delete what is kept of its records."""


class Administration(Protocol):
    """What the caller of one request may change; each method returns the payload of its mutation."""

    async def connect_system(self, given: ConnectSystemInput) -> Any:
        """Check the credentials live, then store the connection and make its token."""

    async def update_connection_settings(self, given: UpdateConnectionSettingsInput) -> Any:
        """Change a connection's name or settings, after a look at what they name in its system."""

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
    max_cost: int = 10_000_000


@dataclass(frozen=True)
class DocumentRules:
    """What a query document may be, the same whether it is executed or explained.

    `shows_names` says whether mistakes may bring out names of the schema.
    """

    max_tokens: int | None = None
    rules: tuple[type[ValidationRule], ...] = ()
    shows_names: bool = True


Told = tuple[int, ConnectionStatusUpdate]
"""An update, and the number of the last event that it takes into account."""


@dataclass(eq=False)
class Following:
    """Which part of a stream one execution tells: all up to the event `until`, or all after the event `since`.

    `told` is the number of the event that the last result takes into account, and `has_begun` whether there was
    anything to follow at all.
    """

    until: int | None = None
    since: int = 0
    told: int = 0
    has_begun: bool = False


class StatusUpdates(Protocol):
    """The changes of the connections that a caller sees."""

    def so_far(self, connection_ids: Sequence[str] | None, after: str | None, until: int) -> AsyncIterator[Told]:
        """How every connection is, or what has changed after a cursor, up to an event; INVALID_CURSOR if it is gone."""

    def from_now(self, connection_ids: Sequence[str] | None, since: int) -> AsyncIterator[Told]:
        """Every change after an event, as it comes; it never ends."""


@dataclass(eq=False)
class Context:
    """Everything that the resolvers of one request share; `started` and `deadline` are times of the event loop.

    `plans` are those of its root fields, or their errors; `tallies` what it has asked of systems. `is_complete`
    becomes false when a source has not answered in full.
    """

    directory: CallerDirectory
    administration: Administration
    life: ConnectionLife
    history: History
    updates: StatusUpdates
    cursor_key: bytes = field(repr=False)
    request_id: str
    limits: ReadLimits
    started: float
    deadline: float
    fetched_at: datetime
    document_rules: DocumentRules = field(default_factory=DocumentRules, repr=False)
    is_complete: bool = True
    following: Following = field(default_factory=Following, repr=False)
    loaders: dict[Any, Any] = field(default_factory=dict, repr=False)
    plans: dict[str, Any] = field(default_factory=dict, repr=False)
    tallies: list[Tally] = field(default_factory=list, repr=False)
    cache: "ReadCache | None" = None

    def deadline_for(self, live: LiveSource, timeout_ms: int | None) -> float:
        """Until when a source may answer: as the query wishes, else the connection, else the settings."""
        wish = timeout_ms or live.source.timeout_ms or self.limits.timeout_ms
        return min(self.deadline, self.started + wish / 1000)
