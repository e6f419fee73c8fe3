"""The stores: every statement on customers, connections and keys, and the way to the stores of other topics.

Requests are not served from here but from a snapshot in memory. Every change raises the epoch in its own
transaction, so whoever holds a snapshot can tell that it has aged.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import Select, Table, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from gateway.stores.audit import Audit
from gateway.stores.changes import Changed, Changes
from gateway.stores.credits import Credits
from gateway.stores.database import LONG_SECONDS, Database, Transaction, matched
from gateway.stores.due import Due
from gateway.stores.errors import Conflict, Missing, StoreError
from gateway.stores.events import Events
from gateway.stores.lifecycle import Lifecycle
from gateway.stores.mapping import api_key_from, connection_from, customer_from, of_customer, values_of
from gateway.stores.rows import DISCONNECTED, SYSTEM, Actor, ApiKey, Connection, Customer, Snapshot, new_id, session_row
from gateway.stores.schemas import Schemas
from gateway.stores.sessions import Sessions
from gateway.stores.snapshots import Renewal, Snapshots
from gateway.stores.states import States
from gateway.stores.tables import api_keys, connection_states, connections, credentials, customers, sessions

_SEALED: Mapping[Table, Callable[[str], str]] = {credentials: str, sessions: session_row}
"""The tables with sealed texts, and under which name a connection's text is sealed."""


class Store:
    """The kept state: customers, connections and keys here, and one small store for each other topic.

    Where a method takes `customer_id`, it acts for that customer and sees nothing of others; None acts for
    the operator and sees everything. Lists are ordered by id, hold at most `first` rows and continue after
    the id `after`.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.states = States(database)
        self.events = Events(database)
        self.credits = Credits(database)
        self.audit = Audit(database)
        self.due = Due(database)
        self.schemas = Schemas(database)
        self.sessions = Sessions(database)
        self.changes = Changes(database)
        self.lifecycle = Lifecycle(
            database, self.states, self.events, self.credits, self.audit, self.due, self.sessions, self.changes
        )
        self._snapshots = Snapshots(database, self.states, self.changes)

    @classmethod
    async def open(cls, url: str) -> Self:
        """Open the database and bring its schema up to date; what cannot be opened is a StoreError."""
        return cls(await Database.open(url))

    async def close(self) -> None:
        """Close all connections to the database."""
        await self.database.close()

    # Customers

    async def create_customer(
        self, *, name: str, external_id: str | None = None, metadata: Any = None, by: Actor = SYSTEM
    ) -> Customer:
        """Add a customer; a taken external id is a Conflict."""
        customer = Customer(id=new_id("cus"), name=name, external_id=external_id, metadata=metadata, created_at=_now())
        async with self.database.changing() as transaction:
            with _violation_means(Conflict("external_id")):
                await transaction.execute(insert(customers).values(values_of(customer)))
            await self.changes.note(transaction, Changed.CUSTOMER, customer.id)
            await self.audit.append(transaction, by, "customer.create", customer_id=customer.id)
        return customer

    async def customer(self, customer_id: str) -> Customer | None:
        """Find a customer."""
        rows = await self.database.rows(select(customers).where(customers.c.id == customer_id))
        return customer_from(rows[0]) if rows else None

    async def customers(
        self, *, first: int, after: str | None = None, text: str | None = None, external_id: str | None = None
    ) -> list[Customer]:
        """List customers: those with `text` in the name, and those with this external id."""
        query = _page(customers, first, after)
        if text is not None:
            query = query.where(customers.c.name.icontains(text, autoescape=True))
        if external_id is not None:
            query = query.where(customers.c.external_id == external_id)
        return [customer_from(row) for row in await self.database.rows(query)]

    # Connections

    async def connection(self, connection_id: str, *, customer_id: str | None) -> Connection | None:
        """Find a connection, disconnected or not."""
        query = select(connections).where(connections.c.id == connection_id, *of_customer(connections, customer_id))
        rows = await self.database.rows(query)
        return connection_from(rows[0]) if rows else None

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
        query = _page(connections, first, after).where(*of_customer(connections, customer_id))
        given = {"system": system, "environment": environment, "lifecycle": lifecycle}
        for column, value in given.items():
            if value is not None:
                query = query.where(connections.c[column] == value)
        return [connection_from(row) for row in await self.database.rows(query)]

    async def predecessor(self, customer_id: str, system: str, account: str) -> str | None:
        """Find the id of the latest connection of a customer to an account of a system that was disconnected."""
        rows = await self.database.rows(
            select(connections.c.id)
            .join(connection_states)
            .where(
                connections.c.customer_id == customer_id,
                connections.c.system == system,
                connections.c.lifecycle == DISCONNECTED,
                connection_states.c.account == account,
            )
            .order_by(connections.c.disconnected_at.desc())
            .limit(1)
        )
        return str(rows[0].id) if rows else None

    # Keys

    async def create_api_key(self, key: ApiKey, *, by: Actor = SYSTEM) -> None:
        """Add a key; an unknown customer, or a connection that it lacks or has disconnected, is Missing."""
        async with self.database.changing() as transaction:
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
                await transaction.execute(insert(api_keys).values(values_of(key)))
            await self.changes.note(transaction, Changed.API_KEY, key.id)
            await self._note(transaction, by, "api_key.create", key)

    async def revoke_api_key(self, key_id: str, *, customer_id: str | None, by: Actor = SYSTEM) -> ApiKey:
        """Revoke a key for ever; a second time changes nothing. An unknown key is Missing."""
        mine = (api_keys.c.id == key_id, *of_customer(api_keys, customer_id))
        async with self.database.changing() as transaction:
            revoked = update(api_keys).where(*mine, api_keys.c.revoked_at.is_(None)).values(revoked_at=_now())
            is_changed = await matched(transaction, revoked)
            await self.changes.note(transaction, Changed.API_KEY, key_id)
            row = (await transaction.execute(select(api_keys).where(*mine))).one_or_none()
            if row is None:
                raise Missing("api_key")
            key = api_key_from(row)
            if is_changed:
                await self._note(transaction, by, "api_key.revoke", key)
        return key

    async def api_keys(
        self,
        customer_id: str | None,
        *,
        first: int,
        after: str | None = None,
        connection_id: str | None = None,
    ) -> list[ApiKey]:
        """List keys, revoked ones too: all, or those of one connection."""
        query = _page(api_keys, first, after).where(*of_customer(api_keys, customer_id))
        if connection_id is not None:
            query = query.where(api_keys.c.connection_id == connection_id)
        return [api_key_from(row) for row in await self.database.rows(query)]

    async def key_by_digest(self, digest: str) -> ApiKey | None:
        """Find a key by the digest of its token, revoked or not."""
        rows = await self.database.rows(select(api_keys).where(api_keys.c.digest == digest))
        return api_key_from(rows[0]) if rows else None

    async def touch_key(self, key_id: str, at: datetime) -> None:
        """Note that a key was used; an earlier time than the one noted changes nothing.

        The epoch stays: nobody's answer depends on this.
        """
        unused_since = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < at)
        async with self.database.writing() as transaction:
            await transaction.execute(
                update(api_keys).where(api_keys.c.id == key_id, unused_since).values(last_used_at=at)
            )

    async def _note(self, transaction: Transaction, by: Actor, action: str, key: ApiKey) -> None:
        of = {"customer_id": key.customer_id, "connection_id": key.connection_id}
        details = {"keyId": key.id, "kind": key.kind.name, "scopes": list(key.scopes)}
        await self.audit.append(transaction, by, action, details=details, **of)

    # Credentials

    async def reseal(self, change: Callable[[str, str, str], str], *, by: Actor = SYSTEM) -> int:
        """Put what `change` makes of every sealed text in its place, all or none; how many there are.

        It is given what `sealed` lists of each.
        """
        async with self.database.changing(LONG_SECONDS) as transaction:
            count = 0
            for table, name_of in _SEALED.items():
                query = _sealed(table).with_for_update(of=table)
                for row in (await transaction.execute(query)).all():
                    text = change(row.customer_id, name_of(row.connection_id), row.sealed)
                    mine = table.c.connection_id == row.connection_id
                    await transaction.execute(update(table).where(mine).values(sealed=text))
                    count += 1
            await self.changes.note(transaction, Changed.EVERYTHING)
            await self.audit.append(transaction, by, "keys.rotate", details={"credentials": count})
        return count

    async def sealed(self) -> list[tuple[str, str, str]]:
        """List all that is sealed, credentials and sessions: the customer's id, the row's name, and the text."""
        found = []
        for table, name_of in _SEALED.items():
            rows = await self.database.rows(_sealed(table))
            found += [(row.customer_id, name_of(row.connection_id), row.sealed) for row in rows]
        return found

    # Snapshots

    async def epoch(self) -> int:
        """Read how often anything was changed."""
        return await self.database.epoch()

    async def snapshot(self) -> Snapshot:
        """Read everything that serving requests needs."""
        return await self._snapshots.read()

    async def renew(self, before: Snapshot) -> Renewal:
        """Read what was changed since a snapshot."""
        return await self._snapshots.renew(before)


def _sealed(table: Table) -> Select[*tuple[Any, ...]]:
    query = select(connections.c.customer_id, table.c.connection_id, table.c.sealed).join_from(table, connections)
    return query.where(table.c.sealed.is_not(None))


def _page(table: Table, first: int, after: str | None) -> Select[*tuple[Any, ...]]:
    query = select(table).order_by(table.c.id).limit(first)
    return query if after is None else query.where(table.c.id > after)


@contextmanager
def _violation_means(error: StoreError) -> Iterator[None]:
    """Raise this error if a constraint is violated; the database's own names too many things at once."""
    try:
        yield
    except IntegrityError:
        raise error from None


def _now() -> datetime:
    return datetime.now(UTC)
