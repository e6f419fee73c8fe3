"""Brings a database to the schema of this version."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from gateway.stores.errors import StoreError

HEAD = "0006"
"""The newest revision."""


def is_at_head(connection: Connection) -> bool:
    """Tell whether there is nothing to do; this costs one look-up and no imports."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    return bool(connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD)


def upgrade(connection: Connection) -> None:
    """Run the revisions that are missing, all inside the connection's transaction."""
    # Imported here: alembic costs memory that a process with a current database need not spend.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError("the database was made by a newer version of Switchgear; run that one") from error
