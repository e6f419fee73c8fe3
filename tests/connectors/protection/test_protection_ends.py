"""Connections that end while their calls wait: nothing more is sent, and nothing is learned about the system."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest

from connectors.client import Source
from connectors.errors import Disconnected, Paused, Trouble, Unavailable
from connectors.protection.limits import Priority
from tests.connectors.protection.peers import BUSY, Peer, ask, now, protections, source, told

ENDED = Disconnected("The connection was disconnected.")


def test_a_call_that_waits_for_its_turn_is_not_sent_once_its_connection_has_ended() -> None:
    async def story() -> None:
        peer = Peer(takes=1.0)
        subject = source(peer, protections(calls_at_once=1))
        first, second = asyncio.create_task(ask(subject)), asyncio.create_task(ask(subject))
        await asyncio.sleep(0.5)
        await subject.end(ENDED)
        await first
        assert await second is ENDED
        assert len(peer.asked) == 1

    told(story)


def test_a_call_that_would_be_repeated_is_not_once_its_connection_has_ended() -> None:
    async def story() -> None:
        peer = Peer(BUSY)
        subject = source(peer, protections(jitter=1.0))
        waiting = asyncio.create_task(ask(subject))
        await asyncio.sleep(0.01)
        await subject.end(ENDED)
        assert await waiting is ENDED
        assert len(peer.asked) == 1

    told(story)


class Login(httpx.Auth):
    """Logs in at a connection that ends meanwhile."""

    subject: Source

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        yield httpx.Request("POST", request.url.join("/login"))
        await self.subject.end(ENDED)
        yield request


def test_a_login_is_not_followed_by_its_call_once_the_connection_has_ended() -> None:
    async def story() -> None:
        peer, login = Peer(), Login()
        login.subject = source(peer, auth=login)
        assert await ask(login.subject) is ENDED
        assert len(peer.asked) == 1

    told(story)


@pytest.mark.parametrize("end", [ENDED, Paused("The connection is paused.")])
def test_an_end_says_nothing_of_how_the_system_is(end: Trouble) -> None:
    async def story() -> None:
        guard = source(Peer(), protections(failures_in_a_row=2)).guard
        for trouble, failures in ((Unavailable("down"), 1), (end, 1), (Unavailable("down"), 2)):
            with pytest.raises(type(trouble)):
                async with guard.entered("GET", Priority.INTERACTIVE, now() + 5.0):
                    raise trouble
            assert guard.breaker.failures == failures

    told(story)
