"""Global ids: they say everything, and each record has exactly one."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.ids import RecordId, read_record_id
from schema.model import EntityType

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
ids = st.builds(
    RecordId, st.sampled_from(EntityType), texts, texts, st.none() | st.tuples(st.sampled_from(["lines"]), texts)
)


def written(parts: Any, **options: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts, **options).encode()).rstrip(b"=").decode()


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(ids)
def test_an_id_reads_back(record: RecordId) -> None:
    assert read_record_id(record.encode()) == record


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(ids, ids)
def test_different_records_have_different_ids(one: RecordId, other: RecordId) -> None:
    assert (one.encode() == other.encode()) is (one == other)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=40))
def test_any_text_is_an_id_or_none(text: str) -> None:
    found = read_record_id(text)
    assert found is None or found.encode() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "con_0V3kQhZ2",
        "é",
        written(["PURCHASE_ORDER", "con_a"]),
        written(["PURCHASE_ORDER", "con_a", ""]),
        written(["PURCHASE_ORDER", "con_a", 7]),
        written(["PURCHASE_ORDER", "con_a", "7", "lines"]),
        written(["PURCHASE_ORDER", "con_a", "\ud800"], separators=(",", ":")),
        written(["NOTHING", "con_a", "7"], separators=(",", ":")),
        written(["PURCHASE_ORDER", "con_a", "7"]),
        written({"entity": "PURCHASE_ORDER"}),
        written(None),
        "W" * 20_000,
        base64.urlsafe_b64encode(b"[" * 9_000).decode(),
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert read_record_id(text) is None


def test_padding_and_foreign_signs_make_it_another_text() -> None:
    text = RecordId(EntityType.VENDOR, "con_a", "17300001").encode()
    for other in (f"{text}=", f" {text}", f"{text}\n", text.replace("W", "W!", 1)):
        assert read_record_id(other) is None
