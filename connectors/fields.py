"""The words for one field: where its value is in the source, how it is read, filtered and sorted."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Flag, auto
from typing import Any, Protocol

from connectors.keys import TEXT, KeyForm, can_be_sent
from connectors.protocols.base import Getter, Row, WireProtocol
from connectors.query import (
    ALWAYS,
    NEVER,
    Compare,
    Comparison,
    Where,
    all_of,
    any_of,
)
from schema.filters import Operator
from schema.model import FieldModel, Kind


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

    `filter` and `sort` say what the source itself can do; `required` that it is never empty there. `finds_more` says
    that its search in text may take other letters for the same, so that what it finds is looked at again here.
    `resolution` is for moments that the source keeps finer than it shows them: comparing with a shown value then
    means comparing with the whole span that is shown alike.
    """

    path: str
    filter: Can = Can.NOTHING
    sort: bool = False
    required: bool = False
    finds_more: bool = False
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
        if _NEEDS[operator] is Can.TEXT and value == "":
            return self.push(Operator.IS_NULL, False, model)
        if _NEEDS[operator] is Can.TEXT and not value.isascii():
            return None  # sources differ in which letters beyond ASCII they take for the same
        if not all(can_be_sent(item) for item in _each(value) if isinstance(item, str)):
            return None
        kind = model.plain_type
        if operator is Operator.IS_NULL:
            if self.required:
                return Pushed(NEVER if value else ALWAYS)
            return Pushed(Compare(self.path, Comparison.MISSING if value else Comparison.PRESENT, kind=kind))
        where = self.compare(operator, value, kind)
        if operator in (Operator.NE, Operator.NOT_IN) and not self.required:
            where = all_of(where, Compare(self.path, Comparison.PRESENT, kind=kind))
        return Pushed(where, is_exact=not (self.finds_more and _NEEDS[operator] is Can.TEXT))

    def compare(self, operator: Operator, value: Any, kind: type[Any]) -> Where:
        """A condition on the path, in the source's own terms."""
        return compare_value(self.path, operator, value, kind, self.resolution)

    def mistakes(self, where: str, model: FieldModel) -> Iterator[str]:
        """One path gives one plain value, and is compared as such."""
        if model.kind is not Kind.SCALAR:
            yield f"{where} holds {model.kind.value}, which no single path gives"
        elif model.is_enum:
            yield f"{where} is an enum: name its codes with Codes, or its cases with First"
        else:
            if Can.TEXT in self.filter and model.plain_type is not str:
                yield f"{where} declares a search in text, which it does not hold"
            if Can.RANGE in self.filter and model.plain_type in (str, bool):
                yield f"{where} declares a range, which the contract does not offer for its type"
            if self.resolution is not None and model.plain_type is not datetime:
                yield f"{where} has a resolution, which only moments have"


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


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
    if kind is date and (operator, value) in _BEYOND_ALL_DAYS:
        return NEVER
    if kind is date and (operator, value) in _ALL_DAYS:
        return Compare(path, Comparison.PRESENT, kind=kind)
    comparison = Comparison.NOT_EQ if operator is Operator.NE else Comparison[operator.name]
    return Compare(path, comparison, value, kind)


_ALL_DAYS = ((Operator.GTE, date.min), (Operator.LTE, date.max))
_BEYOND_ALL_DAYS = ((Operator.LT, date.min), (Operator.GT, date.max))
"""Sources that keep no day as the first one, or look for the day after the last, would answer something else."""
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


def _compare_spans(path: str, operator: Operator, value: datetime, step: timedelta) -> Where:
    """Compare what is shown: a shown moment stands for the span from itself to the next one."""
    floor = value - (value - datetime.min.replace(tzinfo=value.tzinfo)) % step
    is_shown = floor == value
    after = floor + step if floor < _END_OF_TIME - step else _END_OF_TIME
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
class Ref(Word):
    """A key: that of a linked record, or the record's own where people know it by that; `form` is how it is written."""

    path: str
    filter: Can = Can.NOTHING
    form: KeyForm = TEXT
    prefix: str = ""

    def paths(self) -> Iterator[str]:
        """The one path."""
        yield self.path

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Read the key as text, with the prefix that tells which collection it is of."""
        decode, prefix = wire.decoders[str], self.prefix

        def read(value: Any) -> str | None:
            text = decode(value)
            return prefix + text if text is not None else None

        return decoded(wire.getter(self.path), read)

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        """Compare keys; text that can be no key of this source equals none."""
        if _NEEDS[operator] not in self.filter:
            return None
        if operator is Operator.IS_NULL:
            return Pushed(Compare(self.path, Comparison.MISSING if value else Comparison.PRESENT, kind=self.form.kind))
        own = [text.removeprefix(self.prefix) for text in _each(value) if text.startswith(self.prefix)]
        keys = tuple(key for text in own if (key := self.form.read(text)) is not None)
        if operator in (Operator.EQ, Operator.IN):
            return Pushed(Compare(self.path, Comparison.IN, keys, self.form.kind) if keys else NEVER)
        others = Compare(self.path, Comparison.NOT_IN, keys, self.form.kind) if keys else ALWAYS
        return Pushed(all_of(others, Compare(self.path, Comparison.PRESENT, kind=self.form.kind)))

    def mistakes(self, where: str, model: FieldModel) -> Iterator[str]:
        """A key is text, or stands for a linked record."""
        if model.kind is not Kind.LINK and (model.kind is not Kind.SCALAR or model.plain_type is not str):
            yield f"{where} is neither a link nor text, so it holds no key"


@dataclass(frozen=True, eq=False)
class FirstRef(Word):
    """The key of a linked record at the first of two paths that has one, such as equipment, else its location."""

    first: Ref
    second: Ref

    @property
    def filter(self) -> Can:
        """What the source can do with both."""
        return self.first.filter & self.second.filter

    def paths(self) -> Iterator[str]:
        """Both paths."""
        yield self.first.path
        yield self.second.path

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Read the second where the first is empty."""
        first, second = self.first.reader(model, wire), self.second.reader(model, wire)

        def read(row: Row) -> Any:
            found = first(row)
            return second(row) if found is None else found

        return read

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        """Compare the first, and the second only where the first is empty."""
        one, other = self.first.push(operator, value, model), self.second.push(operator, value, model)
        if one is None or other is None:
            return None
        first_missing = Compare(self.first.path, Comparison.MISSING, kind=self.first.form.kind)
        if operator is Operator.IS_NULL:
            return Pushed(all_of(one.where, other.where) if value else any_of(one.where, other.where))
        return Pushed(any_of(one.where, all_of(first_missing, other.where)))

    def mistakes(self, where: str, model: FieldModel) -> Iterator[str]:
        """Keys stand for linked records."""
        if model.kind is not Kind.LINK:
            yield f"{where} is no link"


class TextWord(Word):
    """What the words are that make text."""

    def mistakes(self, where: str, model: FieldModel) -> Iterator[str]:
        """Nothing but text can be made."""
        if model.kind is not Kind.SCALAR or model.plain_type is not str:
            yield f"{where} is no text, which is all that {type(self).__name__} makes"


@dataclass(frozen=True, eq=False)
class Joined(TextWord):
    """The texts at several paths, joined by a space; null where all are empty."""

    sources: tuple[str, ...]

    def paths(self) -> Iterator[str]:
        """All of them."""
        yield from self.sources

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Join what is there."""
        getters = [decoded(wire.getter(path), wire.decoders[str]) for path in self.sources]

        def read(row: Row) -> str | None:
            return " ".join(text for get in getters if (text := get(row)) is not None) or None

        return read


@dataclass(frozen=True, eq=False)
class FirstText(TextWord):
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
class Lookup(TextWord):
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
