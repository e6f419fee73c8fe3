"""The single conditions of a domain: what a value of each type may be compared with, and what that means."""

from __future__ import annotations

import operator as operators
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.sandbox.odoo_json2 import refusals
from connectors.sandbox.odoo_json2.environment import Environment
from connectors.sandbox.odoo_json2.models import NUMBERS, TEXTS, Field
from connectors.sandbox.odoo_json2.patterns import compile_pattern
from connectors.sandbox.odoo_json2.values import (
    read_bound,
    read_date,
    read_datetime,
    read_number,
    whole_seconds,
)

Test = Callable[[Any], bool]
"""A test of the plain value of a field, None for empty."""

LIKES = frozenset(("like", "ilike", "=like", "=ilike"))
SEARCHED_AS_TEXT = TEXTS | {"selection"}
EMPTY = (None, False, "")
SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operators.lt,
    ">": operators.gt,
    "<=": operators.le,
    ">=": operators.ge,
}


def is_one_of(field: Field, value: Any) -> Test:
    """Return the test of `=` and `in`: one value or several, of which false means empty."""
    wanted: Sequence[Any] = value if isinstance(value, list) else [value]
    with_empty = any(_is_empty(each) for each in wanted)
    match field.type:
        case "boolean":
            truths = {bool(each) for each in wanted}
            return lambda found: bool(found) in truths
        case "integer" | "float" | "monetary":
            numbers = {read_number(each) for each in wanted}
            return lambda found: read_number(found) in numbers
        case "date":
            days = {read_date(each) for each in wanted if not _is_empty(each)}
            return lambda found: with_empty if found is None else found in days
        case "datetime":
            moments = {read_datetime(each) for each in wanted if not _is_empty(each)}
            return lambda found: with_empty if found is None else whole_seconds(found) in moments
        case kind if kind in SEARCHED_AS_TEXT:
            texts = {str(each) for each in wanted if not _is_empty(each)}
            return lambda found: found in texts if found else with_empty
        case _:
            raise refusals.not_in_the_sandbox(f"conditions on the {field.type} {field.name}")


def compares(field: Field, operator: str, value: Any) -> Test:
    """Return the test of `<` and the like: an empty date is on no side, an empty text is the first of all."""
    compare = SIGNS[operator]
    if field.type not in (*NUMBERS, *SEARCHED_AS_TEXT, "date", "datetime") or isinstance(value, list):
        raise refusals.not_in_the_sandbox(f"{operator} {value!r} on the {field.type} {field.name}")
    if field.type in NUMBERS:
        number = read_number(value)
        return lambda found: compare(read_number(found), number)
    if field.type in TEXTS:
        return lambda found: compare(found or "", str(value or ""))
    if _is_empty(value):
        raise refusals.not_in_the_sandbox(f"{operator} with an empty {field.type}")
    if field.type == "selection":
        return lambda found: found is not None and compare(found, str(value))
    if field.type == "date":
        day = read_date(value)
        return lambda found: found is not None and compare(found, day)
    bound = read_bound(operator, value)
    return lambda found: found is not None and compare(whole_seconds(found), bound)


def is_like(field: Field, operator: str, pattern: Any, *, unaccent: bool) -> Test:
    """Return the test of a pattern that is not empty; an empty text fits none."""
    if field.type not in SEARCHED_AS_TEXT:
        raise refusals.not_in_the_sandbox(f"{operator} on the {field.type} {field.name}")
    fits = compile_pattern(operator, str(pattern), unaccent=unaccent)
    return lambda found: bool(found) and fits(found)


def leads_to(field: Field, operator: str, value: Any, environment: Environment) -> Test:
    """Return the test of where a relation leads: by id, by display name, or nowhere."""
    wanted = value if isinstance(value, list) else [value]
    ids: set[int] = set()
    for each in wanted:
        if isinstance(each, str) and each:
            ids |= _named(field, operator, each, environment)
        elif not _is_empty(each):
            ids.add(int(read_number(each)))
    with_empty = any(_is_empty(each) for each in wanted)
    if field.is_many:
        return lambda found: not ids.isdisjoint(found) if found else with_empty
    return lambda found: with_empty if found is None else found in ids


def _named(field: Field, operator: str, name: str, environment: Environment) -> set[int]:
    other = environment.model(field.relation)
    fits: Callable[[str], bool] = name.__eq__
    if operator in LIKES:
        fits = compile_pattern(operator, name, unaccent=environment.unaccent)
    return {row["id"] for row in environment.rows(other.name) if fits(environment.display_name(other, row))}


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value == ""
