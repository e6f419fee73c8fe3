"""The audit log: who has done what. Lines are added and read; nothing changes or deletes them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select

from gateway.stores.database import Database, Transaction
from gateway.stores.rows import Actor, AuditEntry, new_id
from gateway.stores.tables import audit


class Audit:
    """The kept lines."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(
        self,
        transaction: Transaction,
        actor: Actor,
        action: str,
        *,
        customer_id: str | None = None,
        connection_id: str | None = None,
        details: Any = None,
    ) -> None:
        """Add a line in the transaction of what it tells of; `details` must be free of secrets."""
        await transaction.execute(
            insert(audit).values(
                id=new_id("aud"),
                at=datetime.now(UTC),
                actor_id=actor.id,
                actor_kind=actor.kind,
                action=action,
                customer_id=customer_id,
                connection_id=connection_id,
                request_id=actor.request_id,
                details=details,
            )
        )

    async def page(
        self,
        *,
        first: int,
        before: str | None = None,
        customer_id: str | None = None,
        connection_id: str | None = None,
    ) -> list[AuditEntry]:
        """List lines, the latest first, continuing below the id `before`; every condition given must hold."""
        query = select(audit).order_by(audit.c.id.desc()).limit(first)
        if before is not None:
            query = query.where(audit.c.id < before)
        if customer_id is not None:
            query = query.where(audit.c.customer_id == customer_id)
        if connection_id is not None:
            query = query.where(audit.c.connection_id == connection_id)
        return [AuditEntry(**row._mapping) for row in await self._database.rows(query)]
