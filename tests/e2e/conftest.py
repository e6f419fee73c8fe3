"""One demo for all tests of a session, as a process of its own.

The tests compare answers with what S/4HANA's own OData says, so they begin by disconnecting the systems of other kinds;
`tests/docs` asks the whole demo.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.e2e.demo import ADMIN, Demo
from tests.e2e.processes import Client, SandboxControl, running
from tests.e2e.sites import Site, site
from tests.gateway.stores.redis_server import running_redis
from tests.servers.postgresql import Server

SETTINGS = {
    "admin_token": ADMIN,
    "breaker_failures": "1000",
    "breaker_window_calls": "1000",
    "probe_seconds": "3600",
}
"""One test after the other breaks the same systems, which would be left alone before long, and counts their calls."""
DISCONNECT = "mutation Disconnect($id: ID!) { disconnectSystem(input: {id: $id}) { errors { code } } }"


@pytest.fixture(scope="session")
def started_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    place = tmp_path_factory.mktemp("demo")
    with (
        running(place, "demo", "--port", "0", "--data", str(place / "data"), **SETTINGS) as program,
        ExitStack() as stack,
    ):
        url = program.ready()
        notes_file = place / "data" / "demo.json"
        notes = json.loads(notes_file.read_text())
        connections = [connection for customer in notes["customers"] for connection in customer["connections"]]
        admin = stack.enter_context(Client(url, ADMIN))
        for connection in connections:
            if connection["system"] != "sap_s4hana":
                assert admin.data(DISCONNECT, id=connection["id"])["disconnectSystem"]["errors"] == []
        yield Demo(
            program,
            url,
            notes_file,
            notes,
            admin=admin,
            customers=[stack.enter_context(Client(url, customer["key"])) for customer in notes["customers"]],
            sandboxes={
                item["name"]: stack.enter_context(SandboxControl(item))
                for item in connections
                if item["system"] == "sap_s4hana"
            },
        )


@pytest.fixture(scope="session")
def one_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The product as one process with SQLite and memory."""
    with site(tmp_path_factory.mktemp("one"), processes=1) as running:
        yield running


@pytest.fixture(scope="session")
def two_processes(tmp_path_factory: pytest.TempPathFactory, postgresql: Server) -> Iterator[Site]:
    """The product as two processes with PostgreSQL and a Redis of their own, behind nginx."""
    place = tmp_path_factory.mktemp("two")
    with (
        postgresql.empty() as database,
        running_redis(place) as redis,
        site(place, database_url=database, cache_url=redis.url) as running,
    ):
        yield running


@pytest.fixture
def demo(started_demo: Demo) -> Iterator[Demo]:
    """The demo without any trouble, and with nothing asked of its sandboxes yet."""
    for sandbox in started_demo.sandboxes.values():
        sandbox.forget()
    yield started_demo
    for sandbox in started_demo.sandboxes.values():
        sandbox.trouble("none")
