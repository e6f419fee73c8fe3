"""What was changed at each epoch."""

import sqlalchemy as sa
from alembic import op

from gateway.stores.columns import Id, Number

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the notes; epochs of before have none, so everything is read once."""
    op.create_table(
        "changes",
        sa.Column("epoch", Number, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("key", Id, nullable=False),
        sa.PrimaryKeyConstraint("epoch", "kind", "key", name="changes_pkey"),
    )
