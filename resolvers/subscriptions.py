"""What can be followed: how connections are, first as it is now and then every change."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any

import strawberry

from resolvers.ports import Context
from schema.absent import given
from schema.events import ConnectionStatusUpdate


@strawberry.type(description="What can be followed.")
class Subscription:
    """The subscriptions."""

    @strawberry.subscription(
        description="How connections are: first each as it is now, then every change in order.",
    )
    async def connection_status(
        self,
        info: strawberry.Info[Context, Any],
        connection_ids: Annotated[
            list[strawberry.ID] | None,
            strawberry.argument(description="Only these; by default all that the token can see."),
        ] = strawberry.UNSET,
        after: Annotated[
            str | None, strawberry.argument(description="Continue after this cursor, without a gap.")
        ] = strawberry.UNSET,
    ) -> AsyncGenerator[ConnectionStatusUpdate, None]:
        """Follow the connections."""
        context = info.context
        context.directory.require("READ")
        following, chosen = context.following, given(connection_ids)
        following.has_begun = True
        if following.until is not None:
            updates = context.updates.so_far(chosen, given(after), following.until)
        else:
            updates = context.updates.from_now(chosen, following.since)
        async for number, update in updates:
            following.told = number
            yield update
