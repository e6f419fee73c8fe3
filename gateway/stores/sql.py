"""The store: every statement that reads or changes what is kept.

Requests are not served from here but from a snapshot in memory. Every change raises the epoch in its own
transaction, so whoever holds a snapshot can tell that it has aged.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import URL, ColumnElement, Row, Select, Table, delete, insert, make_url, or_, select, update
from sqlalchemy.exc import ArgumentError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.stores import migrations, sqlite
from gateway.stores.errors import Conflict, Missing, StoreError
from gateway.stores.rows import DISCONNECTED, ApiKey, Connection, Customer, Snapshot, new_id
from gateway.stores.tables import api_keys, connections, credentials, customers, meta
from gateway.tokens import TokenKind

BACKENDS: Mapping[str, Callable[[URL], AsyncEngine]] = {"sqlite": sqlite.engine}
"""How to open a database, by the scheme of its URL."""


class Store:
    """The kept state.

    Where a method takes `customer_id`, it acts for that customer and sees nothing of others; None acts for
    the operator and sees everything. Lists are ordered by id, hold at most `first` rows and continue after
    the id `after`.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._reading = engine
        self._writing = engine.execution_options(writing=True)

    @classmethod
    async def open(cls, url: str) -> Self:
        """Open the database and bring its schema up to date; what cannot be opened is a StoreError."""
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise StoreError("the database URL is not a URL") from None
        scheme = parsed.get_backend_name()
        if scheme not in BACKENDS:
            raise StoreError(f"there is no store for {scheme}:// databases, only for {', '.join(BACKENDS)}://")
        store = cls(BACKENDS[scheme](parsed))
        try:
            await store._bring_up_to_date()
        except BaseException:
            await store.close()
            raise
        return store

    async def close(self) -> None:
        """Close all connections to the database."""
        await self._reading.dispose()

    # Customers

    async def create_customer(self, *, name: str, external_id: str | None = None, metadata: Any = None) -> Customer:
        """Add a customer; a taken external id is a Conflict."""
        customer = Customer(id=new_id("cus"), name=name, external_id=external_id, metadata=metadata, created_at=_now())
        async with self._changing() as connection:
            with _violation_means(Conflict("external_id")):
                await connection.execute(insert(customers).values(_values(customer)))
        return customer

    async def customer(self, customer_id: str) -> Customer | None:
        """Find a customer."""
        rows = await self._rows(select(customers).where(customers.c.id == customer_id))
        return _customer(rows[0]) if rows else None

    async def customers(
        self, *, first: int, after: str | None = None, text: str | None = None, external_id: str | None = None
    ) -> list[Customer]:
        """List customers: those with `text` in the name, and those with this external id."""
        query = _page(customers, first, after)
        if text is not None:
            query = query.where(customers.c.name.icontains(text, autoescape=True))
        if external_id is not None:
            query = query.where(customers.c.external_id == external_id)
        return [_customer(row) for row in await self._rows(query)]

    # Connections

    async def create_connection(self, connection: Connection, sealed: str, key: ApiKey) -> None:
        """Add a connection with its sealed credentials and its API key, all or nothing.

        An unknown customer is Missing.
        """
        if (key.customer_id, key.connection_id) != (connection.customer_id, connection.id):
            raise ValueError("the key is not for this connection")
        async with self._changing() as transaction:
            with _violation_means(Missing("customer")):
                await transaction.execute(insert(connections).values(_values(connection)))
            await transaction.execute(insert(credentials).values(connection_id=connection.id, sealed=sealed))
            await transaction.execute(insert(api_keys).values(_values(key)))

    async def connection(self, connection_id: str, *, customer_id: str | None) -> Connection | None:
        """Find a connection, disconnected or not."""
        query = select(connections).where(connections.c.id == connection_id, *_of(connections, customer_id))
        rows = await self._rows(query)
        return _connection(rows[0]) if rows else None

    async def connections(
        self,
        customer_id: str | None,
        *,
        first: int,
        after: str | None = None,
        system: str | None = None,
        environment: str | None = None,
        lifecycle: str | None = None,
    ) -> list[Connection]:
        """List connections, disconnected ones too; every condition that is given must hold."""
        query = _page(connections, first, after).where(*_of(connections, customer_id))
        given = {"system": system, "environment": environment, "lifecycle": lifecycle}
        for column, value in given.items():
            if value is not None:
                query = query.where(connections.c[column] == value)
        return [_connection(row) for row in await self._rows(query)]

    async def change_connection(
        self, connection_id: str, *, customer_id: str | None, settings: Mapping[str, Any], **values: Any
    ) -> Connection:
        """Change these settings, and these columns, of a connection in use; the others stay.

        A setting that becomes None is taken back. A connection that is unknown or disconnected is Missing.
        """
        mine = (connections.c.id == connection_id, *_of(connections, customer_id))
        async with self._changing() as transaction:
            query = select(connections).where(*mine, connections.c.lifecycle != DISCONNECTED).with_for_update()
            before = (await transaction.execute(query)).one_or_none()
            if before is None:
                raise Missing("connection")
            merged = {name: value for name, value in {**before.settings, **settings}.items() if value is not None}
            await transaction.execute(update(connections).where(*mine).values(settings=merged, **values))
            row = (await transaction.execute(select(connections).where(*mine))).one()
        return _connection(row)

    async def disconnect(self, connection_id: str, reason: str | None, *, customer_id: str | None) -> Connection:
        """End a connection: its keys are revoked and its credentials deleted in the same transaction.

        A second time changes nothing. An unknown connection is Missing.
        """
        now = _now()
        async with self._changing() as transaction:
            await transaction.execute(
                update(connections)
                .where(
                    connections.c.id == connection_id,
                    connections.c.lifecycle != DISCONNECTED,
                    *_of(connections, customer_id),
                )
                .values(lifecycle=DISCONNECTED, disconnected_at=now, disconnect_reason=reason)
            )
            found = await transaction.execute(
                select(connections).where(connections.c.id == connection_id, *_of(connections, customer_id))
            )
            row = found.one_or_none()
            if row is None:
                raise Missing("connection")
            await transaction.execute(
                update(api_keys)
                .where(api_keys.c.connection_id == connection_id, api_keys.c.revoked_at.is_(None))
                .values(revoked_at=now)
            )
            await transaction.execute(delete(credentials).where(credentials.c.connection_id == connection_id))
        return _connection(row)

    # Keys

    async def create_api_key(self, key: ApiKey) -> None:
        """Add a key; an unknown customer, or a connection that it lacks or has disconnected, is Missing."""
        async with self._changing() as transaction:
            if key.connection_id is not None:
                usable = (
                    select(connections.c.id)
                    .where(
                        connections.c.id == key.connection_id,
                        connections.c.customer_id == key.customer_id,
                        connections.c.lifecycle != DISCONNECTED,
                    )
                    .with_for_update()
                )
                if await transaction.scalar(usable) is None:
                    raise Missing("connection")
            with _violation_means(Missing("customer")):
                await transaction.execute(insert(api_keys).values(_values(key)))

    async def revoke_api_key(self, key_id: str, *, customer_id: str | None) -> ApiKey:
        """Revoke a key for ever; a second time changes nothing. An unknown key is Missing."""
        mine = (api_keys.c.id == key_id, *_of(api_keys, customer_id))
        async with self._changing() as transaction:
            await transaction.execute(
                update(api_keys).where(*mine, api_keys.c.revoked_at.is_(None)).values(revoked_at=_now())
            )
            row = (await transaction.execute(select(api_keys).where(*mine))).one_or_none()
            if row is None:
                raise Missing("api_key")
        return _api_key(row)

    async def api_keys(
        self,
        customer_id: str | None,
        *,
        first: int,
        after: str | None = None,
        connection_id: str | None = None,
    ) -> list[ApiKey]:
        """List keys, revoked ones too: all, or those of one connection."""
        query = _page(api_keys, first, after).where(*_of(api_keys, customer_id))
        if connection_id is not None:
            query = query.where(api_keys.c.connection_id == connection_id)
        return [_api_key(row) for row in await self._rows(query)]

    async def key_by_digest(self, digest: str) -> ApiKey | None:
        """Find a key by the digest of its token, revoked or not."""
        rows = await self._rows(select(api_keys).where(api_keys.c.digest == digest))
        return _api_key(rows[0]) if rows else None

    async def touch_key(self, key_id: str, at: datetime) -> None:
        """Note that a key was used; an earlier time than the one noted changes nothing.

        The epoch stays: nobody's answer depends on this.
        """
        unused_since = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < at)
        async with self._writing.begin() as transaction:
            await transaction.execute(
                update(api_keys).where(api_keys.c.id == key_id, unused_since).values(last_used_at=at)
            )

    # Snapshots

    async def epoch(self) -> int:
        """Read how often anything was changed."""
        async with self._reading.connect() as connection:
            return await _epoch(connection)

    async def snapshot(self) -> Snapshot:
        """Read everything that serving requests needs."""
        async with self._reading.connect() as connection:
            # First: if anything changes while the rest is read, the snapshot must look too old, not too new.
            epoch = await _epoch(connection)
            owners = await connection.execute(select(customers))
            live = await connection.execute(select(connections).where(connections.c.lifecycle != DISCONNECTED))
            keys = await connection.execute(select(api_keys).where(api_keys.c.revoked_at.is_(None)))
            sealed = await connection.execute(select(credentials.c.connection_id, credentials.c.sealed))
            return Snapshot(
                epoch=epoch,
                customers={row.id: _customer(row) for row in owners},
                connections={row.id: _connection(row) for row in live},
                keys={row.digest: _api_key(row) for row in keys},
                sealed={row.connection_id: row.sealed for row in sealed},
            )

    async def _bring_up_to_date(self) -> None:
        async with self._reading.connect() as connection:
            if await connection.run_sync(migrations.is_at_head):
                return
        async with self._writing.begin() as connection:
            await connection.run_sync(migrations.upgrade)

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that changes something, and say so in the epoch."""
        async with self._writing.begin() as connection:
            await connection.execute(update(meta).where(meta.c.name == "epoch").values(value=meta.c.value + 1))
            yield connection

    async def _rows(self, query: Select[*tuple[Any, ...]]) -> Sequence[Row[*tuple[Any, ...]]]:
        async with self._reading.connect() as connection:
            return (await connection.execute(query)).all()


async def _epoch(connection: AsyncConnection) -> int:
    found = await connection.execute(select(meta.c.value).where(meta.c.name == "epoch"))
    return int(found.scalar_one())


def _page(table: Table, first: int, after: str | None) -> Select[*tuple[Any, ...]]:
    query = select(table).order_by(table.c.id).limit(first)
    return query if after is None else query.where(table.c.id > after)


def _of(table: Table, customer_id: str | None) -> list[ColumnElement[bool]]:
    """Restrict a statement to one customer's rows; the operator's are not restricted."""
    return [] if customer_id is None else [table.c.customer_id == customer_id]


@contextmanager
def _violation_means(error: StoreError) -> Iterator[None]:
    """Raise this error if a constraint is violated; the database's own names too many things at once."""
    try:
        yield
    except IntegrityError:
        raise error from None


def _values(row: Customer | Connection | ApiKey) -> dict[str, Any]:
    return {field.name: getattr(row, field.name) for field in fields(row)}


def _customer(row: Row[*tuple[Any, ...]]) -> Customer:
    return Customer(**row._mapping)


def _connection(row: Row[*tuple[Any, ...]]) -> Connection:
    return Connection(**{**row._mapping, "tags": tuple(row.tags)})


def _api_key(row: Row[*tuple[Any, ...]]) -> ApiKey:
    return ApiKey(**{**row._mapping, "kind": TokenKind(row.kind), "scopes": tuple(row.scopes)})


def _now() -> datetime:
    return datetime.now(UTC)
