"""The graph over given sources, without a process around it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import strawberry

from connectors.client import Source
from connectors.spec import System
from gateway.connecting.stored_settings import described_settings
from resolvers.cache import ReadCache
from resolvers.describing import describe_system
from resolvers.ports import Context, LiveSource, ReadLimits
from resolvers.roots import build_schema
from schema.connections import ConnectedSystem, Customer, Environment
from schema.health import ConnectionLifecycle
from schema.systems import Deployment

SCHEMA = build_schema()
MOMENT = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)


class Everything:
    """A directory whose caller sees every connection there is."""

    def __init__(self, lives: Sequence[LiveSource], tenant: str) -> None:
        self._lives = lives
        self.tenant = tenant

    def sources(self) -> Sequence[LiveSource]:
        return self._lives

    async def connections(self) -> list[ConnectedSystem]:
        return [live.connection for live in self._lives]

    async def connection(self, connection_id: str) -> ConnectedSystem | None:
        return next((live.connection for live in self._lives if live.connection.id == connection_id), None)

    async def customers(self) -> list[Customer]:
        return []

    def require(self, scope: str) -> None:
        assert scope == "READ"


@dataclass
class Graph:
    """Sources and the limits that they are read under; `timeout` is that of a whole request, in seconds."""

    lives: Sequence[LiveSource] = ()
    limits: ReadLimits = field(default_factory=ReadLimits)
    timeout: float = 30.0
    tenant: str = "cus_test"
    cursor_key: bytes = b"0" * 32
    cache: ReadCache | None = None

    async def run(self, query: str, /, **variables: Any) -> Any:
        """Execute a query and return its data; an error fails the test."""
        result = await self.execute(query, **variables)
        assert result.errors is None, result.errors
        return result.data

    async def refused(self, query: str, /, **variables: Any) -> dict[str, Any]:
        """Execute a query that has exactly one error, and return the error's extensions."""
        result = await self.execute(query, **variables)
        assert result.errors is not None
        assert len(result.errors) == 1, result.errors
        return dict(result.errors[0].extensions or {})

    async def execute(self, query: str, /, **variables: Any) -> Any:
        """Execute a query and return the whole result."""
        now = asyncio.get_running_loop().time()
        context = Context(
            directory=Everything(self.lives, self.tenant),  # type: ignore[arg-type]
            administration=None,  # type: ignore[arg-type]
            life=None,  # type: ignore[arg-type]
            history=None,  # type: ignore[arg-type]
            updates=None,  # type: ignore[arg-type]
            cursor_key=self.cursor_key,
            request_id="req_test",
            limits=self.limits,
            started=now,
            deadline=now + self.timeout,
            fetched_at=MOMENT,
            cache=self.cache,
        )
        return await SCHEMA.execute(query, variable_values=variables, context_value=context)


def live_source(name: str, system: System, source: Source) -> LiveSource:
    """A connection called `name` with the id of its source."""
    connection = ConnectedSystem(
        id=strawberry.ID(source.connection_id),
        name=name,
        system=describe_system(system),
        customer=None,
        deployment=Deployment.CLOUD,
        environment=Environment.SANDBOX,
        tags=[],
        metadata=None,
        lifecycle=ConnectionLifecycle.ENABLED,
        created_at=MOMENT,
        authorized_at=MOMENT,
        settings=described_settings({}),
        token_preview=None,
        condition=None,  # type: ignore[arg-type]
    )
    return LiveSource(connection, source)
