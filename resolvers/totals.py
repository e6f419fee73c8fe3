"""Counts the rows of all sources together, where every one of them can tell without sending them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.query import Request
from connectors.tally import Tally
from resolvers.asking import Asked, as_trouble
from resolvers.cached_reads import live_reads_of
from resolvers.outcomes import explain
from resolvers.ports import Context
from schema.errors import Problem
from schema.sources import SourceCall, SourceCallPurpose, SourceStatus

PATH = "totalCount"


@dataclass(frozen=True)
class Total:
    """How many rows there are in all, None where a source could not tell, and the calls that it took, by connection."""

    rows: int | None = None
    calls: Mapping[str, list[SourceCall]] = field(default_factory=dict)


async def count_all(
    asked: Sequence[Asked], ends: Mapping[str, float], context: Context, gate: asyncio.Semaphore
) -> Total:
    """Ask every source for its number of rows, unless one is known not to tell; then nothing is asked.

    `ends` says until when each of them may answer, as times of the event loop, by the key of the source.
    """
    if not can_count(asked):
        return Total()
    counts = [_Count(item) for item in asked if not item.plan.finds_nothing]
    await asyncio.gather(*(count.ask(ends[count.asked.key], context, gate) for count in counts))
    calls: dict[str, list[SourceCall]] = {}
    for count in counts:
        calls.setdefault(count.asked.connection_id, []).append(count.call())
    numbers = [count.rows for count in counts]
    return Total(None if None in numbers else sum(number or 0 for number in numbers), calls)


def can_count(asked: Sequence[Asked]) -> bool:
    """Whether every source can tell how many rows it has."""
    return all(item.plan.finds_nothing or counting_request(item) is not None for item in asked)


def counting_request(asked: Asked) -> Request | None:
    """The request for the number of rows; None where the source cannot tell."""
    source, read = asked.live.source, asked.plan.counting
    return source.system.protocol.count(read, source.options) if read is not None else None


@dataclass(eq=False)
class _Count:
    asked: Asked
    rows: int | None = None
    tally: Tally = field(default_factory=Tally)
    status: SourceStatus = SourceStatus.OK
    problem: Problem | None = None

    async def ask(self, end: float, context: Context, gate: asyncio.Semaphore) -> None:
        """Ask one source; what goes wrong leaves the number unknown, and the rows as they are."""
        read, reads = self.asked.plan.counting, live_reads_of(self.asked.live, context)
        self.tally.entity = self.asked.tally.entity
        context.tallies.append(self.tally)
        try:
            async with asyncio.timeout_at(end), gate:
                self.rows = await reads.count(read, self.tally, end) if read is not None else None
        except Exception as error:
            trouble = as_trouble(error, self.tally)
            self.status, self.problem = explain(trouble, self.asked.live, context.request_id)

    def call(self) -> SourceCall:
        """The account of it that clients see."""
        return SourceCall(
            purpose=SourceCallPurpose.ROWS,
            path=PATH,
            requests=self.tally.requests,
            status=self.status,
            error=self.problem,
        )
