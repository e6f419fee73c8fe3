"""What every file of the product keeps to: its length, its words, and codes that are used."""

import ast
import re
import subprocess
from functools import cache

import pytest

from schema.errors import MEANINGS, ErrorCode
from tests.architecture.product import LAYERS, ROOT, modules, named, tree

LONGEST = 450
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
ELSEWHERE = re.compile(
    r"/(?:work|root|home)/\w|\b(?:pypi\.org|pythonhosted|npmjs|artifactory|--index-url|--trusted-host)\b"
)
"""Words of one machine, or of where packages come from."""
TEXTS = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".graphql", ".ts", ".tsx", ".json", ".html", ".in", ".sh", ""}


def texts() -> dict[str, str]:
    """Every text that is kept under version control, or would be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - whichever git there is
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("this is not a checkout")
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    return {named(path): path.read_text("utf-8") for path in paths if path.is_file() and path.suffix in TEXTS}


def test_no_file_is_too_long_to_read_in_one_sitting() -> None:
    lengths = {named(path): len(path.read_text("utf-8").splitlines()) for path in modules(*LAYERS, "tests", "docs")}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [named(path) for path in modules(*LAYERS) if path.read_text("utf-8") and not ast.get_docstring(tree(path))]
    assert silent == []


def test_nothing_is_left_unfinished() -> None:
    here = named(ROOT / "tests/architecture/test_sources.py")
    found = [name for name, text in texts().items() if name != here and UNFINISHED.search(text)]
    assert [name for name in found if not name.endswith((".graphql", "package-lock.json"))] == []


def test_no_text_speaks_of_one_machine_or_of_where_packages_come_from() -> None:
    here = named(ROOT / "tests/architecture/test_sources.py")
    found = {name: match[0] for name, text in texts().items() if (match := ELSEWHERE.search(text)) and name != here}
    assert found == {}


@cache
def used_codes() -> set[str]:
    """The error codes that the product names outside of their own definition."""
    return {
        node.attr
        for path in modules(*LAYERS)
        if named(path) != "schema/errors.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ErrorCode"
    }


@pytest.mark.parametrize("code", ErrorCode, ids=lambda code: code.name)
def test_every_printed_error_code_is_given_somewhere_and_explained(code: ErrorCode) -> None:
    assert code.name in used_codes()
    assert MEANINGS[code].remediation
