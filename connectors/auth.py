"""Logins as httpx.Auth flows: they yield requests and take answers, and so do no input or output themselves."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Callable, Generator

import httpx


class BasicLogin(httpx.Auth):
    """User and password with every request."""

    def __init__(self, username: str, password: str) -> None:
        token = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._header = f"Basic {token}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header."""
        request.headers["Authorization"] = self._header
        yield request


class SessionLogin(httpx.Auth):
    """A login that gives a session; made when first needed and once more when the session has ended.

    `login` makes the login request for the address of a request; `read_session` reads the header's value from its
    answer, or None where the login was refused, in which case the answer stands for that of the request.
    """

    requires_response_body = True

    def __init__(
        self,
        login: Callable[[httpx.URL], httpx.Request],
        read_session: Callable[[httpx.Response], str | None],
    ) -> None:
        self._login = login
        self._read_session = read_session
        self._session: str | None = None
        self._lock = asyncio.Lock()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Log in at most once at a time, however many requests wait for it."""
        refused: str | None = None
        for _ in range(2):
            async with self._lock:
                if self._session is None or self._session == refused:
                    answer = yield self._login(request.url)
                    self._session = self._read_session(answer)
                    if self._session is None:
                        return
            used = self._session
            request.headers["Authorization"] = used
            response = yield request
            if response.status_code != 401:
                return
            refused = used
