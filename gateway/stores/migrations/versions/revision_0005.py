"""What systems said of what is read of them."""

import sqlalchemy as sa
from alembic import op

from gateway.stores.columns import Id, Json, UtcDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add them; there are none before a system was asked."""
    op.create_table(
        "connection_schemas",
        sa.Column("connection_id", Id, nullable=False),
        sa.Column("revision", sa.String, nullable=False),
        sa.Column("fingerprints", Json, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("connection_id", name="connection_schemas_pkey"),
    )
