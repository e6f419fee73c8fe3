"""What is connected, kept in process: no request waits for SQL, and a change is seen within a moment."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b, sha256
from importlib.metadata import version
from typing import Any

import httpx
import strawberry

from connectors.client import Source
from connectors.errors import Reauthorize, Trouble
from connectors.ports import Observer
from connectors.protection.limits import Identity
from connectors.protection.protections import Protections
from connectors.registry import find_system
from gateway.auth import Caller
from gateway.egress import Egress, UrlRefused
from gateway.keyring import Keyring, SealBroken
from gateway.stored_settings import described_settings, effective_system
from gateway.stores import rows
from gateway.stores.sql import Store
from resolvers.describing import describe_system
from resolvers.ports import CacheScope, LiveSource
from schema.connections import (
    ApiKey,
    ApiKeyKind,
    ApiKeyScope,
    ConnectedSystem,
    Customer,
    Environment,
    Viewer,
)
from schema.freshness import Freshness
from schema.health import ConnectionLifecycle
from schema.systems import Deployment

_LOGGER = logging.getLogger(__name__)
_PAGE = 1_000
_VERSION = version("switchgear")
CHECKED = "con_check"
"""Stands for the id of a connection that is tried out before it is made."""
_TIMEOUT = httpx.Timeout(None, connect=5.0, pool=10.0)
"""Seconds to connect; how long an answer may take is bounded by the deadline of the request."""

Observe = Callable[[str, str, str], Observer]
"""Makes what hears of one connection, from the system's key, the deployment and the environment."""


def _unheard(system: str, deployment: str, environment: str) -> Observer:
    return Observer()


class Directory:
    """The snapshot that every request is served from, and the open sources behind it."""

    def __init__(
        self,
        store: Store,
        keyring: Keyring,
        egress: Egress,
        protections: Protections,
        *,
        max_answer_bytes: int,
        observe: Observe = _unheard,
    ) -> None:
        self.store = store
        self.protections = protections
        self._keyring = keyring
        self._egress = egress
        self._max_answer_bytes = max_answer_bytes
        self._observe = observe
        self._snapshot = rows.Snapshot(epoch=-1, customers={}, connections={}, keys={}, sealed={})
        self._lives: dict[str, LiveSource] = {}
        self._customers: dict[str, Customer] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._refreshing = asyncio.Lock()
        self.on_change: Callable[[], None] = lambda: None
        """Called when something else is served from now on."""

    @property
    def keys(self) -> Mapping[str, rows.ApiKey]:
        """The keys in force, by digest."""
        return self._snapshot.keys

    async def refresh(self) -> None:
        """Read the store if it has changed, and open and close sources accordingly; one after the other.

        Two at once could end with the older of two snapshots, in which a revoked key still counts.
        """
        async with self._refreshing:
            if await self.store.epoch() != self._snapshot.epoch:
                self._adopt(await self.store.snapshot())
                self.on_change()

    def _adopt(self, snapshot: rows.Snapshot) -> None:
        """Serve from a snapshot from now on; sources that are still the same stay open."""
        customers = {item.id: describe_customer(item) for item in snapshot.customers.values()}
        previews = {key.connection_id: key.preview for key in snapshot.keys.values() if key.connection_id}
        before, lives = self._snapshot, {}
        for row in sorted(snapshot.connections.values(), key=lambda item: item.id):
            sealed = snapshot.sealed.get(row.id)
            if row.lifecycle != ConnectionLifecycle.ENABLED.name or sealed is None or not _is_known(row):
                continue
            described = describe_connection(row, customers.get(row.customer_id), previews.get(row.id))
            known = self._lives.get(row.id)
            is_same = known is not None and before.sealed.get(row.id) == sealed and before.connections[row.id] == row
            source = known.source if known is not None and is_same else self._open(row, sealed)
            if source is not None:
                scope = CacheScope(row.customer_id, row.id, generation_of(row, sealed, source.system.revision))
                lives[row.id] = LiveSource(described, source, scope, _freshness_of(row.settings))
        gone = [
            live.source for key, live in self._lives.items() if key not in lives or lives[key].source is not live.source
        ]
        self._snapshot, self._customers, self._lives = snapshot, customers, lives
        for source in gone:
            self._close_soon(source)

    def _open(self, row: rows.Connection, sealed: str) -> Source | None:
        """A source that cannot be opened still stands among the others, so that queries tell of it."""
        fault: Trouble
        observer = self._observe(row.system, row.deployment, row.environment)
        try:
            answers = json.loads(self._keyring.unseal(sealed, tenant=row.customer_id, row=row.id))
            return self.open_source(
                row.system, row.auth_method, row.id, answers, row.settings, row.customer_id, observer
            )
        except SealBroken:
            fault = Reauthorize("The stored credentials cannot be read with the present keys.")
        except UrlRefused as refused:
            fault = refused
        _LOGGER.error("a connection cannot be opened: %s", fault, extra={"connection_id": row.id})
        system = find_system(row.system)
        if system is None:
            return None
        return Source(row.id, system, self._egress.client(), httpx.Auth(), fault=fault, observer=observer)

    def open_source(
        self,
        system_key: str,
        auth_method: str,
        connection_id: str,
        answers: Mapping[str, str],
        settings: Mapping[str, Any],
        tenant: str,
        observer: Observer | None = None,
    ) -> Source | None:
        """A source of its own for these answers; None where this version does not know the system."""
        system = find_system(system_key)
        method = system.auth_method(auth_method) if system is not None else None
        if system is None or method is None:
            return None
        address = system.address(answers)
        self._egress.check_url(address)
        identity = self._identity(tenant, connection_id, method.key, answers, address)
        guarded = self.protections.check if connection_id == CHECKED else self.protections.guard
        guard = guarded(system.limits, identity)
        return Source(
            connection_id=connection_id,
            system=system,
            http=self._egress.client(base_url=address, timeout=_TIMEOUT, connections=guard.lane.concurrency.ceiling),
            auth=method.flow(answers),
            guard=guard,
            options={**settings.get("options", {})},
            effective=effective_system(system, settings),
            timeout_ms=settings.get("timeoutMs"),
            max_answer_bytes=self._max_answer_bytes,
            observer=observer or Observer(),
        )

    def _identity(
        self, tenant: str, connection_id: str, method: str, answers: Mapping[str, str], address: str
    ) -> Identity:
        """Who a connection is to its system, in digests that only holders of the keys could guess."""

        def digest(*words: str) -> str:
            return blake2b(json.dumps(words).encode(), key=self._keyring.pepper[:64], digest_size=16).hexdigest()

        user = digest(address, method, *(f"{name}={answers[name]}" for name in sorted(answers)))
        return Identity(tenant, connection_id, user, digest(address), digest(httpx.URL(address).host))

    def _close_soon(self, source: Source) -> None:
        task = asyncio.create_task(source.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close every source."""
        await asyncio.gather(*(live.source.close() for live in self._lives.values()), *self._closing)

    def lives(self) -> Iterable[LiveSource]:
        """Every connection in use, in the order of their ids."""
        return self._lives.values()

    def live(self, connection_id: str) -> LiveSource | None:
        """A connection in use."""
        return self._lives.get(connection_id)

    def view(self, caller: Caller) -> "CallerView":
        """What one caller sees."""
        return CallerView(self, caller)


class CallerView:
    """The directory as one caller sees it; every answer is narrowed to what the key reaches."""

    def __init__(self, directory: Directory, caller: Caller) -> None:
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
        found = await _all(self._directory.store.customers)
        return [describe_customer(row) for row in found if self.caller.sees(row.id, self.caller.key.connection_id)]

    async def connections(self) -> list[ConnectedSystem]:
        """The connections that the key reaches, disconnected ones too."""
        store, customer_id = self._directory.store, self.caller.key.customer_id
        customers = {customer.id: customer for customer in await self.customers()}
        found = await _all(lambda **page: store.connections(customer_id, **page))
        previews = await self._previews()
        return [
            describe_connection(row, customers.get(strawberry.ID(row.customer_id or "")), previews.get(row.id))
            for row in found
            if self.caller.sees(row.customer_id, row.id) and _is_known(row)
        ]

    async def _previews(self) -> dict[str | None, str]:
        return {key.connection_id: key.preview for key in self._directory.keys.values() if key.connection_id}

    async def connection(self, connection_id: str) -> ConnectedSystem | None:
        """A connection by id."""
        return next((item for item in await self.connections() if item.id == connection_id), None)

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
            return await self.described_key(self.caller.key)
        if not self.caller.has("MANAGE"):
            return None
        store = self._directory.store
        found = await _all(lambda **page: store.api_keys(self.caller.key.customer_id, **page))
        row = next((item for item in found if item.id == key_id), None)
        is_seen = row is not None and self.caller.sees(row.customer_id, row.connection_id)
        return await self.described_key(row) if row is not None and is_seen else None

    async def viewer(self) -> Viewer:
        """Who is asking."""
        described = await self.described_key(self.caller.key)
        return Viewer(api_key=described, customer=described.customer, connection=described.connection)

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


def generation_of(row: rows.Connection, sealed: str, revision: str) -> str:
    """A word that changes with everything that decides what a connection reads: what is kept of it changes with it."""
    decisive = (
        _VERSION,
        revision,
        row.system,
        row.auth_method,
        row.base_url,
        sorted(row.settings.items()),
        row.lifecycle,
        row.authorized_at,
        sealed,
    )
    return sha256(repr(decisive).encode()).hexdigest()[:16]


def _freshness_of(settings: Mapping[str, Any]) -> Freshness:
    """How old the answers of a connection may be by default."""
    return Freshness(settings.get("maxAgeSeconds"), settings.get("staleOnError"))


def _is_known(row: rows.Connection) -> bool:
    """Whether this version knows the connection's system; a newer one may have made it."""
    is_known = find_system(row.system) is not None
    if not is_known:
        _LOGGER.error("a connection's system is not known to this version", extra={"connection_id": row.id})
    return is_known


def describe_customer(row: rows.Customer) -> Customer:
    """A customer as clients see it."""
    return Customer(
        id=strawberry.ID(row.id),
        name=row.name,
        external_id=row.external_id,
        metadata=row.metadata,
        created_at=row.created_at,
    )


def describe_connection(row: rows.Connection, customer: Customer | None, preview: str | None) -> ConnectedSystem:
    """A connection as clients see it."""
    system = find_system(row.system)
    if system is None:
        raise LookupError(f"this version does not know the system {row.system!r}")
    return ConnectedSystem(
        id=strawberry.ID(row.id),
        name=row.name,
        system=describe_system(system),
        customer=customer,
        deployment=Deployment[row.deployment],
        environment=Environment[row.environment],
        tags=list(row.tags),
        metadata=row.metadata,
        lifecycle=ConnectionLifecycle[row.lifecycle],
        created_at=row.created_at,
        authorized_at=row.authorized_at,
        settings=described_settings(row.settings),
        token_preview=preview,
    )


def describe_key(row: rows.ApiKey, customer: Customer | None, connection: ConnectedSystem | None) -> ApiKey:
    """A key as clients see it."""
    return ApiKey(
        id=strawberry.ID(row.id),
        name=row.name,
        kind=ApiKeyKind[row.kind.name],
        scopes=[ApiKeyScope[scope] for scope in row.scopes],
        customer=customer,
        connection=connection,
        preview=row.preview,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
