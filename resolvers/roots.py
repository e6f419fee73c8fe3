"""The schema as a whole: list and single roots of every entity, nodes, connections, systems and customers."""

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig

from connectors.registry import all_systems, find_system
from resolvers.costs import Costs
from resolvers.custom_objects import custom_objects_root
from resolvers.describing import describe_system
from resolvers.explaining import explain_root
from resolvers.lists import list_root
from resolvers.mutations import Mutation
from resolvers.planning import plan_of, planned_by
from resolvers.ports import Context
from resolvers.singles import GlobalId, find_node, find_nodes, plan_node, plan_nodes, single_root
from resolvers.subscriptions import Subscription
from schema import assets, inventory, maintenance, purchasing, vendors
from schema.absent import given
from schema.connections import (
    CONNECTED_SYSTEM_FILTER,
    CUSTOMER_FILTER,
    ConnectedSystem,
    ConnectedSystemConnection,
    ConnectionsFilter,
    CustomerConnection,
    CustomersFilter,
    Viewer,
    page_of_stored,
)
from schema.credits import CreditPool
from schema.custom_objects import CustomObject
from schema.errors import MUTATION_ERRORS
from schema.event_pages import EVENT_FILTER, EventConnection, EventsFilter
from schema.filters import parse
from schema.model import ENTITIES
from schema.pages import After, First
from schema.records import Node
from schema.scalars import SCALARS
from schema.systems import System

_ENTITY_MODULES = (purchasing, maintenance, assets, vendors, inventory)
"""Importing them is what declares the entities."""


@strawberry.type(description="What can be asked.")
class _StoredRoots:
    """The roots that are answered from our own store."""

    @strawberry.field(description="Anything, by id.", metadata=planned_by(plan_node))
    async def node(self, info: strawberry.Info[Context, Any], id: GlobalId) -> Node | None:
        """Find one thing."""
        found: Node | None = await find_node(info.context, plan_of(info))
        return found

    @strawberry.field(
        description="Several things, by id, in the same order; null for what is not there.",
        metadata=planned_by(plan_nodes),
    )
    async def nodes(
        self,
        info: strawberry.Info[Context, Any],
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="The global ids, 200 at most.")],
    ) -> list[Node | None]:
        """Find several things."""
        return await find_nodes(info.context, plan_of(info))

    @strawberry.field(description="A connection, by id.")
    async def connection(self, info: strawberry.Info[Context, Any], id: GlobalId) -> ConnectedSystem | None:
        """Find a connection."""
        return await info.context.directory.connection(id)

    @strawberry.field(description="The connections that the token can see.", graphql_type=ConnectedSystemConnection)
    async def connections(
        self,
        info: strawberry.Info[Context, Any],
        first: First = 50,
        after: After = strawberry.UNSET,
        filter: ConnectionsFilter = strawberry.UNSET,
    ) -> Any:
        """Page the connections."""
        rows = await info.context.directory.connections()
        return page_of_stored(ConnectedSystemConnection, CONNECTED_SYSTEM_FILTER, rows, filter, first, given(after))

    @strawberry.field(description="What can be connected.")
    def systems(self) -> list[System]:
        """Describe every kind of system."""
        return [describe_system(system) for system in all_systems()]

    @strawberry.field(description="A kind of system, by key.")
    def system(self, key: Annotated[str, strawberry.argument(description="The key, such as maximo.")]) -> System | None:
        """Describe one kind of system."""
        system = find_system(key)
        return describe_system(system) if system is not None else None

    @strawberry.field(description="The customers that the token can see.", graphql_type=CustomerConnection)
    async def customers(
        self,
        info: strawberry.Info[Context, Any],
        first: First = 50,
        after: After = strawberry.UNSET,
        filter: CustomersFilter = strawberry.UNSET,
    ) -> Any:
        """Page the customers."""
        rows = await info.context.directory.customers()
        return page_of_stored(CustomerConnection, CUSTOMER_FILTER, rows, filter, first, given(after))

    @strawberry.field(description="What has happened, latest first.", graphql_type=EventConnection)
    async def events(
        self,
        info: strawberry.Info[Context, Any],
        first: First = 50,
        after: After = strawberry.UNSET,
        filter: EventsFilter = strawberry.UNSET,
    ) -> Any:
        """Page the events."""
        return await info.context.history.events(parse(EVENT_FILTER, filter), first, given(after))

    @strawberry.field(description="The credits for connections; for the admin token alone.")
    async def credit_pool(self, info: strawberry.Info[Context, Any]) -> CreditPool:
        """Tell how many credits there are."""
        return await info.context.history.credit_pool()

    @strawberry.field(description="Who is asking.")
    async def viewer(self, info: strawberry.Info[Context, Any]) -> Viewer:
        """Tell the caller who they are."""
        return await info.context.directory.viewer()


class _Schema(strawberry.Schema):
    """A schema that leaves the account of errors to the process, which knows the request."""

    def process_errors(self, errors: Sequence[GraphQLError], execution_context: Any = None) -> None:
        """Nothing: an error may be an expected refusal, and only its form decides whether it is logged."""


def build_schema(extensions: Sequence[type[SchemaExtension]] = ()) -> strawberry.Schema:
    """The executable schema; the same whatever is connected."""
    roots: dict[str, Any] = {"custom_objects": custom_objects_root(), "explain": explain_root()}
    for entity in ENTITIES.values():
        roots[entity.list_root] = list_root(entity)
        roots[entity.root] = single_root(entity)
    query = strawberry.type(type("Query", (_StoredRoots,), roots), name="Query", description="What can be asked.")
    return _Schema(
        query=query,
        mutation=Mutation,
        subscription=Subscription,
        types=[*(entity.cls for entity in ENTITIES.values()), CustomObject, *MUTATION_ERRORS],
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=(*extensions, Costs),
    )
