"""The sessions that logins have given: read by all processes, made anew by one at a time.

A session is replaced only by whoever has read the present one, so that of two processes that log in at once, because
one of them was thought to be dead, the first to come back decides.
"""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, literal, or_, select, update

from connectors.errors import Refusal
from gateway.stores.columns import UtcDateTime
from gateway.stores.database import Database, Transaction, matched
from gateway.stores.rows import DISCONNECTED, KeptSession, NewSession
from gateway.stores.tables import connections, sessions


class Sessions:
    """The kept sessions. Times are those of the database, or of `clock` where one is given.

    A connection is named with the moment at which it was given its credentials: whoever knows other ones than those
    in force gets no session and makes none.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] | None = None) -> None:
        self._database = database
        self._clock = clock

    async def read(self, connection_id: str, authorized_at: datetime | None) -> KeptSession | None:
        """Read a session; None where the connection has ended or has other credentials by now."""
        now = self._moment()
        query = (
            select(sessions, now.label("now"))
            .select_from(connections.outerjoin(sessions))
            .where(*_in_force(connection_id, authorized_at))
        )
        rows = await self._database.rows(query)
        if not rows:
            return None
        row = rows[0]
        if row.version is None:
            return KeptSession()
        return KeptSession(
            version=row.version,
            sealed=row.sealed,
            left=_until(row.expires_at, row.now),
            replaced=None if row.replaced_at is None else row.now - row.replaced_at,
            owner=row.lease_owner,
            leased=_until(row.lease_until, row.now),
            failures=row.failures,
            rests=_until(row.rest_until, row.now),
            refusal=row.refusal,
        )

    async def lease(
        self, connection_id: str, authorized_at: datetime | None, version: int | None, owner: str, lease: timedelta
    ) -> int | None:
        """Take the right to log in, for so long; the version to be replaced, or None where another was first."""
        async with self._database.writing() as transaction:
            if version is None:
                version = await self._begin(transaction, connection_id, authorized_at)
                if version is None:
                    return None
            now = self._moment()
            is_free = or_(
                sessions.c.lease_until.is_(None), sessions.c.lease_until <= now, sessions.c.lease_owner == owner
            )
            is_rested = or_(sessions.c.rest_until.is_(None), sessions.c.rest_until <= now)
            taken = await matched(
                transaction,
                update(sessions)
                .where(*_at(connection_id, version), is_free, is_rested)
                .values(lease_owner=owner, lease_until=self._moment(lease)),
            )
        return version if taken else None

    async def _begin(self, transaction: Transaction, connection_id: str, authorized_at: datetime | None) -> int | None:
        """Put in a row without a session, unless there is one; its version is unlike that of any earlier row.

        The connection is locked, so that one that is just ending, or getting other credentials, is waited for.
        """
        present = select(connections.c.id).where(*_in_force(connection_id, authorized_at))
        if await transaction.scalar(present.with_for_update(read=True)) is None:
            return None
        version = secrets.randbits(62)
        added = await matched(
            transaction,
            self._database.insert(sessions)
            .values(connection_id=connection_id, version=version, failures=0)
            .on_conflict_do_nothing(index_elements=[sessions.c.connection_id]),
        )
        return version if added else None

    async def keep(self, connection_id: str, version: int, session: NewSession, *, is_replacement: bool) -> int | None:
        """Keep a new session in the place of this version; its own version, or None where another was first.

        `is_replacement` says that the present one was refused, though it should have held.
        """
        values = {
            **self._values(session),
            "version": version + 1,
            "replaced_at": self._moment() if is_replacement else None,
        }
        async with self._database.writing() as transaction:
            kept = await matched(
                transaction, update(sessions).where(*_at(connection_id, version)).values(**values, **_FORGOTTEN)
            )
        return version + 1 if kept else None

    async def fail(
        self, connection_id: str, version: int, owner: str, *, rest: timedelta, refusal: str | None = None
    ) -> bool:
        """Give the right back, and let nobody try for a while; False where it was no longer the caller's."""
        mine = (*_at(connection_id, version), sessions.c.lease_owner == owner)
        values: dict[str, Any] = {
            "failures": sessions.c.failures + 1,
            "rest_until": self._moment(rest),
            "refusal": refusal,
            "lease_owner": None,
            "lease_until": None,
        }
        async with self._database.writing() as transaction:
            return bool(await matched(transaction, update(sessions).where(*mine).values(**values)))

    async def release(self, connection_id: str, owner: str) -> None:
        """Give the right back, as if nothing had been."""
        mine = (sessions.c.connection_id == connection_id, sessions.c.lease_owner == owner)
        async with self._database.writing() as transaction:
            await transaction.execute(update(sessions).where(*mine).values(lease_owner=None, lease_until=None))

    async def replace(self, transaction: Transaction, connection_id: str, session: NewSession | None) -> None:
        """Forget what there is of a connection; it begins with this session, if there is one."""
        await transaction.execute(delete(sessions).where(sessions.c.connection_id == connection_id))
        if session is not None:
            values = {**self._values(session), "version": secrets.randbits(62), "failures": 0}
            await transaction.execute(insert(sessions).values(connection_id=connection_id, **values))

    async def forgive(self, transaction: Transaction, connection_id: str) -> None:
        """Let it be tried again at once; only a refresh token that was revoked stays so."""
        mine = sessions.c.connection_id == connection_id
        passing = or_(sessions.c.refusal.is_(None), sessions.c.refusal != Refusal.REVOKED.name)
        values = {"failures": 0, "rest_until": None, "refusal": None}
        await transaction.execute(update(sessions).where(mine, passing).values(**values))

    def _values(self, session: NewSession) -> dict[str, Any]:
        expires_at = None if session.lifetime is None else self._moment(session.lifetime)
        return {"sealed": session.sealed, "expires_at": expires_at}

    def _moment(self, delay: timedelta = timedelta()) -> ColumnElement[datetime]:
        if self._clock is not None:
            return literal(self._clock() + delay, UtcDateTime)
        return self._database.moment(delay)


_FORGOTTEN = {"lease_owner": None, "lease_until": None, "failures": 0, "rest_until": None, "refusal": None}


def _in_force(connection_id: str, authorized_at: datetime | None) -> tuple[ColumnElement[bool], ...]:
    return (
        connections.c.id == connection_id,
        connections.c.authorized_at == authorized_at,
        connections.c.lifecycle != DISCONNECTED,
    )


def _at(connection_id: str, version: int) -> tuple[ColumnElement[bool], ...]:
    return sessions.c.connection_id == connection_id, sessions.c.version == version


def _until(moment: datetime | None, now: datetime) -> timedelta | None:
    return None if moment is None else moment - now
