"""The tables, for every database."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time: aware when given, stored in UTC, aware when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn any aware time into UTC; a naive one is a ValueError."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time to store needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give UTC; SQLite keeps no offset, and what it keeps is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Pages continue after an id, so ids must sort by their bytes, as they do in SQLite, whatever the database's
# language is.
Id = String().with_variant(String(collation="C"), "postgresql")
Json = JSON(none_as_null=True)

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", Integer, nullable=False),
)
"""One row, `epoch`: how often anything was changed."""

customers = Table(
    "customers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("external_id", String, unique=True),
    Column("metadata", Json),
    Column("created_at", UtcDateTime, nullable=False),
)

connections = Table(
    "connections",
    metadata,
    Column("id", Id, primary_key=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("system", String, nullable=False),
    Column("auth_method", String, nullable=False),
    Column("deployment", String, nullable=False),
    Column("environment", String, nullable=False),
    Column("tags", Json, nullable=False),
    Column("metadata", Json),
    Column("settings", Json, nullable=False),
    Column("base_url", Text, nullable=False),
    Column("lifecycle", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("authorized_at", UtcDateTime),
    Column("disconnected_at", UtcDateTime),
    Column("disconnect_reason", Text),
    Index(None, "customer_id", "id"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("connection_id", ForeignKey("connections.id"), primary_key=True),
    Column("sealed", Text, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String, nullable=False),
    Column("name", Text, nullable=False),
    Column("customer_id", ForeignKey("customers.id")),
    Column("connection_id", ForeignKey("connections.id")),
    Column("scopes", Json, nullable=False),
    Column("digest", String, nullable=False, unique=True),
    Column("preview", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Index(None, "customer_id", "id"),
    Index(None, "connection_id"),
)
