"""The $filter language of OData V2 as SAP Gateway takes it, compiled to one closure a request."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from connectors.sandbox.odata_v2 import refusals
from connectors.sandbox.odata_v2.literals import Literal, Token, literal_of, tokenize
from connectors.sandbox.odata_v2.service import EntitySet, Property, Row
from connectors.sandbox.odata_v2.values import NUMBERS, comparable, value_of

Predicate = Callable[[Row], bool]
Result = TypeVar("Result")

MAXIMUM_DEPTH = 100
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
MIRRORED = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "substringof": operator.contains,
}
CASES: Mapping[str, Callable[[str], str]] = {"tolower": str.lower, "toupper": str.upper}
OTHER_FUNCTIONS = frozenset(
    (
        *("length", "indexof", "replace", "substring", "trim", "concat", "isof", "cast"),
        *("year", "month", "day", "hour", "minute", "second", "round", "floor", "ceiling"),
    )
)
ARITHMETIC = frozenset(("add", "sub", "mul", "div", "mod"))

_INTEGERS = frozenset(("integer",))
LITERALS_OF: Mapping[str, frozenset[str]] = {
    "Edm.String": frozenset(("Edm.String",)),
    "Edm.Boolean": frozenset(("Edm.Boolean",)),
    "Edm.DateTime": frozenset(("Edm.DateTime",)),
    "Edm.DateTimeOffset": frozenset(("Edm.DateTimeOffset",)),
    "Edm.Time": frozenset(("Edm.Time",)),
    "Edm.Guid": frozenset(("Edm.Guid",)),
    "Edm.Decimal": frozenset(("integer", "Edm.Decimal")),
    "Edm.Double": frozenset(("integer", "Edm.Double")),
    "Edm.Single": frozenset(("integer", "Edm.Double")),
    **dict.fromkeys(NUMBERS, _INTEGERS),
}
"""What a property of a type may be compared with; numbers are only promoted where nothing is lost."""
UNORDERED = frozenset(("Edm.Boolean", "Edm.Guid"))


@dataclass(frozen=True, slots=True)
class Operand:
    """A property, perhaps inside tolower or toupper; `read` gives what the database compares."""

    property: Property
    read: Callable[[Row], Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """A finished test."""

    test: Predicate


def compile_filter(text: str, entity_set: EntitySet, functions: frozenset[str]) -> Predicate:
    """Return the filter as a function from row to truth; ODataRefusal for what the service would refuse.

    `functions` names those that the service takes.
    """
    return Parser(text, entity_set, functions).parse()


class Parser:
    """Recursive descent: or < and < comparison < not."""

    def __init__(self, text: str, entity_set: EntitySet, functions: frozenset[str]) -> None:
        self.tokens = tokenize(text)
        self.at = 0
        self.end = len(text) + 1
        self.entity_set = entity_set
        self.functions = functions
        self.depth = 0

    @property
    def next(self) -> Token | None:
        """The token to be read, None at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def parse(self) -> Predicate:
        """Read the whole text."""
        predicate = self.any_of()
        if self.next is not None:
            raise refusals.invalid_token(self.next.position)
        return predicate

    def any_of(self) -> Predicate:
        """Read conditions joined by or."""
        parts = [self.all_of()]
        while self.took("or"):
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def all_of(self) -> Predicate:
        """Read conditions joined by and."""
        parts = [self.condition()]
        while self.took("and"):
            parts.append(self.condition())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def condition(self) -> Predicate:
        """Read a comparison, or something that is true or false by itself."""
        start = self.next.position if self.next else self.end
        left = self.operand()
        sign = self.next
        if sign is None or sign.text not in COMPARISONS:
            if sign is not None and sign.text in ARITHMETIC:
                raise refusals.unsupported_function(sign.text)
            if sign is not None and sign.kind == "name" and sign.text not in ("and", "or"):
                raise refusals.invalid_token(sign.position)
            return self.truth(left, "", start)
        self.at += 1
        return self.compare(sign, left, self.operand())

    def operand(self) -> Literal | Operand | Condition:
        """Read what can stand beside a comparison: not binds tighter than any comparison."""
        token = self.next
        if token is None:
            raise refusals.invalid_token(self.end)
        if self.took("not"):
            with_depth = self.deeper(self.operand)
            test = self.truth(with_depth, "not", token.position)
            return Condition(lambda row: not test(row))
        if self.took("("):
            inner = self.deeper(self.any_of)
            self.expect(")")
            return Condition(inner)
        literal = literal_of(token)
        if literal is None and token.kind != "name":
            raise refusals.invalid_token(token.position)
        self.at += 1
        if literal is not None:
            return literal
        if self.took("("):
            return self.function(token)
        return self.property(token)

    def function(self, name: Token) -> Operand | Condition:
        """Read a call; its name and the opening parenthesis have been read."""
        if name.text not in TESTS and name.text not in CASES and name.text not in OTHER_FUNCTIONS:
            raise refusals.unknown_function(name.text, name.position)
        if name.text not in self.functions:
            raise refusals.unsupported_function(name.text)
        arguments = [self.deeper(self.operand)]
        while self.took(","):
            arguments.append(self.deeper(self.operand))
        self.expect(")")
        match name.text, arguments:
            case ("substringof", [Literal("Edm.String", str(part)), Operand() as text]) | (
                "startswith" | "endswith",
                [Operand() as text, Literal("Edm.String", str(part))],
            ) if text.property.type == "Edm.String":
                test, read = TESTS[name.text], text.read
                return Condition(lambda row: test(read(row), part))
            case ("tolower" | "toupper", [Operand() as text]) if text.property.type == "Edm.String":
                change, read = CASES[name.text], text.read
                return Operand(text.property, lambda row: change(read(row)))
        raise refusals.wrong_type(name.text, name.position)

    def property(self, name: Token) -> Operand:
        """Find a property of the entity set that may be filtered by."""
        prop = self.entity_set.properties.get(name.text)
        if prop is None:
            raise refusals.unknown_property(name.text, self.entity_set.type)
        if not prop.filterable:
            raise refusals.not_allowed_here(name.text, "filtering")
        inner = comparable(prop)
        return Operand(prop, lambda row: inner(value_of(prop, row)))

    def compare(
        self, sign: Token, left: Literal | Operand | Condition, right: Literal | Operand | Condition
    ) -> Predicate:
        """Compare a property or a condition with a literal, on either side."""
        name = sign.text
        if isinstance(left, Literal) and not isinstance(right, Literal):
            left, right, name = right, left, MIRRORED[name]
        if not isinstance(right, Literal) or isinstance(left, Literal):
            raise refusals.wrong_type(sign.text, sign.position)
        test = COMPARISONS[name]
        if isinstance(left, Condition):
            if right.type != "Edm.Boolean" or name not in ("eq", "ne"):
                raise refusals.wrong_type(sign.text, sign.position)
            holds, expected = left.test, right.value
            return lambda row: test(holds(row), expected)
        prop, read = left.property, left.read
        ordered = name not in ("eq", "ne")
        fits = right.type in LITERALS_OF.get(prop.type, ()) or (right.type == "null" and not ordered)
        if not fits or (ordered and prop.type in UNORDERED):
            raise refusals.wrong_type(sign.text, sign.position)
        wanted = comparable(prop)(right.value)
        return lambda row: test(read(row), wanted)

    def truth(self, operand: Literal | Operand | Condition, name: str, position: int) -> Predicate:
        """Use an operand as a condition: only what is true or false can be."""
        match operand:
            case Condition(test):
                return test
            case Operand() if operand.property.type == "Edm.Boolean":
                read = operand.read
                return lambda row: bool(read(row))
            case Literal("Edm.Boolean", value):
                return lambda row: bool(value)
        raise refusals.wrong_type(name, position)

    def deeper(self, read: Callable[[], Result]) -> Result:
        """Read something nested; too much nesting is refused before it hurts."""
        self.depth += 1
        if self.depth > MAXIMUM_DEPTH:
            raise refusals.malformed("the filter is nested too deeply")
        try:
            return read()
        finally:
            self.depth -= 1

    def took(self, text: str) -> bool:
        """Read this word or mark if it comes next."""
        token = self.next
        if token is None or token.text != text or token.kind == "text":
            return False
        self.at += 1
        return True

    def expect(self, text: str) -> None:
        """Read this mark; it must come next."""
        if not self.took(text):
            raise refusals.invalid_token(self.next.position if self.next else self.end)
