"""Where all the parts meet: settings in, an ASGI application out."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

import schema
from connectors.ports import CacheOutcome
from connectors.protection.protections import Protections
from connectors.registry import use_manifests
from gateway import console
from gateway.connecting.connections import CallerAdministration
from gateway.connecting.life import CallerLife
from gateway.directory import Directory
from gateway.history import CallerHistory
from gateway.keys.keyring import Keyring
from gateway.outgoing.egress import Egress
from gateway.serving.admission import Admission
from gateway.serving.auth import Caller
from gateway.serving.feed import CallerUpdates, EventFeed
from gateway.serving.http import GraphQLEndpoint, RequestIds
from gateway.serving.limits import document_rules, limits_extension
from gateway.serving.sharing import SharedSubscriptions
from gateway.serving.websocket import Sockets
from gateway.settings import Settings
from gateway.showing import show_event
from gateway.stores.backends import addresses_of, open_bus, open_cache, open_call_state
from gateway.stores.bus import Bus
from gateway.stores.call_state import SharedCallState
from gateway.stores.errors import StoreError
from gateway.stores.rows import SYSTEM
from gateway.stores.sql import Store
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.requests import keep_document
from gateway.telemetry.scraping import MetricsPage
from gateway.telemetry.tracing import send_context, start_export
from gateway.watching.absence import Absence
from gateway.watching.drifting import Surveys
from gateway.watching.health import Patience
from gateway.watching.polling import Poll
from gateway.watching.probing import Pace, Prober, probe_of
from gateway.watching.upkeep import Upkeep
from gateway.watching.watch import NOTE_SECONDS, Watch
from resolvers.cache import ReadCache
from resolvers.ports import CacheScope, Context, Following, ReadLimits
from resolvers.roots import build_schema
from schema.connections import ConnectedSystem

_LOGGER = logging.getLogger(__name__)
_REQUEST_SECONDS = 120.0
_EXPIRY_SECONDS = 1.0
"""How often it is looked whether keys have expired that lines were opened with."""


class Role(Enum):
    """What a process does, where it does not do everything."""

    WEB = "web"
    WORKER = "worker"


class Gateway:
    """The running process: its store, its directory and what it tells of itself."""

    def __init__(
        self,
        settings: Settings,
        keyring: Keyring,
        own_addresses: Sequence[tuple[str, int]],
        role: Role | None = None,
    ) -> None:
        if not str(schema.__file__).startswith(str(console.DIST.parents[2])):
            raise RuntimeError(f"another package called schema is in the way: {schema.__file__}")
        self.settings = settings
        self.keyring = keyring
        self.role = role
        self.pace = Pace(timedelta(seconds=settings.probe_seconds))
        use_manifests(settings.manifests)
        self.metrics = Metrics()
        closed = [*own_addresses, *addresses_of(settings.cache_url.get_secret_value())]
        self._egress = Egress(
            settings.profile,
            settings.allowed_networks,
            closed,
            prepare=send_context if settings.trace_context_out else None,
        )
        self._limits = ReadLimits(
            timeout_ms=settings.source_timeout_ms,
            max_sources=settings.max_sources,
            max_sources_at_once=settings.max_sources_at_once,
            max_scan_rows=settings.max_scan_rows,
            max_cost=settings.max_cost,
        )
        self._document_rules = document_rules(settings)
        self._fresh = Poll(self._keep_fresh, "what is connected")
        self._is_open = False
        self.is_prepared = True
        """Whether nothing else has to happen before requests are welcome; the demo has its plant to build."""
        self.directory: Directory
        self.admission: Admission
        self.watch: Watch
        self.prober: Prober | None = None
        self.feed: EventFeed
        self.bus: Bus
        self.sockets: Sockets
        self.subscriptions: SharedSubscriptions
        self.cache: ReadCache
        self.cache_outcomes: Counter[CacheOutcome] = Counter()
        """What the cache has done so far, counted."""
        self.calls: SharedCallState

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open everything, keep the directory fresh, and close everything again."""
        export = start_export(self.settings)
        store = await Store.open(self.settings.store_url)
        await store.credits.provide(self.settings.credits, SYSTEM)
        self.watch = Watch(store)
        self.watch.on_doubt = self._look_again
        await self.watch.begin()
        self.calls = open_call_state(self.settings.cache_url.get_secret_value())
        self.watch.tell_call = self.calls.tell_call
        self.directory = Directory(
            store,
            self.keyring,
            self._egress,
            Protections(self.settings.thresholds, self.calls),
            max_answer_bytes=self.settings.max_response_bytes,
            observe=self.metrics.observer,
            watch=self.watch,
        )
        await self.directory.refresh()
        self.admission = Admission(self.directory, self.keyring, self.settings.snapshot_seconds)
        self.cache = self._open_cache()
        self.feed = EventFeed(store.events, self._see_changes)
        await self.feed.begin()
        self.directory.on_change = self._tell_of_changes
        self.watch.on_change = self.feed.hint
        self.bus = open_bus(self.settings.cache_url.get_secret_value())
        store.database.on_news = self._tell_others
        tasks = [
            self._fresh.run(),
            self.feed.run(),
            self.bus.run(self._hear),
            self.calls.run(self.directory.protections, self.watch),
            self.watch.run(),
            self._note_calls(),
            self._end_expired(),
        ]
        if self.role is not Role.WEB:
            upkeep = Upkeep(store, timedelta(days=self.settings.event_retention_days), self.metrics)
            await upkeep.begin()
            tasks.append(upkeep.run())
            self.prober = Prober(self.directory, self.watch, self.pace, self.metrics.probed)
            surveys = Surveys(self.directory, self.watch, self.pace.chance)
            await self.prober.begin()
            await surveys.begin()
            tasks += [self.prober.run(), surveys.run()]
        running = [asyncio.create_task(task) for task in tasks]
        self._is_open = True
        try:
            yield
        finally:
            self._is_open = False
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await self.admission.close()
            if self.prober is not None:
                await self.prober.drain()
            await self._settle_at_last()
            await self.bus.close()
            await self.cache.close()
            await self.directory.close()
            await self.calls.close()
            self._egress.close()
            await store.close()
            if export is not None:
                await export.stop()

    def _open_cache(self) -> ReadCache:
        def count(outcome: CacheOutcome) -> None:
            self.cache_outcomes[outcome] += 1

        settings = self.settings
        store = open_cache(
            settings.cache_url.get_secret_value(), settings.cache_max_bytes, lambda: count(CacheOutcome.ERROR)
        )
        return ReadCache(
            store,
            max_entry_bytes=settings.cache_max_entry_bytes,
            keep_seconds=settings.cache_keep_seconds,
            observe=count,
        )

    async def _keep_fresh(self) -> None:
        """See changes that other processes make to the store."""
        try:
            await self._see_changes()
        finally:
            self.watch.pass_time()

    async def _see_changes(self) -> None:
        await self.directory.refresh()
        await self.watch.catch_up()

    async def _note_calls(self) -> None:
        """Write down now and then when calls last went well and badly."""
        absence = Absence(_LOGGER, "the last calls cannot be noted", "the last calls can be noted again")
        while True:
            await asyncio.sleep(NOTE_SECONDS)
            try:
                await self.watch.note()
            except Exception as error:
                absence.met(error)
            else:
                absence.over()

    async def _end_expired(self) -> None:
        """Close what was opened with keys that have expired meanwhile."""
        while True:
            await asyncio.sleep(_EXPIRY_SECONDS)
            self.sockets.check_keys(only_expiring=True)
            self.subscriptions.check_keys(only_expiring=True)

    async def _settle_at_last(self) -> None:
        """Keep what was still to be thought about, if the store answers."""
        try:
            await self.watch.settle()
            await self.watch.note()
        except Exception:
            _LOGGER.exception("the last reports could not be kept")

    async def _look_again(self, connection_id: str) -> None:
        """Have a connection asked again whose trouble counts only when it is met twice."""
        store = self.directory.store
        async with store.database.writing() as transaction:
            await store.due.schedule(transaction, probe_of(connection_id, Patience().confirm))

    async def _forget(self, tenant: str, connection_id: str) -> None:
        await self.cache.forget(CacheScope(tenant, connection_id, ""))
        await self.calls.forget_calls(tenant, connection_id)

    def _tell_others(self) -> None:
        """This process has changed something that is stored."""
        self.bus.tell()
        self.feed.hint()

    def _hear(self) -> None:
        """Another process has changed something that is stored, or nothing was heard of them for a while."""
        self._fresh.hint()
        self.feed.hint()

    def _tell_of_changes(self) -> None:
        """Something that is stored has changed: keys may be void, and there may be events."""
        self.feed.hint()
        self.sockets.check_keys()
        self.subscriptions.check_keys()

    def drain(self) -> None:
        """Be no longer ready, and send everyone away who follows something; called again, also those who came since."""
        self._is_open = False
        self.sockets.drain()
        self.subscriptions.break_off()

    def context(self, caller: Caller, identifier: str, following: Following | None = None) -> Context:
        """What the resolvers of one request share."""
        now = asyncio.get_running_loop().time()
        view = self.directory.view(caller)
        return Context(
            directory=view,
            administration=CallerAdministration(caller, self.directory, self.keyring, self.pace),
            life=CallerLife(caller, self.directory, self.keyring, self._forget, self.pace),
            history=CallerHistory(caller, view, self.directory.store),
            updates=CallerUpdates(caller, self.feed, self._connections_of, show_event),
            following=following or Following(),
            cursor_key=self.keyring.cursor_key,
            request_id=identifier,
            limits=self._limits,
            started=now,
            deadline=now + _REQUEST_SECONDS,
            fetched_at=datetime.now(UTC),
            document_rules=self._document_rules,
            cache=self.cache,
        )

    async def _connections_of(self, caller: Caller, ids: Collection[str] | None) -> list[ConnectedSystem]:
        found = await self.directory.view(caller).connections()
        return found if ids is None else [connection for connection in found if connection.id in ids]

    async def ready(self, request: Request) -> Response:
        """Whether requests can be served now."""
        try:
            await self.directory.store.epoch()
        except StoreError:
            return JSONResponse({"status": "the store does not answer"}, 503)
        is_ready = self._is_open and self.is_prepared
        return JSONResponse({"status": "ready" if is_ready else "not ready"}, 200 if is_ready else 503)


def _for_browsers(origins: Sequence[str]) -> list[Middleware]:
    """Let pages of these origins ask, with a key and never with cookies; without any, browsers keep pages out."""
    if not origins:
        return []
    cors = Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "X-Request-Id", "traceparent", "tracestate"],
        expose_headers=["X-Request-Id", "Retry-After"],
    )
    return [cors]


def build(
    settings: Settings,
    keyring: Keyring,
    own_addresses: Sequence[tuple[str, int]] = (),
    console_configuration: Callable[[], Mapping[str, Any]] = dict,
    role: Role | None = None,
) -> Starlette:
    """The application; `console_configuration` is what the page for browsers starts with.

    A worker answers only whoever looks after it. The application's `state.gateway` is the process behind it.
    """
    gateway = Gateway(settings, keyring, own_addresses, role)

    async def authenticate(token: str) -> Caller:
        return await gateway.admission.authenticate(token)

    endpoint = GraphQLEndpoint(
        build_schema([limits_extension(settings, keep_document)]),
        authenticate,
        gateway.context,
        lambda: console.page({"endpoint": "/graphql", **console_configuration()}) or console.unbuilt_page(),
        gateway.metrics,
        max_body_bytes=settings.max_body_bytes,
        shows_schema=settings.introspection,
    )

    gateway.subscriptions = endpoint.subscriptions = SharedSubscriptions(
        endpoint.schema,
        gateway.context,
        lambda caller: gateway.admission.readmit(caller),
        endpoint.encode,
        lambda: gateway.feed.read_on(),
        settings.max_waiting_updates,
    )
    gateway.sockets = Sockets(
        authenticate, lambda caller: gateway.admission.recheck(caller), endpoint.subscriptions, settings.cors_origins
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with gateway.running():
            yield

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    routes: list[BaseRoute] = [Route("/healthz", healthz), Route("/readyz", gateway.ready)]
    if role is not Role.WORKER:
        routes += [
            Route("/graphql", endpoint, methods=None, middleware=_for_browsers(settings.cors_origins)),
            WebSocketRoute("/graphql", gateway.sockets),
            Mount("/console", StaticFiles(directory=console.DIST, check_dir=False)),
        ]
    if settings.metrics != "off":
        routes.append(Route("/metrics", MetricsPage(gateway.metrics, settings, authenticate).answer))
    application = Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(RequestIds)])
    application.state.gateway = gateway
    return application
