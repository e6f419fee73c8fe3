"""What one caller sees of customers, connections and keys."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import strawberry

from gateway.serving.auth import Caller
from gateway.showing import describe_connection, describe_customer, describe_key, is_known, previews_of
from gateway.stores import rows
from gateway.stores.errors import Unavailable
from resolvers.ports import LiveSource
from schema.connections import ApiKey, ConnectedSystem, Customer, Viewer

if TYPE_CHECKING:
    from gateway.directory import Directory

_PAGE = 1_000
_MANY = 500
"""With more connections than this, all states are read rather than those that are named."""


class CallerView:
    """The directory as one caller sees it; every answer is narrowed to what the key reaches."""

    def __init__(self, directory: "Directory", caller: Caller) -> None:
        self._directory = directory
        self.caller = caller
        self.tenant = caller.tenant

    def require(self, scope: str) -> None:
        """Raise SCOPE_MISSING unless the key carries the scope."""
        self.caller.require(scope)

    def sources(self) -> Sequence[LiveSource]:
        """The connections in use that the key reaches."""
        return [
            live
            for live in self._directory.lives()
            if live.connection.customer is not None
            and self.caller.sees(live.connection.customer.id, live.connection.id)
        ]

    async def customers(self) -> list[Customer]:
        """The customers that the key reaches."""
        try:
            found = [describe_customer(row) for row in await _all(self._directory.store.customers)]
        except Unavailable:
            found = self._directory.known_customers()
        return [item for item in found if self.caller.sees(str(item.id), self.caller.key.connection_id)]

    async def connections(self) -> list[ConnectedSystem]:
        """The connections that the key reaches, disconnected ones too."""
        store, customer_id = self._directory.store, self.caller.key.customer_id
        customers = {customer.id: customer for customer in await self.customers()}
        found = await _all(lambda **page: store.connections(customer_id, **page))
        return await self.describe([row for row in found if self.caller.sees(row.customer_id, row.id)], customers)

    async def connection(self, connection_id: str) -> ConnectedSystem | None:
        """A connection by id; while the database is away, as it was last known."""
        try:
            return await self._stored(connection_id)
        except Unavailable:
            for live in self.sources():
                if live.connection.id == connection_id:
                    return live.connection
            raise

    async def _stored(self, connection_id: str) -> ConnectedSystem | None:
        row = await self._directory.store.connection(connection_id, customer_id=self.caller.key.customer_id)
        if row is None or not self.caller.sees(row.customer_id, row.id):
            return None
        owner = await self._directory.store.customer(row.customer_id)
        customers = {} if owner is None else {strawberry.ID(owner.id): describe_customer(owner)}
        return next(iter(await self.describe([row], customers)), None)

    async def several(self, connection_ids: Collection[str]) -> dict[str, ConnectedSystem]:
        """Connections by id, as far as the key reaches them."""
        found = [await self.connection(item) for item in sorted(connection_ids)]
        return {str(item.id): item for item in found if item is not None}

    async def describe(
        self, found: Sequence[rows.Connection], customers: Mapping[strawberry.ID, Customer]
    ) -> list[ConnectedSystem]:
        """Connections as clients see them, with how they are now."""
        states = await self._directory.store.states.all(None if len(found) > _MANY else [row.id for row in found])
        previews = previews_of(self._directory.keys.values(), {row.id for row in found})
        return [
            describe_connection(
                row,
                customers.get(strawberry.ID(row.customer_id)),
                previews.get(row.id),
                self._directory.condition(row, states[row.id]),
            )
            for row in found
            if row.id in states and is_known(row)
        ]

    async def keys(self, customer_id: str) -> list[ApiKey]:
        """The keys of a customer, for callers that may manage them."""
        if not self.caller.has("MANAGE") or not self.caller.sees(customer_id):
            return []
        store = self._directory.store
        found = await _all(lambda **page: store.api_keys(customer_id, **page))
        return [await self.described_key(row) for row in found]

    async def key(self, key_id: str) -> ApiKey | None:
        """A key by id, for callers that may manage it; everyone may see their own."""
        if key_id == self.caller.key.id:
            return await self._own_key()
        if not self.caller.has("MANAGE"):
            return None
        store = self._directory.store
        found = await _all(lambda **page: store.api_keys(self.caller.key.customer_id, **page))
        row = next((item for item in found if item.id == key_id), None)
        is_seen = row is not None and self.caller.sees(row.customer_id, row.connection_id)
        return await self.described_key(row) if row is not None and is_seen else None

    async def viewer(self) -> Viewer:
        """Who is asking."""
        described = await self._own_key()
        return Viewer(api_key=described, customer=described.customer, connection=described.connection)

    async def _own_key(self) -> ApiKey:
        """The key that was sent; while the database is away, as it was last known."""
        row = self.caller.key
        with suppress(Unavailable):
            row = await self._directory.store.key_by_digest(row.digest) or row
        return await self.described_key(row)

    async def described_key(self, row: rows.ApiKey) -> ApiKey:
        """A key as clients see it, with the customer and the connection that it reaches."""
        customers = {customer.id: customer for customer in await self.customers()}
        connection = await self.connection(row.connection_id) if row.connection_id else None
        return describe_key(row, customers.get(strawberry.ID(row.customer_id or "")), connection)


async def _all(page: Any) -> list[Any]:
    """Every row of a paged list of the store."""
    found: list[Any] = []
    while True:
        rows_of_page = await page(first=_PAGE, after=found[-1].id if found else None)
        found.extend(rows_of_page)
        if len(rows_of_page) < _PAGE:
            return found
