"""What the documents ask and run is asked of a demo, and run beside it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, OperationType, parse

from tests.docs.pages import ROOT, Block, blocks, blocks_of

FIRST_HOUR = ROOT / "docs" / "first-hour.md"
LAST_LINE = "Ctrl-C stops it.\n"


@dataclass(frozen=True)
class Demo:
    """A running demo; `folder` is where the reader of the documents stands, with the data in `plant`."""

    folder: Path
    notes: dict[str, Any]

    def ask(self, query: str) -> dict[str, Any]:
        is_operators = "creditPool" in query
        key = self.notes["adminToken"] if is_operators else self.notes["customers"][0]["key"]
        request = urllib.request.Request(  # noqa: S310 - loopback only
            f"{self.notes['url']}/graphql",
            json.dumps({"query": query}).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
            found: dict[str, Any] = json.load(answer)
        return found


def environment() -> dict[str, str]:
    """This machine's own settings stay out, and `python3` is ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHGEAR_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return kept | {"PYTHONPATH": str(ROOT), "PATH": path}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("first-hour")
    program = "from gateway.cli import main; main()"
    command = [sys.executable, "-c", program, "demo", "--port", "0", "--data", "plant"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert process.stdout is not None
    with process.stdout as said:
        try:
            assert LAST_LINE in said, (folder / "log").read_text("utf-8")
            yield Demo(folder, json.loads((folder / "plant" / "demo.json").read_text("utf-8")))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def is_query(block: Block) -> bool:
    """Whether it can be asked just so: it changes nothing, and needs no variables."""
    definitions = [item for item in parse(block.text).definitions if isinstance(item, OperationDefinitionNode)]
    return all(item.operation is OperationType.QUERY and not item.variable_definitions for item in definitions)


@pytest.mark.parametrize("block", [block for block in blocks("graphql") if is_query(block)], ids=str)
def test_queries_are_answered_in_full(block: Block, demo: Demo) -> None:
    answer = demo.ask(block.text)
    assert "errors" not in answer
    for page in answer["data"].values():
        if "reads" in page:
            assert page["reads"]
            assert page["problems"] == []
            continue
        assert page.get("isComplete", True)
        assert page.get("nodes") or page.get("edges") or page["ledger"]["nodes"]


def test_the_query_of_the_readme_shows_all_systems(demo: Demo) -> None:
    query, *_ = [block for block in blocks_of(ROOT / "README.md") if block.language == "graphql"]
    page = demo.ask(query.text)["data"]["purchaseOrders"]
    assert {row["connection"]["name"] for row in page["nodes"]} == {"sap-eu", "sap-us", "odoo-plant"}
    assert all(row["vendor"]["name"] and row["total"]["amount"] for row in page["nodes"])


def test_the_program_of_the_first_hour_reads_every_order(demo: Demo) -> None:
    (program,) = [block for block in blocks_of(FIRST_HOUR) if block.language == "python"]
    done = subprocess.run(  # noqa: S603 - our own document
        [sys.executable, "-W", "ignore", "-c", program.text],
        cwd=demo.folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    count, _, rest = done.stdout.partition(" ")
    assert int(count) > 500
    assert rest == "orders; complete: True\n"


@pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="the page uses bash and curl")
def test_the_commands_of_the_first_hour_do_what_it_says(demo: Demo) -> None:
    script = "".join(
        block.text for block in blocks_of(FIRST_HOUR) if block.language == "sh" and "make" not in block.text
    )
    done = subprocess.run(  # noqa: S603 - our own document
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - wherever it is
        cwd=demo.folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    (shown,) = [json.loads(block.text) for block in blocks_of(FIRST_HOUR) if block.language == "json"]
    before, broken, during, mended, asked, *_ = documents(done.stdout)
    assert before["data"]["vendors"]["isComplete"] is True
    assert (broken["mode"], mended["mode"]) == ("down", "none")
    told, tells = (answer["extensions"]["cost"] for answer in (during, shown))
    assert 1 <= told.pop("upstreamCalls") - 3 <= 2, "the failing call is repeated, as the budget allows"
    assert told.pop("actual") - tells.pop("actual") in (0, 10)
    assert tells.pop("upstreamCalls") == 4
    assert during == shown
    assert {request["entity"] for request in asked} >= {"VENDOR"}


def documents(text: str) -> Iterator[Any]:
    """The JSON documents that follow each other in a text."""
    decoder, place = json.JSONDecoder(), 0
    while text[place:].strip():
        place += len(text[place:]) - len(text[place:].lstrip())
        found, place = decoder.raw_decode(text, place)
        yield found
