"""A folder with the page's files beside the clients that they are for, and a demo as one customer sees it."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import ROOT, blocks_of
from tests.node_packages import NODE, installed, run

HERE = Path(__file__).parent
PAGE = ROOT / "docs" / "from-a-front-end.md"


@dataclass(frozen=True)
class Bench:
    """A folder as a reader of the page would have it."""

    folder: Path

    def run(self, *command: str | Path, **variables: str) -> str:
        """Run a program there."""
        return run(command, self.folder, variables)

    @property
    def modules(self) -> Path:
        """The packages that are installed there."""
        return self.folder / "node_modules"

    def type_queries(self) -> None:
        """Run GraphQL Code Generator over the queries."""
        self.run(NODE, "generate.mjs", "orders.graphql", "parts.graphql")

    def check_types(self) -> None:
        """Run TypeScript's strict check over everything."""
        self.run(self.modules / ".bin" / "tsc", "--project", ".")


def set_up(folder: Path) -> Bench:
    """Lay out the files of the page, type them by GraphQL Code Generator and compile them by Relay's compiler."""
    shutil.copytree(HERE / "bench", folder)
    (folder / "package.json").write_text('{"type": "module"}', "utf-8")
    (folder / "node_modules").symlink_to(installed(HERE / "npm"))
    shutil.copy(ROOT / "schema" / "schema.graphql", folder)
    for block in blocks_of(PAGE):
        if block.file:
            (folder / block.file).write_text(block.text, "utf-8")
    bench = Bench(folder)
    bench.type_queries()
    (folder / "relay" / "__generated__").mkdir()
    compiler = bench.run(NODE, "-p", "require('relay-compiler')").strip()
    run([compiler, "relay.config.json"], folder / "relay")
    return bench


@dataclass(frozen=True)
class Demo:
    """A running demo as the first customer sees it, and where its system `sap-us` is broken and mended."""

    url: str
    token: str
    faults: str
