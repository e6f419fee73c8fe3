"""What one call to a system needs from outside; the process implements it, tests bring their own."""

from typing import Protocol

import httpx

from connectors.client import Tally
from connectors.query import Page, Read, Request
from connectors.spec import System


class Transport(Protocol):
    """Gives network clients whose every connection is guarded; nothing below the process builds one."""

    def client(self, base_url: str) -> httpx.AsyncClient:
        """A client for one address; it never follows redirects and never repeats a request.

        A refused address is raised as `connectors.errors.AddressRefused`, whatever httpx would make of it.
        """


class Clock(Protocol):
    """Time as the event loop counts it."""

    def time(self) -> float:
        """Seconds that only ever grow."""


class Reads(Protocol):
    """A source that can be asked, whether it answers itself or something that keeps its answers stands before it."""

    @property
    def system(self) -> System:
        """The system behind it."""

    async def fetch(self, read: Read, tally: Tally, deadline: float) -> Page:
        """Ask one question; raises the meaning of whatever goes wrong."""

    async def follow(self, read: Read, rest: Request, tally: Tally, deadline: float) -> Page:
        """Ask for the rest of a question whose answer was cut."""
