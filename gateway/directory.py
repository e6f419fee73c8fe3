"""What is connected, kept in process: no request waits for SQL, and a change is seen within a moment."""

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Set
from functools import partial
from hashlib import blake2b, sha256
from importlib.metadata import version
from typing import Any

import httpx

from connectors.auth import SessionLogin
from connectors.client import Source
from connectors.errors import AddressRefused, CertificateRefused, Disconnected, Paused, Reauthorize, Trouble
from connectors.ports import Observer, Sessions
from connectors.protection.limits import Identity
from connectors.protection.protections import Protections
from connectors.registry import find_system
from gateway.connecting.accounts import account_of
from gateway.connecting.stored_settings import effective_system
from gateway.keys.keyring import Keyring, SealBroken
from gateway.keys.sealed import Sealed
from gateway.outgoing.egress import Egress
from gateway.outgoing.lines import line_of
from gateway.outgoing.sessions import SharedSessions
from gateway.serving.auth import Caller
from gateway.showing import describe_connection, describe_customer, is_known, previews_of
from gateway.stores import rows
from gateway.stores.sql import Store
from gateway.telemetry.observers import Observers
from gateway.views import CallerView
from gateway.watching.condition import KeptCondition
from gateway.watching.vitals import Vitals
from gateway.watching.watch import Watch, vitals_of
from resolvers.ports import CacheScope, LiveSource
from schema.connections import Customer
from schema.freshness import Freshness
from schema.health import Condition, ConnectionLifecycle

_LOGGER = logging.getLogger(__name__)
_VERSION = version("switchgear")
CHECKED = "con_check"
"""Stands for the id of a connection that is tried out before it is made."""
_TIMEOUT = httpx.Timeout(None, connect=5.0, pool=10.0)
"""Seconds to connect; how long an answer may take is bounded by the deadline of the request."""

Observe = Callable[[str, str, str], Observer]
"""Makes what hears of one connection, from the system's key, the deployment and the environment."""
OpenSessions = Callable[[], Sessions]
"""Gives the sessions of one connection; most logins give none, and need none."""


def _unheard(system: str, deployment: str, environment: str) -> Observer:
    return Observer()


_AT_ONCE = 50
"""How many connections are looked at before others have their turn."""
_IN_USE = (ConnectionLifecycle.ENABLED.name, ConnectionLifecycle.PAUSED.name)


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
        watch: Watch | None = None,
        sessions: SharedSessions | None = None,
    ) -> None:
        self.store = store
        self.protections = protections
        self.watch = watch or Watch(store)
        self._keyring = keyring
        self._sessions = sessions or SharedSessions(store.sessions, keyring)
        self.egress = egress
        self._max_answer_bytes = max_answer_bytes
        self._observe = observe
        self._snapshot = rows.Snapshot(epoch=-1, customers={}, connections={}, keys={}, sealed={}, states={})
        self._lives: dict[str, LiveSource] = {}
        self._customers: dict[str, Customer] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._refreshing = asyncio.Lock()
        self._confirmed = -math.inf
        self.monotonic = time.monotonic
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
            began = self.monotonic()
            if await self.store.epoch() != self._snapshot.epoch:
                renewal = await self.store.renew(self._snapshot)
                await self._adopt(renewal.snapshot, renewal.changed)
                self.on_change()
            self._confirmed = began

    @property
    def age(self) -> float:
        """For how many seconds it is not known whether something else was stored."""
        return self.monotonic() - self._confirmed

    async def _adopt(self, snapshot: rows.Snapshot, changed: Set[str] | None = None) -> None:
        """Serve from a snapshot from now on; only the `changed` connections may be others than before, or all may.

        Sources that are still the same stay open.
        """
        before, known = self._snapshot, self._lives
        new = {key: row for key, row in snapshot.customers.items() if key not in before.customers}
        customers = {**self._customers, **{key: describe_customer(row) for key, row in new.items()}}
        concerned = snapshot.connections.keys() | known.keys() if changed is None else changed
        previews = previews_of(snapshot.keys.values(), concerned)
        lives = {} if changed is None else {key: live for key, live in known.items() if key not in concerned}
        for number, connection_id in enumerate(concerned):
            if number % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
            live = self._live(snapshot, connection_id, customers, previews)
            if live is not None:
                lives[connection_id] = live
        self._snapshot, self._customers, self._lives = snapshot, customers, dict(sorted(lives.items()))
        self.watch.forget(concerned - lives.keys())
        self._sessions.forget(concerned - snapshot.connections.keys())
        for connection_id in concerned & known.keys():
            source, live = known[connection_id].source, lives.get(connection_id)
            if live is None:
                self._soon(source.end(Disconnected("The connection was disconnected.")))
            elif live.source is not source:
                self._soon(source.retire())

    def _live(
        self,
        snapshot: rows.Snapshot,
        connection_id: str,
        customers: Mapping[str, Customer],
        previews: Mapping[str, str],
    ) -> LiveSource | None:
        """A connection as it is served, if it is in use; its source is the one of before where nothing has changed."""
        row, sealed = snapshot.connections.get(connection_id), snapshot.sealed.get(connection_id)
        state = snapshot.states.get(connection_id)
        if row is None or row.lifecycle not in _IN_USE or sealed is None or not is_known(row) or state is None:
            return None
        known, before = self._lives.get(row.id), self._snapshot
        is_same = known is not None and before.sealed.get(row.id) == sealed and before.connections[row.id] == row
        vitals = self.watch.follow(row, state, is_new=not is_same)
        source = known.source if known is not None and is_same else self._open(row, sealed, vitals)
        if source is None:
            return None
        condition = KeptCondition(row, vitals, self.watch.clock)
        described = describe_connection(row, customers.get(row.customer_id), previews.get(row.id), condition)
        scope = CacheScope(row.customer_id, row.id, generation_of(row, sealed, source.system.revision))
        return LiveSource(described, source, scope, _freshness_of(row.settings))

    def _open(self, row: rows.Connection, sealed: str, vitals: Vitals) -> Source | None:
        """A source that cannot be opened still stands among the others, so that queries tell of it."""
        fault: Trouble
        counted = self._observe(row.system, row.deployment, row.environment)
        observer = Observers((counted, self.watch.observer(vitals)))
        try:
            if row.lifecycle == ConnectionLifecycle.PAUSED.name:
                return self._unusable(row, Paused("The connection is paused."), observer)
            secrets = self._unsealed(row, sealed)
            source = self.open_source(
                row.system,
                row.auth_method,
                row.id,
                secrets,
                row.settings,
                row.customer_id,
                observer,
                self._sessions_of(row, vitals),
            )
            if source is not None:
                source.held = vitals.refusal
                vitals.breaker = source.guard.breaker
            return source
        except SealBroken:
            fault = Reauthorize("The stored credentials cannot be read with the present keys.")
        except (AddressRefused, CertificateRefused) as refused:
            fault = refused
        _LOGGER.error("a connection cannot be opened: %s", fault, extra={"connection_id": row.id})
        return self._unusable(row, fault, observer)

    def _unusable(self, row: rows.Connection, fault: Trouble, observer: Observer) -> Source | None:
        system = find_system(row.system)
        if system is None:
            return None
        return Source(row.id, system, self.egress.client(), httpx.Auth(), fault=fault, observer=observer)

    def open_source(
        self,
        system_key: str,
        auth_method: str,
        connection_id: str,
        secrets: Sealed,
        settings: Mapping[str, Any],
        tenant: str,
        observer: Observer | None = None,
        sessions: OpenSessions | None = None,
    ) -> Source | None:
        """A source of its own for these secrets; None where this version does not know the system.

        A login that gives a session keeps it in `sessions`, or without them in memory for as long as the source lives.
        """
        system = find_system(system_key)
        method = system.auth_method(auth_method) if system is not None else None
        if system is None or method is None:
            return None
        answers = secrets.answers
        address = system.address(answers)
        self.egress.check_url(address)
        identity = self._identity(tenant, connection_id, method.key, answers, address)
        guarded = self.protections.check if connection_id == CHECKED else self.protections.guard
        guard = guarded(system.limits, identity)
        auth = method.flow(answers)
        if sessions is not None and isinstance(auth, SessionLogin):
            auth.sessions = sessions()
        return Source(
            connection_id=connection_id,
            system=system,
            http=self.egress.client(
                base_url=address,
                timeout=_TIMEOUT,
                line=line_of(settings, secrets),
                connections=guard.lane.concurrency.ceiling,
            ),
            auth=auth,
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

    def _soon(self, closing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(closing)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close every source."""
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        await asyncio.gather(*(live.source.close() for live in self._lives.values()))

    def lives(self) -> Iterable[LiveSource]:
        """Every connection in use, in the order of their ids."""
        return self._lives.values()

    def live(self, connection_id: str) -> LiveSource | None:
        """A connection in use, by id."""
        return self._lives.get(connection_id)

    def known_customers(self) -> list[Customer]:
        """Every customer in the snapshot, oldest first."""
        return sorted(self._customers.values(), key=lambda customer: str(customer.id))

    def condition(self, row: rows.Connection, state: rows.State) -> Condition:
        """How a connection is, with what this process knows beside what is kept."""
        vitals = self.watch.vitals.get(row.id) or vitals_of(row, state)
        vitals.adopt(state)
        return KeptCondition(row, vitals, self.watch.clock)

    def secrets_of(self, row: rows.Connection) -> Sealed | None:
        """What is stored of a connection's secrets; None where it cannot be read."""
        sealed = self._snapshot.sealed.get(row.id)
        try:
            return None if sealed is None else self._unsealed(row, sealed)
        except SealBroken:
            return None

    def sessions_of(self, row: rows.Connection) -> OpenSessions | None:
        """The sessions that a connection has for a login that gives any, also while it is paused."""
        vitals = self.watch.vitals.get(row.id)
        return None if vitals is None else self._sessions_of(row, vitals)

    def _sessions_of(self, row: rows.Connection, vitals: Vitals) -> OpenSessions:
        return partial(self._sessions.of, row, partial(self.watch.renewed, vitals, vitals.generation))

    def account_of(self, row: rows.Connection) -> str | None:
        """To which account the stored answers belong with a row's settings; None where that cannot be told."""
        system, secrets = find_system(row.system), self.secrets_of(row)
        method = system.auth_method(row.auth_method) if system is not None else None
        if system is None or method is None or secrets is None:
            return None
        return account_of(system, method, secrets.answers, row.settings)

    def _unsealed(self, row: rows.Connection, sealed: str) -> Sealed:
        return Sealed.read(self._keyring.unseal(sealed, tenant=row.customer_id, row=row.id))

    def view(self, caller: Caller) -> CallerView:
        """What one caller sees."""
        return CallerView(self, caller)


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
