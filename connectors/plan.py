"""What a source does of a question, and what is left for us: pushdown as a protocol of honesty.

Each condition is EXACT (the source decides), SUPERSET (pushed to cut the volume, and checked again here) or NONE
(done here). Only when nothing is left over does a limit mean what the client means by it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from connectors.fields import At, Pushed, compare_value
from connectors.protocols.walking import ROW_NUMBER, Walk
from connectors.query import ALWAYS, NEVER, Compare, Comparison, OrderBy, Read, Where, all_of, any_of, opposite
from connectors.spec import Resource
from schema.filters import (
    EVERYTHING,
    REFERENCE,
    And,
    Condition,
    Not,
    Operator,
    Or,
    Tree,
    conditions,
    simplify,
)
from schema.sorting import SortStep


@dataclass(frozen=True, eq=False, kw_only=True)
class NarrowResource(Resource):
    """A resource of a source that cannot be asked everything that the words of its fields could ask.

    `grasp` tells what the source makes of a condition, beside those that it has already: None where nothing. One
    that is not walked by keys is read from its beginning for every page, and sorted here. `has_own_paths` says that
    each record is read at a path of its own, and so one at a time.
    """

    grasp: Callable[[Where, Pushed], Pushed | None]
    walk: Walk = Walk.KEYS
    has_own_paths: bool = False


class Phase(Enum):
    """An ordered read comes in two parts, because a source's place for nulls is not ours: ours is the end."""

    VALUES = "rows that have a value to sort by"
    NULLS = "rows without one, in the order of their keys"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in one source's rows: just after the row with this value and key."""

    phase: Phase
    value: Any
    key: str


@dataclass(frozen=True, eq=False)
class ReadPlan:
    """How one source answers one question.

    `pushed` goes to the source; rows have to pass `left` here, whose filters `filtered_here` names. `sorter` is
    the field that the source sorts by; `sorts_here` says that the order is made here instead.
    """

    resource: Resource
    pushed: Where
    left: Tree
    filtered_here: tuple[str, ...]
    order: SortStep | None
    sorter: At | None
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
        if self.order is not None:
            paths.add(self.order.path)
        return frozenset(paths)

    @property
    def walk(self) -> Walk:
        """How the source is read to its end."""
        return self.resource.walk if isinstance(self.resource, NarrowResource) else Walk.KEYS

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The parts in which the source is read."""
        if self.sorter is None:
            return (Phase.NULLS,)
        return (Phase.VALUES,) if self.sorter.required else (Phase.VALUES, Phase.NULLS)

    def read(self, phase: Phase, after: Position | None, paths: frozenset[str], limit: int | None) -> Read:
        """The question for the rows of one phase that come after a position."""
        where = [self.pushed, self.resource.where]
        order = list(self.resource.key_order)
        if self.sorter is not None and self.order is not None:
            if not self.sorter.required:
                is_there = Comparison.PRESENT if phase is Phase.VALUES else Comparison.MISSING
                where.append(Compare(self.sorter.path, is_there, kind=self._sort_kind))
            if phase is Phase.VALUES:
                order.insert(0, OrderBy(self.sorter.path, self.order.descending))
        if after is not None:
            where.append(self._after(after))
        return Read(self.resource.source, paths, all_of(*where), tuple(order), limit)

    def read_on(self, skipped: int, paths: frozenset[str], limit: int) -> Read:
        """The question for the rows that come after so many, in whatever order the source has them."""
        behind = Compare(ROW_NUMBER, Comparison.GT, skipped, int) if skipped else ALWAYS
        return Read(self.resource.source, paths, all_of(self.pushed, self.resource.where, behind), (), limit)

    def _after(self, position: Position) -> Where:
        behind_key = self.resource.behind(position.key)
        if position.phase is Phase.NULLS or self.sorter is None or self.order is None:
            return behind_key
        compare = partial(
            compare_value,
            self.sorter.path,
            value=position.value,
            kind=self._sort_kind,
            resolution=self.sorter.resolution,
        )
        beyond = compare(operator=Operator.LT if self.order.descending else Operator.GT)
        return any_of(beyond, all_of(compare(operator=Operator.EQ), behind_key))

    @property
    def _sort_kind(self) -> type[Any]:
        found = self.resource.find(self.order.path) if self.order is not None else None
        return str if found is None else found[1].plain_type


def plan_read(resource: Resource, tree: Tree, order: SortStep | None) -> ReadPlan:
    """Decide what goes to the source and what stays here."""
    pushed, left = _split(resource, simplify(tree))
    sorter, sorts_here = _sorter(resource, order)
    if isinstance(resource, NarrowResource) and resource.walk is not Walk.KEYS:
        sorter, sorts_here = None, True
    return ReadPlan(resource, pushed, left, _names(resource, left), order, sorter, sorts_here)


def _sorter(resource: Resource, order: SortStep | None) -> tuple[At | None, bool]:
    """A field that is not mapped is null in every row, so that the order of keys is already right."""
    found = resource.find(order.path) if order is not None else None
    if found is None:
        return None, False
    word, _ = found
    if isinstance(word, At) and word.sort:
        return word, False
    return None, True


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


def _names(resource: Resource, tree: Tree) -> tuple[str, ...]:
    """The filters of a tree as the client spelled them."""
    names = (
        "id" if condition.path == REFERENCE else resource.filter_name(condition.path) for condition in conditions(tree)
    )
    return tuple(dict.fromkeys(names))
