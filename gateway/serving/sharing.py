"""Executes equal subscriptions once: one stream for all who ask the same with the same rights, encoded once."""

import asyncio
import contextlib
import json
import logging
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import FieldNode, GraphQLError, Node, OperationDefinitionNode, OperationType, VariableNode, parse
from strawberry import Schema

from gateway.serving.auth import Caller, TokenRefused
from gateway.stores.errors import Unavailable
from resolvers.ports import Context, Following

_LOGGER = logging.getLogger(__name__)
_USES_OF_A_BEGINNING = 2

Operation = Mapping[str, Any]
"""`query`, `variables` and `operationName`, checked."""
Encode = Callable[[Any, str], "Encoded"]
"""Writes an execution result, for the request of an id."""
MakeContext = Callable[[Caller, str, Following], Context]


@dataclass(frozen=True, slots=True)
class Encoded:
    """One result as JSON; one that `is_refused` is only the list of errors for which nothing was executed."""

    payload: bytes
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """One result of a shared stream; `number` is that of the event that it tells of."""

    number: int
    encoded: Encoded


class BrokenOff(Exception):
    """The subscription cannot go on here and now; the subscriber can come again and go on from its last cursor."""


class TooSlow(BrokenOff):
    """The subscriber has not taken what it asked for."""


@dataclass(eq=False)
class Member:
    """One subscriber of a shared stream, with what waits for it; `since` is the event that it already knows of."""

    since: int
    most: int
    caller: Caller
    waiting: deque[Frame] = field(default_factory=deque)
    is_over: bool = False
    lost: BrokenOff | None = None
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, frame: Frame) -> None:
        """Put a frame with those that wait; one too many, and the subscriber is lost."""
        if frame.number <= self.since or self.lost is not None:
            return
        if len(self.waiting) >= self.most:
            self.break_off(TooSlow())
        else:
            self.waiting.append(frame)
            self._woken.set()

    def break_off(self, reason: BrokenOff) -> None:
        """Forget what waits: the subscriber has to come again."""
        self.lost = self.lost or reason
        self.waiting.clear()
        self._woken.set()

    def end(self) -> None:
        """Tell that nothing follows."""
        self.is_over = True
        self._woken.set()

    async def frames(self) -> AsyncIterator[Frame]:
        """What is offered, in order; BrokenOff when it cannot go on, such as TooSlow when it was too much."""
        while True:
            while self.waiting:
                yield self.waiting.popleft()
            if self.lost is not None:
                raise self.lost
            if self.is_over:
                return
            self._woken.clear()
            await self._woken.wait()


@dataclass(eq=False)
class _Group:
    members: set[Member] = field(default_factory=set)
    task: asyncio.Task[None] | None = None
    position: int = 0


@dataclass(eq=False)
class SharedSubscriptions:
    """The subscriptions of this process.

    Each subscriber first gets what concerns it alone: how everything is now, or what it has missed. From there on it
    shares the stream of its group: those with the same document, variables and rights.
    """

    schema: Schema
    make_context: MakeContext
    readmit: Callable[[Caller], None]
    encode: Encode
    position: Callable[[], Awaitable[int]]
    most_waiting: int
    _groups: dict[Hashable, _Group] = field(default_factory=dict)

    @property
    def streams(self) -> int:
        """How many streams are executed now."""
        return len(self._groups)

    def break_off(self) -> None:
        """Send every subscriber away; BrokenOff is raised where they follow."""
        for group in self._groups.values():
            _send_away(group)

    def check_keys(self, *, only_expiring: bool = False) -> None:
        """Send away whoever's key is no longer in force; who comes again is told why not."""
        for group in self._groups.values():
            for member in group.members:
                if member.caller.key.expires_at is not None or not only_expiring:
                    with contextlib.suppress(Unavailable):  # what cannot be known now is seen to when it can
                        self._check(member)

    def _check(self, member: Member) -> None:
        try:
            self.readmit(member.caller)
        except TokenRefused:
            member.break_off(BrokenOff())

    async def follow(self, caller: Caller, operation: Operation, identifier: str) -> AsyncGenerator[Encoded, None]:
        """The encoded results of an operation, one after the other; a query or a mutation has one.

        Raises TooSlow when the subscriber does not take what it is sent, BrokenOff where it cannot go on, and
        TokenRefused where its key is no longer in force.
        """
        try:
            self.readmit(caller)
            async with contextlib.aclosing(self._follow(caller, operation, identifier)) as results:
                async for encoded in results:
                    yield encoded
        except (BrokenOff, TokenRefused):
            raise
        except Unavailable as error:
            _LOGGER.error("a subscription cannot go on: %s", error)
            raise BrokenOff from error
        except Exception as error:
            _LOGGER.exception("a subscription has failed")
            raise BrokenOff from error

    async def _follow(self, caller: Caller, operation: Operation, identifier: str) -> AsyncGenerator[Encoded, None]:
        member = Member(await self.position(), self.most_waiting, caller)
        key = _key(caller, operation)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(position=member.since)
        group.members.add(member)
        try:
            catching_up = Following(until=member.since)
            has_failed = False
            async for result in self._results(caller, operation, identifier, catching_up):
                if catching_up.has_begun and _is_passing(result):
                    raise BrokenOff
                has_failed = has_failed or (bool(result.errors) and not result.data)
                yield self.encode(result, identifier)
            if has_failed or not catching_up.has_begun:
                return  # it was refused, or is no subscription: there is nothing to follow
            if group.task is None:
                group.task = asyncio.create_task(self._run(group, caller, operation, identifier))
            async for frame in member.frames():
                yield frame.encoded
        finally:
            group.members.discard(member)
            if not group.members and self._groups.get(key) is group:
                del self._groups[key]
                if group.task is not None:
                    group.task.cancel()

    async def _results(
        self, caller: Caller, operation: Operation, identifier: str, following: Following
    ) -> AsyncIterator[Any]:
        stream = await self.schema.stream(
            operation["query"],
            variable_values=operation.get("variables"),
            operation_name=operation.get("operationName"),
            context_value=self.make_context(caller, identifier, following),
        )
        async with contextlib.aclosing(stream):
            async for result in stream:
                yield result

    async def _run(self, group: _Group, caller: Caller, operation: Operation, identifier: str) -> None:
        """Execute the group's stream and hand every frame to all members."""
        following = Following(since=group.position)
        try:
            async for result in self._results(caller, operation, identifier, following):
                frame = Frame(following.told, self.encode(result, identifier))
                if result.errors and not result.data:
                    _send_away(group)
                for member in group.members:
                    member.offer(frame)
        except Exception:
            _LOGGER.exception("a subscription has failed")
            _send_away(group)
        group.task = None
        for member in group.members:
            member.end()


def _send_away(group: _Group) -> None:
    for member in group.members:
        member.break_off(BrokenOff())


def _is_passing(result: Any) -> bool:
    """Whether a result failed for a reason that is over when the subscriber comes again."""
    return any(isinstance(getattr(error, "original_error", None), Unavailable) for error in result.errors or ())


def _key(caller: Caller, operation: Operation) -> Hashable:
    """What makes two subscriptions the same: what is asked, and what may be seen; where they began does not."""
    variables = dict(operation.get("variables") or {})
    for name in _only_a_beginning(operation["query"]):
        variables.pop(name, None)
    return (
        caller.tenant,
        caller.key.kind,
        caller.key.connection_id,
        caller.key.scopes,
        operation["query"],
        operation.get("operationName"),
        json.dumps(variables, sort_keys=True),
    )


def _only_a_beginning(query: str) -> set[str]:
    """The variables of a document that say nothing but after which cursor to begin."""
    try:
        document = parse(query, no_location=True)
    except GraphQLError:
        return set()
    used = Counter(_variables(definition for definition in document.definitions))
    beginnings = [
        argument.value.name.value
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode) and definition.operation is OperationType.SUBSCRIPTION
        for selection in definition.selection_set.selections
        if isinstance(selection, FieldNode)
        for argument in selection.arguments or ()
        if argument.name.value == "after" and isinstance(argument.value, VariableNode)
    ]
    # Its definition is one use, its place as `after` the other.
    return {name for name in beginnings if used[name] == _USES_OF_A_BEGINNING}


def _variables(nodes: Iterable[Any]) -> Iterator[str]:
    """The name of every variable below nodes, once for each place."""
    for node in nodes:
        if isinstance(node, VariableNode):
            yield node.name.value
        elif isinstance(node, Node):
            for key in node.keys:
                found = getattr(node, key, None)
                yield from _variables(found if isinstance(found, list | tuple) else (found,))
