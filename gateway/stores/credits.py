"""The pool of credits and its ledger, which always adds up to the balance."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, insert, or_, select, update

from gateway.stores.database import Database, Transaction
from gateway.stores.errors import InsufficientCredits
from gateway.stores.rows import Actor, CreditEntry, CreditPool
from gateway.stores.tables import credit_entries, credit_pool

_GRANTED = func.coalesce(credit_pool.c.granted, 0)


class Credits:
    """The kept credits.

    Every change locks the pool's one row until its transaction ends, so entries follow each other, and the
    amounts up to an entry add up to its `balance_after`. An unlimited pool counts what is used from 0 down.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pool(self) -> CreditPool:
        """Read how many there are."""
        rows = await self._database.rows(select(credit_pool.c.granted, credit_pool.c.used))
        return CreditPool(**rows[0]._mapping)

    async def ledger(self, *, first: int, before: int | None = None) -> list[CreditEntry]:
        """List entries, the latest first, continuing below the number `before`."""
        query = select(credit_entries).order_by(credit_entries.c.number.desc()).limit(first)
        if before is not None:
            query = query.where(credit_entries.c.number < before)
        return [CreditEntry(**row._mapping) for row in await self._database.rows(query)]

    async def find(self, number: int) -> CreditEntry | None:
        """Find an entry by its number."""
        rows = await self._database.rows(select(credit_entries).where(credit_entries.c.number == number))
        return CreditEntry(**rows[0]._mapping) if rows else None

    async def take(self, transaction: Transaction, amount: int, connection_id: str, actor: Actor) -> None:
        """Take credits for a connection, or raise InsufficientCredits and change nothing; 0 takes none."""
        if amount < 0:
            raise ValueError("credits are taken in positive amounts")
        if amount == 0:
            return
        left = _GRANTED - credit_pool.c.used
        is_enough = or_(credit_pool.c.granted.is_(None), left >= amount)
        change = {"used": credit_pool.c.used + amount}
        if not await _enter(transaction, "TAKEN", -amount, change, actor, connection_id, only_if=is_enough):
            raise InsufficientCredits(amount, max(0, await transaction.scalar(select(left)) or 0))

    async def give_back(self, transaction: Transaction, connection_id: str, actor: Actor) -> int:
        """Return all that a connection holds to the pool; how many that were."""
        # The pool's row first: of two that give back, the second must see the entry of the first.
        await transaction.execute(select(credit_pool.c.used).with_for_update())
        held = select(-func.coalesce(func.sum(credit_entries.c.amount), 0)).where(
            credit_entries.c.connection_id == connection_id
        )
        amount = int((await transaction.execute(held)).scalar_one())
        if amount:
            change = {"used": credit_pool.c.used - amount}
            await _enter(transaction, "RETURNED", amount, change, actor, connection_id)
        return amount

    async def grant(self, transaction: Transaction, amount: int, actor: Actor) -> None:
        """Add credits; an unlimited pool is limited from then on."""
        if amount <= 0:
            raise ValueError("credits are granted in positive amounts")
        await _enter(transaction, "GRANTED", amount, {"granted": _GRANTED + amount}, actor)

    async def adjust(self, transaction: Transaction, granted: int | None, actor: Actor) -> None:
        """Set how many there are in all, None for unlimited; fewer than are used leave a balance below 0."""
        present = (await transaction.execute(select(credit_pool.c.granted).with_for_update())).scalar_one()
        if present != granted:
            await _enter(transaction, "ADJUSTED", (granted or 0) - (present or 0), {"granted": granted}, actor)


async def _enter(
    transaction: Transaction,
    kind: str,
    amount: int,
    change: Mapping[str, Any],
    actor: Actor,
    connection_id: str | None = None,
    *,
    only_if: ColumnElement[bool] | None = None,
) -> bool:
    """Change the pool in one statement and write down what it gave; False if the condition does not hold."""
    changed = await transaction.execute(
        update(credit_pool)
        .where(*([] if only_if is None else [only_if]))
        .values(**change, entries=credit_pool.c.entries + 1)
        .returning(credit_pool.c.entries, _GRANTED - credit_pool.c.used)
    )
    row = changed.one_or_none()
    if row is None:
        return False
    number, balance = row
    await transaction.execute(
        insert(credit_entries).values(
            number=number,
            kind=kind,
            amount=amount,
            balance_after=balance,
            connection_id=connection_id,
            actor=str(actor),
            created_at=datetime.now(UTC),
        )
    )
    return True
