"""Lets equal questions of one process share one call: the first asks, the others wait for its answer."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from connectors.errors import TimedOut

Landed = TypeVar("Landed")
Land = Callable[[Landed], None]


class Flights(Generic[Landed]):
    """The calls under way, each by the question that it answers.

    Whoever waits does so until its own deadline at most. When the first is cancelled, or leaves without an answer, one
    of those who wait goes instead.
    """

    def __init__(self) -> None:
        self._open: dict[Hashable, asyncio.Future[Landed | None]] = {}

    def __len__(self) -> int:
        return len(self._open)

    async def share(
        self,
        question: Hashable,
        lead: Callable[[Land[Landed]], Awaitable[Landed]],
        accepts: Callable[[Landed], bool],
        deadline: float,
    ) -> tuple[Landed, bool]:
        """What came of a question, and whether this very caller has asked it.

        `lead` asks; it calls what it is given as soon as there is an answer, and may go on to keep it. What came is
        used by those who wait only where they accept it. Raises TimedOut at the deadline, a time of the event loop.
        """
        while True:
            flight = self._open.get(question)
            if flight is None:
                return await self._lead(question, lead), True
            try:
                async with asyncio.timeout_at(deadline):
                    landed = await asyncio.shield(flight)
            except TimeoutError:
                landed = None
            if asyncio.get_running_loop().time() >= deadline:
                raise TimedOut("The system did not answer another request for the same within the deadline.")
            if landed is not None and accepts(landed):
                return landed, False
            if self._open.get(question) is flight:
                del self._open[question]

    async def _lead(self, question: Hashable, lead: Callable[[Land[Landed]], Awaitable[Landed]]) -> Landed:
        flight: asyncio.Future[Landed | None] = asyncio.get_running_loop().create_future()
        self._open[question] = flight

        def land(landed: Landed | None) -> None:
            if not flight.done():
                flight.set_result(landed)

        try:
            landed = await lead(land)
            land(landed)
            return landed
        finally:
            land(None)
            if self._open.get(question) is flight:
                del self._open[question]
