"""The page on front ends is true of the clients themselves: they compile, type-check and run its files."""

import json

import pytest

from tests.clients.workbench import HERE, Bench, Demo
from tests.node_packages import NODE


def test_the_files_of_the_page_are_typed_strictly(bench: Bench) -> None:
    bench.check_types()


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ('Decimal: "string"', 'Decimal: "number"'),
        ("error.remediation", "error.remedy"),
    ],
)
def test_a_wrong_type_is_found(bench: Bench, written: str, wrong: str) -> None:
    files = {bench.folder / name: (bench.folder / name).read_text("utf-8") for name in ("codegen.ts", "partial.ts")}
    assert any(written in text for text in files.values())
    try:
        for path, text in files.items():
            path.write_text(text.replace(written, wrong), "utf-8")
        bench.type_queries()
        with pytest.raises(AssertionError, match="error TS"):
            bench.check_types()
    finally:
        for path, text in files.items():
            path.write_text(text, "utf-8")
        bench.type_queries()


@pytest.mark.parametrize("program", ["apollo.test.ts", "urql.test.ts", "relay/orders.test.ts"])
def test_the_client_shows_what_the_page_says(program: str, bench: Bench, demo: Demo) -> None:
    said = bench.run(
        NODE,
        *("--import", "./bundler.mjs", "--test", program),
        DEMO_URL=demo.url,
        DEMO_TOKEN=demo.token,
        DEMO_FAULTS=demo.faults,
    )
    assert "fail 0" in said
    assert "pass 0" not in said


def test_the_lock_file_names_exact_versions_and_no_registry() -> None:
    package = json.loads((HERE / "npm" / "package.json").read_text("utf-8"))
    versions = package["dependencies"] | package["devDependencies"]
    assert [name for name, version in versions.items() if not version[0].isdigit()] == []
    assert '"resolved"' not in (HERE / "npm" / "package-lock.json").read_text("utf-8")
