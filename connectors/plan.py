"""What a source does of a question, and what is left for us: pushdown as a protocol of honesty.

Each condition is EXACT (the source decides), SUPERSET (pushed to cut the volume, and checked again here) or NONE
(done here). Only when nothing is left over does a limit mean what the client means by it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, cast

from connectors.fields import At, Pushed
from connectors.protocols.walking import ROW_NUMBER, Walk
from connectors.pushing import push
from connectors.query import ALWAYS, NEVER, Compare, Comparison, OrderBy, Read, Where, all_of, any_of
from connectors.room import Room
from connectors.spec import Resource
from schema.filters import (
    EVERYTHING,
    NOT_DELETED,
    REFERENCE,
    And,
    Condition,
    Operator,
    Tree,
    conditions,
    simplify,
)
from schema.sorting import Order, SortStep


@dataclass(frozen=True, eq=False, kw_only=True)
class NarrowResource(Resource):
    """A resource of a source that cannot be asked everything that the words of its fields could ask.

    `grasp` tells what the source makes of a condition, beside those that it has already: None where nothing. One
    that is not walked by keys has its rows in an order of its own; any other order is made here. `has_own_paths` says
    that each record is read at a path of its own, and so one at a time.
    """

    grasp: Callable[[Where, Pushed], Pushed | None]
    walk: Walk = Walk.KEYS
    has_own_paths: bool = False


_STEPS = (".", "..")

GROUP_SLACK = 16
"""Rows read beyond a page where the last rows may look alike, so that their group is mostly whole at once."""


class Phase(Enum):
    """An ordered read comes in two parts, because a source's place for nulls is not ours: ours is the end."""

    VALUES = "rows that have a value to sort by"
    NULLS = "rows without one, in the order of their keys"


@dataclass(frozen=True, slots=True)
class KeyPosition:
    """A place in one source's rows: just after the row with this key and these values, one for each step of the order.

    A step of the order that the source has no field for has the value None.
    """

    phase: Phase
    values: tuple[Any, ...]
    key: str


@dataclass(frozen=True, slots=True)
class RowNumber:
    """A place in a source that is walked by the numbers of its rows: just after so many.

    `first` is the key of the first row of the answer that the last of them came in: an answer for later rows that
    begins with it too comes from a source that does not count.
    """

    rows: int
    first: str


@dataclass(frozen=True, slots=True)
class Continuation:
    """A place in a source that says itself how to go on: after so many rows of the answer to a query of its own.

    `query` is None for the first answer.
    """

    query: str | None
    rows: int


Position = KeyPosition | RowNumber | Continuation


@dataclass(frozen=True, slots=True)
class Start:
    """Where a walk begins: after so many rows or with a query of the source, with so many rows of it left out."""

    rows: int = 0
    query: str | None = None
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Sorter:
    """A step of the order that the source takes: its word, and which step of the order it is."""

    word: At
    kind: type[Any]
    index: int
    step: SortStep


@dataclass(frozen=True, eq=False)
class ReadPlan:
    """How one source answers one question.

    `pushed` goes to the source, made of the `terms` of the filter that it takes; rows have to pass `left` here.
    `filtered_here` names the filters that are decided here, those on fields that the source does not fill among them.
    `sorters` are the fields that the source sorts by; `sorts_here` says that the order is made here instead.
    """

    resource: Resource
    pushed: Where
    left: Tree
    terms: tuple[Tree, ...]
    filtered_here: tuple[str, ...]
    order: Order
    sorters: tuple[Sorter, ...]
    sorts_here: bool

    @property
    def finds_nothing(self) -> bool:
        """Whether the answer is known to be empty without asking."""
        return self.pushed == NEVER

    @property
    def is_exact(self) -> bool:
        """Whether the source decides alone which rows come."""
        return self.left == EVERYTHING

    @property
    def filtered_there(self) -> tuple[str, ...]:
        """The filters that the source applies; one that it applies in part is among those applied here too."""
        return _names(self.resource, (item for term in self.terms for item in _applied(self.resource, term)))

    @property
    def needed(self) -> frozenset[str]:
        """The paths in the entity that filtering and sorting here look at."""
        paths = {condition.path for condition in conditions(self.left)}
        return frozenset(paths | {step.path for step in self.order})

    @property
    def walk(self) -> Walk:
        """How the source is read to its end."""
        return self.resource.walk if isinstance(self.resource, NarrowResource) else Walk.KEYS

    @property
    def has_places_by_key(self) -> bool:
        """Whether a place is that of a row; else it counts the rows of this very question, and is none in another."""
        return self.walk is Walk.KEYS or self.sorts_here

    def can_go_on_from(self, position: Position | None) -> bool:
        """Whether a place is one of this plan's: it is not where the source was read in another way before."""
        match position:
            case None:
                return True
            case KeyPosition():
                return self.has_places_by_key
            case RowNumber():
                return not self.sorts_here and self.walk is Walk.ROWS
            case Continuation():
                return not self.sorts_here and self.walk is Walk.LINKS

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The parts in which the source is read."""
        if not self.sorters:
            return (Phase.NULLS,)
        return (Phase.VALUES,) if self.sorters[0].word.required else (Phase.VALUES, Phase.NULLS)

    def sorters_in(self, phase: Phase) -> tuple[Sorter, ...]:
        """The fields that the source sorts the rows of a phase by; where the first has no value, it decides nothing."""
        return self.sorters if phase is Phase.VALUES else self.sorters[1:]

    def parts(self, after: KeyPosition | None) -> Iterator[tuple[Phase, KeyPosition | None]]:
        """The phases that have rows after a place, each with where in it to begin."""
        for phase in self.phases:
            if after is None or after.phase is phase:
                yield phase, after
            elif phase is Phase.NULLS:
                yield phase, None

    def shows_spans(self, phase: Phase) -> bool:
        """Whether rows of this phase may look alike in what they are sorted by, and are then put in order here."""
        sorters = self.sorters_in(phase)
        return bool(sorters) and sorters[-1].word.resolution is not None

    def limit(self, phase: Phase, count: int) -> int:
        """How many rows one question asks for where so many are wanted: one more tells whether there are more."""
        if self.sorts_here or not self.is_exact:
            return self.resource.page_size
        return min(count + 1 + (GROUP_SLACK if self.shows_spans(phase) else 0), self.resource.page_size)

    def start(self, after: Position | None) -> Start:
        """Where in a source's own order to begin for the rows after a place."""
        match after:
            case RowNumber(rows) if not self.sorts_here:
                # A page by its number begins at a multiple of its size.
                return Start(rows - rows % self.resource.page_size, None, rows % self.resource.page_size)
            case Continuation(query, rows) if not self.sorts_here:
                return Start(0, query, rows)
        return Start()

    def first_read(self, after: Position | None, paths: frozenset[str], count: int) -> Read | None:
        """The first question for so many rows after a place; None where the answer is known to be empty."""
        if self.finds_nothing:
            return None
        if self.walk is not Walk.KEYS:
            return self.read_on(self.start(after).rows, paths, self.resource.page_size)
        if self.sorts_here:
            return self.read(Phase.NULLS, None, paths, self.resource.page_size)
        phase, start = next(self.parts(cast(KeyPosition | None, after)))
        return self.read(phase, start, paths, self.limit(phase, count))

    def read(self, phase: Phase, after: KeyPosition | None, paths: frozenset[str], limit: int | None) -> Read:
        """The question for the rows of one phase that come after a position."""
        where = [self.pushed, self.resource.where]
        if self.sorters and not self.sorters[0].word.required:
            first = self.sorters[0]
            is_there = Comparison.PRESENT if phase is Phase.VALUES else Comparison.MISSING
            where.append(Compare(first.word.path, is_there, kind=first.kind))
        order = [OrderBy(sorter.word.path, sorter.step.descending) for sorter in self.sorters_in(phase)]
        order.extend(self.resource.key_order)
        if after is not None:
            where.append(self._after(after))
        return Read(self.resource.source, paths, all_of(*where), tuple(order), limit)

    @property
    def counting(self) -> Read | None:
        """The question whose rows are all that pass; None where the source does not decide that alone."""
        if not self.is_exact or isinstance(self.resource, NarrowResource):
            return None
        return Read(self.resource.source, frozenset(), all_of(self.pushed, self.resource.where))

    def read_on(self, skipped: int, paths: frozenset[str], limit: int) -> Read:
        """The question for the rows that come after so many, in whatever order the source has them."""
        behind = Compare(ROW_NUMBER, Comparison.GT, skipped, int) if skipped else ALWAYS
        return Read(self.resource.source, paths, all_of(self.pushed, self.resource.where, behind), (), limit)

    def _after(self, position: KeyPosition) -> Where:
        behind = self.resource.behind(position.key)
        for sorter in reversed(self.sorters_in(position.phase)):
            compare = partial(sorter.word.compare, value=position.values[sorter.index], kind=sorter.kind)
            beyond = compare(operator=Operator.LT if sorter.step.descending else Operator.GT)
            behind = any_of(beyond, all_of(compare(operator=Operator.EQ), behind))
        return behind


def plan_read(resource: Resource, tree: Tree, order: Order = ()) -> ReadPlan:
    """Decide what goes to the source and what stays here."""
    simple = simplify(tree)
    pushed, there, left = _split(resource, simple)
    sorters, sorts_here = _sorters(resource, order)
    if isinstance(resource, NarrowResource) and resource.walk is not Walk.KEYS:
        sorters, sorts_here = (), bool(order) or resource.walk is Walk.WHOLE
    names = _names(resource, (*conditions(left), *_unfilled(resource, simple)))
    return ReadPlan(resource, pushed, left, there, names, order, sorters, sorts_here)


def plan_keys(resource: Resource, keys: Sequence[str]) -> ReadPlan:
    """Plan the reading of the records with these keys at once."""
    return plan_read(resource, Condition("remoteId", Operator.IN, tuple(keys)))


def has_own_paths(resource: Resource) -> bool:
    """Whether each record is read at a path of its own, and so one at a time."""
    return isinstance(resource, NarrowResource) and resource.has_own_paths


def own_read(resource: Resource, paths: frozenset[str], key: str) -> Read | None:
    """The question for the record at the path of its key; None where no record can have it.

    A step to where the path begins, or above it, would lead to something else.
    """
    value = resource.key_form.read(key)
    if value is None or value in _STEPS:
        return None
    return Read(resource.source, paths, Compare(resource.key, Comparison.EQ, value, resource.key_form.kind))


def _sorters(resource: Resource, order: Order) -> tuple[tuple[Sorter, ...], bool]:
    """The steps that the source takes, and whether the order has to be made here instead.

    A field that is not mapped is null in every row, and decides nothing. After the first step nulls would lie among
    the rows, at a place that is the source's own; and a field that is finer than it is shown puts rows apart that
    tie, so that it can only be the last.
    """
    sorters = []
    for index, step in enumerate(order):
        found = resource.find(step.path)
        if found is None:
            continue
        word, model = found
        if not (isinstance(word, At) and word.sort):
            return (), True
        sorters.append(Sorter(word, model.plain_type, index, step))
    if any(not sorter.word.required for sorter in sorters[1:]) or any(
        sorter.word.resolution for sorter in sorters[:-1]
    ):
        return (), True
    return tuple(sorters), False


def _split(resource: Resource, tree: Tree) -> tuple[Where, tuple[Tree, ...], Tree]:
    """Push each term that holds on its own; keep those that the source does not decide exactly."""
    terms = tree.terms if isinstance(tree, And) else (tree,)
    where: Where = ALWAYS
    there, left = [], []
    room = Room(resource)
    for term in terms:
        found = push(resource, term)
        if found is not None and found.where not in (ALWAYS, NEVER) and not room.has_some_for(term):
            found = None
        if found is not None and isinstance(resource, NarrowResource):
            found = resource.grasp(all_of(resource.where, where), found)
        if found is not None:
            where = all_of(where, found.where)
            if found.where not in (ALWAYS, NEVER):
                there.append(term)
        if found is None or not found.is_exact:
            left.append(term)
    return where, tuple(there), simplify(And(tuple(left)))


def _applied(resource: Resource, term: Tree) -> Iterator[Condition]:
    """The conditions of a term that the source is asked to apply; some are decided without asking it."""
    for condition in conditions(term):
        pushed = push(resource, condition)
        if pushed is not None and pushed.where not in (ALWAYS, NEVER):
            yield condition


def _unfilled(resource: Resource, tree: Tree) -> Iterator[Condition]:
    """What is asked of fields that no row of the source fills: it is decided without asking."""
    terms = tree.terms if isinstance(tree, And) else (tree,)
    for condition in conditions(And(tuple(term for term in terms if term != NOT_DELETED))):
        if condition.path not in ("remoteId", REFERENCE) and resource.find(condition.path) is None:
            yield condition


def _names(resource: Resource, found: Iterable[Condition]) -> tuple[str, ...]:
    """Filters as the client spelled them."""
    names = ("id" if item.path == REFERENCE else resource.filter_name(item.path) for item in found)
    return tuple(dict.fromkeys(names))
