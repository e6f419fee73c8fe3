"""What a source does of a question, and what is left for us: pushdown as a protocol of honesty.

Each condition is EXACT (the source decides), SUPERSET (pushed to cut the volume, and checked again here) or NONE
(done here). Only when nothing is left over does a limit mean what the client means by it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from connectors.fields import At, Pushed
from connectors.protocols.walking import ROW_NUMBER, Walk
from connectors.query import ALWAYS, NEVER, Compare, Comparison, OrderBy, Read, Where, all_of, any_of, opposite
from connectors.spec import Resource
from schema.filters import (
    EVERYTHING,
    NOT_DELETED,
    REFERENCE,
    And,
    Condition,
    Not,
    Operator,
    Or,
    Tree,
    conditions,
    shape_of,
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
class Sorter:
    """A step of the order that the source takes: its word, and which step of the order it is."""

    word: At
    kind: type[Any]
    index: int
    step: SortStep


@dataclass(frozen=True, eq=False)
class ReadPlan:
    """How one source answers one question.

    `pushed` goes to the source; rows have to pass `left` here. `filtered_here` names the filters that are decided
    here, those on fields that the source does not fill among them. `sorters` are the fields that the source sorts by;
    `sorts_here` says that the order is made here instead.
    """

    resource: Resource
    pushed: Where
    left: Tree
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
    def needed(self) -> frozenset[str]:
        """The paths in the entity that filtering and sorting here look at."""
        paths = {condition.path for condition in conditions(self.left)}
        return frozenset(paths | {step.path for step in self.order})

    @property
    def walk(self) -> Walk:
        """How the source is read to its end."""
        return self.resource.walk if isinstance(self.resource, NarrowResource) else Walk.KEYS

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The parts in which the source is read."""
        if not self.sorters:
            return (Phase.NULLS,)
        return (Phase.VALUES,) if self.sorters[0].word.required else (Phase.VALUES, Phase.NULLS)

    def sorters_in(self, phase: Phase) -> tuple[Sorter, ...]:
        """The fields that the source sorts the rows of a phase by; where the first has no value, it decides nothing."""
        return self.sorters if phase is Phase.VALUES else self.sorters[1:]

    def read(self, phase: Phase, after: KeyPosition | None, paths: frozenset[str], limit: int | None) -> Read:
        """The question for the rows of one phase that come after a position."""
        where = [self.pushed, self.resource.where]
        if self.sorters and not self.sorters[0].word.required:
            first = self.sorters[0]
            is_there = Comparison.PRESENT if phase is Phase.VALUES else Comparison.MISSING
            where.append(Compare(first.word.path, is_there, kind=first.kind))
        order = [OrderBy(sorter.word.path, sorter.step.descending) for sorter in self.sorters_in(phase)]
        order.append(OrderBy(self.resource.key))
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
        kind = self.resource.key_form.kind
        behind: Where = Compare(self.resource.key, Comparison.GT, kind(position.key), kind)
        for sorter in reversed(self.sorters_in(position.phase)):
            compare = partial(sorter.word.compare, value=position.values[sorter.index], kind=sorter.kind)
            beyond = compare(operator=Operator.LT if sorter.step.descending else Operator.GT)
            behind = any_of(beyond, all_of(compare(operator=Operator.EQ), behind))
        return behind


def plan_read(resource: Resource, tree: Tree, order: Order = ()) -> ReadPlan:
    """Decide what goes to the source and what stays here."""
    simple = simplify(tree)
    pushed, left = _split(resource, simple)
    sorters, sorts_here = _sorters(resource, order)
    if isinstance(resource, NarrowResource) and resource.walk is not Walk.KEYS:
        sorters, sorts_here = (), bool(order) or resource.walk is Walk.WHOLE
    return ReadPlan(resource, pushed, left, _names(resource, simple, left), order, sorters, sorts_here)


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


def _split(resource: Resource, tree: Tree) -> tuple[Where, Tree]:
    """Push each term that holds on its own; keep those that the source does not decide exactly."""
    terms = tree.terms if isinstance(tree, And) else (tree,)
    where: Where = ALWAYS
    left = []
    for term in terms:
        found = push(resource, term)
        if found is not None and isinstance(resource, NarrowResource):
            found = resource.grasp(all_of(resource.where, where), found)
        if found is not None:
            where = all_of(where, found.where)
        if found is None or not found.is_exact:
            left.append(term)
    return where, simplify(And(tuple(left)))


def push(resource: Resource, tree: Tree) -> Pushed | None:
    """A tree in the source's terms; None where the source cannot apply any useful part of it."""
    match tree:
        case Condition():
            return _push_condition(resource, tree)
        case And(terms):
            found = [push(resource, term) for term in terms]
            useful = [item for item in found if item is not None]
            if not useful and terms:
                return None
            is_exact = len(useful) == len(found) and all(item.is_exact for item in useful)
            return Pushed(all_of(*(item.where for item in useful)), is_exact)
        case Or(terms):
            each = [push(resource, term) for term in terms]
            if any(item is None for item in each):
                return None
            known = [item for item in each if item is not None]
            return Pushed(any_of(*(item.where for item in known)), all(item.is_exact for item in known))
        case Not(term):
            inner = push(resource, term)
            return None if inner is None or not inner.is_exact else _complement(inner.where)


def _complement(where: Where) -> Pushed | None:
    """Negation needs an exact complement; a range has none that would find null as well."""
    try:
        return Pushed(opposite(where))
    except KeyError:
        return None


def _push_condition(resource: Resource, condition: Condition) -> Pushed | None:
    path, operator, value = condition.path, condition.operator, condition.value
    if path == "remoteId":
        return _push_key(resource, operator, value)
    if path == REFERENCE:
        return _push_reference(resource, operator, value)
    found = resource.find(path)
    if found is None:
        is_true = operator is Operator.IS_NULL and value is True
        return Pushed(ALWAYS if is_true else NEVER)
    word, model = found
    return word.push(operator, value, model)


def _push_reference(resource: Resource, operator: Operator, value: tuple[str, ...]) -> Pushed | None:
    """References name the collection; those to another one of the system are to no row of this one."""
    own = tuple(resource.own_key(text) for text in value if resource.owns(text))
    return _push_key(resource, operator, own)


def _push_key(resource: Resource, operator: Operator, value: Any) -> Pushed | None:
    """Every row has a key; text that cannot be one of this source equals none."""
    if operator is Operator.IS_NULL:
        return Pushed(NEVER if value else ALWAYS)
    if operator not in (Operator.EQ, Operator.IN, Operator.NE, Operator.NOT_IN):
        return None
    texts = value if isinstance(value, tuple) else (value,)
    keys = tuple(key for text in texts if (key := resource.key_form.read(text)) is not None)
    is_equal = operator in (Operator.EQ, Operator.IN)
    if not keys:
        return Pushed(NEVER if is_equal else ALWAYS)
    comparison = Comparison.IN if is_equal else Comparison.NOT_IN
    return Pushed(Compare(resource.key, comparison, keys, resource.key_form.kind))


def _names(resource: Resource, tree: Tree, left: Tree) -> tuple[str, ...]:
    """The filters that the source does not decide, as the client spelled them.

    One on a field that no row of the source fills is among them: it is decided without asking.
    """
    terms = tree.terms if isinstance(tree, And) else (tree,)
    asked = And(tuple(term for term in terms if term != NOT_DELETED))
    unfilled = [condition for condition in conditions(asked) if _is_unfilled(resource, condition.path)]
    entries = shape_of(resource.model).entries
    names = []
    for path in (condition.path for condition in (*conditions(left), *unfilled)):
        exact = next((entry.name for entry in entries if entry.path == path), None)
        names.append("id" if path == REFERENCE else exact or path.partition(".")[0])
    return tuple(dict.fromkeys(names))


def _is_unfilled(resource: Resource, path: str) -> bool:
    return path not in ("remoteId", REFERENCE) and resource.find(path) is None
