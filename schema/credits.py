"""The credits that connections cost, and the ledger of who has taken and returned them."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from schema.absent import given
from schema.enums import enumeration
from schema.model import described_type
from schema.pages import After, First, page_type
from schema.records import Node
from schema.systems import Deployment

if TYPE_CHECKING:
    from schema.connections import ConnectedSystem

_COSTS = {1: 1, 2: 2, 3: 4}
"""What a connection to a system of a tier costs, before the multiplier."""


@enumeration
class CreditLedgerEntryKind(Enum):
    """What happened to credits."""

    GRANTED = "They were added to the pool."
    TAKEN = "A connection took them."
    RETURNED = "A connection gave them back."
    ADJUSTED = "Someone corrected the balance."


@described_type
class ConnectionCredits:
    """What a connection costs."""

    tier: int = strawberry.field(description="The tier of the system, 1 to 3.")
    multiplier: int = strawberry.field(description="2 for a system on premises, else 1.")
    cost: int = strawberry.field(description="The credits that it takes.")


def credits_of(tier: int, deployment: Deployment) -> ConnectionCredits:
    """What a connection to a system of this tier costs."""
    multiplier = 2 if deployment is Deployment.ON_PREMISES else 1
    return ConnectionCredits(tier=tier, multiplier=multiplier, cost=_COSTS[tier] * multiplier)


@described_type
class CreditLedgerEntry(Node):
    """Credits taken or returned."""

    id: strawberry.ID = strawberry.field(description="The global id.")
    kind: CreditLedgerEntryKind = strawberry.field(description="What happened.")
    amount: int = strawberry.field(description="The change of the balance; below zero when taken.")
    balance_after: int = strawberry.field(description="The balance after it.")
    connection: Annotated["ConnectedSystem", strawberry.lazy("schema.connections")] | None = strawberry.field(
        description="The connection concerned."
    )
    actor: str = strawberry.field(description="Who did it.")
    created_at: datetime = strawberry.field(description="When.")


CreditLedgerEntryConnection = page_type(CreditLedgerEntry, "entries")


@described_type
class CreditPool(Node):
    """The credits for connections."""

    id: strawberry.ID = strawberry.field(description="The global id.")
    is_unlimited: bool = strawberry.field(description="Whether credits do not matter here.")
    granted: int | None = strawberry.field(description="How many there are in all; null when unlimited.")
    used: int = strawberry.field(description="How many are taken.")
    balance: int | None = strawberry.field(description="How many are left; null when unlimited.")

    @strawberry.field(
        description="What was taken and returned, latest first.", graphql_type=CreditLedgerEntryConnection
    )
    async def ledger(self, info: strawberry.Info[Any, Any], first: First = 50, after: After = strawberry.UNSET) -> Any:
        """Page the ledger."""
        return await info.context.history.ledger(first, given(after))
