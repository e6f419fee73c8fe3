"""One bench and one demo for all clients of a session."""

import json
from collections.abc import Iterator

import pytest

from tests.clients.workbench import Bench, Demo, set_up
from tests.e2e.processes import running

BROKEN = "sap-us"


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The files of the page, ready to be run."""
    return set_up(tmp_path_factory.mktemp("clients") / "bench")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo that only the clients ask."""
    place = tmp_path_factory.mktemp("demo")
    with running(place, "demo", "--port", "0", "--data", str(place / "data")) as program:
        url = program.ready()
        customer = json.loads((place / "data" / "demo.json").read_text("utf-8"))["customers"][0]
        (sandbox,) = [item["sandboxUrl"] for item in customer["connections"] if item["name"] == BROKEN]
        yield Demo(f"{url}/graphql", customer["key"], f"{sandbox}/_sandbox/faults")
