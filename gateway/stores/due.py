"""Work that is due in the background, claimed under a lease.

Periodic work is one row whose due time moves. Every claim raises the row's generation, and whoever comes back
with an older one, because its lease has ended or the work was scheduled anew, changes nothing.
"""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, literal, or_, select, tuple_, update

from gateway.stores.columns import UtcDateTime
from gateway.stores.database import Database, Transaction, matched
from gateway.stores.rows import Lateness, NewWork, Work
from gateway.stores.tables import due


class Due:
    """The kept work. Times are those of the database, or of `clock` where one is given."""

    def __init__(self, database: Database, clock: Callable[[], datetime] | None = None) -> None:
        self._database = database
        self._clock = clock

    async def schedule(self, transaction: Transaction, work: NewWork) -> None:
        """Put work in; what is there under its name is replaced, and whoever has claimed that comes too late."""
        values = self._values(work)
        await transaction.execute(
            self._database.insert(due)
            .values(kind=work.kind, key=work.key, generation=_beginning(), **values)
            .on_conflict_do_update(
                index_elements=[due.c.kind, due.c.key],
                set_={**values, "lease_until": None, "generation": due.c.generation + 1},
            )
        )

    async def ensure(self, transaction: Transaction, *works: NewWork) -> None:
        """Put pieces of work in, except those under whose name there is some."""
        values = [
            {"kind": work.kind, "key": work.key, "generation": _beginning(), **self._values(work)} for work in works
        ]
        await transaction.execute(
            self._database.insert(due).values(values).on_conflict_do_nothing(index_elements=[due.c.kind, due.c.key])
        )

    async def cancel(self, transaction: Transaction, key: str) -> int:
        """Take out all work with this key, of whatever kind; return how much there was."""
        return await matched(transaction, delete(due).where(due.c.key == key))

    async def claim(self, lane: str, *, first: int, lease: timedelta) -> list[Work]:
        """Take what is due in a lane, the longest due first; nobody else gets it until the lease has ended."""
        async with self._database.writing() as transaction:
            now = self._moment()
            picked = (
                select(due.c.kind, due.c.key)
                .where(due.c.lane == lane, due.c.due_at <= now, _is_free(now))
                .order_by(due.c.due_at)
                .limit(first)
                .with_for_update(skip_locked=True)
                .cte("picked")
            )
            claimed = await transaction.execute(
                update(due)
                .where(tuple_(due.c.kind, due.c.key).in_(select(picked.c.kind, picked.c.key)))
                .values(
                    lease_until=self._moment(lease),
                    generation=due.c.generation + 1,
                    attempts=due.c.attempts + 1,
                )
                .returning(
                    due.c.kind, due.c.key, due.c.lane, due.c.generation, due.c.attempts, due.c.due_at, due.c.payload
                )
            )
            works = [Work(**row._mapping) for row in claimed]
        return sorted(works, key=lambda work: work.due_at)

    async def extend(self, work: Work, lease: timedelta) -> bool:
        """Lengthen the lease to this from now; False if the work is no longer the caller's."""
        async with self._database.writing() as transaction:
            statement = update(due).where(*_fenced(work)).values(lease_until=self._moment(lease))
            return bool(await matched(transaction, statement))

    async def finish(self, transaction: Transaction, work: Work) -> bool:
        """Take the work out; False if it is no longer the caller's, who should then undo what came with it."""
        return bool(await matched(transaction, delete(due).where(*_fenced(work))))

    async def postpone(
        self, transaction: Transaction, work: Work, delay: timedelta, *, is_retry: bool = False, payload: Any = None
    ) -> bool:
        """Give the work back, due again `delay` from now; False if it is no longer the caller's.

        A retry keeps the count of attempts, any other next time begins anew. A payload replaces the present one.
        """
        values: dict[str, Any] = {"due_at": self._moment(delay), "lease_until": None}
        if not is_retry:
            values["attempts"] = 0
        if payload is not None:
            values["payload"] = payload
        statement = update(due).where(*_fenced(work)).values(**values, generation=due.c.generation + 1)
        return bool(await matched(transaction, statement))

    async def lateness(self) -> dict[str, Lateness]:
        """Tell by lane how much is due and claimed by nobody; lanes without any are left out."""
        now = self._moment()
        rows = await self._database.rows(
            select(due.c.lane, func.count().label("waiting"), func.min(due.c.due_at).label("since"), now.label("now"))
            .where(due.c.due_at <= now, _is_free(now))
            .group_by(due.c.lane)
        )
        return {row.lane: Lateness(waiting=row.waiting, oldest=row.now - row.since) for row in rows}

    def _moment(self, delay: timedelta = timedelta()) -> ColumnElement[datetime]:
        if self._clock is not None:
            return literal(self._clock() + delay, UtcDateTime)
        return self._database.moment(delay)

    def _values(self, work: NewWork) -> dict[str, Any]:
        return {"lane": work.lane, "due_at": self._moment(work.delay), "attempts": 0, "payload": work.payload}


def _beginning() -> int:
    """Draw a first generation that no earlier row of the same name is likely to have come near."""
    return secrets.randbits(62)


def _is_free(now: ColumnElement[datetime]) -> ColumnElement[bool]:
    return or_(due.c.lease_until.is_(None), due.c.lease_until <= now)


def _fenced(work: Work) -> tuple[ColumnElement[bool], ...]:
    return due.c.kind == work.kind, due.c.key == work.key, due.c.generation == work.generation
