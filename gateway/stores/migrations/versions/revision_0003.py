"""Sessions that logins have given, shared by all processes."""

import sqlalchemy as sa
from alembic import op

from gateway.stores.columns import Id, Number, UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add them; connections that are there already log in when they are next used."""
    op.create_table(
        "sessions",
        sa.Column("connection_id", Id, nullable=False),
        sa.Column("version", Number, nullable=False),
        sa.Column("sealed", sa.Text),
        sa.Column("expires_at", UtcDateTime),
        sa.Column("replaced_at", UtcDateTime),
        sa.Column("lease_owner", sa.String),
        sa.Column("lease_until", UtcDateTime),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("rest_until", UtcDateTime),
        sa.Column("refusal", sa.String),
        sa.PrimaryKeyConstraint("connection_id", name="sessions_pkey"),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="sessions_connection_id_fkey"),
    )
