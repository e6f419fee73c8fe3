"""Hands the events of connections to those who follow them: each is read once by a process, in the order of commits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field

from graphql import GraphQLError

from gateway.serving.auth import Caller
from gateway.showing import is_told
from gateway.stores.events import Events
from gateway.stores.rows import Event, event_id, event_number
from gateway.watching.polling import Poll
from resolvers.ports import Told
from schema.connections import ConnectedSystem
from schema.errors import ErrorCode, failure
from schema.events import ConnectionStatusUpdate
from schema.events import Event as ShownEvent

_PAGE = 500
_FORGOTTEN = "What came after this cursor is no longer kept; follow again without `after`."


@dataclass(eq=False)
class EventFeed:
    """The events of all customers as they come; `position` is the number of the last that was handed on.

    `refresh` brings what is known of connections up to date, and is called before the events that changed them are
    handed on, so that nobody is told of a change and shown what was before it.
    """

    events: Events
    refresh: Callable[[], Awaitable[None]]
    position: int = 0
    _listeners: set[asyncio.Queue[Event]] = field(default_factory=set)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _begun: int = 0
    _poll: Poll = field(init=False)

    def __post_init__(self) -> None:
        """Look for events whenever there may be some."""
        self._poll = Poll(self.read_on, "what has happened to connections")

    async def begin(self) -> None:
        """Start from now."""
        self.position = (await self.events.range()).latest

    def hint(self) -> None:
        """There may be news."""
        self._poll.hint()

    async def run(self) -> None:
        """Read on for ever; what cannot be read now is read later."""
        await self._poll.run()

    async def read_on(self) -> int:
        """Hand on all events that have come until now; the number of the last."""
        ticket = self._begun
        async with self._reading:
            if self._begun == ticket:  # nobody has begun to read since this was asked for
                self._begun += 1
                await self._read()
        return self.position

    async def _read(self) -> None:
        while True:
            found = await self.events.after(self.position, first=_PAGE)
            if not found:
                return
            await self.refresh()
            for event in found:
                for listener in self._listeners:
                    listener.put_nowait(event)
            self.position = found[-1].number

    async def listen(self, since: int) -> AsyncIterator[Event]:
        """Every event after a number, which is not behind the feed's own by more than what is kept."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            reached = self.position
            async for event in self.between(since, reached):
                yield event
            while True:
                event = await queue.get()
                if event.number > reached:
                    yield event
        finally:
            self._listeners.discard(queue)

    async def between(self, since: int, until: int) -> AsyncIterator[Event]:
        """The kept events after one number and up to another; INVALID_CURSOR where some are no longer kept."""
        while since < until:
            found = await self.events.after(since, first=_PAGE)
            if not found or found[0].number > since + 1:  # numbers have no gaps: these were deleted for their age
                raise _invalid(_FORGOTTEN)
            for event in found:
                if event.number > until:
                    return
                yield event
            since = found[-1].number


Describe = Callable[[Caller, Collection[str] | None], Awaitable[Sequence[ConnectedSystem]]]
"""The connections that a caller sees, all or those with these ids, as they are now."""
ShowEvent = Callable[[Event, ConnectedSystem | None], ShownEvent]


@dataclass(eq=False)
class CallerUpdates:
    """The changes of the connections that one caller sees."""

    caller: Caller
    feed: EventFeed
    describe: Describe
    show: ShowEvent

    async def so_far(self, connection_ids: Sequence[str] | None, after: str | None, until: int) -> AsyncIterator[Told]:
        """How every connection is, or what has changed after a cursor."""
        known = await self.describe(self.caller, connection_ids)
        missing = set(connection_ids or ()) - {str(connection.id) for connection in known}
        if missing:
            raise failure(
                ErrorCode.CONNECTION_NOT_FOUND,
                f"There is no connection {min(missing)!r} that this token can see.",
                field="connectionIds",
            )
        if after is None:
            for connection in known:
                yield until, ConnectionStatusUpdate(connection=connection, event=None, cursor=event_id(until))
            return
        since = await self._checked(after)
        async for event in self.feed.between(since, until):
            update = await self._update(event, connection_ids)
            if update is not None:
                yield event.number, update

    async def from_now(self, connection_ids: Sequence[str] | None, since: int) -> AsyncIterator[Told]:
        """Every change after an event, as it comes."""
        async for event in self.feed.listen(since):
            update = await self._update(event, connection_ids)
            if update is not None:
                yield event.number, update

    def _concerns(self, event: Event, connection_ids: Sequence[str] | None) -> bool:
        if event.connection_id is None or not is_told(event):
            return False
        if not self.caller.sees(event.customer_id, event.connection_id):
            return False
        return connection_ids is None or event.connection_id in connection_ids

    async def _update(self, event: Event, connection_ids: Sequence[str] | None) -> ConnectionStatusUpdate | None:
        """What is told of an event; None where it does not concern the caller, or this version cannot show it."""
        if not self._concerns(event, connection_ids):
            return None
        found = await self.describe(self.caller, [str(event.connection_id)])
        if not found:
            return None
        return ConnectionStatusUpdate(
            connection=found[0], event=self.show(event, found[0]), cursor=event_id(event.number)
        )

    async def _checked(self, cursor: str) -> int:
        number, reach = event_number(cursor), await self.feed.events.range()
        if number is None or number > reach.latest:
            raise _invalid("The cursor is not one of ours.")
        if number < reach.forgotten:
            raise _invalid(_FORGOTTEN)
        return number


def _invalid(message: str) -> GraphQLError:
    return failure(ErrorCode.INVALID_CURSOR, message, field="after")
