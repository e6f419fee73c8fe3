"""What a read may take at most, in calls and records, told from its plan before anything is asked.

It is taken for granted that a source sends as many rows at once as it is asked for, that one which sends all at once
has no more than that, that no more than GROUP_SLACK rows look alike in what they are sorted by, that sessions are
open, and that a source still has the fields that settings name. Where that does not hold, calls come on top.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import cast

from connectors.plan import GROUP_SLACK, KeyPosition, NarrowResource, Phase, Position, ReadPlan, has_own_paths
from connectors.protocols.walking import Walk
from connectors.reading import RecordReader, RowReader
from connectors.spec import Beside


@dataclass(frozen=True, slots=True)
class Expense:
    """So many calls, and so many records that they may bring."""

    calls: int = 0
    records: int = 0

    def __add__(self, other: "Expense") -> "Expense":
        return Expense(self.calls + other.calls, self.records + other.records)

    def times(self, number: int) -> "Expense":
        """The same so many times."""
        return Expense(self.calls * number, self.records * number)


NOTHING = Expense()


def total(expenses: Iterable[Expense]) -> Expense:
    """All of them together."""
    return reduce(add, expenses, NOTHING)


def of_scan(plan: ReadPlan, reader: RowReader, after: Position | None, count: int, max_records: int) -> Expense:
    """What it takes at most to find so many rows after a place; what is left over here is looked for in more."""
    if plan.finds_nothing:
        return NOTHING
    most = plan.resource.page_size
    if plan.walk is Walk.WHOLE:
        return _pages(reader, 1, most)
    if plan.sorts_here:
        return _pages(reader, _parts(max_records, most), most)
    wanted = count if plan.is_exact else max_records
    if plan.walk is not Walk.KEYS:
        return _pages(reader, _parts(plan.start(after).skipped + wanted, most), most)
    phases = [phase for phase, _ in plan.parts(cast(KeyPosition | None, after))]
    size = plan.limit(phases[0], count)
    # A source that comes to the end of one phase is asked once more, for the other.
    return _pages(reader, _parts(wanted, _usable(plan, phases[0], count)) + len(phases) - 1, size)


def of_keys(reader: RecordReader, keys: int) -> Expense:
    """What it takes at most to read so many records by key."""
    resource = reader.resource
    if has_own_paths(resource):
        return _pages(reader, keys, 1)
    whole, rest = divmod(keys, resource.max_keys)
    return _of_chunk(reader, resource.max_keys).times(whole) + (_of_chunk(reader, rest) if rest else NOTHING)


def _of_chunk(reader: RecordReader, keys: int) -> Expense:
    is_narrow = isinstance(reader.resource, NarrowResource)
    size = reader.resource.page_size if is_narrow else min(keys + 1, reader.resource.page_size)
    return _pages(reader, _parts(keys, size), size)


def _usable(plan: ReadPlan, phase: Phase, count: int) -> int:
    """How many rows of an answer are sure to be of use: a group that the answer may have cut is asked for again."""
    size = plan.limit(phase, count)
    return max(size - GROUP_SLACK, 1) if plan.shows_spans(phase) else size


def _pages(reader: RowReader, pages: int, size: int) -> Expense:
    """So many answers of this size, and what belongs beside their rows."""
    chunks = _parts(size, reader.resource.max_keys)
    beside = sum(_beside(reader.resource.beside[name], chunks) for name in reader.beside)
    return Expense(pages * (1 + beside), pages * size)


def _beside(beside: Beside, chunks: int) -> int:
    """The calls for a collection beside so many chunks of rows: the places first, then each apart or all together."""
    if beside.places is None:
        return chunks
    return 1 + chunks * (beside.places.most if beside.places.apart else 1)


def _parts(number: int, size: int) -> int:
    """How many parts of a size it takes; even nothing has to be asked for."""
    return max(-(-number // size), 1)
