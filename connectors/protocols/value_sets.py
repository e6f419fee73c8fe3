"""Folds conditions on one field into one list of values, for sources that take one list for each field and no more."""

from connectors.query import ALWAYS, NEVER, AllOf, AnyOf, Compare, Comparison, Where, all_of, any_of

_POSITIVE = (Comparison.EQ, Comparison.IN)
_NEGATIVE = (Comparison.NOT_EQ, Comparison.NOT_IN)


def fold(where: Where) -> Where:
    """The same condition, with each field's equalities folded into one IN or NOT_IN wherever that says the same."""
    match where:
        case AllOf(terms):
            return all_of(*_fold_terms(terms, is_all=True))
        case AnyOf(terms):
            return any_of(*_fold_terms(terms, is_all=False))
        case Compare(_, comparison) if comparison in _POSITIVE + _NEGATIVE:
            return _write(where, comparison in _POSITIVE, _values(where))
        case _:
            return where


def _fold_terms(terms: tuple[Where, ...], *, is_all: bool) -> list[Where]:
    others: list[Where] = []
    by_path: dict[str, list[Compare]] = {}
    for term in map(fold, terms):
        if isinstance(term, Compare) and term.comparison in _POSITIVE + _NEGATIVE:
            by_path.setdefault(term.path, []).append(term)
        else:
            others.append(term)
    return [*(_combine(found, is_all=is_all) for found in by_path.values()), *others]


def _combine(terms: list[Compare], *, is_all: bool) -> Where:
    """Several conditions on one field as one: a list of values that it has, or of values that it does not have."""
    listed = [_values(term) for term in terms if term.comparison in _POSITIVE]
    left_out = [_values(term) for term in terms if term.comparison in _NEGATIVE]
    if is_all:
        if listed:
            return _write(terms[0], True, _without(_common(listed), _all(left_out)))
        return _write(terms[0], False, _all(left_out))
    if left_out:
        return _write(terms[0], False, _without(_common(left_out), _all(listed)))
    return _write(terms[0], True, _all(listed))


def _values(term: Compare) -> tuple[object, ...]:
    return tuple(term.value) if term.comparison in (Comparison.IN, Comparison.NOT_IN) else (term.value,)


def _all(lists: list[tuple[object, ...]]) -> tuple[object, ...]:
    return tuple(dict.fromkeys(value for values in lists for value in values))


def _common(lists: list[tuple[object, ...]]) -> tuple[object, ...]:
    first, *others = lists
    return tuple(value for value in first if all(value in values for values in others))


def _without(values: tuple[object, ...], unwanted: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(value for value in values if value not in unwanted)


def _write(like: Compare, is_positive: bool, values: tuple[object, ...]) -> Where:
    if not values:
        return NEVER if is_positive else ALWAYS
    return Compare(like.path, Comparison.IN if is_positive else Comparison.NOT_IN, values, like.kind)
