"""What one call to a system needs from outside; the process implements it, tests bring their own."""

from typing import Protocol

import httpx


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
