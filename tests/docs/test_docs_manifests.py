"""The page on manifests: its example is checked and run, its mistakes are said as it shows them, its names exist."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from connectors.client import Source
from connectors.manifests.checking import check
from connectors.manifests.form import (
    MANIFESTS,
    ODataEntry,
    ODataResourceEntry,
    ResourceEntry,
    RestEntry,
    RestReadEntry,
    SystemEntry,
)
from connectors.manifests.live import check_live
from connectors.manifests.words import WORDS, Entry
from connectors.testing.in_process import in_process_client
from schema.systems import Deployment, SystemCategory
from tests.connectors.json_server import JsonServer
from tests.docs.pages import ROOT, blocks_of, text_of

PAGE = ROOT / "docs" / "manifests.md"
FILES = {block.file: block.text for block in blocks_of(PAGE) if block.file}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder as the page has it written by its reader."""
    place = tmp_path / "partners"
    (place / "samples").mkdir(parents=True)
    (place / "system.toml").write_text(FILES["system.toml"], "utf-8")
    (place / "samples" / "Vendor.json").write_text(json.dumps(json.loads(FILES["db.json"])["partners"]), "utf-8")
    return place


def test_the_example_is_described_well(folder: Path) -> None:
    report = check(folder)
    assert report.mistakes == []
    found = [(row["remoteId"], row["name"], row["status"], row.get("email")) for row in report.rows["Vendor"]]
    assert found == [("7", "Bolt & Sons", "ACTIVE", "a@bolt.example"), ("8", "Lager Nord", "BLOCKED", None)]


async def test_the_example_fits_a_running_program(folder: Path) -> None:
    report = check(folder)
    assert report.described is not None
    system = report.described.system
    server = JsonServer(json.loads(FILES["db.json"]), "")
    async with in_process_client(server.application, "http://partners.example.com/") as client:
        client.headers["x-api-key"] = ""
        source = Source("con_1", system, client, system.auth_methods[0].flow({}))
        await check_live(report, report.described, source, asyncio.get_running_loop().time() + 10)
    assert report.mistakes == []
    assert len(report.rows["Vendor"]) == 2


def test_mistakes_are_said_as_the_page_shows_them(folder: Path) -> None:
    good = FILES["system.toml"]
    said: list[str] = []
    for wrong in (good.replace("eq =", "eqq =", 1), good.replace('"BLOCKED"', '"BLOCKT"').replace("email", "emial")):
        (folder / "system.toml").write_text(wrong, "utf-8")
        said += [f"partners/{mistake}" for mistake in check(folder).mistakes]
    assert FILES["mistakes"].splitlines() == said


@pytest.mark.parametrize("form", [SystemEntry, ResourceEntry, RestReadEntry, RestEntry, ODataEntry, ODataResourceEntry])
def test_every_name_is_told(form: type[Entry]) -> None:
    text = text_of(PAGE)
    names = {name for name in form.model_fields if not re.search(rf"`\[*{name}\]*`|\[\[?{name}\b", text)}
    assert names - {"kind", "fields", "read", "protocol", "resources"} == set()


def test_every_category_and_deployment_is_told() -> None:
    rows = [line for line in text_of(PAGE).splitlines() if line.startswith(("| `category`", "| `deployments`"))]
    told = set(re.findall(r"`([a-z-]+)`", "".join(rows))) - {"category", "deployments"}
    assert told == {
        name.lower().replace("_", "-") for enum in (SystemCategory, Deployment) for name in enum.__members__
    }


def test_every_word_protocol_and_paging_is_told() -> None:
    text = text_of(PAGE)
    for word in WORDS:
        assert f"{{ {word} = " in text, word
    for kind in (*MANIFESTS, "none", "offset", "page-number", "cursor", "link", "link-header", "after-key"):
        assert f"`{kind}`" in text or f'kind = "{kind}"' in text, kind
    for kind in ("none", "header", "query", "basic", "client-credentials"):
        assert f"`{kind}`" in text, kind
