"""What to filter by: the values that records have, and the neighbours of each that a careless source confuses."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

from connectors.spec import Resource
from connectors.testing.walks import value_of
from schema.filters import Condition, DecimalFilter, MoneyFilter, Operator, StringFilter, shape_of
from schema.model import Entity, Kind

_MOST_OWN = 3
_STRANGE_TEXTS = ("", "%", "_", "O'Brien", '"', "\\", "Ä", "a_b", "nobody's", " ", "''", "(1) or (1", "0", "+ &#?")
_MOST_STRANGE_TEXTS = 8
_MOST_STRANGE_BEGINNINGS = 4
_STRANGE_KEYS = ("nobody", "0", "-1", "007", "9" * 30, "O'Brien", "")
_ELSEWHERE = timezone(timedelta(hours=2))
_TICK, _DAY = timedelta(microseconds=1), timedelta(days=1)
_FIRST_MOMENT, _LAST_MOMENT = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


@dataclass(frozen=True)
class Filterable:
    """A path that the contract can filter: its name there, the operators on offer and the type of its values."""

    name: str
    path: str
    operators: tuple[Operator, ...]
    kind: Any


def filterable(resource: Resource) -> Iterator[Filterable]:
    """Every path that a source may be asked to filter by; what names a connection is decided before."""
    model = resource.model
    for entry in shape_of(model).entries:
        if entry.path in ("id", "connectionId"):
            continue
        if entry.input is MoneyFilter:
            yield Filterable(entry.name, f"{entry.path}.amount", _operators(DecimalFilter), Decimal)
            yield Filterable(entry.name, f"{entry.path}.currency", _operators(StringFilter), str)
            continue
        yield Filterable(entry.name, entry.path, _operators(entry.input), _kind(model, entry.path))


def _kind(model: Entity, path: str) -> Any:
    """The type of the values that a path is compared with; keys and links compare as text."""
    name, _, part = path.partition(".")
    if part:
        return Decimal if part == "value" else str
    field = model.fields[name]
    return str if field.kind is Kind.LINK or name == "remoteId" else field.plain_type


def _operators(condition_input: type[Any]) -> tuple[Operator, ...]:
    offered = condition_input.__annotations__
    return tuple(operator for operator in Operator if f"{operator.word}_" in offered)


def conditions_on(resource: Resource, subject: Filterable, records: Iterable[Any]) -> Iterator[Condition]:
    """Conditions on one path: with values that records have, with their neighbours, and with strangers."""
    read = value_of(resource)(subject.path)
    own = _choose({value for record in records if (value := read(record)) is not None})
    model = resource.model.fields.get(subject.path)
    is_key = subject.path == "remoteId" or (model is not None and model.kind is Kind.LINK)
    near, strange = _near(own, subject.kind), _strange(subject.kind, is_key)
    for operator in subject.operators:
        for value in _operands(operator, own, near, strange):
            yield Condition(subject.path, operator, value)


def _choose(values: set[Any]) -> list[Any]:
    """A few of the values: the outermost, and among texts those with the strangest signs."""
    ordered = sorted(values, key=lambda value: value.name if isinstance(value, Enum) else value)
    if ordered and isinstance(ordered[0], str):
        ordered.sort(key=lambda text: (text.isalnum() and text.isascii(), text))
    if len(ordered) <= _MOST_OWN:
        return ordered
    step = (len(ordered) - 1) / (_MOST_OWN - 1)
    return [ordered[round(index * step)] for index in range(_MOST_OWN)]


def _near(own: Sequence[Any], kind: Any) -> list[Any]:
    """What a careless source takes for values that records have; of one or two values, which is enough."""
    some = own[-2:] if kind is str else own[-1:]
    if kind is Decimal:
        return [value + Decimal("0.001") for value in some]
    if kind is datetime:
        return [near for value in some for near in (value + _TICK, value - _TICK, value.astimezone(_ELSEWHERE))]
    if kind is date:
        return [near for value in some for near in (value + _DAY, value - _DAY)]
    if kind is str:
        return [text for value in some for text in (value.swapcase(), f"0{value}", f"{value} ", f" {value}")]
    return []


def _strange(kind: Any, is_key: bool) -> Sequence[Any]:
    """Values that no record has, as far as the type has any."""
    if kind is str:
        return _STRANGE_KEYS if is_key else _STRANGE_TEXTS
    if kind is Decimal:
        return (Decimal(0), Decimal(-1), Decimal("1e20"), Decimal("0.10"))
    if kind is datetime:
        return (_FIRST_MOMENT, _LAST_MOMENT)
    if kind is date:
        return (date.min + _DAY, date.max)
    return (True, False) if kind is bool else list(kind)


def _operands(operator: Operator, own: Sequence[Any], near: Sequence[Any], strange: Sequence[Any]) -> Iterator[Any]:
    match operator:
        case Operator.IS_NULL:
            yield from (True, False)
        case Operator.IN | Operator.NOT_IN:
            yield from (tuple(own), (*own[:1], *near, *strange), (), tuple(strange[:1]), tuple(near[:1]))
        case Operator.CONTAINS:
            for text in own:
                middle = text[len(text) // 3 : len(text) // 3 + 4]
                yield from (text, middle.swapcase(), text[:3].swapcase())
            yield from strange[:_MOST_STRANGE_TEXTS]
        case Operator.STARTS_WITH:
            for text in own:
                yield from (text, text[:3].swapcase())
            yield from strange[:_MOST_STRANGE_BEGINNINGS]
        case Operator.NE:
            yield from (*own[:2], *near[:2], *strange[:2])
        case Operator.EQ if strange is _STRANGE_TEXTS:
            yield from (*own, *near, *strange[:_MOST_STRANGE_TEXTS])
        case _:
            yield from (*own, *near, *strange)
