"""The sessions of connections in this process: in memory for those who use them, and kept for all processes."""

import asyncio
import json
import logging
import random
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from connectors.errors import LoginRefused, RefreshFailed, Refusal, Sent, Trouble
from connectors.ports import Clock, Session, Turn
from gateway.keys.keyring import Keyring, SealBroken
from gateway.outgoing.renewal import NOTHING, Next, Terms, after_failure, decide, told
from gateway.stores import rows
from gateway.stores.errors import StoreError
from gateway.stores.sessions import Sessions

_LOGGER = logging.getLogger(__name__)
_FIRST_POLL_SECONDS, _LONGEST_POLL_SECONDS = 0.02, 0.25
_SOON = timedelta(seconds=1)
_EARLY_SECONDS = 60.0
_EARLY_SHARE = 0.1
"""A session is renewed so long before its end, or this share of what is left of it; up to twice that by chance."""

Heard = Callable[[Trouble | None], None]
"""Takes what a renewal has come to; None where it went well."""


def seal_session(keyring: Keyring, session: Session, tenant: str, connection_id: str) -> rows.NewSession:
    """A session as it is kept."""
    text = json.dumps({"header": session.header, "renewal": session.renewal})
    sealed = keyring.seal(text.encode(), tenant=tenant, row=rows.session_row(connection_id))
    lifetime = None if session.lifetime is None else timedelta(seconds=session.lifetime)
    return rows.NewSession(sealed=sealed, lifetime=lifetime)


@dataclass(frozen=True, eq=False)
class SharedSessions:
    """The sessions of all connections, and what they need; `chance` draws a number from 0 to 1."""

    store: Sessions
    keyring: Keyring
    terms: Terms = field(default_factory=Terms)
    clock: Clock | None = None
    chance: Callable[[], float] = random.random
    _known: dict[str, "KeptSessions"] = field(default_factory=dict)

    def of(self, row: rows.Connection, heard: Heard) -> "KeptSessions":
        """The session of one connection with its present credentials, whatever else of it was changed."""
        known = self._known.get(row.id)
        if known is None or known.row.authorized_at != row.authorized_at:
            known = self._known[row.id] = KeptSessions(self, row, heard)
        known.go_on(row, heard)
        return known

    def forget(self, connection_ids: Iterable[str]) -> None:
        """Forget the sessions of connections that have ended."""
        for connection_id in connection_ids:
            self._known.pop(connection_id, None)

    def time(self) -> float:
        """Seconds that only ever grow."""
        return (self.clock or asyncio.get_running_loop()).time()


@dataclass(eq=False)
class _Known:
    """A session that this process has, when it ends and from when on it is to be renewed, by the clock."""

    session: Session
    version: int
    ends: float
    due: float


@dataclass(eq=False)
class _Unkept:
    """A session that was received while the store was away."""

    session: Session
    version: int
    is_replacement: bool
    since: float


@dataclass(eq=False)
class KeptSessions:
    """The session of one connection, as `connectors.ports.Sessions` has it.

    The store is asked only where no session is known that will do; what is known is used without waiting. `_owner`
    is who this is to the others.
    """

    shared: SharedSessions
    row: rows.Connection
    heard: Heard
    _known: _Known | None = field(default=None, repr=False)
    _unkept: _Unkept | None = field(default=None, repr=False)
    _rest_until: float = float("-inf")
    _refusal: Refusal | None = None
    _owner: str = field(default_factory=lambda: secrets.token_hex(8))
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def go_on(self, row: rows.Connection, heard: Heard) -> None:
        """Go on with other settings; a failure of before says nothing of them."""
        self.row, self.heard = row, heard
        self._rest_until = float("-inf")

    @property
    def current(self) -> Session | None:
        """The session as it is known here; while somebody renews it early, the others go on with it."""
        known, now = self._known, self.shared.time()
        if known is None or now >= known.ends or (now >= known.due and not self._lock.locked()):
            return None
        return known.session

    @asynccontextmanager
    async def turn(self, refused: Session | None) -> AsyncIterator[Turn]:
        """Wait for a session other than the one that was refused, or for the right to log in."""
        async with self._lock:
            turn = await self._turn(refused)
            try:
                yield turn
            finally:
                if turn.is_open:
                    await self._release()

    async def _turn(self, refused: Session | None) -> "_KeptTurn":
        known, now = self._known, self.shared.time()
        is_refused = known is not None and known.session is refused
        if known is not None and not is_refused and now < known.due:
            return _KeptTurn(self, known.session)
        if now < self._rest_until:
            return _KeptTurn(self, self._meanwhile(is_refused, told(self._refusal, self._left())))
        try:
            return await self._find(refused if is_refused else None)
        except StoreError as error:
            _LOGGER.error("a session cannot be shared now: %s", error, extra={"connection_id": self.row.id})
            trouble = RefreshFailed(
                "The login cannot be renewed while the gateway's database is away.",
                retry_after=_SOON.total_seconds(),
                sent=Sent.NOT_SENT,
            )
            return _KeptTurn(self, self._meanwhile(is_refused, trouble))

    async def _find(self, refused: Session | None) -> "_KeptTurn":
        """Ask the store until there is a session, the right to log in, or a reason why there is neither."""
        await self._keep_late()
        stale = self._known.version if self._known is not None else None
        is_refused, terms, wait = refused is not None, self.shared.terms, _FIRST_POLL_SECONDS
        while True:
            kept, session = await self._read()
            match decide(kept, self._owner, stale, is_refused=is_refused, terms=terms):
                case Next.USE if session is not None:
                    return _KeptTurn(self, self._adopt(kept, session))
                case Next.STAND:
                    return _KeptTurn(self, refused)
                case Next.REST | Next.REFUSED:
                    return _KeptTurn(self, self._leave_alone(kept, is_refused))
                case Next.WAIT if self._may_go_on(is_refused):
                    return _KeptTurn(self, self._meanwhile(is_refused, told(None, _SOON)))
                case Next.LOG_IN:
                    version = await self.shared.store.lease(
                        self.row.id, self.row.authorized_at, kept.version, self._owner, terms.lease
                    )
                    if version is not None:
                        renewal = session.renewal if session is not None else None
                        return _KeptTurn(self, None, version, renewal, kept.failures, is_refused)
            await asyncio.sleep(wait * (0.5 + 0.5 * self.shared.chance()))
            wait = min(wait * 1.5, _LONGEST_POLL_SECONDS)

    async def _read(self) -> tuple[rows.KeptSession, Session | None]:
        """What is kept, opened; a text that does not open is as none."""
        kept = await self.shared.store.read(self.row.id, self.row.authorized_at)
        if kept is None:
            message = "The connection has just been changed; try again."
            raise RefreshFailed(message, retry_after=_SOON.total_seconds(), sent=Sent.NOT_SENT)
        if kept.sealed is None:
            return kept, None
        name = rows.session_row(self.row.id)
        try:
            content = json.loads(self.shared.keyring.unseal(kept.sealed, tenant=self.row.customer_id, row=name))
        except SealBroken:
            _LOGGER.error("a kept session cannot be opened", extra={"connection_id": self.row.id})
            return replace(kept, sealed=None), None
        return kept, Session(content["header"], content["renewal"])

    def _adopt(self, kept: rows.KeptSession, session: Session) -> Session:
        """Use a kept session from now on."""
        left = float("inf") if kept.left is None else kept.left.total_seconds()
        self._use(session, kept.version or 0, left)
        if kept.failures == 0:
            self.heard(None)
        return session

    def _use(self, session: Session, version: int, left: float) -> None:
        now = self.shared.time()
        early = min(_EARLY_SECONDS, left * _EARLY_SHARE) * (1.0 + self.shared.chance())
        self._known = _Known(session, version, now + left, now + left - early)
        self._rest_until = float("-inf")

    def _leave_alone(self, kept: rows.KeptSession, is_refused: bool) -> Session:
        """Nobody is to try now; what another process has found out is told here too, since it may have died of it."""
        refusal = None if kept.refusal is None else Refusal[kept.refusal]
        trouble = told(refusal, max(kept.rests or NOTHING, NOTHING))
        self._rest(min(kept.rests or self.shared.terms.rest, self.shared.terms.rest), refusal)
        self.heard(trouble)
        return self._meanwhile(is_refused, trouble)

    def _rest(self, rest: timedelta, refusal: Refusal | None) -> None:
        """Do not even ask the store for a while."""
        self._rest_until = self.shared.time() + rest.total_seconds()
        self._refusal = refusal

    def _left(self) -> timedelta:
        return timedelta(seconds=self._rest_until - self.shared.time())

    def _may_go_on(self, is_refused: bool) -> bool:
        """Whether the known session will still do, though it should be renewed."""
        return self._known is not None and not is_refused and self.shared.time() < self._known.ends

    def _meanwhile(self, is_refused: bool, trouble: Trouble) -> Session:
        """The known session, where it will still do; else the trouble is raised."""
        if self._known is None or not self._may_go_on(is_refused):
            raise trouble
        self._known.due = max(self._rest_until, self.shared.time() + _SOON.total_seconds())
        return self._known.session

    async def keep(self, turn: "_KeptTurn", session: Session) -> Session:
        """Share a session that was received, before it is used; raises where it cannot be shared."""
        new = seal_session(self.shared.keyring, session, self.row.customer_id, self.row.id)
        try:
            version = await self.shared.store.keep(self.row.id, turn.version, new, is_replacement=turn.is_replacement)
        except StoreError as error:
            self._unkept = _Unkept(session, turn.version, turn.is_replacement, self.shared.time())
            _LOGGER.error("a new session cannot be kept now: %s", error, extra={"connection_id": self.row.id})
            message = "The login was renewed, but cannot be kept while the gateway's database is away."
            raise RefreshFailed(message, retry_after=_SOON.total_seconds()) from None
        if version is None:  # another process was thought to have logged in in our place, and has
            kept, found = await self._read()
            if found is None or (kept.left is not None and kept.left <= NOTHING):
                raise told(None, _SOON)
            return self._adopt(kept, found)
        self._use(session, version, float("inf") if session.lifetime is None else session.lifetime)
        self.heard(None)
        return session

    async def _keep_late(self) -> None:
        """Keep what could not be kept when it was received."""
        late = self._unkept
        if late is None:
            return
        session = late.session
        if session.lifetime is not None:
            session = replace(session, lifetime=max(0.0, session.lifetime - (self.shared.time() - late.since)))
        new = seal_session(self.shared.keyring, session, self.row.customer_id, self.row.id)
        await self.shared.store.keep(self.row.id, late.version, new, is_replacement=late.is_replacement)
        self._unkept = None

    async def failed(self, turn: "_KeptTurn", trouble: LoginRefused | RefreshFailed) -> Session:
        """Keep that there is no new session for a while; gives the old one where it will still do."""
        rest, refusal = after_failure(trouble, turn.failures + 1, self.shared.terms)
        if refusal is Refusal.EXHAUSTED:
            message = f"Logging in has failed {turn.failures + 1} times in a row. The last time: {trouble.message}"
            trouble = LoginRefused(message, refusal=refusal, upstream=trouble.upstream)
        elif isinstance(trouble, RefreshFailed):
            trouble.retry_after = rest.total_seconds()
        name = None if refusal is None else refusal.name
        try:
            is_ours = await self.shared.store.fail(self.row.id, turn.version, self._owner, rest=rest, refusal=name)
        except StoreError as error:
            is_ours = True
            _LOGGER.error("a failed login cannot be kept now: %s", error, extra={"connection_id": self.row.id})
        if not is_ours:
            raise told(None, _SOON)
        self._rest(min(rest, self.shared.terms.rest), refusal)
        self.heard(trouble)
        return self._meanwhile(turn.is_replacement, trouble)

    async def _release(self) -> None:
        try:
            await self.shared.store.release(self.row.id, self._owner)
        except StoreError as error:
            _LOGGER.error("a login cannot be given up now: %s", error, extra={"connection_id": self.row.id})


@dataclass(eq=False)
class _KeptTurn:
    """One turn; without a session it is to log in, and it is open until it has told what has come of that."""

    sessions: KeptSessions
    session: Session | None
    version: int = 0
    renewal: str | None = field(default=None, repr=False)
    failures: int = 0
    is_replacement: bool = False
    is_open: bool = field(init=False)

    def __post_init__(self) -> None:
        self.is_open = self.session is None

    async def keep(self, session: Session) -> Session:
        """Share a new session; it is kept before it is used."""
        self.is_open = False
        return await self.sessions.keep(self, session)

    async def failed(self, trouble: Trouble) -> Session:
        """Take note that there is no new session; what says nothing of the login is told as it is."""
        if not isinstance(trouble, LoginRefused | RefreshFailed):
            raise trouble
        self.is_open = False
        return await self.sessions.failed(self, trouble)
