"""Calls a sandbox in the same process: the one network client that does not come from the guarded module."""

import httpx
from starlette.types import ASGIApp


class InProcessTransport(httpx.ASGITransport):
    """Hands requests to an application; one that is down refuses the connection, as a real one would."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer by calling the application."""
        try:
            return await super().handle_async_request(request)
        except ConnectionRefusedError as error:
            raise httpx.ConnectError("the sandbox refuses the connection") from error


def in_process_client(application: ASGIApp, base_url: str) -> httpx.AsyncClient:
    """A client whose every request goes to the application."""
    return httpx.AsyncClient(transport=InProcessTransport(application), base_url=base_url)
