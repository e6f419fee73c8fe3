"""Customers, their connections to systems, and the keys that reach them."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Protocol

import strawberry

from schema.absent import given
from schema.enums import enumeration
from schema.filters import Filterable, FilterShape, IDFilter, StringFilter, enum_filter, filter_input, parse
from schema.health import ConnectionLifecycle
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
        Filterable("environment", "environment", enum_filter(Environment), "What kind of data it holds."),
        Filterable("tag", "tags", StringFilter, "One of its tags."),
    ),
    searched=("name", "system.key", "system.title"),
    text="Words to look for in name and system.",
)
CustomerFilter: Any = filter_input(CUSTOMER_FILTER)
ConnectedSystemFilter: Any = filter_input(CONNECTED_SYSTEM_FILTER)


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
