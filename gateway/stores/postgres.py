"""PostgreSQL: everything about this database that the statements need not know."""

from datetime import datetime, timedelta

from sqlalchemy import URL, ColumnElement, ExceptionContext, Interval, event, func, literal
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from gateway.stores.backend import Backend
from gateway.stores.columns import UtcDateTime

_CONNECT_SECONDS = 3
_POOL_SECONDS = 5
_CONNECTIONS = 10
_RECYCLE_SECONDS = 1800
_SERVER_SETTINGS = {
    "application_name": "switchgear",
    "timezone": "UTC",
    "statement_timeout": "5s",
    "lock_timeout": "4s",
    "idle_in_transaction_session_timeout": "30s",
}
# The connection was lost; another transaction was in the way; there is not enough of something; a lock could
# not be had; the server stops or gave up; a transaction stood still for too long; the server only reads, as
# after a failover. From PostgreSQL's list of SQLSTATE codes.
_PASSING = ("08", "40", "53", "55P03", "57", "25P03", "25006")
_MIGRATION_LOCK = 0x53776974  # any number that other programs in the same database are unlikely to take


def engine(url: URL) -> AsyncEngine:
    """Prepare a pool; nothing is dialled before the first statement. `sslmode` may be in the URL."""
    query = {"ssl" if name == "sslmode" else name: value for name, value in url.query.items()}
    made = create_async_engine(
        url.set(drivername="postgresql+asyncpg", query=query),
        pool_size=_CONNECTIONS,
        max_overflow=0,
        pool_timeout=_POOL_SECONDS,
        pool_pre_ping=True,
        pool_recycle=_RECYCLE_SECONDS,
        connect_args={"timeout": _CONNECT_SECONDS, "server_settings": _SERVER_SETTINGS},
        hide_parameters=True,  # or an error would carry a customer's data into the log
    )
    event.listen(made.sync_engine, "handle_error", _hide_values)
    return made


def _hide_values(context: ExceptionContext) -> None:
    # The driver's own error tells the values that violate a constraint, and a traceback tells causes too.
    context.original_exception.__cause__ = None


def _moment(delay: timedelta) -> ColumnElement[datetime]:
    # The statement's time and not the transaction's, which may have begun long ago.
    return func.statement_timestamp(type_=UtcDateTime) + literal(delay, Interval)


def _is_passing(error: DBAPIError) -> bool:
    return isinstance(error, InterfaceError) or str(getattr(error.orig, "sqlstate", "")).startswith(_PASSING)


BACKEND = Backend(
    engine=engine,
    insert=postgresql.insert,
    moment=_moment,
    is_passing=_is_passing,
    # One picture for all statements of a transaction, as SQLite gives it.
    reading={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
    alone=(
        "SET LOCAL lock_timeout = 0",
        "SET LOCAL statement_timeout = 0",
        f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})",
    ),
)
