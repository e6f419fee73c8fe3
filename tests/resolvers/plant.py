"""A small plant for tests: sandboxes in process, and a context that sees them all."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import strawberry

from connectors.auth import BasicLogin
from connectors.client import Source
from connectors.sandbox.control import ControlledSandbox
from connectors.systems.sap_s4hana.sandbox import USERS, demo_data, sandbox
from connectors.systems.sap_s4hana.spec import sap_s4hana
from connectors.testing.in_process import in_process_client
from resolvers.describing import describe_system
from resolvers.ports import Context, LiveSource, ReadLimits
from resolvers.roots import build_schema
from schema.connections import ConnectedSystem, ConnectionLifecycle, Customer, Environment
from schema.systems import Deployment

SCHEMA = build_schema()
MOMENT = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)


class Everything:
    """A directory whose caller sees every connection of the plant."""

    tenant = "cus_test"

    def __init__(self, lives: Sequence[LiveSource]) -> None:
        self._lives = lives

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
class Plant:
    """Named sandboxes of S/4HANA with one connection to each."""

    sandboxes: Mapping[str, ControlledSandbox]
    limits: ReadLimits = field(default_factory=ReadLimits)
    timeout: float = 10.0

    def __post_init__(self) -> None:
        self.lives = [_connect(name, box) for name, box in sorted(self.sandboxes.items())]

    async def run(self, query: str, **variables: Any) -> Any:
        """Execute a query and return its data; an error fails the test."""
        result = await self.execute(query, **variables)
        assert result.errors is None, result.errors
        return result.data

    async def execute(self, query: str, **variables: Any) -> Any:
        now = asyncio.get_running_loop().time()
        context = Context(
            directory=Everything(self.lives),  # type: ignore[arg-type]
            administration=None,  # type: ignore[arg-type]
            cursor_key=b"0" * 32,
            request_id="req_test",
            limits=self.limits,
            started=now,
            deadline=now + self.timeout,
            fetched_at=MOMENT,
        )
        return await SCHEMA.execute(query, variable_values=variables, context_value=context)

    def asked(self, name: str) -> list[dict[str, Any]]:
        """What was asked of one sandbox, oldest first."""
        return self.sandboxes[name].requests

    def rows(self, name: str, entity_set: str) -> list[dict[str, Any]]:
        """The rows of one sandbox, as the system itself has them."""
        return self.sandboxes[name].application.data[entity_set]  # type: ignore[attr-defined]


def demo_plant(orders: int = 60, **settings: Any) -> Plant:
    """Two sandboxes with invented data."""
    return Plant(
        {
            "sap-eu": sandbox(demo_data(1, orders=orders, suppliers=20, region="EU"), page_size=40),
            "sap-us": sandbox(
                demo_data(2, orders=orders, suppliers=20, region="US", company_code="1710", currency="USD"),
                page_size=40,
            ),
        },
        **settings,
    )


def _connect(name: str, box: ControlledSandbox) -> LiveSource:
    connection = ConnectedSystem(
        id=strawberry.ID(f"con_{name}"),
        name=name,
        system=describe_system(sap_s4hana),
        customer=None,
        deployment=Deployment.CLOUD,
        environment=Environment.SANDBOX,
        tags=[],
        metadata=None,
        lifecycle=ConnectionLifecycle.ENABLED,
        created_at=MOMENT,
        authorized_at=MOMENT,
        token_preview=None,
    )
    address = sap_s4hana.address({"url": f"https://{name}.example.com"})
    (username, password), *_ = USERS.items()
    source = Source(
        connection_id=f"con_{name}",
        system=sap_s4hana,
        http=in_process_client(box, address),
        auth=BasicLogin(username, password),
    )
    return LiveSource(connection, source)
