"""Puts the rows of several sources into one page: by value where an order is asked for, else in turns."""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.scan import Batch
from resolvers.cursors import Place
from schema.matching import attribute_path
from schema.ordering import order_key
from schema.sorting import Order


@dataclass(frozen=True, slots=True)
class Picked:
    """One row of the page: its source, and its index in that source's batch."""

    source: str
    index: int
    record: Any


def merge(batches: Mapping[str, Batch], order: Order, count: int) -> list[Picked]:
    """The first `count` rows of all batches together.

    With an order, the page ends early where a source that has more ran out of rows: what it would send next may
    belong before the rows of the others.
    """
    rows = _by_value(batches, order) if order else _in_turns(batches)
    return [picked for picked, _ in zip(rows, range(count), strict=False)]


def _in_turns(batches: Mapping[str, Batch]) -> Iterator[Picked]:
    longest = max((len(batch.records) for batch in batches.values()), default=0)
    for index in range(longest):
        for source, batch in batches.items():
            if index < len(batch.records):
                yield Picked(source, index, batch.records[index])


def _by_value(batches: Mapping[str, Batch], order: Order) -> Iterator[Picked]:
    """Rows that tie come in the order of connection; within one connection its own order stands."""
    readers = [attribute_path(step.path) for step in order]
    directions = [step.descending for step in order]

    def entry(source: str, index: int) -> tuple[Any, str, int]:
        record = batches[source].records[index]
        return (order_key([read(record) for read in readers], directions), source, index)

    if any(not batch.records and batch.has_more for batch in batches.values()):
        return
    heap = [entry(source, 0) for source, batch in batches.items() if batch.records]
    heapq.heapify(heap)
    while heap:
        _, source, index = heapq.heappop(heap)
        batch = batches[source]
        yield Picked(source, index, batch.records[index])
        if index + 1 < len(batch.records):
            heapq.heappush(heap, entry(source, index + 1))
        elif batch.has_more:
            return


def places_after(
    before: Mapping[str, Place], batches: Mapping[str, Batch], used: Mapping[str, int]
) -> dict[str, Place]:
    """Where every source stands once `used` rows of its batch are in the page; failed ones stay where they were."""
    places = dict(before)
    for source, batch in batches.items():
        taken = used.get(source, 0)
        if taken == len(batch.records):
            places[source] = Place(batch.resume, is_done=not batch.has_more)
        elif taken:
            places[source] = Place(batch.places[taken - 1])
    return places
