"""Everything that a user meets has its place in the documents, and messages stand there as they are said."""

import re
import tomllib
from dataclasses import replace
from typing import Any

import click
import pytest

from connectors.decisions import Case, First
from connectors.fields import At, Can
from connectors.registry import system_keys
from connectors.spec import Resource, SpecError, System
from connectors.systems.sap_s4hana.spec import purchase_orders, sap_s4hana
from connectors.systems.tryton.purchasing import parties
from connectors.systems.tryton.spec import tryton
from docs import generate
from gateway.cli import main
from gateway.settings import Settings, variable
from schema.errors import ErrorCode
from schema.purchasing import PurchaseOrderStatus
from tests.docs.pages import PAGES, ROOT, text_of

EVERYTHING = "\n".join(text_of(page) for page in PAGES)


def test_every_setting_has_its_place() -> None:
    written = set(re.findall(r"`(SWITCHGEAR_\w+)`", text_of(ROOT / "docs" / "settings.md")))
    assert written == {variable(name) for name in Settings.model_fields}


def test_only_settings_are_named() -> None:
    of_the_tests = {"SWITCHGEAR_TEST_CACHE"}
    named = set(re.findall(r"\bSWITCHGEAR_[A-Z_]*[A-Z]\b", EVERYTHING))
    assert named - of_the_tests <= {variable(name) for name in Settings.model_fields}


def test_every_error_code_has_its_place() -> None:
    written = re.findall(r"^\| `([A-Z_]+)` \|", text_of(ROOT / "docs" / "errors.md"), re.MULTILINE)
    assert written == [code.name for code in ErrorCode]


def test_every_command_has_its_place() -> None:
    written = re.findall(r"^\| `switchgear (\w+)` \|", text_of(ROOT / "docs" / "running.md"), re.MULTILINE)
    assert sorted(written) == main.list_commands(click.Context(main))


@pytest.mark.parametrize("key", system_keys())
def test_every_system_has_its_guide(key: str) -> None:
    guide = text_of(ROOT / "docs" / "systems" / f"{key}.md")
    assert f"<!-- generated: guide {key} -->" in guide
    assert f"<!-- generated: form {key} -->" in guide
    assert "\n## What could not be confirmed\n" in guide
    assert f"<!-- generated: paths {key} -->" in text_of(ROOT / "docs" / "systems" / f"{key}_fields.md")


def test_the_generated_parts_are_fresh() -> None:
    assert generate.main(["--check"]) == 0, "run `make docs`"


def test_the_changelog_knows_the_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert version in text_of(ROOT / "CHANGELOG.md")


def without(resource: Resource, *names: str, **more: Any) -> Resource:
    fields = {name: word for name, word in resource.fields.items() if name not in names}
    return replace(resource, fields=fields | more)


@pytest.mark.parametrize(
    ("page", "system", "resource"),
    [
        ("add-a-field.md", sap_s4hana, without(purchase_orders, "incoterm")),
        ("add-a-field.md", sap_s4hana, without(purchase_orders, "incoterm", incoterms=At("IncotermsClassification"))),
        ("add-a-field.md", sap_s4hana, without(purchase_orders, incoterm=At("IncotermsClassification", filter=Can.EQ))),
        (
            "add-a-system.md",
            tryton,
            without(parties, "name", naem=At("name"), status=First((Case("active", True, PurchaseOrderStatus.DRAFT),))),
        ),
    ],
)
def test_mistakes_are_refused_in_the_words_of_the_page(page: str, system: System, resource: Resource) -> None:
    with pytest.raises(SpecError) as refused:
        replace(system, resources=(resource,))
    said = f"```text\nconnectors.spec.SpecError: {refused.value}\n```"
    assert said in text_of(ROOT / "docs" / page)
