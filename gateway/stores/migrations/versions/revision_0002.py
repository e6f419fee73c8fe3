"""The life of connections: states, events, credits, the audit log, and work that is due."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from gateway.stores.columns import Id, Json, Number, UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add them; connections that are there already begin with an unknown health."""
    op.add_column("connections", sa.Column("predecessor_id", Id))
    op.add_column("connections", sa.Column("paused_at", UtcDateTime))
    op.add_column("connections", sa.Column("pause_reason", sa.Text))
    _add_states()
    _add_events()
    _add_credits()
    _add_audit()
    _add_due()


def _add_states() -> None:
    states = op.create_table(
        "connection_states",
        sa.Column("connection_id", Id, nullable=False),
        sa.Column("version", Number, nullable=False),
        sa.Column("sequence", Number, nullable=False),
        sa.Column("health", sa.String, nullable=False),
        sa.Column("reason", Json),
        sa.Column("circuit", sa.String, nullable=False),
        sa.Column("circuit_opened_at", UtcDateTime),
        sa.Column("next_probe_at", UtcDateTime),
        sa.Column("failure_count", sa.Integer, nullable=False),
        sa.Column("credential_status", sa.String, nullable=False),
        sa.Column("credential_expires_at", UtcDateTime),
        sa.Column("entity_health", Json, nullable=False),
        sa.Column("account", sa.String),
        sa.Column("last_success_at", UtcDateTime),
        sa.Column("last_failure_at", UtcDateTime),
        sa.Column("lost_at", UtcDateTime),
        sa.Column("lost_reason", Json),
        sa.Column("memory", Json, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("connection_id", name="connection_states_pkey"),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="connection_states_connection_id_fkey"),
    )
    connections = sa.table("connections", sa.column("id", Id))
    beginning = {
        "version": 0,
        "sequence": 0,
        "health": "UNKNOWN",
        "circuit": "CLOSED",
        "failure_count": 0,
        "credential_status": "VALID",
        "entity_health": {},
        "memory": {},
        "updated_at": datetime.now(UTC),
    }
    values = [sa.literal(value, states.c[name].type) for name, value in beginning.items()]
    op.execute(states.insert().from_select(["connection_id", *beginning], sa.select(connections.c.id, *values)))


def _add_events() -> None:
    op.create_table(
        "events",
        sa.Column("number", Number, nullable=False, autoincrement=False),
        sa.Column("sequence", Number, nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("occurred_at", UtcDateTime, nullable=False),
        sa.Column("customer_id", Id),
        sa.Column("connection_id", Id),
        sa.Column("system", sa.String),
        sa.Column("previous", Json),
        sa.Column("current", Json),
        sa.Column("reason", Json),
        sa.Column("request_id", sa.String),
        sa.Column("data", Json),
        sa.PrimaryKeyConstraint("number", name="events_pkey"),
    )
    op.create_index("events_customer_id_number_index", "events", ["customer_id", "number"])
    op.create_index("events_connection_id_number_index", "events", ["connection_id", "number"])
    op.create_index("events_occurred_at_index", "events", ["occurred_at"])
    counters = sa.table("meta", sa.column("name", sa.String), sa.column("value", Number))
    op.bulk_insert(counters, [{"name": "event", "value": 0}, {"name": "forgotten_event", "value": 0}])


def _add_credits() -> None:
    pool = op.create_table(
        "credit_pool",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("granted", sa.Integer),
        sa.Column("used", sa.Integer, nullable=False),
        sa.Column("entries", Number, nullable=False),
        sa.PrimaryKeyConstraint("id", name="credit_pool_pkey"),
    )
    op.bulk_insert(pool, [{"id": 1, "granted": None, "used": 0, "entries": 0}])
    op.create_table(
        "credit_entries",
        sa.Column("number", Number, nullable=False, autoincrement=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("amount", sa.Integer, nullable=False),
        sa.Column("balance_after", sa.Integer, nullable=False),
        sa.Column("connection_id", Id),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("number", name="credit_entries_pkey"),
    )
    op.create_index("credit_entries_connection_id_index", "credit_entries", ["connection_id"])


def _add_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("actor_id", Id),
        sa.Column("actor_kind", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("customer_id", Id),
        sa.Column("connection_id", Id),
        sa.Column("request_id", sa.String),
        sa.Column("details", Json),
        sa.PrimaryKeyConstraint("id", name="audit_pkey"),
    )
    op.create_index("audit_customer_id_id_index", "audit", ["customer_id", "id"])
    op.create_index("audit_connection_id_id_index", "audit", ["connection_id", "id"])


def _add_due() -> None:
    op.create_table(
        "due",
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("lane", sa.String, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("lease_until", UtcDateTime),
        sa.Column("generation", Number, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("payload", Json),
        sa.PrimaryKeyConstraint("kind", "key", name="due_pkey"),
    )
    op.create_index("due_lane_due_at_index", "due", ["lane", "due_at"])
    op.create_index("due_key_index", "due", ["key"])
