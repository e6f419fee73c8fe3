"""What a deep question costs the systems: one call for the rows, and one for each kind of link, however many rows."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from connectors.systems.sap_s4hana.sandbox import demo_data
from tests.gateway.running import RunningGateway, StandIn, running_gateway, stand_in

ORDERS = """
{
  purchaseOrders(first: 100) {
    nodes { number connection { id } vendor { name } lines(first: 20) { nodes { item { number name } } } }
    isComplete
    sources { count upstreamCalls calls { purpose path requests } }
  }
}
"""
ASSETS = """
{
  assets(first: 50, filter: {kind: {eq: EQUIPMENT}}) {
    nodes {
      number
      workOrders(first: 50, filter: {status: {notIn: [COMPLETED, CLOSED, CANCELED]}}) { nodes { vendor { name } } }
    }
    isComplete
    sources { count upstreamCalls calls { purpose path requests } }
  }
}
"""


@pytest.fixture
async def plants(tmp_path: Path) -> AsyncIterator[tuple[RunningGateway, list[StandIn]]]:
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(running_gateway(tmp_path))
        systems = [
            await stack.enter_async_context(stand_in(data=demo_data(seed, orders=60, suppliers=30)))
            for seed in (1, 2, 3, 4)
        ]
        for system in systems:
            await gateway.connected(system)
            system.box.requests.clear()
        yield gateway, systems


async def ask(gateway: RunningGateway, query: str) -> Any:
    (page,) = (await gateway.data(query)).values()
    assert page["isComplete"]
    assert min(source["count"] for source in page["sources"]) > 0
    return page


def asked(system: StandIn) -> Counter[str]:
    return Counter(request["entity"] for request in system.box.requests)


async def test_a_hundred_orders_with_vendors_and_items(plants: tuple[RunningGateway, list[StandIn]]) -> None:
    gateway, systems = plants
    page = await ask(gateway, ORDERS)
    assert len(page["nodes"]) == 100
    assert {(asked(system)["PURCHASE_ORDER"], asked(system)["VENDOR"]) for system in systems} == {(1, 1)}
    for system, source in zip(systems, page["sources"], strict=True):
        paths = {call["path"]: call["requests"] for call in source["calls"]}
        assert set(paths) == {"nodes", "nodes.vendor", "nodes.lines.item"}
        assert (paths["nodes"], paths["nodes.vendor"], paths["nodes.lines.item"]) == (1, 1, 1)
        assert source["upstreamCalls"] == len(system.box.requests) == 3


async def test_fifty_machines_with_their_open_work_and_its_vendors(
    plants: tuple[RunningGateway, list[StandIn]],
) -> None:
    """No call for a machine of its own, nor for an order of its own."""
    gateway, systems = plants
    page = await ask(gateway, ASSETS)
    assert len(page["nodes"]) == 50
    for system, source in zip(systems, page["sources"], strict=True):
        assert source["upstreamCalls"] == len(system.box.requests) <= 6
