"""What is asked of one source: conditions on its own fields, the fields to send, the order and the limit."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from schema.records import Served


class Comparison(Enum):
    """What a source compares; NOT_EQ and NOT_IN are true of missing values too, MISSING includes empty text."""

    EQ = auto()
    NOT_EQ = auto()
    IN = auto()
    NOT_IN = auto()
    GT = auto()
    GTE = auto()
    LT = auto()
    LTE = auto()
    CONTAINS = auto()
    STARTS_WITH = auto()
    MISSING = auto()
    PRESENT = auto()


@dataclass(frozen=True, slots=True)
class Compare:
    """One field of the source compared with a value; `kind` is the Python type of the field's values."""

    path: str
    comparison: Comparison
    value: Any = None
    kind: type[Any] = str


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every term holds; without terms it always does."""

    terms: tuple["Where", ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one term holds; without terms none does."""

    terms: tuple["Where", ...] = ()


Where = Compare | AllOf | AnyOf
ALWAYS, NEVER = AllOf(), AnyOf()


def all_of(*terms: Where) -> Where:
    """Every term, flattened, with constants folded."""
    return _combine(AllOf, terms, decisive=NEVER)


def any_of(*terms: Where) -> Where:
    """At least one term, flattened, with constants folded."""
    return _combine(AnyOf, terms, decisive=ALWAYS)


def _combine(kind: type[AllOf] | type[AnyOf], terms: tuple[Where, ...], decisive: Where) -> Where:
    flat: list[Where] = []
    for term in terms:
        if term == decisive:
            return decisive
        flat.extend(term.terms if isinstance(term, kind) else (term,))
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


_OPPOSITES = {
    Comparison.EQ: Comparison.NOT_EQ,
    Comparison.NOT_EQ: Comparison.EQ,
    Comparison.IN: Comparison.NOT_IN,
    Comparison.NOT_IN: Comparison.IN,
    Comparison.MISSING: Comparison.PRESENT,
    Comparison.PRESENT: Comparison.MISSING,
}


def opposite(where: Where) -> Where:
    """The exact complement of conditions that have one; ranges have none, because null meets neither side."""
    match where:
        case Compare(path, comparison, value, kind):
            return Compare(path, _OPPOSITES[comparison], value, kind)
        case AllOf(terms):
            return any_of(*map(opposite, terms))
        case AnyOf(terms):
            return all_of(*map(opposite, terms))


def compared(where: Where) -> Iterator[Compare]:
    """Every comparison in a tree."""
    match where:
        case Compare():
            yield where
        case AllOf(terms) | AnyOf(terms):
            for term in terms:
                yield from compared(term)


@dataclass(frozen=True, slots=True)
class OrderBy:
    """One step of a source's own order."""

    path: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """One question to a source: rows of a collection, with only these fields, conditions, order and limit.

    Paths are dotted; a step may lead to a linked record or to child rows, as the source has them. `context` is what a
    source has to know to work values out, such as the places where stock is counted; few sources work any out.
    """

    source: str
    paths: frozenset[str]
    where: Where = ALWAYS
    order: tuple[OrderBy, ...] = ()
    limit: int | None = None
    context: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, without host and credentials; `query` is already encoded.

    `is_read` says of a request by another method than GET that it changes nothing.
    """

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    is_read: bool = False

    @property
    def is_safe(self) -> bool:
        """Whether it does no harm to send it twice."""
        return self.is_read or self.method in ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, read whole."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as the source sent them, and how to ask for the rest of the same question, if the source cut it.

    `served` says where they came from, unless they were read for this very question.
    """

    rows: list[dict[str, Any]] = field(repr=False)
    next: Request | None = None
    served: Served | None = None
