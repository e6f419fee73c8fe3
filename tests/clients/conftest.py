"""The page's files beside the clients that they are for, and a demo to ask."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks_of
from tests.e2e.processes import running
from tests.node_packages import NODE, installed, run

HERE = Path(__file__).parent
PAGE = ROOT / "docs" / "from-a-front-end.md"
BROKEN = "sap-us"


@dataclass(frozen=True)
class Bench:
    """A folder as a reader of the page would have it, with what the generators have made of it."""

    folder: Path

    def run(self, *command: str | Path, **variables: str) -> str:
        """Run a program there."""
        return run(command, self.folder, variables)

    @property
    def modules(self) -> Path:
        """The packages that are installed there."""
        return self.folder / "node_modules"


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The files of the page, typed by GraphQL Code Generator and compiled by Relay's compiler."""
    folder = tmp_path_factory.mktemp("clients") / "bench"
    shutil.copytree(HERE / "bench", folder)
    (folder / "package.json").write_text('{"type": "module"}', "utf-8")
    (folder / "node_modules").symlink_to(installed(HERE / "npm"))
    shutil.copy(ROOT / "schema" / "schema.graphql", folder)
    for block in blocks_of(PAGE):
        if block.file:
            (folder / block.file).write_text(block.text, "utf-8")
    bench = Bench(folder)
    bench.run(NODE, "generate.mjs", "orders.graphql", "parts.graphql")
    (folder / "relay" / "__generated__").mkdir()
    compiler = run([NODE, "-p", "require('relay-compiler')"], folder).strip()
    run([compiler, "relay.config.json"], folder / "relay")
    return bench


@dataclass(frozen=True)
class Demo:
    """A running demo as the first customer sees it, and where its system `sap-us` is broken and mended."""

    url: str
    token: str
    faults: str


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo of its own for all clients."""
    place = tmp_path_factory.mktemp("demo")
    with running(place, "demo", "--port", "0", "--data", str(place / "data")) as program:
        url = program.ready()
        customer = json.loads((place / "data" / "demo.json").read_text("utf-8"))["customers"][0]
        (sandbox,) = [item["sandboxUrl"] for item in customer["connections"] if item["name"] == BROKEN]
        yield Demo(f"{url}/graphql", customer["key"], f"{sandbox}/_sandbox/faults")
