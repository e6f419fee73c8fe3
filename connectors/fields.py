"""The words for one field: where its value is in the source, how it is read, filtered and sorted."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, Flag, auto
from typing import Any, Protocol

from connectors.protocols.base import Getter, Row, WireProtocol
from connectors.query import (
    ALWAYS,
    NEVER,
    Compare,
    Comparison,
    Where,
    all_of,
    any_of,
    opposite,
)
from schema.filters import Operator
from schema.model import FieldModel


class Can(Flag):
    """Which conditions the source itself can apply to a field."""

    NOTHING = 0
    EQ = auto()
    RANGE = auto()
    TEXT = auto()
    NULL = auto()


_NEEDS = {
    Operator.EQ: Can.EQ,
    Operator.NE: Can.EQ,
    Operator.IN: Can.EQ,
    Operator.NOT_IN: Can.EQ,
    Operator.GT: Can.RANGE,
    Operator.GTE: Can.RANGE,
    Operator.LT: Can.RANGE,
    Operator.LTE: Can.RANGE,
    Operator.CONTAINS: Can.TEXT,
    Operator.STARTS_WITH: Can.TEXT,
    Operator.IS_NULL: Can.NULL,
}


@dataclass(frozen=True, slots=True)
class Pushed:
    """A condition in the source's own fields, and whether it finds exactly the rows or some more."""

    where: Where
    is_exact: bool = True


class FieldSpec(Protocol):
    """How one field of an entity is filled from a source."""

    def paths(self) -> Iterator[str]:
        """The source's paths that the value is made of."""

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Make the function that reads the value from a row; it raises where the value is unreadable."""

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        """The condition in the source's terms, or None where the source cannot apply it."""

    def part(self, name: str) -> "FieldSpec | None":
        """The word for a part of a value object, such as the amount of money."""

    def mistakes(self, where: str, model: FieldModel) -> Iterator[str]:
        """What is wrong with using this word for that field."""


class Word:
    """What most words are: neither filtered nor sorted by the source, and without parts."""

    def paths(self) -> Iterator[str]:
        """None; words that read something say what."""
        yield from ()

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Nothing to read."""
        return lambda row: None

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        """The source cannot apply it."""
        return None

    def part(self, name: str) -> FieldSpec | None:
        """There are no parts."""
        return None

    def mistakes(self, where: str, model: FieldModel) -> Iterator[str]:
        """Nothing can be wrong."""
        yield from ()


@dataclass(frozen=True, eq=False)
class At(Word):
    """The value at a path.

    `filter` and `sort` say what the source itself can do; `required` that it is never empty there. `resolution`
    is for moments that the source keeps finer than it shows them: comparing with a shown value then means
    comparing with the whole span that is shown alike.
    """

    path: str
    filter: Can = Can.NOTHING
    sort: bool = False
    required: bool = False
    resolution: timedelta | None = None

    def paths(self) -> Iterator[str]:
        """The one path."""
        yield self.path

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Decode what stands at the path."""
        return decoded(wire.getter(self.path), wire.decoders[model.plain_type])

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        """Compare at the source, as far as this field is declared to."""
        if _NEEDS[operator] not in self.filter and not (operator is Operator.IS_NULL and self.required):
            return None
        if _NEEDS[operator] is Can.TEXT and not value.isascii():
            return None  # sources differ in which letters beyond ASCII they take for the same
        kind = model.plain_type
        if operator is Operator.IS_NULL:
            if self.required:
                return Pushed(NEVER if value else ALWAYS)
            return Pushed(Compare(self.path, Comparison.MISSING if value else Comparison.PRESENT, kind=kind))
        where = compare_value(self.path, operator, value, kind, self.resolution)
        if operator in (Operator.NE, Operator.NOT_IN) and not self.required:
            where = all_of(where, Compare(self.path, Comparison.PRESENT, kind=kind))
        return Pushed(where)


def compare_value(
    path: str, operator: Operator, value: Any, kind: type[Any], resolution: timedelta | None = None
) -> Where:
    """A condition on one path; empty text is no value, so nothing equals it."""
    if operator is Operator.IN:
        if resolution is not None:
            return any_of(*(compare_value(path, Operator.EQ, item, kind, resolution) for item in value))
        items = tuple(item for item in value if item != "")
        return Compare(path, Comparison.IN, items, kind) if items else NEVER
    if operator is Operator.NOT_IN:
        if resolution is not None:
            return all_of(*(compare_value(path, Operator.NE, item, kind, resolution) for item in value))
        items = tuple(item for item in value if item != "")
        return Compare(path, Comparison.NOT_IN, items, kind) if items else ALWAYS
    if value == "" and operator in (Operator.EQ, Operator.NE):
        return NEVER if operator is Operator.EQ else ALWAYS
    if resolution is not None and isinstance(value, datetime):
        return _compare_spans(path, operator, value, resolution)
    comparison = Comparison.NOT_EQ if operator is Operator.NE else Comparison[operator.name]
    return Compare(path, comparison, value, kind)


def _compare_spans(path: str, operator: Operator, value: datetime, step: timedelta) -> Where:
    """Compare what is shown: a shown moment stands for the span from itself to the next one."""
    floor = value - (value - datetime.min.replace(tzinfo=value.tzinfo)) % step
    is_shown = floor == value
    after = floor + step
    ceiling = value if is_shown else after

    def at_least(moment: datetime) -> Where:
        return Compare(path, Comparison.GTE, moment, datetime)

    def below(moment: datetime) -> Where:
        return Compare(path, Comparison.LT, moment, datetime)

    match operator:
        case Operator.GT:
            return at_least(after)
        case Operator.GTE:
            return at_least(ceiling)
        case Operator.LT:
            return below(ceiling)
        case Operator.LTE:
            return below(after)
        case Operator.EQ:
            return all_of(at_least(floor), below(after)) if is_shown else NEVER
        case _:
            return any_of(below(floor), at_least(after)) if is_shown else ALWAYS


@dataclass(frozen=True, eq=False)
class Codes(Word):
    """An enum value by the code at a path; a code that is not listed is UNKNOWN.

    The path has to be filled in every row (an empty code may be listed as ""), so that the complement is exact.
    """

    path: str
    codes: Mapping[str, Enum]
    filter: Can = Can.NOTHING

    def paths(self) -> Iterator[str]:
        """The one path."""
        yield self.path

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Look the code up."""
        get, codes, unknown = wire.getter(self.path), self.codes, model.type["UNKNOWN"]
        return lambda row: codes.get(get(row), unknown)

    def mistakes(self, where: str, model: FieldModel) -> Iterator[str]:
        """Only values of the field's own enum may be given."""
        yield from _enum_mistakes(where, model, self.codes.values())

    def _rows_with(self, value: Enum) -> Where:
        if value.name == "UNKNOWN":
            return Compare(self.path, Comparison.NOT_IN, tuple(self.codes))
        codes = tuple(code for code, meant in self.codes.items() if meant is value)
        return Compare(self.path, Comparison.IN, codes) if codes else NEVER

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        """Several codes may mean one value, so equality asks for all of them."""
        return _push_enum(self._rows_with, operator, value) if Can.EQ in self.filter else None


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a decision: where the value at a path is this, the result is that."""

    path: str
    value: str | bool
    gives: Enum

    def holds(self) -> Where:
        """The case as a condition of the source."""
        return Compare(self.path, Comparison.EQ, self.value, type(self.value))


@dataclass(frozen=True, eq=False)
class First(Word):
    """An enum value decided by the first case that holds, over several fields; none holding is UNKNOWN."""

    cases: tuple[Case, ...]
    filter: Can = Can.NOTHING

    def paths(self) -> Iterator[str]:
        """The deciding paths."""
        yield from dict.fromkeys(case.path for case in self.cases)

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Try the cases in order."""
        tests = [(wire.getter(case.path), case.value, case.gives) for case in self.cases]
        unknown = model.type["UNKNOWN"]

        def read(row: Row) -> Enum:
            for get, value, gives in tests:
                if get(row) == value:
                    return gives
            result: Enum = unknown
            return result

        return read

    def mistakes(self, where: str, model: FieldModel) -> Iterator[str]:
        """Only values of the field's own enum may be given."""
        yield from _enum_mistakes(where, model, [case.gives for case in self.cases])

    def _rows_with(self, value: Enum) -> Where:
        """A case decides only where no earlier one has."""
        found: list[Where] = []
        earlier: list[Where] = []
        for case in self.cases:
            if case.gives is value:
                found.append(all_of(*earlier, case.holds()))
            earlier.append(opposite(case.holds()))
        return all_of(*earlier) if value.name == "UNKNOWN" else any_of(*found)

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        """Ask for the rows whose deciding fields lead to the value."""
        return _push_enum(self._rows_with, operator, value) if Can.EQ in self.filter else None


def _enum_mistakes(where: str, model: FieldModel, given: Iterable[Enum]) -> Iterator[str]:
    if not model.is_enum:
        yield f"{where} is no enum"
        return
    for value in given:
        if value not in model.type:
            yield f"{where} gives {value}, which is not one of {model.type.__name__}"


def _push_enum(rows_with: Callable[[Enum], Where], operator: Operator, value: Any) -> Pushed:
    """Conditions on a value that every row has."""
    match operator:
        case Operator.EQ:
            return Pushed(rows_with(value))
        case Operator.NE:
            return Pushed(opposite(rows_with(value)))
        case Operator.IN:
            return Pushed(any_of(*map(rows_with, value)))
        case Operator.NOT_IN:
            return Pushed(opposite(any_of(*map(rows_with, value))))
        case _:
            return Pushed(NEVER if value else ALWAYS)


@dataclass(frozen=True, eq=False)
class Flagged(Word):
    """True where the value at a path is this one, else false."""

    path: str
    value: str
    filter: Can = Can.NOTHING

    def paths(self) -> Iterator[str]:
        """The one path."""
        yield self.path

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Compare; an absent field says nothing."""
        get, value = wire.getter(self.path), self.value

        def read(row: Row) -> bool | None:
            found = get(row)
            return None if found is None else found == value

        return read

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        """Compare at the source."""
        if Can.EQ not in self.filter:
            return None
        if operator is Operator.IS_NULL:
            return Pushed(NEVER if value else ALWAYS)
        comparison = Comparison.EQ if value else Comparison.NOT_EQ
        return Pushed(Compare(self.path, comparison, self.value))


@dataclass(frozen=True, eq=False)
class Ref(Word):
    """The key of a linked record; `kind` is the type that the key has in the source."""

    path: str
    filter: Can = Can.NOTHING
    kind: type[str] | type[int] = str

    def paths(self) -> Iterator[str]:
        """The one path."""
        yield self.path

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Read the key as text."""
        return decoded(wire.getter(self.path), wire.decoders[str])

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        """Compare keys; text that cannot be a key of this source equals none."""
        if _NEEDS[operator] not in self.filter:
            return None
        if operator is Operator.IS_NULL:
            return Pushed(Compare(self.path, Comparison.MISSING if value else Comparison.PRESENT, kind=self.kind))
        keys = [self._key(item) for item in (value if isinstance(value, tuple) else (value,))]
        found = tuple(key for key in keys if key is not None)
        present = Compare(self.path, Comparison.PRESENT, kind=self.kind)
        if operator in (Operator.EQ, Operator.IN):
            return Pushed(Compare(self.path, Comparison.IN, found, self.kind) if found else NEVER)
        others = Compare(self.path, Comparison.NOT_IN, found, self.kind) if found else ALWAYS
        return Pushed(all_of(others, present))

    def _key(self, text: str) -> str | int | None:
        if self.kind is str:
            return text or None
        return int(text) if text.isascii() and text.isdigit() else None


@dataclass(frozen=True, eq=False)
class Joined(Word):
    """The texts at several paths, joined by a space; null where all are empty."""

    sources: tuple[str, ...]

    def paths(self) -> Iterator[str]:
        """All of them."""
        yield from self.sources

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Join what is there."""
        getters = [wire.getter(path) for path in self.sources]

        def read(row: Row) -> str | None:
            return " ".join(str(text) for get in getters if (text := get(row))) or None

        return read


@dataclass(frozen=True, eq=False)
class FirstText(Word):
    """The first text that is not empty."""

    sources: tuple[str, ...]

    def paths(self) -> Iterator[str]:
        """All of them, since only the answer tells which is empty."""
        yield from self.sources

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Take the first that is there."""
        getters = [decoded(wire.getter(path), wire.decoders[str]) for path in self.sources]
        return lambda row: next((text for get in getters if (text := get(row)) is not None), None)


@dataclass(frozen=True, eq=False)
class Lookup(Word):
    """A text by the code at a path, such as a unit of UN/ECE Rec 20; null where the code is not listed."""

    path: str
    table: Mapping[str, str]

    def paths(self) -> Iterator[str]:
        """The one path."""
        yield self.path

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Look the code up."""
        get, table = wire.getter(self.path), self.table
        return lambda row: table.get(get(row))


def decoded(get: Getter, decode: Callable[[Any], Any]) -> Getter:
    """Decode what is found; null stays null."""

    def read(row: Row) -> Any:
        value = get(row)
        return None if value is None else decode(value)

    return read
