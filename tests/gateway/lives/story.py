"""A connection whose life is told: a stand-in of S/4HANA, a clock that stands still, and the events that follow."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

from connectors.errors import Trouble
from connectors.ports import BreakerState
from connectors.protection.breaker import Breaker
from connectors.protection.limits import Thresholds
from connectors.protection.protections import Protections
from connectors.sandbox.control import Faults
from connectors.systems.sap_s4hana.sandbox import sandbox
from connectors.tally import Tally
from gateway.connecting.connections import CallerAdministration
from gateway.connecting.life import CallerLife
from gateway.directory import Directory
from gateway.keys.keyring import Keyring
from gateway.keys.tokens import TokenKind
from gateway.outgoing.egress import Egress
from gateway.outgoing.sessions import SharedSessions
from gateway.serving.auth import Caller
from gateway.serving.servers import beside, listen, port_of
from gateway.stores.due import Due
from gateway.stores.rows import ApiKey
from gateway.stores.sessions import Sessions
from gateway.stores.sql import Store
from gateway.watching.drifting import Surveys
from gateway.watching.health import Patience
from gateway.watching.probing import Pace, Prober, probe_of, smallest_read
from gateway.watching.watch import Watch
from resolvers.ports import LiveSource
from schema.administration import ConnectSystemInput, CredentialInput
from schema.lifecycle import ReconnectSystemInput
from schema.systems import Deployment
from tests.gateway.running import PASSWORD, USER
from tests.gateway.stores.samples import NOON


class Clock:
    """A clock that only goes on when it is told to."""

    def __init__(self) -> None:
        self.moment = NOON

    def __call__(self) -> datetime:
        return self.moment

    def time(self) -> float:
        """The moment in seconds, for what only measures how long something takes."""
        return (self.moment - NOON).total_seconds()


class Guards(Protections):
    """Guards whose breakers go by the clock of a story; nothing is asked twice."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(Thresholds(retries=0), jitter=lambda: 0.5)
        self._moments = clock

    def _breaker(self, key: tuple[str, ...]) -> Breaker:
        breaker = super()._breaker(key)
        breaker._clock = self._moments
        return breaker


def operator() -> Caller:
    return Caller(
        ApiKey(
            id="key_operator",
            kind=TokenKind.ADMIN,
            name="operator",
            scopes=("READ", "WRITE", "MANAGE"),
            digest="",
            preview="",
            created_at=NOON,
        )
    )


@dataclass(eq=False)
class Plant:
    """A stand-in whose plug can be pulled: then nothing answers at its port."""

    box: Any = field(default_factory=lambda: sandbox(users={USER: PASSWORD}))
    port: int = 0
    _server: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    async def start(self) -> None:
        listener = listen("127.0.0.1", self.port)
        self.port = port_of(listener)
        await self._server.enter_async_context(beside(self.box, listener))

    async def stop(self) -> None:
        await self._server.aclose()

    def trouble(self, mode: Any, **details: Any) -> None:
        self.box.faults = Faults(mode, **details)

    @property
    def reads(self) -> int:
        """How often it was asked for records, and not for what it says of itself."""
        return sum(not request["path"].endswith("$metadata") for request in self.box.requests)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(eq=False)
class Story:
    """What happens to one connection; probes are drawn at half of their time."""

    store: Store
    directory: Directory
    prober: Prober
    surveys: Surveys
    plant: Plant
    clock: Clock
    keyring: Keyring
    forgotten: list[str] = field(default_factory=list)
    connection_id: str = ""

    async def _forget(self, tenant: str, connection_id: str) -> None:
        self.forgotten.append(connection_id)

    @property
    def life(self) -> CallerLife:
        return CallerLife(operator(), self.directory, self.keyring, self._forget, self.prober.pace)

    @property
    def live(self) -> LiveSource:
        found = self.directory.live(self.connection_id)
        assert found is not None
        return found

    @property
    def health(self) -> str:
        return self.live.connection.condition.health.name

    @property
    def administration(self) -> CallerAdministration:
        return CallerAdministration(operator(), self.directory, self.keyring, self.prober.pace)

    async def connect(self, **changes: Any) -> Any:
        if "customer_id" not in changes:
            changes["customer_id"] = (await self.store.create_customer(name="Plant")).id
        given: dict[str, Any] = {
            "system": "sap_s4hana",
            "auth_method": "basic",
            "credentials": answers(self.plant.url),
            "name": "An ERP",
            "deployment": Deployment.CLOUD,
            **changes,
        }
        payload = await self.administration.connect_system(ConnectSystemInput(**given))
        if payload.connection is not None:
            self.connection_id = str(payload.connection.id)
        return payload

    async def reconnect(self, password: str = PASSWORD, user: str = USER, **changes: Any) -> Any:
        given = ReconnectSystemInput(
            id=self.connection_id,  # type: ignore[arg-type]
            credentials=answers(self.plant.url, user, password),
            **changes,
        )
        return await self.life.reconnect(given)

    async def ask(self, place: int = 0, seconds: float = 10.0) -> str:
        """What a query for one kind of record comes to that may take so long."""
        source = self.live.source
        resource = source.system.resources[place]
        deadline = asyncio.get_running_loop().time() + seconds
        try:
            await source.fetch(smallest_read(resource), Tally(entity=resource.model.name), deadline)
        except Trouble as trouble:
            return type(trouble).__name__
        finally:
            await self.directory.watch.settle()
        return "ok"

    async def describe(self, place: int = 0) -> bool:
        """Whether the system tells of a collection that some query is about."""
        source = self.live.source
        resource = source.system.resources[place]
        deadline = asyncio.get_running_loop().time() + 10
        try:
            found = await source.shape(resource.source, Tally(entity=resource.model.name), deadline, is_fresh=True)
        finally:
            await self.directory.watch.settle()
        return found is not None

    async def breaker(self, state: BreakerState) -> None:
        self.live.source.observer.broke(state)
        await self.directory.watch.settle()

    async def wait(self, seconds: float, step: float = 1.0) -> None:
        """Let time pass, and everything be done that is due meanwhile."""
        for _ in range(round(seconds / step)):
            self.clock.moment += timedelta(seconds=step)
            self.directory.watch.pass_time()
            await self.directory.watch.settle()
            if await self.prober.take():
                await self.prober.drain()
            await self.surveys.take()

    async def wait_for(self, health: str, longest: float = 1_200) -> float:
        """How many seconds it takes until the connection is like this."""
        since = self.clock.moment
        while self.health != health:
            await self.wait(1)
            assert (self.clock.moment - since).total_seconds() <= longest, self.health
        return (self.clock.moment - since).total_seconds()

    async def look_again(self, connection_id: str) -> None:
        async with self.store.database.writing() as transaction:
            await self.store.due.schedule(transaction, probe_of(connection_id, Patience().confirm))

    async def events(self) -> list[str]:
        """What has happened so far, without the beginning."""
        found = await self.store.events.after(0, first=500)
        assert [event.sequence for event in found] == list(range(1, len(found) + 1))
        assert [event.previous for event in found] == [None, *(event.current for event in found[:-1])]
        names = [event.type.removeprefix("CONNECTION_") for event in found]
        assert names[:2] == ["CREATED", "ACTIVATED"]
        return names[2:]

    async def told(self) -> list[str]:
        """The same in full: what has happened, from which status to which, and why."""
        names = await self.events()
        found = (await self.store.events.after(0, first=500))[2:]
        return [
            f"{name}: {event.previous and event.previous.status} > {event.current and event.current.status}"
            + (f", {event.reason.code}" if event.reason is not None else "")
            for name, event in zip(names, found, strict=True)
        ]

    async def data(self, name: str) -> list[Any]:
        found = await self.store.events.after(0, first=500)
        return [event.data for event in found if event.type == f"CONNECTION_{name}"]


def answers(url: str, user: str = USER, password: str = PASSWORD) -> list[CredentialInput]:
    values = {"url": url, "username": user, "password": password}
    return [CredentialInput(name=name, value=value) for name, value in values.items()]


@contextlib.asynccontextmanager
async def telling(
    store: Store, first: Story | None = None, plant: Plant | None = None, keyring: Keyring | None = None
) -> AsyncIterator[Story]:
    """A story from its beginning, or the `first` one as another process of the same gateway lives through it."""
    clock = first.clock if first is not None else Clock()
    keyring = first.keyring if first is not None else keyring or Keyring.generate()
    plant = first.plant if first is not None else plant or Plant()
    if first is None:
        await plant.start()
    store.due = store.lifecycle._due = Due(store.database, clock)
    store.sessions = store.lifecycle._sessions = Sessions(store.database, clock)
    egress = Egress("plant", [ip_network("127.0.0.0/8")])
    watch = Watch(store, clock)
    directory = Directory(
        store,
        keyring,
        egress,
        Guards(clock),
        max_answer_bytes=1_000_000,
        watch=watch,
        sessions=SharedSessions(store.sessions, keyring, clock=clock, chance=lambda: 0.5),
    )
    await watch.begin()
    await directory.refresh()
    prober = Prober(directory, watch, Pace(chance=lambda: 0.5))
    surveys = Surveys(directory, watch, lambda: 0.5)
    story = Story(store, directory, prober, surveys, plant, clock, keyring)
    story.connection_id = first.connection_id if first is not None else ""
    watch.on_doubt = story.look_again
    try:
        yield story
    finally:
        await prober.drain()
        await directory.close()
        egress.close()
        if first is None:
            await plant.stop()
