"""Domains as Odoo 19 reads them, compiled to one closure a call: prefix operators, null logic, dotted paths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.odoo_json2 import conditions, refusals
from connectors.sandbox.odoo_json2.environment import Environment, Predicate
from connectors.sandbox.odoo_json2.models import Field, Model, Row

NEGATIONS = {"!=": "=", "not in": "in", "not any": "any", **{f"not {like}": like for like in conditions.LIKES}}
"""The operators that mean the contrary of another; the contrary has the records without a value too."""
COMPARISONS = frozenset(("<", ">", "<=", ">="))
POSITIVE = frozenset(("=", "in", "=?", "any", *COMPARISONS, *conditions.LIKES))
ABSENT = frozenset(("child_of", "parent_of"))


@dataclass(slots=True)
class Junction:
    """Conditions under the same `&` or `|`: a chain of thousands is one of them, not a nest."""

    operator: str
    parts: list[Any]


Node = Predicate | Junction


def compile_domain(domain: object, model: Model, environment: Environment) -> Predicate:
    """Return the domain as a function from row to truth; OdooRefusal for what Odoo would refuse."""
    if not isinstance(domain, list):
        raise refusals.value_error(f"Domain() invalid argument type for domain: {domain!r}")
    stack: list[Node] = []
    for item in reversed(domain):
        if isinstance(item, list):
            stack.append(_condition(item, model, environment))
        elif item == "!" and stack:
            stack.append(_not(_predicate(stack.pop())))
        elif item in ("&", "|") and len(stack) > 1:
            stack.append(_join(item, stack.pop(), stack.pop()))
        elif item in ("&", "|", "!"):
            raise refusals.value_error(f"Domain() malformed domain {domain!r}")
        else:
            raise refusals.value_error(f"Domain() invalid item in domain: {item!r}")
    return _predicate(Junction("&", [_predicate(node) for node in reversed(stack)]))


def names_active(domain: object) -> bool:
    """Whether a domain names the field `active` anywhere, which lets it find archived records."""
    return isinstance(domain, list) and any(isinstance(item, list) and item[:1] == ["active"] for item in domain)


def _join(operator: str, left: Node, right: Node) -> Junction:
    parts: list[Any] = []
    for node in (left, right):
        parts += node.parts if isinstance(node, Junction) and node.operator == operator else [node]
    return Junction(operator, parts)


def _predicate(node: Node) -> Predicate:
    if not isinstance(node, Junction):
        return node
    parts = [_predicate(part) for part in node.parts]
    if len(parts) == 1:
        return parts[0]
    if node.operator == "&":
        return lambda row: all(part(row) for part in parts)
    return lambda row: any(part(row) for part in parts)


def _not(predicate: Predicate) -> Predicate:
    return lambda row: not predicate(row)


def _condition(item: Sequence[Any], model: Model, environment: Environment) -> Predicate:
    if len(item) != 3 or not isinstance(item[1], str):
        raise refusals.value_error(f"Domain() invalid item in domain: {item!r}")
    name, operator, value = item
    if name in (0, 1) and operator == "=":
        return lambda row: name == value
    if not isinstance(name, str):
        raise refusals.value_error(f"Domain() invalid item in domain: {item!r}")
    if operator in ABSENT:
        raise refusals.not_in_the_sandbox(f"the operator {operator}")
    positive = NEGATIONS.get(operator, operator)
    if positive not in POSITIVE:
        raise refusals.value_error(f"Invalid operator in {tuple(item)!r}")
    head, _, rest = name.partition(".")
    field = environment.field(model, head)
    if field is None:
        raise refusals.invalid_condition(model.name, head, item)
    if not field.searchable:
        raise refusals.not_stored(model.name, head)
    if rest:
        if not field.relation:
            raise refusals.invalid_condition(model.name, name, item)
        return _exists([[rest, operator, value]], field, model, environment)
    if positive == "any":
        if not field.relation:
            raise refusals.value_error(f"Cannot use 'any' with non-relational fields in {tuple(item)!r}")
        found = _exists(value, field, model, environment)
        return found if operator == "any" else _not(found)
    return _comparison(field, operator, value, model, environment)


def _exists(domain: object, field: Field, model: Model, environment: Environment) -> Predicate:
    """Return whether a field leads to a record of the domain, archived or not, that the user may see."""
    other = environment.model(field.relation)
    environment.check(other)
    inner = compile_domain(domain, other, environment)
    sees = environment.sees(other)

    def fitting() -> frozenset[int]:
        return frozenset(row["id"] for row in environment.rows(other.name) if inner(row) and sees(row))

    wanted: list[frozenset[int]] = []

    def test(row: Row) -> bool:
        if not wanted:
            wanted.append(fitting())
        value = environment.value(model, row, field.name)
        return not wanted[0].isdisjoint(value) if field.is_many else value in wanted[0]

    return test


def _comparison(field: Field, operator: str, value: Any, model: Model, environment: Environment) -> Predicate:
    read: Callable[[Row], Any] = lambda row: environment.value(model, row, field.name)  # noqa: E731 - it is short
    if operator == "=?":
        if value in (None, False):
            return lambda row: True
        operator = "="
    if operator in COMPARISONS:
        test = conditions.compares(field, operator, value)
    else:
        positive = NEGATIONS.get(operator, operator)
        if positive in conditions.LIKES and not value:
            return _like_nothing(field, operator, model, environment)
        if field.relation:
            test = conditions.leads_to(field, positive, value, environment)
        elif positive in conditions.LIKES:
            test = conditions.is_like(field, positive, value, unaccent=environment.unaccent)
        else:
            test = conditions.is_one_of(field, value)
        if operator in NEGATIONS:
            return lambda row: not test(read(row))
    return lambda row: test(read(row))


def _like_nothing(field: Field, operator: str, model: Model, environment: Environment) -> Predicate:
    """Return what an empty pattern means: contained in every text, equal to the empty one."""
    is_whole, is_negated = "=" in operator, operator in NEGATIONS
    fits = is_whole == is_negated
    if not is_whole and not field.relation:
        return lambda row: fits
    return lambda row: bool(environment.value(model, row, field.name)) == fits
