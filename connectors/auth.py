"""Logins as httpx.Auth flows: they yield requests and take answers, and so do no input or output themselves."""

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx

from connectors.errors import Trouble
from connectors.ports import Session, Sessions, Turn


class BasicLogin(httpx.Auth):
    """User and password with every request."""

    def __init__(self, username: str, password: str) -> None:
        token = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._header = f"Basic {token}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header."""
        request.headers["Authorization"] = self._header
        yield request


def _as_it_is(trouble: Trouble) -> Trouble:
    """The login is asked of the system itself, so its troubles are those of the system."""
    return trouble


class SessionLogin(httpx.Auth):
    """A login that gives a session; made when first needed and once more when the session has ended.

    `login` makes the login request for the address of a request, with what an earlier login has given to renew it;
    `read_session` reads its answer, or gives None where the login was refused, in which case the answer stands for
    that of the request. A trouble that either comes to is told as `meaning` has it. The session is that of `sessions`.
    """

    requires_response_body = True

    def __init__(
        self,
        login: Callable[[httpx.URL, str | None], httpx.Request],
        read_session: Callable[[httpx.Response], Session | None],
        meaning: Callable[[Trouble], Trouble] = _as_it_is,
    ) -> None:
        self.sessions: Sessions = LocalSessions()
        self._login = login
        self._read_session = read_session
        self._meaning = meaning

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Use the session that is known, and another one where it is refused."""
        refused: Session | None = None
        for _ in range(2):
            session = self.sessions.current
            if session is None or session is refused:
                async with self.sessions.turn(refused) as turn:
                    session = turn.session
                    if session is None:
                        try:
                            answer = yield self._login(request.url, turn.renewal)
                            session = self._read_session(answer)
                        except Trouble as trouble:
                            session = await turn.failed(self._meaning(trouble))
                        else:
                            if session is None:
                                return
                            session = await turn.keep(replace(session, renewal=session.renewal or turn.renewal))
            if session is refused:
                return
            request.headers["Authorization"] = session.header
            response = yield request
            if response.status_code != httpx.codes.UNAUTHORIZED:
                return
            refused = session


@dataclass(eq=False)
class _LocalTurn:
    """The turn of a login whose session nobody else knows."""

    sessions: "LocalSessions"
    session: Session | None

    @property
    def renewal(self) -> str | None:
        """What the latest login has given to log in with the next time."""
        found = self.sessions.found
        return None if found is None else found.renewal

    async def keep(self, session: Session) -> Session:
        """Use it from now on."""
        self.sessions.use(session)
        return session

    async def failed(self, trouble: Trouble) -> Session:
        """Tell it to whoever asked."""
        raise trouble


class LocalSessions:
    """A session in memory, for a connection that is not kept."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._since = 0.0
        self._lock = asyncio.Lock()

    @property
    def found(self) -> Session | None:
        """The latest session, with what is left of its lifetime, for whoever goes on with it."""
        session = self._session
        if session is None or session.lifetime is None:
            return session
        left = session.lifetime - (asyncio.get_running_loop().time() - self._since)
        return replace(session, lifetime=max(0.0, left))

    @property
    def current(self) -> Session | None:
        """The session while it holds."""
        found = self.found
        return None if found is None or found.lifetime == 0.0 else self._session

    def use(self, session: Session) -> None:
        """Use a session from now on."""
        self._session = session
        self._since = asyncio.get_running_loop().time()

    @asynccontextmanager
    async def turn(self, refused: Session | None) -> AsyncIterator[Turn]:
        """Log in at most once at a time, however many requests wait for it."""
        async with self._lock:
            current = self.current
            yield _LocalTurn(self, None if current is refused else current)
