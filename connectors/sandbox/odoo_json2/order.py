"""The order of records: `field [asc|desc] [nulls first|last]`, many2one by the other model's own order."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.odoo_json2 import refusals
from connectors.sandbox.odoo_json2.environment import Environment
from connectors.sandbox.odoo_json2.models import Field, Model, Row

TERM = re.compile(
    r"\s*(?P<field>\w+)(?:\.(?P<property>\w+))?(?:\s+(?P<direction>asc|desc))?(?:\s+nulls\s+(?P<nulls>first|last))?\s*",
    re.IGNORECASE,
)
MIXER = 2_654_435_761


@dataclass(frozen=True, slots=True)
class Term:
    """One step of an order."""

    read: Callable[[Row], Any]
    """The value, None where it is empty: what comes first or last whatever the others are."""
    descending: bool
    nulls_first: bool


def sort_rows(environment: Environment, model: Model, rows: Sequence[Row], order: object) -> list[Row]:
    """Return the rows in order; those that the order does not tell apart come in another order in each call."""
    if order in (None, False, ""):
        order = model.order
    terms = compile_order(environment, model, order)
    mix = environment.turn * MIXER + MIXER
    found = sorted(rows, key=lambda row: (row["id"] * mix) % 1_000_003)
    for term in reversed(terms):
        found = _sorted(found, term)
    return found


def compile_order(environment: Environment, model: Model, order: object) -> list[Term]:
    """Read an order; OdooRefusal for what Odoo would refuse."""
    if not isinstance(order, str):
        raise refusals.malformed_order(order)
    terms: list[Term] = []
    for part in order.split(","):
        found = TERM.fullmatch(part)
        if found is None:
            raise refusals.malformed_order(order)
        field = _field(environment, model, found["field"], found["property"])
        descending = (found["direction"] or "").lower() == "desc"
        nulls = (found["nulls"] or "").lower()
        terms += _terms(environment, model, field, descending, nulls == "first" if nulls else descending, ())
    return terms


def _field(environment: Environment, model: Model, name: str, detail: str | None) -> Field:
    field = environment.field(model, name)
    if field is None:
        raise refusals.value_error(f"Invalid field '{name}' on model '{model.name}'")
    if detail:
        raise refusals.value_error(f"Invalid field property '{detail}' on {model.name}.{name}")
    if not field.sortable:
        raise refusals.not_stored(model.name, name)
    return field


def _terms(
    environment: Environment, model: Model, field: Field, descending: bool, nulls_first: bool, seen: tuple[str, ...]
) -> list[Term]:
    if field.type != "many2one":
        return [Term(_reader(environment, model, field), descending, nulls_first)]
    if field.relation not in environment.models or environment.models[field.relation].order == "id":
        return [Term(lambda row: environment.value(model, row, field.name), descending, nulls_first)]
    if field.relation in seen:
        return []
    other = environment.models[field.relation]
    targets = environment.table(other.name)
    terms = []
    for part in other.order.split(","):
        found = TERM.fullmatch(part)
        if found is None:
            raise ValueError(f"the order of {other.name} cannot be read: {other.order}")
        reverse = descending != ((found["direction"] or "").lower() == "desc")
        inner = other.fields[found["field"]]
        for term in _terms(environment, other, inner, reverse, reverse, (*seen, other.name)):
            terms.append(Term(_through(environment, model, field, targets, term), term.descending, term.nulls_first))
    if terms:
        terms[0] = Term(terms[0].read, terms[0].descending, nulls_first)
    return terms


def _through(environment: Environment, model: Model, field: Field, targets: Any, term: Term) -> Callable[[Row], Any]:
    def read(row: Row) -> Any:
        target = targets.get(environment.value(model, row, field.name))
        return None if target is None else term.read(target)

    return read


def _reader(environment: Environment, model: Model, field: Field) -> Callable[[Row], Any]:
    name = field.name
    if field.type == "datetime":

        def read(row: Row) -> Any:
            value = environment.value(model, row, name)
            return value and value.timestamp()

        return read
    return lambda row: environment.value(model, row, name)


def _sorted(rows: Sequence[Row], term: Term) -> list[Row]:
    keyed = [(term.read(row), row) for row in rows]
    filled = sorted((pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0], reverse=term.descending)
    empty = [row for value, row in keyed if value is None]
    ordered = [row for _, row in filled]
    return empty + ordered if term.nulls_first else ordered + empty
