"""The tables, for every database."""

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, Text

from gateway.stores.columns import Id, Json, Number, Packed, UtcDateTime
from gateway.stores.rows import EntityHealth, Reason, Standing

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
    Column("value", Number, nullable=False),
)
"""Counters: `epoch`, how often anything was changed; `event`, the number of the latest event; `forgotten_event`,
the number of the latest event that was deleted for its age."""

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
    Column("predecessor_id", Id),
    Column("created_at", UtcDateTime, nullable=False),
    Column("authorized_at", UtcDateTime),
    Column("paused_at", UtcDateTime),
    Column("pause_reason", Text),
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

sessions = Table(
    "sessions",
    metadata,
    Column("connection_id", ForeignKey("connections.id"), primary_key=True),
    Column("version", Number, nullable=False),
    Column("sealed", Text),
    Column("expires_at", UtcDateTime),
    Column("replaced_at", UtcDateTime),
    Column("lease_owner", String),
    Column("lease_until", UtcDateTime),
    Column("failures", Integer, nullable=False),
    Column("rest_until", UtcDateTime),
    Column("refusal", String),
)
"""What logins have given. It changes by itself, so it is kept apart from the credentials, whose change is news."""

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

connection_states = Table(
    "connection_states",
    metadata,
    Column("connection_id", ForeignKey("connections.id"), primary_key=True),
    Column("version", Number, nullable=False),
    Column("sequence", Number, nullable=False),
    Column("health", String, nullable=False),
    Column("reason", Packed(Reason)),
    Column("circuit", String, nullable=False),
    Column("circuit_opened_at", UtcDateTime),
    Column("next_probe_at", UtcDateTime),
    Column("failure_count", Integer, nullable=False),
    Column("credential_status", String, nullable=False),
    Column("credential_expires_at", UtcDateTime),
    Column("entity_health", Packed(dict[str, EntityHealth]), nullable=False),
    Column("account", String),
    Column("last_success_at", UtcDateTime),
    Column("last_failure_at", UtcDateTime),
    Column("lost_at", UtcDateTime),
    Column("lost_reason", Packed(Reason)),
    Column("memory", Json, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

# Events, the ledger and the audit log outlive what they tell of, so they refer to nothing.

events = Table(
    "events",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("sequence", Number, nullable=False),
    Column("type", String, nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("customer_id", Id),
    Column("connection_id", Id),
    Column("system", String),
    Column("previous", Packed(Standing)),
    Column("current", Packed(Standing)),
    Column("reason", Packed(Reason)),
    Column("request_id", String),
    Column("data", Json),
    Index(None, "customer_id", "number"),
    Index(None, "connection_id", "number"),
    Index(None, "occurred_at"),
)

changes = Table(
    "changes",
    metadata,
    Column("epoch", Number, primary_key=True, autoincrement=False),
    Column("kind", String, primary_key=True),
    Column("key", Id, primary_key=True),
)

credit_pool = Table(
    "credit_pool",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("granted", Integer),
    Column("used", Integer, nullable=False),
    Column("entries", Number, nullable=False),
)
"""One row; `granted` is null where credits do not matter, `entries` is the number of the ledger's latest entry."""

credit_entries = Table(
    "credit_entries",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("balance_after", Integer, nullable=False),
    Column("connection_id", Id),
    Column("actor", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "connection_id"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor_id", Id),
    Column("actor_kind", String, nullable=False),
    Column("action", String, nullable=False),
    Column("customer_id", Id),
    Column("connection_id", Id),
    Column("request_id", String),
    Column("details", Json),
    Index(None, "customer_id", "id"),
    Index(None, "connection_id", "id"),
)

due = Table(
    "due",
    metadata,
    Column("kind", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("lane", String, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime),
    Column("generation", Number, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("payload", Json),
    Index(None, "lane", "due_at"),
    Index(None, "key"),
)

# Kept by background work, which holds its own row of `due` and must not wait for a connection's.
connection_schemas = Table(
    "connection_schemas",
    metadata,
    Column("connection_id", Id, primary_key=True),
    Column("revision", String, nullable=False),
    Column("fingerprints", Json, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)
