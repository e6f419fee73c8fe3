"""What was changed at each epoch, so that whoever holds a snapshot need not read everything anew."""

from collections.abc import Mapping
from enum import StrEnum

from sqlalchemy import delete, insert, select

from gateway.stores.database import Database, Transaction, matched
from gateway.stores.tables import changes, meta

_MOST = 500
"""With more changes than this, reading everything is no slower."""


class Changed(StrEnum):
    """What was changed."""

    CUSTOMER = "customer"
    CONNECTION = "connection"
    API_KEY = "api_key"
    EVERYTHING = "everything"


class Changes:
    """The kept notes; an epoch without any, such as one of an earlier version, may have changed everything."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, transaction: Transaction, kind: Changed, key: str = "") -> None:
        """Say what the epoch that the transaction has begun changes."""
        epoch = select(meta.c.value).where(meta.c.name == "epoch").scalar_subquery()
        await transaction.execute(insert(changes).values(epoch=epoch, kind=kind.value, key=key))

    async def between(self, transaction: Transaction, before: int, now: int) -> Mapping[Changed, frozenset[str]] | None:
        """The keys of what was changed after one epoch and up to another; None where that is not known.

        It is not known either where the later epoch is the lower one, because the database was restored.
        """
        if now < before:
            return None
        after = changes.c.epoch > before, changes.c.epoch <= now
        rows = (await transaction.execute(select(changes).where(*after).limit(_MOST + 1))).all()
        is_whole = {row.epoch for row in rows} == set(range(before + 1, now + 1)) if now - before <= _MOST else False
        if not is_whole or len(rows) > _MOST or any(row.kind == Changed.EVERYTHING for row in rows):
            return None
        return {kind: frozenset(row.key for row in rows if row.kind == kind) for kind in Changed}

    async def forget(self, keep: int) -> int:
        """Delete the notes of all but so many epochs; return how many there were."""
        async with self._database.writing() as transaction:
            oldest = select(meta.c.value - keep).where(meta.c.name == "epoch").scalar_subquery()
            return await matched(transaction, delete(changes).where(changes.c.epoch <= oldest))
