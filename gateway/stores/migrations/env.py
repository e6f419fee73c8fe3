"""Runs revisions on the connection that was handed over; alembic executes this file."""

from alembic import context

from gateway.stores.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
