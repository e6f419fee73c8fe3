"""The pages hold together: links lead somewhere, code is code, commands exist, and nothing of one machine is told."""

import ast
import json
import re
import shlex
import textwrap
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
from graphql import (
    FieldNode,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    get_named_type,
    is_object_type,
    parse,
    validate,
)

from gateway.cli import main
from tests.docs.pages import PAGES, ROOT, Block, anchors_of, blocks, blocks_of, links_of, name_of, text_of
from tests.servers import nginx

HOSTS = {"127.0.0.1", "keepachangelog.com", "semver.org"}
EXAMPLE = ".example.com"
ADDRESS = re.compile(r"https?://[^\s\"'`)>]+")
MACHINE_PATH = re.compile(r"(?<![\w.~/-])/(?:home|root|Users|tmp|work|mnt|srv)\b")
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


@cache
def schema() -> GraphQLSchema:
    return build_schema((ROOT / "schema" / "schema.graphql").read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links_of(page):
        address = urlsplit(link)
        if address.scheme:
            continue
        target = (page.parent / address.path).resolve() if address.path else page
        assert target.exists(), link
        assert not address.fragment or address.fragment in anchors_of(target), link


def test_every_page_is_found_from_the_readme() -> None:
    found, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in found or page.suffix != ".md":
            continue
        found.add(page)
        paths = [urlsplit(link).path for link in links_of(page) if not urlsplit(link).scheme]
        waiting += [(page.parent / path).resolve() for path in paths if path]
    assert {name_of(page) for page in PAGES} == {name_of(page) for page in found}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_nothing_is_told_of_one_machine_or_registry(page: Path) -> None:
    hosts = {urlsplit(address).hostname or "" for address in ADDRESS.findall(text_of(page))}
    assert {host for host in hosts if host not in HOSTS and not host.endswith(EXAMPLE)} == set()
    assert MACHINE_PATH.findall(text_of(page)) == []


@pytest.mark.parametrize("block", blocks("graphql"), ids=str)
def test_queries_fit_the_schema(block: Block) -> None:
    assert [error.message for error in validate(schema(), parse(block.text))] == []


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_answers_are_json(block: Block) -> None:
    json.loads(block.text)


def answered() -> list[tuple[Block, Block]]:
    """Each query that is followed by an answer, with it."""
    pairs = [pair for page in PAGES for pair in zip(list(blocks_of(page)), list(blocks_of(page))[1:], strict=False)]
    return [(query, answer) for query, answer in pairs if (query.language, answer.language) == ("graphql", "json")]


@pytest.mark.parametrize(("query", "answer"), answered(), ids=str)
def test_answers_have_what_the_query_selects(query: Block, answer: Block) -> None:
    (operation,) = parse(query.text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert list(misshapen(operation.selection_set, json.loads(answer.text)["data"])) == []


def test_an_answer_is_shown() -> None:
    assert name_of(ROOT / "README.md") in {name_of(query.page) for query, _ in answered()}


def misshapen(selected: SelectionSetNode | None, value: Any) -> list[str]:
    """The places where an answer has another shape than its query."""
    if isinstance(value, list):
        return [place for item in value for place in misshapen(selected, item)]
    if selected is None or value is None:
        return (
            [] if selected is not None or not isinstance(value, dict) else [f"{value} is selected without its fields"]
        )
    fields = {node.name.value: node.selection_set for node in selected.selections if isinstance(node, FieldNode)}
    if not isinstance(value, dict) or list(fields) != list(value):
        return [f"{list(fields)} is answered by {value}"]
    nested = [(inner, value[name]) for name, inner in fields.items() if name not in json_fields()]
    return [place for inner, found in nested for place in misshapen(inner, found)]


@cache
def json_fields() -> set[str]:
    """The fields that hold any JSON, whose parts no query selects."""
    types = [item for item in schema().type_map.values() if is_object_type(item)]
    return {name for item in types for name, field in item.fields.items() if get_named_type(field.type).name == "JSON"}


@pytest.mark.parametrize("block", [block for block in blocks("python") if not block.file], ids=str)
def test_programs_compile(block: Block) -> None:
    ast.parse(block.text)


@pytest.mark.parametrize("block", [block for block in blocks("python") if block.file], ids=str)
def test_excerpts_stand_in_their_files(block: Block) -> None:
    source = (ROOT / block.file).read_text("utf-8")
    place = 0
    for part in re.split(r"^\.\.\.\n", block.text, flags=re.MULTILINE):
        found = source.find(part, place)
        assert found >= 0, f"{block.file} does not have, from there on:\n{part}"
        place = found + len(part)
    if "..." not in block.text.splitlines() and not block.text.rstrip().endswith(","):
        ast.parse(textwrap.dedent(block.text))


@pytest.mark.parametrize("block", blocks("sh"), ids=str)
def test_commands_exist(block: Block) -> None:
    for line in block.text.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            check_make(words[1:])
        elif words and Path(words[0]).name == "switchgear":
            check_switchgear(words[1:])


def check_make(words: list[str]) -> None:
    assert {word for word in words if "=" not in word} <= TARGETS, words
    for argument in (word.removeprefix("ARGS=") for word in words if word.startswith("ARGS=tests/")):
        assert (ROOT / argument.split()[0]).exists(), argument


def check_switchgear(words: list[str]) -> None:
    command = main.get_command(click.Context(main), words[0])
    assert command is not None, words[0]
    command.make_parser(click.Context(command)).parse_args(words[1:])


@pytest.mark.parametrize("language", ["graphql", "json", "python", "sh", "text", "ts"])
def test_every_language_is_checked_on_something(language: str) -> None:
    assert blocks(language)


@pytest.mark.parametrize("block", blocks("ts"), ids=str)
def test_typescript_is_a_file_that_the_tests_of_clients_run(block: Block) -> None:
    assert block.file
    assert name_of(block.page) == "docs/from-a-front-end.md"


@pytest.mark.parametrize("block", blocks("nginx"), ids=str)
def test_the_load_balancer_of_the_page_is_the_one_that_tests_run(block: Block) -> None:
    assert name_of(block.page) == "docs/running.md"
    assert nginx.recommended() == block.text


def test_no_block_is_in_a_language_that_is_not_checked() -> None:
    languages = {block.language for page in PAGES for block in blocks_of(page)}
    assert languages <= {"graphql", "json", "nginx", "python", "sh", "text", "ts"}


@pytest.mark.parametrize("wrong", ["switchgear serv", "switchgear connect tryton --nam x", "make tests"])
def test_a_command_that_is_not_there_is_found(wrong: str) -> None:
    with pytest.raises((AssertionError, KeyError, click.UsageError)):
        test_commands_exist(Block(ROOT / "README.md", 1, "sh", "", wrong))
