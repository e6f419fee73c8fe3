"""How connections are, changed by compare-and-set."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, insert, or_, select, update

from gateway.stores.database import Database, Transaction
from gateway.stores.mapping import values_of
from gateway.stores.rows import DISCONNECTED, State
from gateway.stores.tables import connection_states, connections

_AT_ONCE = 1_000
_KEPT = [column.name for column in connection_states.c if column.name not in ("connection_id", "version", "sequence")]


class States:
    """The kept states; every connection has one, also after its end."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, connection_id: str) -> State | None:
        """Read one state."""
        rows = await self._database.rows(_states().where(connections.c.id == connection_id))
        return _state(rows[0]) if rows else None

    async def all(self, connection_ids: Collection[str] | None = None) -> dict[str, State]:
        """Read the states by connection: all of them, or only these."""
        query = _states()
        if connection_ids is not None:
            query = query.where(connections.c.id.in_(connection_ids))
        return {row.connection_id: _state(row) for row in await self._database.rows(query)}

    async def within(self, transaction: Transaction, connection_ids: Collection[str] | None = None) -> dict[str, State]:
        """Read the states of connections that have not ended, all or some, as a transaction sees them."""
        query = _states().where(connections.c.lifecycle != DISCONNECTED)
        if connection_ids is not None:
            query = query.where(connections.c.id.in_(connection_ids))
        found = await transaction.stream(query, execution_options={"yield_per": _AT_ONCE})
        return {row.connection_id: _state(row) async for row in found}

    async def add(self, transaction: Transaction, state: State) -> None:
        """Keep the first state of a connection."""
        values = {name: value for name, value in values_of(state).items() if name in connection_states.c}
        await transaction.execute(insert(connection_states).values(values))

    async def lock(self, transaction: Transaction, connection_id: str) -> State:
        """Read the state of a connection that exists; nobody else changes it before the transaction ends."""
        query = _states().where(connections.c.id == connection_id).with_for_update(of=connection_states)
        return _state((await transaction.execute(query)).one())

    async def change(self, transaction: Transaction, state: State) -> State | None:
        """Keep this state, unless another process has changed what it was derived from; then None.

        `state.version` is the version that was read, and nothing has been written where the answer is None.
        What was kept is returned with its new version. Events belong into the same transaction, after it.
        """
        found = await transaction.execute(
            update(connection_states)
            .where(
                connection_states.c.connection_id == state.connection_id,
                connection_states.c.version == state.version,
            )
            .values({name: getattr(state, name) for name in _KEPT} | {"version": state.version + 1})
            .returning(connection_states.c.sequence)
        )
        sequence = found.scalar_one_or_none()
        return None if sequence is None else replace(state, version=state.version + 1, sequence=sequence)

    async def note(self, connection_id: str, success: datetime | None, failure: datetime | None) -> None:
        """Write down when a call last went well and badly, unless something later is there; no version rises."""
        moments = {connection_states.c.last_success_at: success, connection_states.c.last_failure_at: failure}
        async with self._database.writing() as transaction:
            for column, moment in moments.items():
                if moment is not None:
                    mine = connection_states.c.connection_id == connection_id
                    earlier = or_(column.is_(None), column < moment)
                    await transaction.execute(
                        update(connection_states).where(mine, earlier).values({column.name: moment})
                    )


def _states() -> Select[*tuple[Any, ...]]:
    of_connection = (connections.c.customer_id, connections.c.system, connections.c.lifecycle)
    return select(connection_states, *of_connection).join_from(connection_states, connections)


def _state(row: Row[*tuple[Any, ...]]) -> State:
    return State(**row._mapping)
