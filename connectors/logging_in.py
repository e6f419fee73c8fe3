"""Drives the flow of a login by hand: its requests are those of a call, but end in a time of their own."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeAlias

import httpx

from connectors.errors import BadAnswer, TimedOut, Trouble
from connectors.query import Answer

LOGIN_SECONDS = 8.0
"""How long a login may take, whoever waits for it."""

Attempt = Callable[[httpx.Request], Awaitable[tuple[httpx.Response, Answer]]]
"""Sends one request; raises what it has come to where there is no answer."""

_Flow: TypeAlias = AsyncGenerator[httpx.Request, httpx.Response]
_Followed: TypeAlias = tuple[httpx.Request | None, Answer | None]
"""The request that follows an answer, and the answer."""


class Logins:
    """The logins of one source, also those for which nobody waits any more."""

    def __init__(self) -> None:
        self._left: set[asyncio.Task[None]] = set()

    async def exchange(
        self, auth: httpx.Auth, request: httpx.Request, attempt: Attempt, count: Callable[[str], None]
    ) -> Answer:
        """Send a request with all that its login needs; every further request is counted by its method."""
        flow = auth.async_auth_flow(request)
        login: asyncio.Task[_Followed] | None = None
        answer: Answer | None = None
        try:
            outgoing: httpx.Request | None = await anext(flow)
            while outgoing is not None:
                if outgoing is request:
                    response, answer = await attempt(outgoing)
                    outgoing = await _next(flow, response)
                else:
                    login = asyncio.create_task(_log_in(flow, outgoing, attempt))
                    await asyncio.wait([login])  # which leaves it alone when whoever waits goes away
                    outgoing, answer = login.result()
                if outgoing is not None:
                    count(outgoing.method)
        finally:
            if login is None or login.done():
                await flow.aclose()
            else:
                self._leave(login, flow)
        if answer is None:
            raise BadAnswer("The login came to no end.")
        return answer

    def _leave(self, login: asyncio.Task[_Followed], flow: _Flow) -> None:
        """Let a login come to its end for which nobody waits any more."""

        async def finish() -> None:
            await asyncio.gather(login, return_exceptions=True)
            await flow.aclose()

        task = asyncio.create_task(finish())
        self._left.add(task)
        task.add_done_callback(self._left.discard)

    async def end(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._left, return_exceptions=True)


async def _log_in(flow: _Flow, outgoing: httpx.Request, attempt: Attempt) -> _Followed:
    """Send a login's request and hand its answer over.

    What an answer brings may not come a second time, so no caller's haste loses it.
    """
    trouble: Trouble
    try:
        async with asyncio.timeout(LOGIN_SECONDS):
            response, answer = await attempt(outgoing)
    except TimeoutError:
        trouble = TimedOut("The login was not answered in time.")
    except Trouble as met:
        trouble = met
    else:
        return await _next(flow, response), answer
    return await flow.athrow(trouble), None


async def _next(flow: _Flow, response: httpx.Response) -> httpx.Request | None:
    """The request that a flow makes next; None where it is at its end."""
    try:
        return await flow.asend(response)
    except StopAsyncIteration:
        return None
