"""The words for fields that are decided: an enum value by a code or by cases, and a flag by a value."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from connectors.fields import Can, Pushed, Word, decoded
from connectors.protocols.base import Getter, Row, WireProtocol
from connectors.query import ALWAYS, NEVER, Compare, Comparison, Where, all_of, any_of, opposite
from schema.filters import Operator
from schema.model import FieldModel, Kind


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
            known = tuple(code for code, meant in self.codes.items() if meant is not value)
            return Compare(self.path, Comparison.NOT_IN, known) if known else ALWAYS
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
        if value.name == "UNKNOWN":
            found.append(all_of(*earlier))
        return any_of(*found)

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        """Ask for the rows whose deciding fields lead to the value."""
        return _push_enum(self._rows_with, operator, value) if Can.EQ in self.filter else None


def _enum_mistakes(where: str, model: FieldModel, given: Iterable[Enum]) -> Iterator[str]:
    if not model.is_enum:
        yield f"{where} is no enum"
        return
    if "UNKNOWN" not in model.type.__members__:
        yield f"{where}: {model.type.__name__} has no UNKNOWN for what is not listed"
    for value in given:
        if value not in model.type:
            yield f"{where} gives {value}, which is not one of {model.type.__name__}"


def _push_enum(rows_with: Callable[[Any], Where], operator: Operator, value: Any) -> Pushed:
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
class Always(Word):
    """A value that every row of a resource has: of an enum, or a text such as the only currency of a source."""

    gives: Enum | str

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Nothing has to be read."""
        return lambda row: self.gives

    def mistakes(self, where: str, model: FieldModel) -> Iterator[str]:
        """Only values of the field's own enum may be given, or text where the field is text."""
        if isinstance(self.gives, Enum):
            yield from _enum_mistakes(where, model, [self.gives])
        elif model.kind is not Kind.SCALAR or model.is_enum or model.plain_type is not str:
            yield f"{where} is no text, so it is not always {self.gives!r}"

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        """Every row is found, or none; words within the text are looked for here."""
        if operator in (Operator.CONTAINS, Operator.STARTS_WITH):
            return None
        return _push_enum(lambda wanted: ALWAYS if wanted == self.gives else NEVER, operator, value)


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
        value = self.value

        def is_flagged(found: Any) -> bool:
            if not isinstance(found, str):
                raise ValueError("not text")
            return found == value

        return decoded(wire.getter(self.path), is_flagged)

    def mistakes(self, where: str, model: FieldModel) -> Iterator[str]:
        """A flag is true or false."""
        if model.plain_type is not bool:
            yield f"{where} is not true or false, so it is no flag"

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        """Compare at the source."""
        if Can.EQ not in self.filter:
            return None
        if operator is Operator.IS_NULL:
            return Pushed(NEVER if value else ALWAYS)
        comparison = Comparison.EQ if value else Comparison.NOT_EQ
        return Pushed(Compare(self.path, comparison, self.value))
