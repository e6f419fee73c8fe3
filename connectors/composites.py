"""The words for fields that are made of several values: value objects, calculations and child rows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.fields import At, FieldSpec, Pushed, Word, decoded
from connectors.keys import KeyForm
from connectors.protocols.base import Getter, Row, WireProtocol
from schema.filters import Operator
from schema.model import FieldModel, Kind, fields_of


@dataclass(frozen=True, eq=False)
class Parts(Word):
    """A value object made of its parts; null where nothing is known, or a part that it cannot do without is."""

    fields: Mapping[str, FieldSpec]

    def paths(self) -> Iterator[str]:
        """The paths of all parts."""
        for spec in self.fields.values():
            yield from spec.paths()

    def part(self, name: str) -> FieldSpec | None:
        """The word for one part."""
        return self.fields.get(name)

    def may_lack_others(self, name: str, models: Mapping[str, FieldModel]) -> bool:
        """Whether the value may be null although this part is there, because it cannot do without another."""
        others = [spec for other, spec in self.fields.items() if other != name and models[other].is_required]
        return any(not getattr(spec, "required", False) for spec in others)

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Read the parts and put them together."""
        cls = model.type
        models = fields_of(cls)
        readers = [(models[name].attribute, spec.reader(models[name], wire)) for name, spec in self.fields.items()]
        required = [models[name].attribute for name in self.fields if models[name].is_required]

        def read(row: Row) -> Any:
            values = {name: get(row) for name, get in readers}
            if required:
                return None if any(values[name] is None for name in required) else cls(**values)
            return None if all(value is None for value in values.values()) else cls(**values)

        return read


@dataclass(frozen=True, eq=False)
class PartOfAll(Word):
    """A part of a value object that is null where another part is missing, which the source does not know."""

    word: FieldSpec

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        """Rows with the part are among those found; rows without it are not the only ones where it is null."""
        if operator is Operator.IS_NULL and value:
            return None
        pushed = self.word.push(operator, value, model)
        return None if pushed is None else Pushed(pushed.where, is_exact=False)


@dataclass(frozen=True, eq=False)
class Calculated(Word):
    """A value that a function makes of decoded arguments; each argument is a path with the type of its value."""

    function: Callable[..., Any]
    arguments: Mapping[str, tuple[str, type[Any]]]

    def paths(self) -> Iterator[str]:
        """The paths of the arguments."""
        for path, _ in self.arguments.values():
            yield path

    def part(self, name: str) -> FieldSpec | None:
        """Any part may come out of it, but only here."""
        return Word()

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Decode the arguments and call the function."""
        function = self.function
        readers = _argument_readers(self.arguments, wire)
        return lambda row: function(**{name: get(row) for name, get in readers})


@dataclass(frozen=True, eq=False)
class OverChildren(Word):
    """A value that a function makes of child rows; it receives a list with a dictionary of arguments for each."""

    path: str
    function: Callable[[list[dict[str, Any]]], Any]
    arguments: Mapping[str, tuple[str, type[Any]]] = field(default_factory=dict)

    def paths(self) -> Iterator[str]:
        """The paths of the arguments, under that of the children."""
        for path, _ in self.arguments.values():
            yield f"{self.path}.{path}"

    def part(self, name: str) -> FieldSpec | None:
        """Any part may come out of it, but only here."""
        return Word()

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Decode every child's arguments and call the function once."""
        function, children = self.function, wire.children(self.path)
        readers = _argument_readers(self.arguments, wire)

        def read(row: Row) -> Any:
            rows = children(row)
            if rows is None:
                return None
            return function([{name: get(child) for name, get in readers} for child in rows])

        return read


@dataclass(frozen=True, eq=False)
class EachChild(Word):
    """A value object for each child row; for a field that is not a list, that of the first one."""

    path: str
    parts: Parts

    def paths(self) -> Iterator[str]:
        """The paths of the parts, under that of the children."""
        for path in self.parts.paths():
            yield f"{self.path}.{path}"

    def part(self, name: str) -> FieldSpec | None:
        """A part is known, but only here: the source cannot compare what stands in child rows."""
        return Word() if name in self.parts.fields else None

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Read the parts of each child."""
        children, read_one = wire.children(self.path), self.parts.reader(model, wire)

        def read(row: Row) -> list[Any] | None:
            rows = children(row)
            return None if rows is None else [value for child in rows if (value := read_one(child)) is not None]

        def read_first(row: Row) -> Any:
            return next(iter(read(row) or ()), None)

        return read if model.kind is Kind.VALUES else read_first


@dataclass(frozen=True, eq=False)
class Many(Word):
    """Child rows of their own kind, such as lines; `key` is the path of a child's own key, or the paths of its parts.

    `key_form` is given where a source sends children in no order to rely on: they are put in the order of their keys,
    which are written like this. Otherwise the source's order stands.
    """

    path: str
    key: str | tuple[str, ...]
    fields: Mapping[str, FieldSpec]
    unsupported: tuple[str, ...] = ()
    unmapped: tuple[str, ...] = ()
    key_form: KeyForm | None = None

    @property
    def key_paths(self) -> tuple[str, ...]:
        """The paths of all parts of the key."""
        return (self.key,) if isinstance(self.key, str) else self.key

    def paths(self) -> Iterator[str]:
        """The paths of the key and of all fields, under that of the children."""
        for path in self.key_paths:
            yield f"{self.path}.{path}"
        for spec in self.fields.values():
            for path in spec.paths():
                yield f"{self.path}.{path}"

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Child rows are read by the record's own reader, which knows what is selected of them."""
        return wire.children(self.path)


def _argument_readers(arguments: Mapping[str, tuple[str, type[Any]]], wire: WireProtocol) -> list[tuple[str, Getter]]:
    return [(name, decoded(wire.getter(path), wire.decoders[kind])) for name, (path, kind) in arguments.items()]


def money(amount: str | FieldSpec, currency: str | FieldSpec) -> Parts:
    """Money by the paths, or words, of amount and currency."""
    return Parts({"amount": _word(amount), "currency": _word(currency)})


def quantity(value: str | FieldSpec, source_unit: str | FieldSpec, unit: FieldSpec | None = None) -> Parts:
    """A quantity by the paths, or words, of its number and of the unit as the source writes it."""
    parts = {"value": _word(value), "sourceUnit": _word(source_unit)}
    return Parts(parts | {"unit": unit} if unit else parts)


def _word(given: str | FieldSpec) -> FieldSpec:
    return At(given) if isinstance(given, str) else given
