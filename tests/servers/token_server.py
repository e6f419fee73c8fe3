"""A strict authorization server with a small system behind it: tokens end, refresh tokens are good once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from connectors.registry import use_manifests
from schema.administration import CredentialInput

MANIFEST = Path(__file__).with_name("mill")
CLIENT, SECRET = "mill-client", "mill-client-secret"
CANARY = "Kanarienvogel"
"""Stands in every token and refresh token."""


@contextmanager
def known_system() -> Iterator[None]:
    """The mill can be connected while the block lasts."""
    try:
        assert use_manifests([MANIFEST]) == []
        yield
    finally:
        use_manifests(())


@dataclass(eq=False)
class Mill:
    """The server; everything that it does can be looked at and changed while it runs.

    `grants` are the refresh tokens or kinds of login that tokens were asked for with, `statuses` what was answered.
    A refresh token is replaced when it is used, and one that was used before ends all others, as RFC 9700 advises.
    `mode` makes the token address fail, `is_overloaded` the system refuse every token. The first refusals are given
    only once `together` requests have come with a token that has ended, and no answer of the token address before
    `gate` is open.
    """

    grants: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    refused: int = 0
    asked: int = 0
    lifetime: float | None = 3600
    mode: str = "ok"
    rotates: bool = True
    is_overloaded: bool = False
    together: int = 0
    valid: set[str] = field(default_factory=set)
    refresh_token: str | None = f"{CANARY}-first"
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    _all_there: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.gate.set()

    def end_tokens(self, together: int = 0) -> None:
        """End all tokens; see `together`."""
        self.valid.clear()
        self.together, self.refused = together, 0
        self._all_there.clear()

    def forget(self) -> None:
        """Forget what was asked for."""
        self.grants.clear()
        self.statuses.clear()
        self.reached.clear()

    def credentials(self, url: str, login: str = "refresh") -> list[CredentialInput]:
        """The answers to the form of a login."""
        given = {"url": url, "token_url": f"{url}/token", "client_id": CLIENT, "client_secret": SECRET}
        if login == "refresh":
            given["refresh_token"] = self.refresh_token or ""
        return [CredentialInput(name=name, value=value) for name, value in given.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer = await self._token(request) if request.url.path == "/token" else await self._rows(request)
        await answer(scope, receive, send)

    async def _rows(self, request: Request) -> Response:
        self.asked += 1
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token in self.valid and not self.is_overloaded:
            return JSONResponse([{"id": "V-1", "name": "Bolt & Sons"}])
        self.refused += 1
        if self.refused >= self.together:
            self._all_there.set()
        await self._all_there.wait()
        return JSONResponse({"message": "who are you?"}, 401)

    async def _token(self, request: Request) -> Response:
        given = dict(parse_qsl((await request.body()).decode(), strict_parsing=True))
        assert request.method == "POST"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        self.grants.append(given.get("refresh_token", given["grant_type"]))
        self.reached.set()
        answer = self._decide(given)
        await self.gate.wait()
        self.statuses.append(answer.status_code)
        return answer

    def _decide(self, given: dict[str, str]) -> Response:
        if self.mode == "error":
            return PlainTextResponse(f"out of order {CANARY}", 503)
        if self.mode == "nonsense":
            return PlainTextResponse("<html>")
        if self.mode == "invalid_client" or (given["client_id"], given["client_secret"]) != (CLIENT, SECRET):
            return _error("invalid_client", 401)
        if given["grant_type"] == "refresh_token":
            if self.mode == "invalid_grant" or given["refresh_token"] != self.refresh_token:
                self.refresh_token = None
                self.valid.clear()
                return _error("invalid_grant", 400)
            return self._issue(is_refreshed=True)
        assert given["grant_type"] == "client_credentials"
        return self._issue(is_refreshed=False)

    def _issue(self, *, is_refreshed: bool) -> Response:
        number = next(self._numbers)
        token = f"{CANARY}-access-{number}"
        self.valid.add(token)
        content: dict[str, object] = {"access_token": token, "token_type": "Bearer"}
        if self.lifetime is not None:
            content["expires_in"] = self.lifetime
        if is_refreshed and self.rotates:
            self.refresh_token = content["refresh_token"] = f"{CANARY}-refresh-{number}"
        return JSONResponse(content)


def _error(word: str, status: int) -> Response:
    return JSONResponse({"error": word, "error_description": f"{word} {CANARY}"}, status)
