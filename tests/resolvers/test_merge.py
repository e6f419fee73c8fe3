"""One page out of the rows of several sources, where what a source would send next decides too."""

from dataclasses import dataclass
from typing import Any

import pytest

from connectors.plan import KeyPosition, Phase, Position
from connectors.scan import Batch
from resolvers.cursors import Place
from resolvers.merge import merge, places_after
from schema.sorting import Order, SortStep

BY_NUMBER = (SortStep("number", "number", descending=False),)
BY_NUMBER_DOWN = (SortStep("number", "number", descending=True),)


@dataclass
class Row:
    number: Any


def position(value: Any) -> KeyPosition:
    return KeyPosition(Phase.NULLS if value is None else Phase.VALUES, (value,), f"key of {value}")


def batch(*values: Any, has_more: bool = False, resume: Any = None) -> Batch:
    """A batch of rows with these values; `resume` is where a scan stopped that went beyond its last row."""
    places: list[Position] = [position(value) for value in values]
    end = position(resume) if resume is not None else places[-1] if places else None
    return Batch([Row(value) for value in values], places, end, has_more)


def picked(batches: dict[str, Batch], order: Order, count: int) -> list[tuple[str, Any]]:
    return [(item.source, item.record.number) for item in merge(batches, order, count)]


@pytest.mark.parametrize(
    ("order", "rows"),
    [
        (BY_NUMBER, [("b", 1), ("a", 2), ("a", 3), ("b", 3), ("b", None)]),
        (BY_NUMBER_DOWN, [("a", 3), ("b", 3), ("a", 2), ("b", 1), ("b", None)]),
    ],
)
def test_rows_come_by_value_then_by_connection_with_nulls_last(order: Order, rows: list[tuple[str, Any]]) -> None:
    ours, theirs = [2, 3], [1, 3]
    if order[0].descending:
        ours, theirs = ours[::-1], theirs[::-1]
    assert picked({"b": batch(*theirs, None), "a": batch(*ours)}, order, 9) == rows


def test_a_page_ends_where_a_source_that_has_more_ran_out() -> None:
    batches = {"a": batch(1, 4, has_more=True), "b": batch(2, 5, 6)}
    assert picked(batches, BY_NUMBER, 9) == [("a", 1), ("b", 2), ("a", 4)]


def test_nothing_is_certain_before_every_source_that_has_more_has_sent_a_row() -> None:
    batches = {"a": batch(has_more=True, resume=7), "b": batch(2, 5)}
    assert picked(batches, BY_NUMBER, 9) == []
    assert picked(batches, (), 9) == [("b", 2), ("b", 5)]


def test_a_source_at_its_end_holds_nobody_up() -> None:
    assert picked({"a": batch(), "b": batch(2, 5)}, BY_NUMBER, 9) == [("b", 2), ("b", 5)]


def test_without_an_order_sources_take_turns() -> None:
    batches = {"a": batch(1, 2, 3), "b": batch(9), "c": batch(7, 8, has_more=True)}
    turns = [("a", 1), ("b", 9), ("c", 7), ("a", 2), ("c", 8), ("a", 3)]
    assert picked(batches, (), 9) == turns
    assert picked(batches, (), 4) == turns[:4]
    assert picked(batches, (), 0) == []


def test_every_source_goes_on_after_its_last_row_on_the_page() -> None:
    before = {name: Place(position(0)) for name in ("whole", "part", "none", "ended", "scanned", "failed")}
    batches = {
        "whole": batch(1, 2, has_more=True, resume=5),
        "part": batch(1, 2, has_more=True),
        "none": batch(1, 2),
        "ended": batch(1, 2),
        "scanned": batch(has_more=True, resume=7),
    }
    assert places_after(before, batches, {"whole": 2, "part": 1, "ended": 2}) == {
        "whole": Place(position(5)),
        "part": Place(position(1)),
        "none": Place(position(0)),
        "ended": Place(position(2), is_done=True),
        "scanned": Place(position(7)),
        "failed": Place(position(0)),
    }
