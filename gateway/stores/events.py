"""The events of connections, numbered in the order in which they were committed."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import takewhile
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, insert, select, update

from gateway.stores.database import Database, Transaction, matched, read_counter
from gateway.stores.errors import Missing
from gateway.stores.rows import Event, NewEvent
from gateway.stores.tables import connection_states, events, meta


@dataclass(frozen=True, slots=True)
class Among:
    """One of these values, or, if `excluded`, any value that is none of them."""

    values: Collection[str]
    excluded: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class EventQuery:
    """Which events; every condition that is given must hold. `since` is included, `until` is not."""

    types: Among | None = None
    connection_ids: Among | None = None
    customer_ids: Among | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRange:
    """The number of the latest event, and of the latest that was deleted for its age; 0 if there is none.

    Whoever continues after a number below `forgotten` may have missed something.
    """

    forgotten: int
    latest: int


class Events:
    """The kept events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, transaction: Transaction, event: NewEvent) -> Event:
        """Give the event its sequence and its number, and keep it.

        The number's row stays locked until the transaction ends: numbers become visible in their order, and
        whoever has read one has missed none below it. So this comes last in a transaction. A
        connection that does not exist is Missing.
        """
        sequence = 0
        if event.connection_id is not None:
            counted = await transaction.execute(
                update(connection_states)
                .where(connection_states.c.connection_id == event.connection_id)
                .values(sequence=connection_states.c.sequence + 1)
                .returning(connection_states.c.sequence)
            )
            found = counted.scalar_one_or_none()
            if found is None:
                raise Missing("connection")
            sequence = found
        numbered = await transaction.execute(
            update(meta).where(meta.c.name == "event").values(value=meta.c.value + 1).returning(meta.c.value)
        )
        given = {field.name: getattr(event, field.name) for field in fields(NewEvent)}
        self._database.announce(transaction)
        placed = Event(**given, number=numbered.scalar_one(), sequence=sequence)
        await transaction.execute(insert(events).values(**given, number=placed.number, sequence=placed.sequence))
        return placed

    async def find(self, number: int) -> Event | None:
        """Find an event by its number."""
        rows = await self._database.rows(select(events).where(events.c.number == number))
        return _event(rows[0]) if rows else None

    async def after(
        self,
        number: int,
        *,
        first: int,
        customer_id: str | None = None,
        connection_ids: Collection[str] | None = None,
    ) -> list[Event]:
        """List events with greater numbers, in their order: all, or those of a customer or of some connections."""
        query = select(events).where(events.c.number > number).order_by(events.c.number).limit(first)
        if customer_id is not None:
            query = query.where(events.c.customer_id == customer_id)
        if connection_ids is not None:
            query = query.where(events.c.connection_id.in_(connection_ids))
        return [_event(row) for row in await self._database.rows(query)]

    async def page(self, *, first: int, before: int | None = None, where: EventQuery | None = None) -> list[Event]:
        """List events, the latest first, continuing below the number `before`."""
        query = select(events).where(*_conditions(where or EventQuery())).order_by(events.c.number.desc()).limit(first)
        if before is not None:
            query = query.where(events.c.number < before)
        return [_event(row) for row in await self._database.rows(query)]

    async def range(self) -> EventRange:
        """Tell how far the events reach."""
        async with self._database.reading() as transaction:
            return EventRange(
                forgotten=await read_counter(transaction, "forgotten_event"),
                latest=await read_counter(transaction, "event"),
            )

    async def forget(self, older_than: datetime, *, first: int) -> int:
        """Delete the oldest events, so many at most; return how many there were.

        It ends at the first event that is young enough, so that one process's wrong clock cannot take others' events.
        """
        async with self._database.writing() as transaction:
            begun = await read_counter(transaction, "forgotten_event")
            oldest = select(events.c.number, events.c.occurred_at).where(events.c.number > begun)
            found = (await transaction.execute(oldest.order_by(events.c.number).limit(first))).all()
            old = [row.number for row in takewhile(lambda row: row.occurred_at < older_than, found)]
            if not old:
                return 0
            forgotten = update(meta).where(meta.c.name == "forgotten_event", meta.c.value < old[-1])
            await transaction.execute(forgotten.values(value=old[-1]))
            return await matched(transaction, delete(events).where(events.c.number <= old[-1]))


def _conditions(query: EventQuery) -> list[ColumnElement[bool]]:
    columns = {
        events.c.type: query.types,
        events.c.connection_id: query.connection_ids,
        events.c.customer_id: query.customer_ids,
    }
    conditions: list[ColumnElement[bool]] = []
    for column, among in columns.items():
        if among is not None:
            conditions.append(column.not_in(among.values) if among.excluded else column.in_(among.values))
    if query.since is not None:
        conditions.append(events.c.occurred_at >= query.since)
    if query.until is not None:
        conditions.append(events.c.occurred_at < query.until)
    return conditions


def _event(row: Row[*tuple[Any, ...]]) -> Event:
    return Event(**row._mapping)
