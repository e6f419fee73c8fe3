"""What is printed is a part of the contract with clients: every name, type, nullability and default."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import DocumentNode, parse, print_ast

from resolvers.roots import build_schema

SCHEMA = Path(__file__).parents[2] / "schema"
CONTRACT = (SCHEMA / "contract.graphql").read_text()
PRINTED = build_schema().as_str()


def test_the_checked_in_schema_is_the_printed_one() -> None:
    checked_in = (SCHEMA / "schema.graphql").read_text()
    assert checked_in == PRINTED + "\n", "run `make schema`, and look at what has changed for clients"


def test_everything_printed_is_in_the_contract() -> None:
    assert list(differences(parse(PRINTED), parse(CONTRACT))) == []


def test_everything_printed_is_described() -> None:
    assert list(undescribed(parse(PRINTED))) == []


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("name: String\n", "nam: String\n"),
        ("name: String!", "name: String"),
        ("first: Int = 50", "first: Int = 20"),
        ("DRAFT\n", "DRAFTED\n"),
        ("type Money ", "type Moneys "),
        ("type Vendor implements", "type Vendor implements Other &"),
    ],
)
def test_a_departure_is_found(written: str, wrong: str) -> None:
    changed = PRINTED.replace(written, wrong)
    assert changed != PRINTED
    assert list(differences(parse(changed), parse(CONTRACT)))


def differences(printed: DocumentNode, contract: DocumentNode) -> Iterator[str]:
    promised = {_name(item): item for item in contract.definitions}
    for item in printed.definitions:
        name = _name(item)
        if name not in promised or item.kind != promised[name].kind:
            yield f"{item.kind} {name} is not promised"
        else:
            yield from _part_differences(name, item, promised[name])


def _part_differences(where: str, item: Any, promised: Any) -> Iterator[str]:
    """Compare one definition; `values`, `fields` and `arguments` may be fewer, and each must be the same."""
    for attribute in ("type", "default_value"):
        ours, theirs = (_text(getattr(node, attribute, None)) for node in (item, promised))
        if ours != theirs:
            yield f"{where}: {attribute} is {ours}, not {theirs}"
    interfaces = {_name(node) for node in getattr(promised, "interfaces", None) or ()}
    for node in getattr(item, "interfaces", None) or ():
        if _name(node) not in interfaces:
            yield f"{where} implements {_name(node)}"
    for attribute in ("values", "fields", "arguments"):
        known = {_name(part): part for part in getattr(promised, attribute, None) or ()}
        for part in getattr(item, attribute, None) or ():
            name = _name(part)
            if name not in known:
                yield f"{where}.{name} is not promised"
            else:
                yield from _part_differences(f"{where}.{name}", part, known[name])


def undescribed(document: DocumentNode) -> Iterator[str]:
    def walk(where: str, node: Any) -> Iterator[str]:
        if node.description is None:
            yield where
        for attribute in ("values", "fields", "arguments"):
            for part in getattr(node, attribute, None) or ():
                yield from walk(f"{where}.{_name(part)}", part)

    for item in document.definitions:
        if item.kind != "schema_definition":
            yield from walk(_name(item), item)


def _name(node: Any) -> str:
    return "schema" if getattr(node, "name", None) is None else str(node.name.value)


def _text(node: Any) -> str | None:
    return None if node is None else print_ast(node)
