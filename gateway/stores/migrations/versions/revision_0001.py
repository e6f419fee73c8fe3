"""The first tables."""

import sqlalchemy as sa
from alembic import op

from gateway.stores.columns import Id, Json, Number, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    meta = op.create_table(
        "meta",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("value", Number, nullable=False),
        sa.PrimaryKeyConstraint("name", name="meta_pkey"),
    )
    op.bulk_insert(meta, [{"name": "epoch", "value": 0}])
    op.create_table(
        "customers",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("external_id", sa.String),
        sa.Column("metadata", Json),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="customers_pkey"),
        sa.UniqueConstraint("external_id", name="customers_external_id_key"),
    )
    op.create_table(
        "connections",
        sa.Column("id", Id, nullable=False),
        sa.Column("customer_id", Id, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("system", sa.String, nullable=False),
        sa.Column("auth_method", sa.String, nullable=False),
        sa.Column("deployment", sa.String, nullable=False),
        sa.Column("environment", sa.String, nullable=False),
        sa.Column("tags", Json, nullable=False),
        sa.Column("metadata", Json),
        sa.Column("settings", Json, nullable=False),
        sa.Column("base_url", sa.Text, nullable=False),
        sa.Column("lifecycle", sa.String, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("authorized_at", UtcDateTime),
        sa.Column("disconnected_at", UtcDateTime),
        sa.Column("disconnect_reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="connections_pkey"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="connections_customer_id_fkey"),
    )
    op.create_index("connections_customer_id_id_index", "connections", ["customer_id", "id"])
    op.create_table(
        "credentials",
        sa.Column("connection_id", Id, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("connection_id", name="credentials_pkey"),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="credentials_connection_id_fkey"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("customer_id", Id),
        sa.Column("connection_id", Id),
        sa.Column("scopes", Json, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("preview", sa.String, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime),
        sa.Column("last_used_at", UtcDateTime),
        sa.Column("revoked_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="api_keys_pkey"),
        sa.UniqueConstraint("digest", name="api_keys_digest_key"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="api_keys_customer_id_fkey"),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="api_keys_connection_id_fkey"),
    )
    op.create_index("api_keys_customer_id_id_index", "api_keys", ["customer_id", "id"])
    op.create_index("api_keys_connection_id_index", "api_keys", ["connection_id"])
