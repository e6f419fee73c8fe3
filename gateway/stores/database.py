"""The database: its transactions, and what all stores share.

Transactions that change things take their locks in one order, so that none waits for another in a circle:
the epoch, connections, sessions, work that is due, the pool of credits, states, and last the number of events. A
transaction changes one connection at most.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self, TypeAlias

from sqlalchemy import URL, ColumnElement, Executable, Row, Select, Table, make_url, select, text, update
from sqlalchemy.dialects import postgresql as postgresql_dialect
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.stores import migrations, postgres, sqlite
from gateway.stores.backend import Backend
from gateway.stores.breaker import Breaker, State
from gateway.stores.errors import StoreError, Unavailable
from gateway.stores.tables import meta

Transaction: TypeAlias = AsyncConnection
"""A transaction that has begun; it ends with the block that began it."""

_SECONDS = 6.0
"""How long a transaction may take, the wait for a connection included."""
LONG_SECONDS = 30.0
"""How long one may take that reads or writes everything."""
_LOOK_SECONDS = 3.0
"""How long it may take to see whether anything has changed, and so until a silent database is given up."""
_LONGEST_PAUSE = 2.0

BACKENDS: Mapping[str, Backend] = {"sqlite": sqlite.BACKEND, "postgresql": postgres.BACKEND}
"""What is known of a database, by the scheme of its URL."""


@dataclass(frozen=True)
class _Way:
    """A way into the database; after two failures in a row one transaction at a time is let through to try."""

    engine: AsyncEngine
    breaker: Breaker = field(default_factory=lambda: Breaker(longest_pause=_LONGEST_PAUSE))


class Database:
    """An open database.

    A database that cannot be reached, is lost or takes too long is Unavailable, in every method; one that has been so
    a moment ago is so at once.
    """

    def __init__(self, engine: AsyncEngine, backend: Backend) -> None:
        self._backend = backend
        self._reading = _Way(engine.execution_options(**backend.reading))
        self._writing = _Way(engine.execution_options(writing=True))
        self._news: set[int] = set()
        self.on_news: Callable[[], None] = lambda: None
        """Called after each transaction of this process that has changed what others look at."""

    @classmethod
    async def open(cls, url: str) -> Self:
        """Open the database and bring its schema up to date; what cannot be opened is a StoreError."""
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise StoreError("the database URL is not a URL") from None
        backend = BACKENDS.get(parsed.get_backend_name())
        if backend is None:
            scheme, known = parsed.get_backend_name(), " and ".join(f"{name}://" for name in BACKENDS)
            raise StoreError(f"there is no store for {scheme}:// databases, only for {known}")
        database = cls(backend.engine(parsed), backend)
        try:
            await database._bring_up_to_date()
        except BaseException:
            await database.close()
            raise
        return database

    async def close(self) -> None:
        """Close all connections to the database."""
        await self._reading.engine.dispose()

    @asynccontextmanager
    async def reading(self, seconds: float = _SECONDS) -> AsyncIterator[Transaction]:
        """Begin a transaction that only reads; all its statements see the same picture."""
        async with self._begun(self._reading, seconds) as transaction:
            yield transaction

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        """Begin a transaction that changes what nobody has in a snapshot; the epoch stays."""
        async with self._begun(self._writing) as transaction:
            yield transaction

    @asynccontextmanager
    async def changing(self, seconds: float = _SECONDS) -> AsyncIterator[Transaction]:
        """Begin a transaction that changes something, and say so in the epoch."""
        async with self._begun(self._writing, seconds) as transaction:
            await transaction.execute(update(meta).where(meta.c.name == "epoch").values(value=meta.c.value + 1))
            self.announce(transaction)
            yield transaction

    def announce(self, transaction: Transaction) -> None:
        """Say that what the transaction changes is looked at by all processes; they are told once it is committed."""
        self._news.add(id(transaction))

    async def rows(self, query: Select[*tuple[Any, ...]]) -> Sequence[Row[*tuple[Any, ...]]]:
        """Read rows in a transaction of their own."""
        async with self.reading() as transaction:
            return (await transaction.execute(query)).all()

    async def epoch(self) -> int:
        """Read how often anything was changed."""
        async with self.reading(_LOOK_SECONDS) as transaction:
            return await read_counter(transaction, "epoch")

    def insert(self, table: Table) -> sqlite_dialect.Insert | postgresql_dialect.Insert:
        """Make an INSERT that knows ON CONFLICT."""
        return self._backend.insert(table)

    def moment(self, delay: timedelta = timedelta()) -> ColumnElement[datetime]:
        """Return the time `delay` from now, by the one clock that all processes of this database share."""
        return self._backend.moment(delay)

    @asynccontextmanager
    async def _begun(self, way: _Way, seconds: float | None = _SECONDS) -> AsyncIterator[Transaction]:
        """Begin a transaction, unless the database is away."""
        is_out_of_reach = way is self._writing and self._reading.breaker.state is not State.CLOSED
        if is_out_of_reach or not way.breaker.admits():
            raise Unavailable("the database did not answer a moment ago", is_untouched=way is self._writing)
        try:
            async with self._carried_out(way, seconds) as transaction:
                yield transaction
        except Unavailable:
            way.breaker.failed()
            raise
        except Exception:
            way.breaker.succeeded()
            raise
        except BaseException:
            way.breaker.abandoned()
            raise
        else:
            way.breaker.succeeded()

    @asynccontextmanager
    async def _carried_out(self, way: _Way, seconds: float | None) -> AsyncIterator[Transaction]:
        """Carry out a transaction within so many seconds."""
        is_untouched = way is self._writing
        try:
            async with asyncio.timeout(seconds) as limit:
                try:
                    connection = await way.engine.connect()
                except Exception as error:  # drivers raise errors of their own here, not only SQLAlchemy's
                    reason = f"the database {_place(way.engine.url)} cannot be reached: {type(error).__name__}"
                    raise Unavailable(reason, is_untouched=is_untouched) from error
                try:
                    async with aclosing(connection), connection.begin():
                        yield connection
                        is_untouched = False  # from here on it is committed
                    is_news = id(connection) in self._news
                finally:
                    self._news.discard(id(connection))
            if is_news:
                self.on_news()
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise Unavailable("the database does not answer in time", is_untouched=is_untouched) from error
        except DBAPIError as error:
            if not (error.connection_invalidated or self._backend.is_passing(error)):
                raise
            reason = f"the database does not answer: {type(error.orig).__name__}"
            raise Unavailable(reason, is_untouched=is_untouched) from error

    async def _bring_up_to_date(self) -> None:
        async with self.reading() as transaction:
            if await transaction.run_sync(migrations.is_at_head):
                return
        async with self._begun(self._writing, seconds=None) as transaction:  # others may be long at it
            for statement in self._backend.alone:
                await transaction.execute(text(statement))
            await transaction.run_sync(migrations.upgrade)


async def read_counter(transaction: Transaction, name: str) -> int:
    """Read a counter of the table `meta`."""
    found = await transaction.execute(select(meta.c.value).where(meta.c.name == name))
    return int(found.scalar_one())


async def matched(transaction: Transaction, statement: Executable) -> int:
    """Carry out an UPDATE or DELETE; return how many rows it found."""
    return (await transaction.execute(statement)).rowcount


def _place(url: URL) -> str:
    """Where a database is, without who may enter."""
    return f"{url.database} at {url.host}" if url.host else str(url.database)
