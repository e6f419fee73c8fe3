"""What a filter means: a tree compiled to a test of one row, with the contract's rules for null and case."""

import operator as python
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from typing import Any

from strawberry.utils.str_converters import to_snake_case

from schema.filters import And, Condition, Not, Operator, Or, Tree

Test = Callable[[Any], bool]
ValueOf = Callable[[Any], Any]


def fold(text: str) -> str:
    """Text as searching compares it: capital letters do not matter."""
    return text.lower()


@cache
def attribute_path(path: str) -> ValueOf:
    """Read a dotted path such as total.amount from objects; null anywhere on the way is null."""
    steps = [to_snake_case(step) for step in path.split(".")]
    if len(steps) == 1:
        return python.attrgetter(steps[0])

    def read(row: Any) -> Any:
        value = row
        for step in steps:
            if value is None:
                return None
            value = getattr(value, step)
        return value

    return read


def compile_test(tree: Tree, value_of: Callable[[str], ValueOf] = attribute_path) -> Test:
    """Make the test of a tree; `value_of` says how a path is read from a row."""
    match tree:
        case Condition(path, operator, expected):
            return _compile_condition(value_of(path), operator, expected)
        case Not(term):
            test = compile_test(term, value_of)
            return lambda row: not test(row)
        case And(terms):
            tests = [compile_test(term, value_of) for term in terms]
            return lambda row: all(test(row) for test in tests)
        case Or(terms):
            tests = [compile_test(term, value_of) for term in terms]
            return lambda row: any(test(row) for test in tests)


_COMPARISONS: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: python.eq,
    Operator.NE: python.ne,
    Operator.GT: python.gt,
    Operator.GTE: python.ge,
    Operator.LT: python.lt,
    Operator.LTE: python.le,
    Operator.IN: lambda value, expected: value in expected,
    Operator.NOT_IN: lambda value, expected: value not in expected,
    Operator.CONTAINS: lambda value, expected: expected in fold(value),
    Operator.STARTS_WITH: lambda value, expected: fold(value).startswith(expected),
}


def _compile_condition(value_of: ValueOf, operator: Operator, expected: Any) -> Test:
    if operator is Operator.IS_NULL:
        return lambda row: (value_of(row) in (None, [])) is expected
    compare = _COMPARISONS[operator]
    excludes = operator in (Operator.NE, Operator.NOT_IN)
    wanted = fold(expected) if operator in (Operator.CONTAINS, Operator.STARTS_WITH) else expected

    def test(row: Any) -> bool:
        value = value_of(row)
        if isinstance(value, list):
            found = [compare(item, wanted) for item in value]
            return bool(found) and (all(found) if excludes else any(found))
        return value is not None and compare(value, wanted)

    return test


def can_match(tree: Tree, path: str, value: Enum) -> bool:
    """Whether rows with this value at this path can pass a tree that looks at the path at all."""
    return _could_pass(tree, path, value) is not False


def _could_pass(tree: Tree, path: str, value: Enum) -> bool | None:
    """Evaluate in three values: conditions on other paths are unknown."""
    match tree:
        case Condition(other) if other != path:
            return None
        case Condition(_, operator, expected):
            return _compile_condition(lambda row: row, operator, expected)(value)
        case Not(term):
            result = _could_pass(term, path, value)
            return None if result is None else not result
        case And(terms):
            results = [_could_pass(term, path, value) for term in terms]
            return False if False in results else None if None in results else True
        case Or(terms):
            results = [_could_pass(term, path, value) for term in terms]
            return True if True in results else None if None in results else False
