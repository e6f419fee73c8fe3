"""What can be followed: how connections are, first as it is now and then every change."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import strawberry

from schema.absent import given
from schema.events import ConnectionStatusUpdate

if TYPE_CHECKING:
    from resolvers.ports import Context

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


@strawberry.type(description="What can be followed.")
class Subscription:
    """The subscriptions."""

    @strawberry.subscription(
        description="How connections are: first each as it is now, then every change in order.",
    )
    async def connection_status(
        self,
        info: strawberry.Info["Context", Any],
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
