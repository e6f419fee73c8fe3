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
from schema.model import Kind

_LISTS = (Operator.IN, Operator.NOT_IN)
_PARTS_OF_TEXT = (Operator.CONTAINS, Operator.STARTS_WITH)
_MOST_OWN = 4
_STRANGE_TEXTS = ("", " ", "nobody's", "O'Brien", "''", "%", "_", "a_b", '"', "\\", "Ä", "ß", "(1) or (1", "0", "+ &#?")
_STRANGE_KEYS = ("nobody", "0", "-1", "007", "9" * 30, "O'Brien", "")
_ELSEWHERE = timezone(timedelta(hours=2))
_FIRST_MOMENT, _LAST_MOMENT = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


@dataclass(frozen=True)
class Filterable:
    """A path that the contract can filter, with the operators that it offers there and the type of its values."""

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
            yield Filterable(f"{entry.path}.amount", _operators(DecimalFilter), Decimal)
            yield Filterable(f"{entry.path}.currency", _operators(StringFilter), str)
            continue
        name, _, part = entry.path.partition(".")
        field = model.fields[name]
        is_text = bool(part) or field.kind is Kind.LINK or name == "remoteId"
        yield Filterable(entry.path, _operators(entry.input), str if is_text else field.plain_type)


def _operators(condition_input: type[Any]) -> tuple[Operator, ...]:
    offered = condition_input.__annotations__
    return tuple(operator for operator in Operator if f"{operator.word}_" in offered)


def conditions_on(resource: Resource, subject: Filterable, records: Iterable[Any]) -> Iterator[Condition]:
    """Conditions on one path: with values that records have, with their neighbours, and with strangers."""
    read = value_of(resource)(subject.path)
    own = _choose({value for record in records if (value := read(record)) is not None})
    is_key = subject.path == "remoteId" or (
        subject.path in resource.model.fields and resource.model.fields[subject.path].kind is Kind.LINK
    )
    strangers = _STRANGE_KEYS if is_key else _STRANGE_TEXTS
    values = [*own, *_neighbours(own, subject.kind, strangers)]
    for operator in subject.operators:
        for value in _operands(operator, own, values):
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


def _neighbours(own: Sequence[Any], kind: Any, strange_texts: Sequence[str]) -> list[Any]:
    if kind is bool:
        return [value for value in (True, False) if value not in own]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [value for value in kind if value not in own]
    if kind is Decimal:
        step = Decimal("0.001")
        return [*(value + step for value in own), Decimal(0), Decimal(-1), Decimal("1e20"), Decimal("0.10")]
    if kind is datetime:
        step = timedelta(microseconds=1)
        shifted = [moment for value in own for moment in (value + step, value - step)]
        elsewhere = [value.astimezone(_ELSEWHERE) for value in own]
        return [*shifted, *elsewhere, _FIRST_MOMENT, _LAST_MOMENT]
    if kind is date:
        step = timedelta(days=1)
        return [*(day for value in own for day in (value + step, value - step)), date.min, date.max]
    wrong = [text for value in own for text in (value.swapcase(), f"0{value}", f"{value} ", f" {value}", f"{value}x")]
    return [*wrong, *strange_texts]


def _operands(operator: Operator, own: Sequence[Any], values: Sequence[Any]) -> Iterator[Any]:
    if operator is Operator.IS_NULL:
        yield from (True, False)
    elif operator in _LISTS:
        yield from (tuple(own), tuple(values), (), tuple(values[-1:]), tuple(values[len(own) : len(own) + 1]))
    elif operator in _PARTS_OF_TEXT:
        yield from values
        for text in own:
            middle = text[len(text) // 3 : len(text) // 3 + 4]
            yield from (middle, middle.swapcase(), text[:3], text[:3].swapcase())
    else:
        yield from values
