"""What a query means, said once more and without the product's code: over rows as they are, all at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
"""A row as clients see it: field names with values of Python, `connection` and `key` among them."""

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, wanted: value == wanted,
    "ne": lambda value, wanted: value != wanted,
    "in": lambda value, wanted: value in wanted,
    "notIn": lambda value, wanted: value not in wanted,
    "gt": lambda value, wanted: value > wanted,
    "gte": lambda value, wanted: value >= wanted,
    "lt": lambda value, wanted: value < wanted,
    "lte": lambda value, wanted: value <= wanted,
    "contains": lambda value, wanted: wanted.lower() in value.lower(),
    "startsWith": lambda value, wanted: value.lower().startswith(wanted.lower()),
}


def passes(record: Record, condition: Mapping[str, Any]) -> bool:
    """Whether a row meets a filter; the names of the filter are those of the record, values are of Python."""
    return all(_holds(record, name, wanted) for name, wanted in condition.items())


def _holds(record: Record, name: str, wanted: Any) -> bool:
    match name:
        case "and":
            return all(passes(record, item) for item in wanted)
        case "or":
            return any(passes(record, item) for item in wanted)
        case "not":
            return not passes(record, wanted)
        case "text":
            searched = [(record[field] or "").lower() for field in ("number", "title")]
            return all(any(word in text for text in searched) for word in wanted.lower().split())
        case "total":
            return all(_meets(record[part], conditions) for part, conditions in wanted.items())
        case _:
            return _meets(record[name], wanted)


def _meets(value: Any, conditions: Mapping[str, Any]) -> bool:
    """A row without a value meets only `isNull: true`."""
    for word, wanted in conditions.items():
        if word == "isNull":
            if (value is None) is not wanted:
                return False
        elif value is None or not _COMPARISONS[word](value, wanted):
            return False
    return True


def is_shown(record: Record, condition: Mapping[str, Any]) -> bool:
    """Whether a row may be in the answer: deleted ones only where the filter asks for such rows."""
    if record["isDeleted"] is not True or "isDeleted" in _names(condition):
        return True
    return "status" in _names(condition) and _allows_canceled(condition) is not False


def _names(condition: Mapping[str, Any]) -> set[str]:
    found = set(condition)
    for name in ("and", "or"):
        for item in condition.get(name, ()):
            found |= _names(item)
    return found | (_names(condition["not"]) if "not" in condition else set())


def _allows_canceled(condition: Mapping[str, Any]) -> bool | None:
    """Whether a canceled row can pass, whatever else is in it; None where that depends on the rest."""
    verdicts: list[bool | None] = []
    for name, wanted in condition.items():
        match name:
            case "status":
                verdicts.append(_meets("CANCELED", wanted))
            case "and":
                verdicts.append(_all([_allows_canceled(item) for item in wanted]))
            case "or":
                verdicts.append(_any([_allows_canceled(item) for item in wanted]))
            case "not":
                inner = _allows_canceled(wanted)
                verdicts.append(None if inner is None else not inner)
            case _:
                verdicts.append(None)
    return _all(verdicts)


def _all(verdicts: Sequence[bool | None]) -> bool | None:
    return False if False in verdicts else None if None in verdicts else True


def _any(verdicts: Sequence[bool | None]) -> bool | None:
    return True if True in verdicts else None if None in verdicts else False


def arranged(records: Sequence[Record], steps: Sequence[tuple[str, bool]]) -> list[Record]:
    """Rows by the values of fields, each with whether it descends, nulls last; then by connection and native key."""
    if not steps:
        return sorted(records, key=lambda record: (record["connection"], record["key"]))
    (name, descending), *later = steps
    values = sorted({record[name] for record in records if record[name] is not None}, reverse=descending)
    return [
        record
        for value in (*values, None)
        for record in arranged([record for record in records if record[name] == value], later)
    ]
