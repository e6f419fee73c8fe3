"""Manifests over other people's programs: what the documents describe fits json-server and Datasette themselves."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.manifests.checking import check
from connectors.registry import use_manifests
from tests.docs.pages import ROOT, blocks_of
from tests.e2e.demo import ADMIN
from tests.e2e.processes import Client, finished, running
from tests.gateway.running import running_gateway
from tests.real.datasette.program import datasette
from tests.real.gateway import connect
from tests.real.json_server.program import json_server

pytestmark = pytest.mark.real

EXAMPLES = ROOT / "docs" / "examples"
PARTNERS = {block.file: block.text for block in blocks_of(ROOT / "docs" / "manifests.md") if block.file}
OPEN = """
{
  workOrders(filter: {status: {in: [RELEASED, IN_PROGRESS]}}, first: 2) {
    nodes { number status priority asset { number name purchasePrice { amount currency } } }
    pageInfo { hasNextPage endCursor }
    sources { status count upstreamCalls filteredHere error { message } }
  }
}
"""
ASSETS = """
query Assets($filter: AssetFilter, $orderBy: [AssetSort!]) {
  assets(filter: $filter, orderBy: $orderBy) {
    nodes { number kind status workOrders(first: 5) { nodes { number } sources { upstreamCalls } } }
    sources { status upstreamCalls filteredHere }
  }
}
"""


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with datasette(tmp_path_factory.mktemp("stores")) as url:
        yield url


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = (EXAMPLES / "workshop" / "db.json").read_text("utf-8")
    with json_server(tmp_path_factory.mktemp("workshop"), data) as url:
        yield url


def checked(folder: Path, url: str) -> list[str]:
    """What `switchgear check` says of a folder and its running program; it must find no mistake."""
    done = finished(folder.parent, "check", str(folder), "--url", url, profile="dev")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_the_example_of_the_page_fits_json_server(tmp_path: Path) -> None:
    folder = tmp_path / "partners"
    folder.mkdir()
    (folder / "system.toml").write_text(PARTNERS["system.toml"], "utf-8")
    (tmp_path / "program").mkdir()
    with json_server(tmp_path / "program", PARTNERS["db.json"]) as url:
        said = checked(folder, url)
    assert len([line for line in said if line.startswith("Vendor {")]) == 2
    assert said[-1] == "Partners is described well."


def test_the_workshop_fits_json_server(workshop: str) -> None:
    assert checked(EXAMPLES / "workshop", workshop)[-1] == "Workshop is described well."


def test_the_stores_fit_datasette(stores: str) -> None:
    said = checked(EXAMPLES / "stores", stores)
    assert said[-1] == "Stores is described well."
    assert [line for line in said if "no row has" in line] == []


def test_the_samples_of_the_stores_are_what_datasette_answers(stores: str) -> None:
    kept, live = check(EXAMPLES / "stores"), checked(EXAMPLES / "stores", stores)
    assert kept.is_good
    for entity, rows in kept.rows.items():
        found = [json.loads(line.removeprefix(f"{entity} ")) for line in live if line.startswith(f"{entity} {{")]
        for one, other in zip(found, rows, strict=True):
            one.pop("missing", None)
            assert one == {name: value for name, value in other.items() if name != "missing"}


async def ask_stores(place: Path, stores: str, query: str, **variables: Any) -> dict[str, Any]:
    try:
        async with running_gateway(place, manifests=(EXAMPLES / "stores",)) as gateway:
            connected = await connect(gateway, "stores", "open", {"url": stores})
            assert connected["errors"] == []
            return await gateway.data(query, **variables)
    finally:
        use_manifests(())


async def test_open_work_is_found_by_datasette_with_its_machines(tmp_path: Path, stores: str) -> None:
    page = (await ask_stores(tmp_path, stores, OPEN))["workOrders"]
    assert page["nodes"] == [
        {
            "number": "J-100",
            "status": "RELEASED",
            "priority": "CRITICAL",
            "asset": {
                "number": "PM1-DR-01",
                "name": "Drying cylinder 1",
                "purchasePrice": {"amount": "182000.0", "currency": "EUR"},
            },
        },
        {
            "number": "J-101",
            "status": "IN_PROGRESS",
            "priority": "HIGH",
            "asset": {
                "number": "PM1-PU-07",
                "name": "Vacuum pump 7",
                "purchasePrice": {"amount": "23950.5", "currency": "EUR"},
            },
        },
    ]
    assert page["pageInfo"]["hasNextPage"] is True
    assert page["sources"] == [{"status": "OK", "count": 2, "upstreamCalls": 2, "filteredHere": [], "error": None}]


@pytest.mark.parametrize(
    ("condition", "numbers", "here"),
    [
        ({"name": {"contains": "PUMP"}}, ["PM1-PU-07"], ["name"]),
        ({"manufacturer": {"isNull": True}}, ["WT-FI-02"], []),
        ({"serialNumber": {"ne": "H-4471"}}, ["PM1-DR-01"], []),
        ({"kind": {"eq": "EQUIPMENT"}, "status": {"eq": "DOWN"}}, ["WT-FI-02"], []),
        ({"kind": {"eq": "VEHICLE"}}, [], []),
        ({"model": {"eq": "TC-1500"}}, ["PM1-DR-01"], ["model"]),
    ],
)
async def test_filters_find_the_same_there_and_here(
    tmp_path: Path, stores: str, condition: dict[str, Any], numbers: list[str], here: list[str]
) -> None:
    page = (await ask_stores(tmp_path, stores, ASSETS, filter=condition))["assets"]
    assert [node["number"] for node in page["nodes"]] == numbers
    assert page["sources"][0]["filteredHere"] == here


async def test_lists_below_a_record_cost_one_call_for_each(tmp_path: Path, stores: str) -> None:
    page = (await ask_stores(tmp_path, stores, ASSETS, orderBy=[{"field": "NAME"}]))["assets"]
    assert [(node["number"], [row["number"] for row in node["workOrders"]["nodes"]]) for node in page["nodes"]] == [
        ("PM1-DR-01", ["J-100", "J-102"]),
        ("WT-FI-02", []),
        ("PM1-PU-07", ["J-101"]),
    ]
    assert [node["workOrders"]["sources"][0]["upstreamCalls"] for node in page["nodes"]] == [1, 1, 1]


def test_the_commands_of_the_page_connect_it(tmp_path: Path, stores: str) -> None:
    settings = {"profile": "dev", "manifests": str(EXAMPLES / "stores"), "admin_token": ADMIN}
    assert finished(tmp_path, "init", **settings).returncode == 0
    with running(tmp_path, "serve", port="0", **settings) as program, Client(program.ready(), ADMIN) as client:
        made = client.data('mutation { createCustomer(input: {name: "Plant"}) { customer { id } } }')
        customer = made["createCustomer"]["customer"]["id"]
        options = ["--name", "stores", "--customer", customer, "--on-premises", "--url", program.url]
        connected = finished(tmp_path, "connect", "stores", *options, "--field", f"url={stores}", **settings)
        assert connected.returncode == 0, connected.stderr
        found = client.data("{ inventoryItems { nodes { number onHand { value } } isComplete } }")["inventoryItems"]
    assert found["isComplete"] is True
    assert {row["number"]: row["onHand"]["value"] for row in found["nodes"]}["OIL-220"] == "416.0"
