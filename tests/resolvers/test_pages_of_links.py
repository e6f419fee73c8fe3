"""Pages of what points to a row: read for many rows together, and gone on with for each alone."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from connectors.client import Source
from connectors.manifests.reading import read_folder
from connectors.testing.in_process import in_process_client
from resolvers.ports import ReadLimits
from tests.connectors.workshop_bench import EXAMPLE, workshop_bench
from tests.resolvers.graph import Graph, live_source
from tests.resolvers.tables import Abilities, order_row, table

_PAGE = (
    "nodes { remoteId } edges { cursor } pageInfo { hasNextPage startCursor endCursor } isComplete sources { status }"
)
_TOGETHER = (
    f"query ($first: Int!) {{ vendors(first: 200) {{ nodes {{ id purchaseOrders(first: $first) {{ {_PAGE} }} }} }} }}"
)
_ALONE = f"""
query ($id: ID!, $after: String!) {{ vendor(id: $id) {{ purchaseOrders(first: 200, after: $after) {{ {_PAGE} }} }} }}
"""
_LIST = "query ($after: String) { vendors(first: 2, after: $after) { nodes { id } pageInfo { endCursor } } }"


def workshop() -> Graph:
    """A system that counts rows, where orders of two vendors lie between one another."""
    bench = workshop_bench()
    http = in_process_client(bench.server.application, bench.address())
    source = Source("con_workshop", bench.system, http, bench.login())
    return Graph([live_source("workshop", bench.system, source)])


def keys(page: Any) -> list[str]:
    return [node["remoteId"] for node in page["nodes"]]


@pytest.mark.parametrize("first", [1, 2, 5, 200])
async def test_every_cursor_of_a_row_s_own_page_goes_on_in_its_own_rows(first: int) -> None:
    graph = workshop()
    whole = {
        row["id"]: keys(row["purchaseOrders"]) for row in (await graph.run(_TOGETHER, first=200))["vendors"]["nodes"]
    }
    assert sum(len(orders) > 5 for orders in whole.values()) == 2
    for row in (await graph.run(_TOGETHER, first=first))["vendors"]["nodes"]:
        page, orders = row["purchaseOrders"], whole[row["id"]]
        assert keys(page) == orders[:first]
        cursors = [edge["cursor"] for edge in page["edges"]]
        for place, cursor in enumerate([*cursors, page["pageInfo"]["endCursor"]], start=1):
            rest = await graph.run(_ALONE, id=row["id"], after=cursor)
            assert keys(rest["vendor"]["purchaseOrders"]) == orders[min(place, len(cursors)) :]
        assert page["pageInfo"]["startCursor"] == next(iter(cursors), None)


async def test_a_cursor_does_not_outlive_the_way_in_which_a_system_is_read(tmp_path: Path) -> None:
    graph = workshop()
    (vendor, *_) = (await graph.run(_TOGETHER, first=1))["vendors"]["nodes"]
    ahead = (await graph.run(_LIST))["vendors"]["pageInfo"]["endCursor"]
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    manifest = tmp_path / "system.toml"
    manifest.write_text(re.sub(r"paging = .*", 'paging = { kind = "none" }', manifest.read_text()))
    graph.lives[0].source.system = read_folder(tmp_path).system
    assert (await graph.refused(_LIST, after=ahead))["code"] == "INVALID_CURSOR"
    inner = {"id": vendor["id"], "after": vendor["purchaseOrders"]["pageInfo"]["endCursor"]}
    assert (await graph.refused(_ALONE, **inner))["code"] == "INVALID_CURSOR"


async def test_rows_that_too_much_points_to_together_are_whole_alone() -> None:
    orders = [order_row(f"k{number}", vendor="uvw"[number % 3], title=f"Title {number}") for number in range(18)]
    vendors = [{"key": key, "name": key} for key in "uvw"]
    live = table("a", orders, Abilities(filters=True, is_loose=True), vendors)
    graph = Graph([live], limits=ReadLimits(max_scan_rows=8))
    query = _TOGETHER.replace("first: $first", 'first: $first, filter: {title: {contains: "7"}}')
    for row in (await graph.run(query, first=50))["vendors"]["nodes"]:
        assert row["purchaseOrders"]["isComplete"] is True
        assert row["purchaseOrders"]["sources"] == [{"status": "OK"}]
