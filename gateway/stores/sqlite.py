"""SQLite: everything about this database that the statements need not know."""

import os
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import URL, ColumnElement, Connection, event, literal
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from gateway.stores.backend import Backend
from gateway.stores.columns import UtcDateTime
from gateway.stores.errors import StoreError

_PRAGMAS = (
    "PRAGMA busy_timeout = 4000",  # milliseconds; first, because the next one may have to wait for a lock
    "PRAGMA journal_mode = WAL",
    "PRAGMA foreign_keys = ON",
)
_BEGUN = datetime.now(UTC) - timedelta(seconds=time.monotonic())
"""When the clock that cannot be set was at zero."""


class _Connection(sqlite3.Connection):
    """A connection whose transaction ends with it.

    SQLite keeps a closed connection, and its locks, for as long as a statement of it has rows left; such a statement
    is left by a task that is cancelled, and nobody could write until its memory is cleaned up.
    """

    def close(self) -> None:
        """Give up what was not committed, and close."""
        if self.in_transaction:
            self.rollback()
        super().close()


def engine(url: URL) -> AsyncEngine:
    """Open the database file, made readable by its owner alone; the folder is made if need be."""
    if not url.database or url.database == ":memory:" or "mode" in url.query:
        raise StoreError("the store needs a file: sqlite:///path/to/switchgear.db")
    _keep_private(Path(url.database))
    # Without an isolation level, the driver leaves the beginning of transactions to us.
    made = create_async_engine(
        url.set(drivername="sqlite+aiosqlite"),
        connect_args={"isolation_level": None, "factory": _Connection},
        hide_parameters=True,  # or an error would carry a customer's data into the log
    )
    event.listen(made.sync_engine, "connect", _prepare)
    event.listen(made.sync_engine, "begin", _begin)
    return made


def _keep_private(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreError(f"{path} cannot be opened: {error.strerror}") from error


def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    # A transaction that reads first and then writes would fail, or overwrite what came between, when another
    # one wrote meanwhile; IMMEDIATE makes it wait at its beginning instead.
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _moment(delay: timedelta) -> ColumnElement[datetime]:
    # Whoever shares the file shares the machine, and so its clock; one that is set meanwhile moves no lease.
    return literal(_BEGUN + timedelta(seconds=time.monotonic()) + delay, UtcDateTime)


def _is_passing(error: DBAPIError) -> bool:
    return isinstance(error, OperationalError)  # locked for too long, or the disk is full


BACKEND = Backend(engine=engine, insert=sqlite.insert, moment=_moment, is_passing=_is_passing)
