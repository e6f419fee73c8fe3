"""R4 with real processes: two gateways over one database, with and without a Redis between them."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.processes import Client, finished, running
from tests.faults.plant import QUERY
from tests.faults.proxy import answer_bytes, proxy
from tests.gateway.running import CONNECT, PASSWORD, USER, credentials, stand_in

ADMIN = "an-admin-token-of-sixteen-or-more"
SKIPPED = "SKIPPED_CIRCUIT_OPEN"


@pytest.fixture(params=["redis", "memory"])
def shared(request: pytest.FixtureRequest) -> str:
    """What the processes share."""
    return "memory://" if request.param == "memory" else request.getfixturevalue("redis_server").url


@pytest.mark.faults
async def test_two_processes_send_a_failing_system_five_calls_or_five_each(shared: str, tmp_path: Path) -> None:
    settings = {
        "admin_token": ADMIN,
        "profile": "dev",
        "cache_url": shared,
        "data_directory": str(tmp_path / "data"),
        "port": "0",
        "breaker_open_seconds": "60",
    }

    def statuses(client: Client, times: int) -> list[str]:
        pages = [client.data(QUERY)["purchaseOrders"] for _ in range(times)]
        return [page["sources"][0]["status"] for page in pages]

    async def run(function: Any, *arguments: Any) -> Any:
        return await asyncio.to_thread(function, *arguments)

    assert finished(tmp_path, "init", **settings).returncode == 0
    async with stand_in() as system, proxy(int(system.url.rpartition(":")[2])) as before:
        with ExitStack() as stack:
            programs = [stack.enter_context(running(tmp_path / name, "serve", **settings)) for name in ("one", "two")]
            urls = [await run(program.ready) for program in programs]
            first, second = (stack.enter_context(Client(url, ADMIN)) for url in urls)
            made = await run(lambda: first.data('mutation { createCustomer(input: {name: "P"}) { customer { id } } }'))
            given = {
                "system": "sap_s4hana",
                "authMethod": "basic",
                "credentials": credentials(url=before.url, username=USER, password=PASSWORD),
                "name": "troubled",
                "deployment": "CLOUD",
                "customerId": made["createCustomer"]["customer"]["id"],
            }
            payload = await run(lambda: first.data(CONNECT, input=given))
            assert payload["connectSystem"]["errors"] == []
            await asyncio.sleep(3.0)  # both have seen the connection, and each other
            before.answer(answer_bytes(500))
            assert await run(statuses, first, 6) == ["ERROR"] * 5 + [SKIPPED]
            await asyncio.sleep(0.5)
            told = await run(statuses, second, 6)
            expected = [SKIPPED] * 6 if shared.startswith("redis") else ["ERROR"] * 5 + [SKIPPED]
            assert told == expected
            assert len(before.requests) == 5 + told.count("ERROR")
