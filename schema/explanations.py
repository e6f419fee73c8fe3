"""What a query would do, as clients see it: what each source would be asked, what it may cost, what would be null."""

from collections.abc import Callable, Sequence
from typing import Annotated

import strawberry

from schema.connections import ConnectedSystem
from schema.errors import Problem
from schema.model import EntityType, described_type
from schema.records import FieldGap

ExplainedQuery = Annotated[str, strawberry.argument(description="The query.")]
ExplainedOperation = Annotated[str | None, strawberry.argument(description="Which operation, where there are several.")]


@described_type
class PlannedRequest:
    """A request to a system, without secrets."""

    method: str = strawberry.field(description="The method.")
    url: str = strawberry.field(description="The address.")
    body: str | None = strawberry.field(default=None, description="The body.")


@described_type
class PlannedRead:
    """What would be read from one source."""

    path: str = strawberry.field(description="The field of the query, such as purchaseOrders.nodes.vendor.")
    connection: ConnectedSystem = strawberry.field(description="The source.")
    entity: EntityType | None = strawberry.field(description="The kind of record; null for a custom object.")
    upstream_fields: list[str] = strawberry.field(
        default_factory=list, description="The fields that would be asked for."
    )
    filters_pushed: list[str] = strawberry.field(
        default_factory=list, description="The filters that the system would apply."
    )
    filters_here: list[str] = strawberry.field(
        default_factory=list, description="The filters that would be applied here."
    )
    is_order_pushed: bool = strawberry.field(default=False, description="Whether the system would sort.")
    is_limit_pushed: bool = strawberry.field(
        default=False, description="Whether the system would be asked for one page only."
    )
    upstream_calls: int = strawberry.field(default=0, description="How many calls would be made at most.")
    make_request: strawberry.Private[Callable[[], PlannedRequest | None]] = lambda: None
    find_gaps: strawberry.Private[Callable[[], Sequence[FieldGap]]] = tuple
    problem: Problem | None = strawberry.field(default=None, description="Why this source would not be asked.")

    @strawberry.field(description="The first request.")
    def request(self) -> PlannedRequest | None:
        """Write the request only where it is asked for."""
        return self.make_request()

    @strawberry.field(description="Fields that would be null, and why.")
    def missing(self) -> list[FieldGap]:
        """Look for gaps only where they are asked for."""
        return list(self.find_gaps())


@described_type
class Explanation:
    """What a query would do."""

    cost: int = strawberry.field(default=0, description="Its cost estimate.")
    max_cost: int = strawberry.field(description="The cost that this token may spend on one query.")
    upstream_calls: int = strawberry.field(
        default=0, description="How many calls it would make at most for its first page."
    )
    reads: list[PlannedRead] = strawberry.field(
        default_factory=list, description="What would be read from each source."
    )
    problems: list[Problem] = strawberry.field(default_factory=list, description="Why it would be refused.")
