"""The programs that are measured: our gateway, connected and with a key, and the stock one."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.bench.source import free_port
from tests.bench.workloads import SIZES
from tests.e2e.processes import environment, finished, running

_SYSTEM = Path(__file__).parent / "system"
ADMIN = "bench-admin-token-0123456789"
_CUSTOMER = 'mutation { createCustomer(input: {name: "Bench"}) { customer { id } } }'
CONNECT = """
mutation ($input: ConnectSystemInput!) {
  connectSystem(input: $input) { connection { id } errors { message } }
}
"""
_KEY = """
mutation ($id: ID!) {
  createApiKey(input: {name: "bench", kind: CUSTOMER, customerId: $id, scopes: [READ]}) { apiToken errors { message } }
}
"""


@dataclass(frozen=True)
class Contender:
    """A running program: its address, its headers, its process, and the ids of the connections by name."""

    name: str
    url: str
    headers: dict[str, str]
    process_id: int
    ids: dict[str, str]
    customer: str = ""


@contextlib.contextmanager
def our_gateway(folder: Path, source: str) -> Iterator[Contender]:
    """The complete product as `serve` starts it, with a connection to every path of the source."""
    settings = {
        "profile": "dev",
        "data_directory": str(folder / "data"),
        "admin_token": ADMIN,
        "manifests": str(_SYSTEM),
        "port": str(free_port()),
        "log_level": "WARNING",
    }
    made = finished(folder, "init", **settings)
    if made.returncode:
        raise RuntimeError(made.stderr)
    with running(folder, "serve", **settings) as program:
        url = f"{program.ready()}/graphql"
        with httpx.Client(headers={"Authorization": f"Bearer {ADMIN}"}, timeout=30) as client:

            def ask(query: str, **variables: Any) -> Any:
                answer = client.post(url, json={"query": query, "variables": variables}).json()
                if "errors" in answer:
                    raise RuntimeError(str(answer["errors"]))
                return answer["data"]

            customer = ask(_CUSTOMER)["createCustomer"]["customer"]["id"]
            ids = {}
            for name in SIZES:
                given = {
                    "system": "bench",
                    "authMethod": "open",
                    "credentials": [{"name": "url", "value": f"{source}/{name}"}],
                    "name": name,
                    "customerId": customer,
                    "deployment": "ON_PREMISES",
                }
                payload = ask(CONNECT, input=given)["connectSystem"]
                if payload["errors"]:
                    raise RuntimeError(str(payload["errors"]))
                ids[name] = payload["connection"]["id"]
            secret = ask(_KEY, id=customer)["createApiKey"]["apiToken"]
        yield Contender("switchgear", url, {"Authorization": f"Bearer {secret}"}, program.process.pid, ids, customer)


@contextlib.contextmanager
def stock_server(folder: Path, source: str) -> Iterator[Contender]:
    """Strawberry, Starlette, uvicorn and httpx."""
    port = free_port()
    with (folder / "stock.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [
                *(sys.executable, "-m", "uvicorn", "tests.bench.stock:application"),
                *("--port", str(port), "--log-level", "warning", "--no-access-log"),
            ],
            env={**environment(), "BENCH_SOURCE": source, "PYTHONPATH": os.getcwd()},
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}/graphql"
    try:
        _until_ready(url)
        yield Contender("stock Strawberry", url, {}, process.pid, {name: name for name in SIZES})
    finally:
        process.terminate()
        process.wait()


def _until_ready(url: str) -> None:
    for _ in range(200):
        with contextlib.suppress(httpx.TransportError):
            httpx.post(url, json={"query": "{ __typename }"})
            return
        time.sleep(0.05)
    raise RuntimeError("the stock server did not start")
