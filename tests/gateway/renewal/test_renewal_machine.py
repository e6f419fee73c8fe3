"""Processes that log in, hang, die and come back in any order, before a server whose refresh tokens are good once."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connectors.errors import LoginRefused, RefreshFailed, Refusal, Trouble
from connectors.ports import Session, Turn
from gateway.keys.keyring import Keyring
from gateway.outgoing.renewal import Next, Terms, decide
from gateway.outgoing.sessions import KeptSessions, SharedSessions
from gateway.stores.rows import Connection
from gateway.stores.sessions import Sessions
from gateway.stores.sql import Store
from tests.gateway.lives.story import Clock
from tests.gateway.stores.samples import connected

TERMS = Terms()
WHO = st.integers(0, 2)


@dataclass(eq=False)
class Process:
    """One process; `turn` is open while it logs in, and `answer` what it has received and not kept yet."""

    sessions: KeptSessions
    way: AbstractAsyncContextManager[Turn] | None = None
    turn: Any = None
    since: float = 0.0
    answer: Session | LoginRefused | None = None
    refused: Session | None = None


@dataclass(eq=False)
class Server:
    """Gives each refresh token once; one that was used already ends everything, for good."""

    current: str | None = "R0"
    issued: list[str] = field(default_factory=list)
    reuses: int = 0
    requests: int = 0

    def answer(self, renewal: str) -> Session | LoginRefused:
        self.requests += 1
        if renewal != self.current:
            self.reuses += 1
            self.current = None
            return LoginRefused("It is no longer valid.", refusal=Refusal.REVOKED)
        self.current = f"R{len(self.issued) + 1}"
        self.issued.append(f"T{len(self.issued) + 1}")
        return Session(self.issued[-1], self.current, 600.0)


class RenewalMachine(RuleBasedStateMachine):
    """A refresh token is used twice only where a process was lost, or thought to be, that had used it.

    `losses` counts both. Processes that were killed are kept in `dead`: thrown away, they would end in good order.
    """

    template: Path
    row: Connection
    dead: ClassVar[list[Any]] = []

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(mkdtemp(prefix="switchgear-machine-"))
        shutil.copy(self.template, self.folder / "switchgear.db")
        self.clock, self.server, self.losses = Clock(), Server(), 0
        self.store = self.run(Store.open(f"sqlite:///{self.folder / 'switchgear.db'}"))
        self.kept = Sessions(self.store.database, self.clock)
        self.shared = SharedSessions(self.kept, Keyring.generate(), TERMS, self.clock, chance=lambda: 0.5)
        self.processes = [self.born() for _ in range(3)]

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def born(self) -> Process:
        return Process(KeptSessions(self.shared, self.row, lambda trouble: None))

    def teardown(self) -> None:
        self.run(self.store.close())
        self.loop.close()
        shutil.rmtree(self.folder)

    @rule(seconds=st.sampled_from([0.5, 3.0, 12.0, 40.0, 400.0, 700.0]))
    def wait(self, seconds: float) -> None:
        self.clock.moment += timedelta(seconds=seconds)

    @rule(who=WHO)
    def need(self, who: int) -> None:
        """A process needs a session, and may have to log in; one that would have to wait comes again later."""
        process = self.processes[who]
        if process.turn is not None or self.has_to_wait(process):
            return
        way = process.sessions.turn(process.refused)
        try:
            turn = self.run(way.__aenter__())
        except Trouble:
            return
        if turn.session is not None:
            assert turn.session.header in self.server.issued
            self.run(way.__aexit__(None, None, None))
            return
        self.losses += any(each.turn is not None for each in self.processes)
        process.way, process.turn, process.since = way, turn, self.clock.time()
        process.refused = None

    def has_to_wait(self, process: Process) -> bool:
        kept = self.run(self.kept.read(self.row.id, self.row.authorized_at))
        known = process.sessions._known
        stale = None if known is None else known.version
        is_refused = process.refused is not None
        return decide(kept, process.sessions._owner, stale, is_refused=is_refused, terms=TERMS) is Next.WAIT

    @rule(who=WHO)
    def refuse(self, who: int) -> None:
        """The system refuses the session of a process."""
        process = self.processes[who]
        if process.turn is None:
            process.refused = process.sessions.current

    @rule(who=WHO)
    def receive(self, who: int) -> None:
        process = self.processes[who]
        if process.turn is not None and process.answer is None:
            process.answer = self.server.answer(process.turn.renewal or "R0")

    @precondition(lambda self: any(each.answer is not None for each in self.processes))
    @rule(who=WHO)
    def keep(self, who: int) -> None:
        """A process keeps what it has received."""
        process = self.processes[who]
        if process.answer is None:
            return
        if isinstance(process.answer, LoginRefused):
            self.end(process, process.turn.failed(process.answer))
        else:
            self.end(process, process.turn.keep(process.answer))

    @rule(who=WHO)
    def fail(self, who: int) -> None:
        """The server does not answer, and has done nothing."""
        process = self.processes[who]
        if process.turn is not None and process.answer is None:
            self.end(process, process.turn.failed(RefreshFailed("no answer")))

    def end(self, process: Process, last: Any) -> None:
        assert process.way is not None
        try:
            self.run(last)
        except Trouble as trouble:
            with suppress(type(trouble)):
                self.run(process.way.__aexit__(type(trouble), trouble, None))
        else:
            self.run(process.way.__aexit__(None, None, None))
        process.way = process.turn = process.answer = None

    @rule(who=WHO)
    def kill(self, who: int) -> None:
        process = self.processes[who]
        self.losses += process.answer is not None
        self.processes[who] = self.born()
        if process.way is not None:
            self.dead.append(process.way)

    @invariant()
    def one_at_a_time(self) -> None:
        """Only one is at it whose time is not over; whoever takes longer may be taken for dead."""
        lease = TERMS.lease.total_seconds()
        busy = [each for each in self.processes if each.turn is not None]
        in_time = [each for each in busy if self.clock.time() - each.since < lease]
        assert len(in_time) <= 1

    @invariant()
    def a_token_is_used_twice_only_after_a_loss(self) -> None:
        assert self.server.reuses <= 2 * self.losses

    @invariant()
    def what_is_kept_is_the_latest_unless_it_was_lost(self) -> None:
        kept = self.run(self.kept.read(self.row.id, self.row.authorized_at))
        is_under_way = any(each.turn is not None for each in self.processes)
        if kept.sealed is None or is_under_way or self.losses or self.server.current is None:
            return
        _, session = self.run(self.processes[0].sessions._read())
        assert session.renewal == self.server.current


def made(folder: Path) -> tuple[Path, Connection]:
    """A database with one connection."""

    async def make() -> Connection:
        store = await Store.open(f"sqlite:///{folder / 'switchgear.db'}")
        row, _ = await connected(store, await store.create_customer(name="Acme"))
        await store.close()
        return row

    return folder / "switchgear.db", asyncio.run(make())


@pytest.fixture(scope="module", autouse=True)
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The database that every run of the machine begins with."""
    RenewalMachine.template, RenewalMachine.row = made(tmp_path_factory.mktemp("machine"))
    yield
    RenewalMachine.dead.clear()


TestRenewal = RenewalMachine.TestCase
TestRenewal.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
