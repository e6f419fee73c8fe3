"""Filters: the condition inputs of the contract, derived per entity, and the one tree that they are parsed to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, auto
from functools import cache
from typing import Annotated, Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from schema.errors import ErrorCode, failure
from schema.model import Entity, FieldModel, Kind, entity_of
from schema.scalars import Currency
from schema.values import Money, Quantity

REFERENCE = "@reference"
"""Stands for what others point to a record with, where a filter on ids has been made a connection's own."""


class Operator(Enum):
    """What a condition compares; `ne` and `notIn` need a value, as the contract says."""

    EQ = auto()
    NE = auto()
    IN = auto()
    NOT_IN = auto()
    GT = auto()
    GTE = auto()
    LT = auto()
    LTE = auto()
    CONTAINS = auto()
    STARTS_WITH = auto()
    IS_NULL = auto()

    @property
    def word(self) -> str:
        """The operator as the contract spells it, such as startsWith."""
        return to_camel_case(self.name.lower())


@dataclass(frozen=True, slots=True)
class Condition:
    """One field compared with one value; lists are tuples, and null is never a value here."""

    path: str
    operator: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class And:
    """Every term holds; without terms it always does."""

    terms: tuple["Tree", ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """At least one term holds; without terms none does."""

    terms: tuple["Tree", ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """The term does not hold; plain negation, so rows without a value are found."""

    term: "Tree"


Tree = Condition | And | Or | Not
EVERYTHING, NOTHING = And(), Or()


NOT_DELETED: Tree = Not(Condition("isDeleted", Operator.EQ, True))
"""What every question adds that does not speak of deleted rows."""


def conditions(tree: Tree) -> Iterator[Condition]:
    """Every condition in a tree."""
    match tree:
        case Condition():
            yield tree
        case And(terms) | Or(terms):
            for term in terms:
                yield from conditions(term)
        case Not(term):
            yield from conditions(term)


def simplify(tree: Tree) -> Tree:
    """The same tree with constants folded and single terms unwrapped."""
    match tree:
        case Condition(_, Operator.IN, ()):
            return NOTHING
        case Not(term):
            inner = simplify(term)
            if inner == EVERYTHING:
                return NOTHING
            if inner == NOTHING:
                return EVERYTHING
            return inner.term if isinstance(inner, Not) else Not(inner)
        case And(terms):
            return _fold(And, [simplify(term) for term in terms], NOTHING)
        case Or(terms):
            return _fold(Or, [simplify(term) for term in terms], EVERYTHING)
        case _:
            return tree


def _fold(kind: type[And] | type[Or], terms: list[Tree], decisive: Tree) -> Tree:
    flat: list[Tree] = []
    for term in terms:
        if term == decisive:
            return decisive
        flat.extend(term.terms if isinstance(term, kind) else (term,))
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def _condition_input(name: str, value_type: Any, about: str, words: dict[str, tuple[bool, str]]) -> type[Any]:
    """Make one condition input; `words` gives each operator and whether it takes a list."""
    namespace: dict[str, Any] = {"__doc__": about, "__annotations__": {}}
    for word, (takes_list, description) in words.items():
        attribute = f"{word}_"
        base = bool if word == "isNull" else value_type
        namespace["__annotations__"][attribute] = (list[base] if takes_list else base) | None  # type: ignore[valid-type]
        namespace[attribute] = strawberry.field(name=word, default=strawberry.UNSET, description=description)
    cls = type(name, (), namespace)
    strawberry.input(cls, description=about)
    return cls


_EQUAL = {
    "eq": (False, "Equal to this."),
    "ne": (False, "Has a value, and not this one."),
    "in": (True, "One of these."),
    "notIn": (True, "Has a value, and none of these."),
}
_NULL = {"isNull": (False, "True: has no value. False: has one.")}
_RANGE = {
    "gt": (False, "Greater than this."),
    "gte": (False, "This or greater."),
    "lt": (False, "Less than this."),
    "lte": (False, "This or less."),
}
_TIME = {
    "gt": (False, "After this."),
    "gte": (False, "This moment or later."),
    "lt": (False, "Before this."),
    "lte": (False, "This moment or earlier."),
}
_TEXT = {"contains": (False, "Contains this."), "startsWith": (False, "Starts with this.")}
_TAIL = "; all given ones must hold."

IDFilter = _condition_input("IDFilter", strawberry.ID, "Conditions on an id" + _TAIL, _EQUAL | _NULL)
StringFilter = _condition_input(
    "StringFilter",
    str,
    "Conditions on text; all given ones must hold. Equality minds capital letters, searching does not.",
    _EQUAL | _TEXT | _NULL,
)
BooleanFilter = _condition_input(
    "BooleanFilter", bool, "Conditions on true or false" + _TAIL, {"eq": _EQUAL["eq"]} | _NULL
)
DecimalFilter = _condition_input(
    "DecimalFilter", Decimal, "Conditions on an exact number" + _TAIL, _EQUAL | _RANGE | _NULL
)
DateFilter = _condition_input("DateFilter", date, "Conditions on a day" + _TAIL, _EQUAL | _TIME | _NULL)
DateTimeFilter = _condition_input("DateTimeFilter", datetime, "Conditions on a moment" + _TAIL, _EQUAL | _TIME | _NULL)


@strawberry.input(description="Conditions on money; amounts are compared as they stand, without conversion.")
class MoneyFilter:
    """Conditions on money; amounts are compared as they stand, without conversion."""

    amount: DecimalFilter | None = strawberry.field(  # type: ignore[valid-type]
        default=strawberry.UNSET, description="Conditions on the amount."
    )
    currency: StringFilter | None = strawberry.field(  # type: ignore[valid-type]
        default=strawberry.UNSET, description="Conditions on the currency."
    )


_CONDITION_INPUTS: dict[Any, type[Any]] = {
    str: StringFilter,
    Currency: StringFilter,
    bool: BooleanFilter,
    Decimal: DecimalFilter,
    date: DateFilter,
    datetime: DateTimeFilter,
    Money: MoneyFilter,
    Quantity: DecimalFilter,
}


@cache
def enum_filter(enum: type[Enum]) -> type[Any]:
    """The condition input of an enum, such as PurchaseOrderStatusFilter."""
    words = _EQUAL | _NULL
    return _condition_input(f"{enum.__name__}Filter", enum, f"Conditions on {enum.__name__}" + _TAIL, words)


@dataclass(frozen=True)
class Filterable:
    """One entry of a filter: its name, where in the row the value is, and the input that compares it."""

    name: str
    path: str
    input: type[Any]
    description: str


@dataclass(frozen=True, eq=False)
class FilterShape:
    """A whole filter input: its entries, and the paths that its `text` searches."""

    name: str
    module: str
    about: str
    entries: tuple[Filterable, ...]
    searched: tuple[str, ...]
    text: str
    can_combine: bool = True


_SEARCHED = ("number", "name", "title", "description")


@cache
def shape_of(entity: Entity) -> FilterShape:
    """What an entity can be filtered by: always its identity, and the fields that opted in."""
    entries = [
        Filterable("id", "id", IDFilter, "The global id."),
        Filterable("connectionId", "connectionId", IDFilter, "The connection."),
        Filterable("remoteId", "remoteId", StringFilter, "The key in the system."),
    ]
    for item in entity.fields.values():
        if item.marker.filter is not None:
            if item.kind is Kind.LINK:
                entries.append(Filterable(f"{item.name}Id", item.name, IDFilter, item.marker.filter))
            else:
                kind = enum_filter(item.type) if item.is_enum else _CONDITION_INPUTS[item.type]
                path = f"{item.name}.value" if item.type is Quantity else item.name
                entries.append(Filterable(item.name, path, kind, item.marker.filter))
        for name, (part, description) in item.marker.filter_parts.items():
            entries.append(Filterable(name, f"{item.name}.{part}", StringFilter, description))
    return FilterShape(
        name=f"{entity.name}Filter",
        module=entity.cls.__module__,
        about=f"Which {entity.plural}; all given conditions must hold, and a row without a value meets only "
        "`isNull: true`.",
        entries=tuple(entries),
        searched=tuple(name for name in _SEARCHED if name in entity.fields),
        text="Words to look for in number, name, title and description; capital letters do not matter.",
    )


def filter_of(cls: type[Any]) -> type[Any]:
    """Derive the filter input of an entity's class, such as PurchaseOrderFilter."""
    return filter_input(shape_of(entity_of(cls)))


@cache
def filter_input(shape: FilterShape) -> type[Any]:
    """Make the input of a filter; it has to stand under its own name in its module, which it refers to lazily."""
    annotations: dict[str, Any] = {}
    namespace: dict[str, Any] = {"__annotations__": annotations, "__module__": shape.module}

    def add(name: str, annotation: Any, description: str) -> None:
        annotations[f"{name}_"] = annotation | None
        namespace[f"{name}_"] = strawberry.field(name=name, default=strawberry.UNSET, description=description)

    if shape.can_combine:
        itself: Any = Annotated[shape.name, strawberry.lazy(shape.module)]
        add("and", list[itself], "All of these.")
        add("or", list[itself], "At least one of these.")
        add("not", itself, "Not this; it also finds rows without a value.")
    add("text", str, shape.text)
    for item in shape.entries:
        add(item.name, item.input, item.description)
    derived = type(shape.name, (), namespace)
    strawberry.input(derived, description=shape.about)
    return derived


def parse(shape: FilterShape, given: Any, where: str = "filter") -> Tree:
    """Read a filter input into one tree, just as it was given; null as an operator's value is refused with its path."""
    if not given:
        return EVERYTHING
    terms: list[Tree] = []
    for item in shape.entries:
        value = getattr(given, f"{item.name}_")
        if value:
            terms.append(_parse_conditions(item.path, value, f"{where}.{item.name}"))
    if given.text_:
        terms.append(_search(shape, given.text_))
    if shape.can_combine:
        for place, group in enumerate(given.and_ or ()):
            terms.append(parse(shape, group, f"{where}.and.{place}"))
        if isinstance(given.or_, list):
            terms.append(Or(tuple(parse(shape, group, f"{where}.or.{place}") for place, group in enumerate(given.or_))))
        if given.not_:
            terms.append(Not(parse(shape, given.not_, f"{where}.not")))
    return And(tuple(terms))


def _search(shape: FilterShape, text: str) -> Tree:
    """Each word has to be found in one of the searched fields."""
    return And(
        tuple(Or(tuple(Condition(path, Operator.CONTAINS, word) for path in shape.searched)) for word in text.split())
    )


def _parse_conditions(path: str, given: Any, where: str) -> Tree:
    if isinstance(given, MoneyFilter):
        parts = (("amount", given.amount), ("currency", given.currency))
        return And(
            tuple(
                _parse_conditions(f"{path}.{part}", value, f"{where}.{part}")
                for part, value in parts
                if value is not strawberry.UNSET and value is not None
            )
        )
    terms: list[Tree] = []
    for operator in Operator:
        value = getattr(given, f"{operator.word}_", strawberry.UNSET)
        if value is strawberry.UNSET:
            continue
        if value is None:
            raise failure(
                ErrorCode.VALIDATION_FAILED,
                f"`{operator.word}` takes a value, not null; use `isNull` to find rows without a value.",
                field=f"{where}.{operator.word}",
            )
        terms.append(Condition(path, operator, tuple(value) if isinstance(value, list) else value))
    return And(tuple(terms))


def comparable_type(entity: Entity, path: str) -> Any:
    """The Python type that a path's values have when they are compared; keys and links compare as text."""
    name, _, part = path.partition(".")
    item: FieldModel | None = entity.fields.get(name)
    if item is None or item.kind is Kind.LINK:
        return str
    if part:
        return Decimal if part in ("amount", "value") else str
    return item.type
