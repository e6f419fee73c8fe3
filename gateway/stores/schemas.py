"""What systems said of what is read of them, one row a connection, to be compared with what they say later."""

from dataclasses import asdict

from sqlalchemy import select

from gateway.stores.database import Database, Transaction
from gateway.stores.rows import Schema
from gateway.stores.tables import connection_schemas


class Schemas:
    """The kept descriptions; that of a connection ends with it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, connection_id: str) -> Schema | None:
        """Read what was kept; None where the system was not asked yet."""
        query = select(connection_schemas).where(connection_schemas.c.connection_id == connection_id)
        rows = await self._database.rows(query)
        return Schema(**rows[0]._mapping) if rows else None

    async def keep(self, transaction: Transaction, schema: Schema) -> None:
        """Keep it in place of what there is."""
        values = asdict(schema)
        await transaction.execute(
            self._database.insert(connection_schemas)
            .values(values)
            .on_conflict_do_update(index_elements=[connection_schemas.c.connection_id], set_=values)
        )
