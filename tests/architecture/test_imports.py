"""Who may know whom: read from the files themselves, so that an import inside a function is seen too."""

import ast
from pathlib import Path

import pytest

from tests.architecture.product import LAYERS, imported, is_within, modules, named, tree

OF_THE_PROCESS = (
    "opentelemetry.sdk",
    "opentelemetry.exporter",
    "redis",
    "sqlalchemy",
    "alembic",
    "aiosqlite",
    "asyncpg",
    "aiohttp",
    "httpx_aiohttp",
    "prometheus_client",
    "uvicorn",
    "click",
    "pydantic_settings",
)
"""What only the gateway may use."""


@pytest.mark.parametrize("layer", LAYERS[:-1])
def test_nothing_below_the_gateway_knows_what_a_process_is_made_of(layer: str) -> None:
    wrong = [
        f"{named(path)}: {name}"
        for path in modules(layer)
        for name in imported(path)
        if is_within(name, *OF_THE_PROCESS)
    ]
    assert wrong == []


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_run_one_way(layer: str) -> None:
    above = LAYERS[LAYERS.index(layer) + 1 :]
    wrong = [f"{named(path)}: {name}" for path in modules(layer) for name in imported(path) if is_within(name, *above)]
    assert wrong == []


def test_only_the_contract_suite_that_is_shipped_needs_a_test_runner() -> None:
    files = [path for path in modules(*LAYERS) if "testing" not in path.parts]
    wrong = [named(path) for path in files if any(is_within(name, "tests", "pytest") for name in imported(path))]
    assert wrong == []


CLIENT_MAKERS = {
    "httpx.AsyncClient",
    "httpx.Client",
    "aiohttp.ClientSession",
    "socket.create_connection",
    "asyncio.open_connection",
    "urllib.request.urlopen",
}
MAY_BUILD_CLIENTS = {"gateway/outgoing/egress.py", "connectors/testing/in_process.py", "connectors/testing/bench.py"}
"""The guarded module, and the contract suite's in-process transport."""


def built_clients(path: Path) -> list[str]:
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    made = [(call.lineno, ast.unparse(call.func)) for call in calls if isinstance(call.func, ast.Attribute)]
    return [f"{named(path)}:{line}: {name}" for line, name in made if name in CLIENT_MAKERS]


def test_only_the_guarded_module_builds_network_clients() -> None:
    files = [path for path in modules(*LAYERS) if named(path) not in MAY_BUILD_CLIENTS]
    assert [client for path in files for client in built_clients(path)] == []


SPAN_MAKERS = {"get_tracer", "start_span", "start_as_current_span", "set_attribute", "set_attributes", "add_event"}


def test_only_one_module_makes_spans_and_fills_them() -> None:
    found = [
        f"{named(path)}:{node.lineno}: {node.func.attr}"
        for path in modules(*LAYERS)
        if named(path) != "connectors/tracing.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SPAN_MAKERS
    ]
    assert found == []


def test_protocols_do_no_input_and_no_output() -> None:
    forbidden = ("httpx", "asyncio", "socket", "ssl", "connectors.client", "connectors.auth", "connectors.sandbox")
    wrong = [
        f"{named(path)}: {name}"
        for path in modules("connectors/protocols")
        for name in imported(path)
        if is_within(name, *forbidden)
    ]
    assert wrong == []
