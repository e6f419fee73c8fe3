"""Folding conditions says the same with fewer of them."""

from random import Random

from connectors.protocols.value_sets import fold
from connectors.query import ALWAYS, NEVER, AllOf, AnyOf, Compare, Comparison, Where, all_of, any_of, compared

_VALUES = ("a", "b", "c", None)
_PATHS = ("one", "two")


def _holds(where: Where, row: dict[str, str | None]) -> bool:
    match where:
        case AllOf(terms):
            return all(_holds(term, row) for term in terms)
        case AnyOf(terms):
            return any(_holds(term, row) for term in terms)
        case Compare(path, Comparison.EQ, value):
            return bool(row[path] == value)
        case Compare(path, Comparison.NOT_EQ, value):
            return bool(row[path] != value)
        case Compare(path, Comparison.IN, values):
            return row[path] in values
        case Compare(path, Comparison.NOT_IN, values):
            return row[path] not in values
        case Compare(path, Comparison.PRESENT):
            return row[path] is not None
    raise AssertionError(where)


def _random_where(random: Random, depth: int) -> Where:
    if depth and random.random() < 0.6:
        terms = [_random_where(random, depth - 1) for _ in range(random.randint(1, 3))]
        return all_of(*terms) if random.random() < 0.5 else any_of(*terms)
    path, values = random.choice(_PATHS), tuple(random.sample("abc", random.randint(1, 2)))
    comparison = random.choice((Comparison.EQ, Comparison.NOT_EQ, Comparison.IN, Comparison.NOT_IN, Comparison.PRESENT))
    is_list = comparison in (Comparison.IN, Comparison.NOT_IN)
    return Compare(path, comparison, values if is_list else values[0])


def test_folded_conditions_find_the_same_rows() -> None:
    random = Random(2026)  # noqa: S311 - the same conditions every time
    rows = [{"one": first, "two": second} for first in _VALUES for second in _VALUES]
    for _ in range(3_000):
        where = _random_where(random, 3)
        folded = fold(where)
        for row in rows:
            assert _holds(folded, row) == _holds(where, row), f"{where} became {folded}"
        assert len(list(compared(folded))) <= len(list(compared(where)))


def test_equalities_of_one_field_become_one_list() -> None:
    def compare(comparison: Comparison, *values: str) -> Compare:
        return Compare("one", comparison, values)

    is_in, not_in = Comparison.IN, Comparison.NOT_IN
    assert fold(any_of(compare(is_in, "a"), compare(is_in, "b", "a"))) == compare(is_in, "a", "b")
    assert fold(all_of(compare(not_in, "a"), compare(not_in, "b"))) == compare(not_in, "a", "b")
    assert fold(all_of(compare(is_in, "a", "b"), compare(not_in, "b"))) == compare(is_in, "a")
    assert fold(any_of(compare(is_in, "a"), compare(not_in, "a", "b"))) == compare(not_in, "b")
    assert fold(all_of(compare(is_in, "a"), compare(is_in, "b"))) == NEVER
    assert fold(any_of(compare(is_in, "a"), compare(not_in, "a"))) == ALWAYS
