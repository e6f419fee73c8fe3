"""Limits of a query document: each refuses before anything is read, and says the limit."""

import asyncio
from typing import Any

import pytest

from gateway.serving.limits import limits_extension
from gateway.settings import Settings
from resolvers.roots import build_schema

SMALL = {"max_query_tokens": 200, "max_query_depth": 5, "max_query_aliases": 3}


def errors_of(query: str, **settings: Any) -> list[Any]:
    """The errors of a query, as code and message."""
    schema = build_schema([limits_extension(Settings(**settings))])
    result = asyncio.run(schema.execute(query))
    return [((error.extensions or {}).get("code"), error.message) for error in result.errors or ()]


DEEP = "{ connections { nodes { customer { connections { nodes { id } } } } } }"


@pytest.mark.parametrize(
    "query",
    [
        DEEP,
        "{ connections { ...C } } fragment C on ConnectedSystemConnection { nodes { customer { ...D } } } "
        "fragment D on Customer { connections { nodes { id } } }",
        "{ connections { ... { nodes { ... on ConnectedSystem { customer { connections { nodes { id } } } } } } } }",
        f"query A {{ systems {{ key }} }} query B {DEEP}",
    ],
    ids=["plain", "fragments", "inline", "second"],
)
def test_a_query_that_is_too_deep_is_refused_however_it_is_written(query: str) -> None:
    found = [error for error in errors_of(query, **SMALL) if error[0] == "QUERY_TOO_DEEP"]
    assert found == [("QUERY_TOO_DEEP", "The query is 6 levels deep; at most 5 are allowed.")]


def test_the_deepest_allowed_query_passes_its_check() -> None:
    assert errors_of("{ systems { authMethods { fields { name } } } }", max_query_depth=4) == []
    (error,) = errors_of("{ systems { authMethods { fields { name } } } }", max_query_depth=3)
    assert error[0] == "QUERY_TOO_DEEP"


@pytest.mark.parametrize(
    "query",
    [
        "{ a: systems { key } b: systems { key } c: systems { k: key } }",
        "{ systems { ...S } systems { ...S } } fragment S on System { a: key b: key }",
        "{ systems { ... { a: key b: key c: key d: key } } }",
        "{ systems { a: __typename b: __typename c: __typename d: __typename } }",
    ],
    ids=["plain", "fragment twice", "inline", "type names"],
)
def test_too_many_aliases_are_refused(query: str) -> None:
    assert errors_of(query, **SMALL) == [("QUERY_TOO_COMPLEX", "The query has 4 aliases; at most 3 are allowed.")]


def test_as_many_aliases_as_allowed_pass() -> None:
    assert errors_of("{ a: systems { k: key t: title } }", **SMALL) == []


def test_too_many_tokens_are_refused_before_they_are_read() -> None:
    (error,) = errors_of("{" + " key" * 300 + "}", **SMALL)
    assert error[1].startswith("Syntax Error: Document contains more than 200 tokens")


@pytest.mark.parametrize(
    "query",
    [
        "{ systems { key @skip(if: false) title @include(if: true) vendor @skip(if: true) } }",
        "{ systems { ...S @skip(if: true) ... @include(if: true) { key @skip(if: true) } } } "
        "fragment S on System { key }",
        "{ systems { ...S ...S ...S } } fragment S on System { key @skip(if: true) }",
    ],
    ids=["plain", "fragments", "fragment thrice"],
)
def test_too_many_directives_are_refused(query: str) -> None:
    refused = ("QUERY_TOO_COMPLEX", "The query has 3 directives; at most 2 are allowed.")
    assert errors_of(query, max_query_directives=2) == [refused]
    assert errors_of(query, max_query_directives=3) == []


@pytest.mark.parametrize(
    "query",
    ["{ a: systems { key } b: systems { key } viewer { __typename } }",
     "{ ...Q systems { key } } fragment Q on Query { a: systems { key } ... { viewer { __typename } } }"],
    ids=["plain", "fragments"],
)  # fmt: skip
def test_too_many_root_fields_are_refused(query: str) -> None:
    refused = ("QUERY_TOO_COMPLEX", "The query has 3 root fields; at most 2 are allowed.")
    assert errors_of(query, max_root_fields=2) == [refused]
    assert refused not in errors_of(query, max_root_fields=3)


def test_introspection_is_exempt_from_depth() -> None:
    deep = "{ __schema { types { fields { type { ofType { ofType { ofType { name } } } } } } } }"
    assert errors_of(deep, **SMALL) == []


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { types { name } } }",
        '{ __type(name: "Query") { name } }',
        "{ ...Q } fragment Q on Query { __schema { types { name } } }",
        "{ x: __schema { types { name } } }",
    ],
)
def test_introspection_can_be_turned_off(query: str) -> None:
    assert errors_of(query, introspection=True) == []
    assert {error[0] for error in errors_of(query, introspection=False)} == {"FORBIDDEN"}


def test_type_names_are_told_in_any_case() -> None:
    assert errors_of("{ systems { __typename } }", introspection=False) == []


@pytest.mark.parametrize(
    "query",
    [
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "{ ...A } fragment A on Query { systems { key } ...A }",
        "{ ...Missing }",
        "{ systems { ...A } } fragment A on System { guide { ...A } }",
    ],
)
def test_fragments_within_themselves_are_refused_and_do_not_loop(query: str) -> None:
    assert errors_of(query)


def test_fragments_that_multiply_each_other_are_counted_quickly() -> None:
    layers = "".join(f" fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60))
    query = f"{{ ...F0 }}{layers} fragment F60 on Query {{ a: systems {{ key }} }}"
    codes = {error[0] for error in errors_of(query)}
    assert "QUERY_TOO_COMPLEX" in codes


@pytest.mark.parametrize("opening", ["{a", "[", "{a:"], ids=["selections", "lists", "objects"])
def test_nesting_that_nobody_writes_is_refused_and_not_a_fault(opening: str) -> None:
    query = "{" + "a{" * 2_400 if opening == "{a" else f"{{ purchaseOrders(filter: {opening * 1_600}"
    found = errors_of(query)
    assert found
    assert all(message for _, message in found)


def test_several_operations_need_a_name() -> None:
    (error,) = errors_of("query A { systems { key } } query B { systems { key } }")
    assert error == ("BAD_REQUEST", "The document has several operations; `operationName` has to choose one.")


def test_the_default_limits_let_a_rich_query_pass() -> None:
    query = """query First { purchaseOrders(first: 50, orderBy: [{field: UPDATED_AT, direction: DESC}]) {
      nodes { id number status vendor { name } lines(first: 3) { nodes { quantityOrdered { value unit } } }
              connection { customer { connections { nodes { customer { connections { nodes { id } } } } } } } }
      isComplete sources { connection { name } status count durationMs upstreamCalls } } }
    """
    assert [code for code, _ in errors_of(query) if code is not None] == []
