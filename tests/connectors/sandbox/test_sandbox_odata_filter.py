"""The filter language: random filters mean what they say, and what SAP refuses is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sandbox.odata_v2 import EntitySet, ODataRefusal, compile_filter, read_services

FUNCTIONS = frozenset(("substringof", "startswith", "endswith"))
SET = read_services(
    {
        "services": {
            "S": {
                "entitySets": {
                    "Rows": {
                        "type": "RowType",
                        "key": ["Text"],
                        "properties": {
                            "Text": {"type": "Edm.String"},
                            "Number": {"type": "Edm.Decimal", "scale": 3},
                            "Count": {"type": "Edm.Int32"},
                            "Flag": {"type": "Edm.Boolean"},
                            "Day": {"type": "Edm.DateTime", "format": "Date"},
                            "Moment": {"type": "Edm.DateTimeOffset"},
                        },
                    }
                }
            }
        }
    }
)["S"].entity_sets["Rows"]

texts = st.text(alphabet="ab'Z ä%(", max_size=4)
decimals = st.decimals(-5, 5, places=2)
counts = st.integers(-3, 3)
days = st.dates(date(2026, 1, 1), date(2026, 1, 4))
moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 1, 0, 0, 2), timezones=st.just(UTC))
rows = st.fixed_dictionaries(
    {
        "Text": st.none() | texts,
        "Number": st.none() | decimals,
        "Count": st.none() | counts,
        "Flag": st.none() | st.booleans(),
        "Day": st.none() | days,
        "Moment": st.none() | moments,
    }
)

EMPTY = {
    "Text": "",
    "Number": Decimal(0),
    "Count": 0,
    "Flag": False,
    "Day": date.min,
    "Moment": datetime.min.replace(tzinfo=UTC),
}
MEANING: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}


def spelled(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, datetime):
        shifted = value.astimezone(timezone(timedelta(hours=2)))
        return f"datetimeoffset'{shifted:%Y-%m-%dT%H:%M:%S.%f}+02:00'"
    if isinstance(value, date):
        return f"datetime'{value:%Y-%m-%d}T00:00:00'"
    return f"{value}M" if isinstance(value, Decimal) else str(value)


@dataclass
class Compare:
    name: str
    sign: str
    value: Any
    mirrored: bool

    def text(self) -> str:
        left, right = self.name, spelled(self.value)
        mirror = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}
        if self.mirrored:
            return f"{right} {mirror.get(self.sign, self.sign)} {left}"
        return f"{left} {self.sign} {right}"

    def holds(self, row: dict[str, Any]) -> bool:
        value = EMPTY[self.name] if row[self.name] is None else row[self.name]
        return MEANING[self.sign](value, EMPTY[self.name] if self.value is None else self.value)


@dataclass
class Test:
    function: str
    part: str
    ending: str

    __test__ = False

    def text(self) -> str:
        arguments = ["Text", spelled(self.part)]
        if self.function == "substringof":
            arguments.reverse()
        return f"{self.function}({', '.join(arguments)}){self.ending}"

    def holds(self, row: dict[str, Any]) -> bool:
        text: str = row["Text"] or ""
        found = {
            "substringof": self.part in text,
            "startswith": text[: len(self.part)] == self.part,
            "endswith": text[len(text) - len(self.part) :] == self.part and len(self.part) <= len(text),
        }[self.function]
        return found != self.ending.endswith("false")


@dataclass
class Flag:
    def text(self) -> str:
        return "Flag"

    def holds(self, row: dict[str, Any]) -> bool:
        return bool(row["Flag"])


@dataclass
class Join:
    word: str
    parts: list[Any]
    wrapped: bool

    def text(self) -> str:
        texts = []
        for part in self.parts:
            loose = self.word == "and" and isinstance(part, Join) and part.word == "or" and not part.wrapped
            texts.append(f"({part.text()})" if loose else part.text())
        joined = f" {self.word} ".join(texts)
        return f"( {joined} )" if self.wrapped else joined

    def holds(self, row: dict[str, Any]) -> bool:
        results = [part.holds(row) for part in self.parts]
        return all(results) if self.word == "and" else any(results)


@dataclass
class Not:
    part: Any

    def text(self) -> str:
        inner = self.part.text()
        alone = isinstance(self.part, Flag) or (isinstance(self.part, Test) and not self.part.ending)
        return f"not {inner}" if alone else f"not ({inner})"

    def holds(self, row: dict[str, Any]) -> bool:
        return not self.part.holds(row)


ORDERED = st.sampled_from(("eq", "ne", "lt", "le", "gt", "ge"))
EQUAL = st.sampled_from(("eq", "ne"))
LEAVES = st.one_of(
    st.builds(Compare, st.just("Text"), ORDERED, texts, st.booleans()),
    st.builds(Compare, st.just("Number"), ORDERED, decimals | counts, st.booleans()),
    st.builds(Compare, st.just("Count"), ORDERED, counts, st.booleans()),
    st.builds(Compare, st.just("Flag"), EQUAL, st.booleans(), st.booleans()),
    st.builds(Compare, st.just("Day"), ORDERED, days, st.booleans()),
    st.builds(Compare, st.just("Moment"), ORDERED, moments, st.booleans()),
    st.builds(Compare, st.sampled_from(sorted(EMPTY)), EQUAL, st.none(), st.just(False)),
    st.builds(
        Test,
        st.sampled_from(sorted(FUNCTIONS)),
        texts,
        st.sampled_from(("", " eq true", " eq false")),
    ),
    st.builds(Flag),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Join, st.sampled_from(("and", "or")), st.lists(inner, min_size=2, max_size=3), st.booleans()),
        st.builds(Not, inner),
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(TREES, rows)
def test_a_filter_means_what_it_says(tree: Any, row: dict[str, Any]) -> None:
    assert compile_filter(tree.text(), SET, FUNCTIONS)(row) == tree.holds(row), tree.text()


def holds(text: str, row: dict[str, Any], entity_set: EntitySet = SET) -> bool:
    return compile_filter(text, entity_set, FUNCTIONS)(row)


def refusal(text: str, entity_set: EntitySet = SET, functions: frozenset[str] = FUNCTIONS) -> ODataRefusal:
    with pytest.raises(ODataRefusal) as caught:
        compile_filter(text, entity_set, functions)
    return caught.value


def test_and_binds_tighter_than_or() -> None:
    assert holds("Count eq 1 or Count eq 2 and Flag eq true", {"Count": 1})
    assert not holds("(Count eq 1 or Count eq 2) and Flag eq true", {"Count": 1})


def test_text_minds_case_and_compares_by_code_point() -> None:
    assert not holds("Text eq 'PUMP'", {"Text": "pump"})
    assert not holds("substringof('PUMP',Text)", {"Text": "a pump"})
    assert holds("Text lt 'a'", {"Text": "Z"})
    assert holds("Text gt 'z'", {"Text": "ä"})


def test_empty_values_compare_as_the_smallest() -> None:
    assert holds("Day lt datetime'1900-01-01T00:00:00'", {})
    assert holds("Day ne datetime'1900-01-01T00:00:00'", {"Day": None})
    assert holds("Text lt '!'", {})


def test_a_time_of_day_is_lost_against_a_date() -> None:
    assert holds("Day eq datetime'2026-01-02T23:59:59'", {"Day": date(2026, 1, 2)})


def test_an_instant_is_compared_with_all_its_decimals() -> None:
    row = {"Moment": datetime(2026, 1, 1, 0, 0, 0, 433956, UTC)}
    assert holds("Moment gt datetimeoffset'2026-01-01T00:00:00.433Z'", row)
    assert holds("Moment eq datetimeoffset'2026-01-01T00:00:00.4339560Z'", row)


def test_keys_compare_in_their_padded_form(document: EntitySet) -> None:
    assert holds("Number gt '9'", {"Number": "10"}, document)
    assert holds("Number eq '0000000010'", {"Number": "10"}, document)
    assert holds("Number gt '99999'", {"Number": "A1"}, document)
    assert not holds("startswith(Number,'10')", {"Number": "10"}, document)


@pytest.mark.parametrize(
    "text",
    [
        "Text eq 1",
        "Number eq '1'",
        "Number eq 1.5",
        "Number eq 1.5d",
        "Count eq 1.5M",
        "Flag eq 1",
        "Flag gt true",
        "Day eq '2026-01-01'",
        "Day eq datetimeoffset'2026-01-01T00:00:00Z'",
        "Moment ge datetime'2026-01-01T00:00:00'",
        "Day lt null",
        "Text eq Text",
        "1 eq 1",
        "not Count eq 1",
        "Count",
        "startswith(Count,'1')",
        "startswith('a',Text)",
        "substringof(Text,'a')",
        "startswith(Text)",
        "startswith(Text,'a') gt true",
    ],
)
def test_operands_that_do_not_fit_are_refused(text: str) -> None:
    refused = refusal(text)
    assert (refused.status, refused.code) == (400, "005056A509B11EE1BB8AF4A65EC3CA20")
    assert refused.message.startswith("Invalid parametertype used at function")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("contains(Text,'a')", "Unknown function 'contains' detected at position 1"),
        ("tolower(Text) eq 'a'", "Function tolower is not supported"),
        ("length(Text) eq 1", "Function length is not supported"),
        ("Count add 1 eq 2", "Function add is not supported"),
        ("Missing eq 'a'", "Property Missing not found in type RowType"),
        ("to_Row/Text eq 'a'", "Property to_Row/Text not found in type RowType"),
        ("Text eq 'O'Ring'", "Invalid token detected at position 12"),
        ("Text eq 'a' AND Flag", "Invalid token detected at position 13"),
        ("Text EQ 'a'", "Invalid token detected at position 6"),
        ("Text eq", "Invalid token detected at position 8"),
        ("Text eq'a'", "Invalid token detected at position 8"),
        ("(Text eq 'a'", "Invalid token detected at position 13"),
        ("Text eq 'a')", "Invalid token detected at position 12"),
        ("Text in ('a')", "Invalid token detected at position 6"),
        ("Count eq 1 eq true", "Invalid token detected at position 12"),
        ("Day eq 2026-01-01", "Invalid token detected at position 12"),
        ("Moment gt 2026-01-01T00:00:00Z", "Invalid token detected at position 15"),
        ("Day eq datetime'2026-02-30T00:00:00'", "Invalid token detected at position 8"),
        ("Day eq datetime'2026-01-01'", "Invalid token detected at position 8"),
        ("Day eq datetime'2026-01-01T00:00:00Z'", "Invalid token detected at position 8"),
        ("Moment eq datetimeoffset'2026-01-01T00:00:00'", "Invalid token detected at position 11"),
        ("Moment eq datetimeoffset'2026-01-01T00:00:00 01:00'", "Invalid token detected at position 11"),
        ("Moment eq datetimeoffset'0001-01-01T00:00:00+14:00'", "Invalid token detected at position 11"),
        ("", "Invalid token detected at position 1"),
    ],
)
def test_what_is_no_filter_is_refused(text: str, message: str) -> None:
    refused = refusal(text)
    assert (refused.status, refused.message) == (400, message)


def test_a_property_that_may_not_be_filtered_is_refused(document: EntitySet) -> None:
    refused = refusal("Secret eq 'a'", document)
    assert (refused.status, refused.message) == (400, "Property 'Secret' is not allowed for filtering")


def test_endless_nesting_is_refused() -> None:
    assert refusal("(" * 5_000 + "Flag" + ")" * 5_000).status == 400


def test_many_alternatives_are_no_nesting() -> None:
    text = " or ".join(f"Count eq {number}" for number in range(2_000))
    assert holds(text, {"Count": 1_999})


def test_a_service_may_take_more_functions() -> None:
    taken = compile_filter("tolower(Text) eq 'pump'", SET, FUNCTIONS | {"tolower"})
    assert taken({"Text": "PUMP"})
    nested = compile_filter("startswith(toupper(Text),'PU')", SET, FUNCTIONS | {"toupper"})
    assert nested({"Text": "pump"})
