"""What is kept comes back exactly: no number changes, no text, and nothing is kept that would."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.query import AllOf, AnyOf, Compare, Comparison, Page, Read, Request
from resolvers.kept import CannotKeep, digest_of, read_page, read_row, write_page, write_row
from schema.records import FieldGapReason

TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.integers(-9, 9).map(Decimal)
    | TEXTS
    | st.sampled_from(["\x00", "1.50", "\ud800", "E0", '"', "\\", "\u2028"])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=20
)
ROWS = st.dictionaries(TEXTS, VALUES, max_size=6)
REQUESTS = st.builds(
    Request,
    method=TEXTS,
    path=TEXTS,
    query=TEXTS,
    headers=st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple),
    body=st.binary(max_size=20),
)


def exactly(value: Any) -> Any:
    """A value with what equality would overlook: the type, and the digits of a number."""
    match value:
        case Decimal():
            return ("decimal", value.as_tuple())
        case dict():
            return ("object", [(key, exactly(item)) for key, item in value.items()])
        case list():
            return ("list", [exactly(item) for item in value])
        case _:
            return (type(value).__name__, value)


@given(st.lists(ROWS, max_size=4), st.none() | REQUESTS)
@settings(deadline=None)
def test_a_page_comes_back_exactly(rows: list[dict[str, Any]], following: Request | None) -> None:
    kept = read_page(write_page(Page(rows, following), "whole"))
    assert exactly(kept.page.rows) == exactly(rows)
    assert (kept.page.next, kept.whole) == (following, "whole")


@given(st.none() | ROWS, st.dictionaries(TEXTS, st.sampled_from(FieldGapReason), max_size=3))
@settings(deadline=None)
def test_a_row_comes_back_exactly(row: dict[str, Any] | None, failed: dict[str, FieldGapReason]) -> None:
    kept = read_row(write_row(row, failed))
    assert exactly(kept.row) == exactly(row)
    assert kept.failed == failed


@pytest.mark.parametrize("value", [1.5, Decimal("NaN"), Decimal("Infinity"), object(), b"bytes", {1: 2}, {"a": [0.1]}])
def test_what_would_change_is_not_kept(value: Any) -> None:
    with pytest.raises(CannotKeep):
        write_row({"value": value}, {})


def test_rows_come_back_anew_each_time() -> None:
    content = write_page(Page([{"lines": []}]), "whole")
    read_page(content).page.rows[0]["lines"].append("added by a reader")
    assert read_page(content).page.rows == [{"lines": []}]


def test_questions_that_differ_have_different_names() -> None:
    where = Compare("a", Comparison.EQ, "1")
    reads = [
        Read("s", frozenset("ab")),
        Read("s", frozenset("abc")),
        Read("t", frozenset("ab")),
        Read("s", frozenset("ab"), where),
        Read("s", frozenset("ab"), Compare("a", Comparison.EQ, 1)),
        Read("s", frozenset("ab"), Compare("a", Comparison.EQ, Decimal(1), Decimal)),
        Read("s", frozenset("ab"), AllOf((where,))),
        Read("s", frozenset("ab"), AnyOf((where,))),
        Read("s", frozenset("ab"), limit=1),
        Read("s", frozenset("ab"), context=(("locations", [1]),)),
        Read("s", frozenset("ab"), context=(("locations", [2]),)),
    ]
    assert len({digest_of("page", read) for read in reads}) == len(reads)
    assert digest_of("page", Read("s", frozenset("ab"))) == digest_of("page", Read("s", frozenset("ba")))
    assert digest_of("page", reads[0]) != digest_of("rest", reads[0])
