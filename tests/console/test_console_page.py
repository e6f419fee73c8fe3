"""The page that browsers get: its configuration is inserted so that no text in it can become markup."""

import json
import re
from pathlib import Path

import pytest

from gateway import console

SOURCE = Path(console.__file__).parent / "index.html"
CONFIGURATION = re.compile(r'<script type="application/json" id="switchgear-configuration">(.*?)</script>', re.S)


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index.html").write_text(SOURCE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(console, "DIST", tmp_path)


def inserted(configuration: dict[str, object]) -> str:
    html = console.page(configuration)
    assert html is not None
    [text] = CONFIGURATION.findall(html)
    return str(text)


@pytest.mark.usefixtures("built")
def test_the_page_carries_its_configuration() -> None:
    configuration: dict[str, object] = {
        "endpoint": "/graphql",
        "token": "ck_demo",
        "examples": [{"title": "Größe", "query": "query Sizes { size }", "variables": {"first": 3}}],
        "notice": "Demo data: nothing here is real.",
    }

    assert json.loads(inserted(configuration)) == configuration


@pytest.mark.usefixtures("built")
def test_an_empty_configuration_leaves_the_page_as_it_was_built() -> None:
    assert console.page({}) == SOURCE.read_text(encoding="utf-8")


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("notice", ["</script><script>alert(1)</script>", "<!--<script>", "{}", r"\1 \g<0>"])
def test_no_text_leaves_its_place(notice: str) -> None:
    text = inserted({"notice": notice})

    assert "<" not in text
    assert json.loads(text) == {"notice": notice}


def test_no_page_without_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "DIST", tmp_path)

    assert console.page({}) is None
    assert "python hatch_build.py" in console.BUILD_HINT


def test_the_source_page_has_one_place_for_the_configuration_and_no_inline_code() -> None:
    html = SOURCE.read_text(encoding="utf-8")

    assert CONFIGURATION.findall(html) == ["{}"]
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", html, re.S)
    assert [attributes for attributes, text in scripts if text and "application/json" not in attributes] == []
