"""Customers, their connections to systems, and the keys that reach them."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Protocol

import strawberry

from schema.absent import given
from schema.capabilities import Entities, EntityCapability, without_rights
from schema.credits import ConnectionCredits, credits_of
from schema.enums import enumeration
from schema.errors import ErrorCode, failure
from schema.event_pages import EventConnection
from schema.filters import EVERYTHING, Filterable, FilterShape, IDFilter, StringFilter, enum_filter, filter_input, parse
from schema.health import (
    Circuit,
    Condition,
    ConnectionHealth,
    ConnectionLifecycle,
    ConnectionStatus,
    Credential,
    EntityHealth,
    EntityHealthStatus,
    Latency,
    RateLimit,
    StatusReason,
    UpstreamCall,
)
from schema.matching import compile_test
from schema.model import described_type
from schema.pages import After, First, page_type, slice_page
from schema.records import Node
from schema.scalars import JSON
from schema.settings import ConnectionSettings
from schema.systems import Deployment, System


@enumeration
class Environment(Enum):
    """What kind of data a system holds."""

    PRODUCTION = "Real data."
    SANDBOX = "Test data."


@enumeration
class ApiKeyKind(Enum):
    """What a key reaches."""

    ADMIN = "Everything."
    CUSTOMER = "All connections of one customer."
    CONNECTION = "One connection."


@enumeration
class ApiKeyScope(Enum):
    """What may be done with a key."""

    READ = "Read records."
    WRITE = "Write records."
    MANAGE = "Manage connections and keys."


CUSTOMER_FILTER = FilterShape(
    name="CustomerFilter",
    module=__name__,
    about="Which customers; all given conditions must hold.",
    entries=(
        Filterable("id", "id", IDFilter, "The global id."),
        Filterable("externalId", "externalId", StringFilter, "Your own key."),
    ),
    searched=("name",),
    text="Words to look for in the name.",
    can_combine=False,
)
CONNECTED_SYSTEM_FILTER = FilterShape(
    name="ConnectedSystemFilter",
    module=__name__,
    about="Which connections; all given conditions must hold.",
    entries=(
        Filterable("id", "id", IDFilter, "The global id."),
        Filterable("customerId", "customer.id", IDFilter, "The customer."),
        Filterable("system", "system.key", StringFilter, "The system, by key."),
        Filterable("status", "condition.status", enum_filter(ConnectionStatus), "How it is."),
        Filterable("environment", "environment", enum_filter(Environment), "What kind of data it holds."),
        Filterable("tag", "tags", StringFilter, "One of its tags."),
    ),
    searched=("name", "system.key", "system.title"),
    text="Words to look for in name and system.",
)
CustomerFilter: Any = filter_input(CUSTOMER_FILTER)
ConnectedSystemFilter: Any = filter_input(CONNECTED_SYSTEM_FILTER)


_MOST_CALLS = 100


def _now(name: str, description: str) -> Any:
    """A field that tells how the connection is at the moment it is asked."""

    def resolve(root: Any) -> Any:
        return getattr(root.condition, name)

    return strawberry.field(resolver=resolve, description=description)


@described_type
class ConnectedSystem(Node):
    """A customer's connection to one system."""

    id: strawberry.ID = strawberry.field(description="The global id.")
    name: str = strawberry.field(description="A name to show to people.")
    system: System = strawberry.field(description="The kind of system.")
    customer: Annotated["Customer", strawberry.lazy("schema.connections")] | None = strawberry.field(
        description="The customer that it belongs to."
    )
    deployment: Deployment = strawberry.field(description="Whether the system runs in the cloud or on premises.")
    environment: Environment = strawberry.field(description="Whether it holds real or test data.")
    tags: list[str] = strawberry.field(description="Words to find it by.")
    metadata: JSON | None = strawberry.field(description="Your own data, given back unchanged.")
    lifecycle: ConnectionLifecycle = strawberry.field(description="Where it is between connecting and disconnecting.")
    created_at: datetime = strawberry.field(description="When it was created.")
    authorized_at: datetime | None = strawberry.field(description="When its credentials last passed the check.")
    settings: ConnectionSettings = strawberry.field(description="Its settings.")
    token_preview: str | None = strawberry.field(description="The start and end of its API token.")
    condition: strawberry.Private[Condition]
    predecessor_id: strawberry.Private[str | None] = None

    status: ConnectionStatus = _now("status", "How it is, in one word.")
    status_reason: StatusReason | None = _now("status_reason", "Why, and what to do.")
    health: ConnectionHealth = _now("health", "How the system answers, while the connection is enabled.")
    circuit: Circuit = _now("circuit", "Whether calls to the system go through.")
    credential: Credential = _now("credential", "The state of its credentials.")
    is_readable: bool = _now("is_readable", "Whether reads would be tried now.")
    last_success_at: datetime | None = _now("last_success_at", "When a call last went well.")
    last_failure_at: datetime | None = _now("last_failure_at", "When a call last failed.")
    lost_at: datetime | None = _now("lost_at", "When the system was lost, if it is.")
    lost_reason: StatusReason | None = _now("lost_reason", "Why it was lost.")
    latency: Latency | None = _now("latency", "How fast the system has answered lately.")
    error_rate: float | None = _now("error_rate", "The share of recent calls that failed, from 0 to 1.")
    limits: RateLimit | None = _now("limits", "What the system still lets us do.")
    entity_health: list[EntityHealth] = _now("entity_health", "How each kind of record fares.")

    @strawberry.field(description="What the connection costs.")
    def credits(self) -> ConnectionCredits:
        """Work it out of the system's tier and of where it runs."""
        return credits_of(self.system.tier, self.deployment)

    @strawberry.field(description="Whether writes would be tried now; this product only reads so far.")
    def is_writable(self) -> bool:
        """Nothing is written yet."""
        return False

    @strawberry.field(description="What can be done through this connection, with its user's rights.")
    def capabilities(self, entities: Entities = strawberry.UNSET) -> list[EntityCapability]:
        """Narrow the capabilities to some kinds of record, and take away what the user may not do."""
        wanted = given(entities)
        forbidden = {
            item.entity for item in self.condition.entity_health if item.status is EntityHealthStatus.PERMISSION_DENIED
        }
        return [
            without_rights(item) if item.entity in forbidden else item
            for item in self.system.all_capabilities
            if wanted is None or item.entity in wanted
        ]

    @strawberry.field(description="What has happened to it, latest first.", graphql_type=EventConnection)
    async def events(self, info: strawberry.Info[Any, Any], first: First = 50, after: After = strawberry.UNSET) -> Any:
        """Page the connection's events."""
        return await info.context.history.events(EVERYTHING, first, given(after), self)

    @strawberry.field(description="The last calls that were made to it by the process that answers, newest first.")
    def calls(
        self,
        first: Annotated[int | None, strawberry.argument(description="How many, at most 100.")] = 20,
        only_failed: Annotated[bool | None, strawberry.argument(description="Only those that failed.")] = False,
    ) -> list[UpstreamCall]:
        """List the calls."""
        if first is None or not 0 <= first <= _MOST_CALLS:
            raise failure(ErrorCode.VALIDATION_FAILED, f"`first` must lie between 0 and {_MOST_CALLS}.", field="first")
        return self.condition.calls(first, bool(only_failed))

    @strawberry.field(description="The connection that it replaces.")
    async def predecessor(
        self, info: strawberry.Info[Any, Any]
    ) -> Annotated["ConnectedSystem", strawberry.lazy("schema.connections")] | None:
        """Find the connection that was there before."""
        if self.predecessor_id is None:
            return None
        found: ConnectedSystem | None = await info.context.directory.connection(self.predecessor_id)
        return found


@described_type
class ApiKey(Node):
    """A key to this API; never its secret."""

    id: strawberry.ID = strawberry.field(description="The global id.")
    name: str = strawberry.field(description="A name to show to people.")
    kind: ApiKeyKind = strawberry.field(description="What it reaches.")
    scopes: list[ApiKeyScope] = strawberry.field(description="What may be done with it.")
    customer: Annotated["Customer", strawberry.lazy("schema.connections")] | None = strawberry.field(
        description="The customer that it reaches."
    )
    connection: ConnectedSystem | None = strawberry.field(description="The connection that it reaches.")
    preview: str = strawberry.field(description="Its start and end.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime | None = strawberry.field(description="When it expires.")
    last_used_at: datetime | None = strawberry.field(description="When it was last used, to the minute.")
    revoked_at: datetime | None = strawberry.field(description="When it was revoked.")


ConnectedSystemConnection = page_type(ConnectedSystem, "connections")
ApiKeyConnection = page_type(ApiKey, "keys")


class Directory(Protocol):
    """What one caller can see of customers, connections and keys; found in the context of a request."""

    async def customers(self) -> list["Customer"]:
        """The customers that the caller can see, oldest first."""

    async def connections(self) -> list[ConnectedSystem]:
        """The connections that the caller can see, oldest first, disconnected ones too."""

    async def keys(self, customer_id: str) -> list[ApiKey]:
        """The keys of a customer that the caller can see, oldest first; none for callers that may not manage."""


ConnectionsFilter = Annotated[
    ConnectedSystemFilter | None,
    strawberry.argument(description="Which connections; without it, all."),
]
CustomersFilter = Annotated[
    CustomerFilter | None,
    strawberry.argument(description="Which customers; without it, all."),
]


def page_of_stored(
    connection: type[Any],
    shape: FilterShape | None,
    rows: list[Any],
    given: Any,
    first: int | None,
    after: str | None,
) -> Any:
    """Filter rows of our own store and cut one page out of them."""
    if shape is not None and given:
        test = compile_test(parse(shape, given))
        rows = [row for row in rows if test(row)]
    return slice_page(connection, rows, first, after)


@described_type
class Customer(Node):
    """A customer, with connections of its own."""

    id: strawberry.ID = strawberry.field(description="The global id.")
    name: str = strawberry.field(description="A name to show to people.")
    external_id: str | None = strawberry.field(description="Your own key for it.")
    metadata: JSON | None = strawberry.field(description="Your own data, given back unchanged.")
    created_at: datetime = strawberry.field(description="When it was created.")

    @strawberry.field(description="Its connections.", graphql_type=ConnectedSystemConnection)
    async def connections(
        self,
        info: strawberry.Info[Any, Any],
        first: First = 50,
        after: After = strawberry.UNSET,
        filter: ConnectionsFilter = strawberry.UNSET,
    ) -> Any:
        """Page the connections of this customer."""
        directory: Directory = info.context.directory
        owned = [item for item in await directory.connections() if item.customer and item.customer.id == self.id]
        return page_of_stored(ConnectedSystemConnection, CONNECTED_SYSTEM_FILTER, owned, filter, first, given(after))

    @strawberry.field(description="Its keys.", graphql_type=ApiKeyConnection)
    async def api_keys(
        self, info: strawberry.Info[Any, Any], first: First = 50, after: After = strawberry.UNSET
    ) -> Any:
        """Page the keys of this customer."""
        directory: Directory = info.context.directory
        return slice_page(ApiKeyConnection, await directory.keys(self.id), first, given(after))


CustomerConnection = page_type(Customer, "customers")


@described_type
class Viewer:
    """Who is asking."""

    api_key: ApiKey = strawberry.field(description="The key that was sent.")
    customer: Customer | None = strawberry.field(description="The customer that it belongs to.")
    connection: ConnectedSystem | None = strawberry.field(description="The connection that it belongs to.")
