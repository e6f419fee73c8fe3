"""Reading records: which ones a search finds, and how `fields` and nested specifications are answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectors.sandbox.odoo_json2 import refusals
from connectors.sandbox.odoo_json2.domain import compile_domain, names_active
from connectors.sandbox.odoo_json2.environment import Environment
from connectors.sandbox.odoo_json2.models import Field, Model, Row
from connectors.sandbox.odoo_json2.order import sort_rows
from connectors.sandbox.odoo_json2.values import to_json

Answer = dict[str, Any]


def find(environment: Environment, model: Model, domain: object) -> list[Row]:
    """Return what a domain finds, in no order: archived records only if they are asked for."""
    environment.check(model)
    fits, sees = compile_domain(domain, model, environment), environment.sees(model)
    everything = environment.shows_archived or names_active(domain)
    return [
        row
        for row in environment.rows(model.name)
        if (everything or environment.is_active(model, row)) and fits(row) and sees(row)
    ]


def search(
    environment: Environment, model: Model, domain: object, offset: object, limit: object, order: object
) -> list[Row]:
    """Return a page of what a domain finds. No limit, and a limit of 0, mean all."""
    start, count = _number("OFFSET", offset), _number("LIMIT", limit)
    rows = sort_rows(environment, model, find(environment, model, domain), order)
    return rows[start : start + count] if count else rows[start:]


def count_rows(environment: Environment, model: Model, domain: object, limit: object) -> int:
    """Count what a domain finds, at most up to the limit."""
    found, most = len(find(environment, model, domain)), _number("LIMIT", limit)
    return min(found, most) if most else found


def _number(what: str, value: object) -> int:
    if value in (None, False):
        return 0
    if not isinstance(value, int) or value < 0:
        raise refusals.wrong_number(what, value)
    return value


def existing(environment: Environment, model: Model, ids: Iterable[Any]) -> list[Row]:
    """Return the records of these ids; missing ones are left out, hidden ones are refused."""
    table, sees = environment.table(model.name), environment.sees(model)
    rows = [table[number] for number in ids if number in table]
    if not all(sees(row) for row in rows):
        raise refusals.hidden_records(environment.user.name, model.title, model.name)
    return rows


def read(
    environment: Environment, model: Model, rows: Sequence[Row], names: Sequence[str] | None, *, names_of_targets: bool
) -> list[Answer]:
    """Answer rows with the named fields, many2one as id and name or as bare id; no names mean all fields."""
    environment.check(model)
    chosen = names or _readable(environment, model)
    fields = [_field(environment, model, name) for name in dict.fromkeys(chosen) if name != "id"]
    answers = []
    for row in rows:
        answer: Answer = {"id": row["id"]}
        for field in fields:
            value = _value(environment, model, row, field)
            if field.type == "many2one" and value and names_of_targets:
                value = [value, _name(environment, field, value)]
            answer[field.name] = value
        answers.append(answer)
    return answers


def web_read(environment: Environment, model: Model, rows: Sequence[Row], specification: object) -> list[Answer]:
    """Answer rows as a specification nests them."""
    if not isinstance(specification, dict):
        kind = type(specification).__name__
        raise refusals.OdooRefusal(500, "builtins.AttributeError", f"'{kind}' object has no attribute 'keys'")
    if set(specification) <= {"id"}:
        return [{"id": row["id"]} for row in rows]
    environment.check(model)
    answers: list[Answer] = [{"id": row["id"]} for row in rows]
    for name, nested in specification.items():
        field = _field(environment, model, name)
        if name == "id":
            continue
        values = [_value(environment, model, row, field) for row in rows]
        if nested and field.is_many:
            values = _many(environment, field, values, nested)
        elif field.type == "many2one" and "fields" in nested:
            values = _one(environment, field, values, nested)
        for answer, value in zip(answers, values, strict=True):
            answer[name] = value
    return answers


def _one(
    environment: Environment, field: Field, values: Sequence[Any], nested: Mapping[str, Any]
) -> list[Answer | bool]:
    """Nest many2one; the display name alone is read without asking for rights."""
    inside = environment.with_context(nested.get("context") or {}) if nested.get("context") else environment
    other = environment.model(field.relation)
    checked = {name: each for name, each in nested["fields"].items() if name != "display_name"}
    table = inside.table(other.name)
    ids = dict.fromkeys(value for value in values if value)
    rows = existing(inside, other, ids) if set(checked) - {"id"} else [table[number] for number in ids]
    found = {row["id"]: answer for row, answer in zip(rows, web_read(inside, other, rows, checked), strict=True)}
    if "display_name" in nested["fields"]:
        for number, answer in found.items():
            answer["display_name"] = inside.display_name(other, table[number])
    return [found[value] if value else False for value in values]


def _many(
    environment: Environment, field: Field, values: Sequence[list[int]], nested: Mapping[str, Any]
) -> list[list[Any]]:
    """Nest the others; what lies behind the limit comes as a bare id."""
    other = environment.model(field.relation)
    if nested.get("order"):
        table = environment.table(other.name)
        wanted = {number for each in values for number in each}
        ordered = sort_rows(environment, other, [table[number] for number in wanted], nested["order"])
        place = {row["id"]: index for index, row in enumerate(ordered)}
        values = [sorted(each, key=place.__getitem__) for each in values]
    if "fields" not in nested:
        return [list(each) for each in values]
    inside = environment.with_context(nested["context"]) if nested.get("context") else environment
    limit = nested.get("limit")
    shown = dict.fromkeys(number for each in values for number in each[:limit])
    rows = existing(inside, other, shown)
    found = {answer["id"]: answer for answer in web_read(inside, other, rows, nested["fields"])}
    return [[found.get(number) or {"id": number} for number in each] for each in values]


def _field(environment: Environment, model: Model, name: str) -> Field:
    field = environment.field(model, name)
    if field is None:
        raise refusals.invalid_field(model.name, name)
    return field


def _value(environment: Environment, model: Model, row: Row, field: Field) -> Any:
    if field.is_many:
        return _targets(environment, model, row, field)
    return to_json(field, environment.value(model, row, field.name))


def _targets(environment: Environment, model: Model, row: Row, field: Field) -> list[int]:
    """Return the ids that a field shows: in the order of their model, without archived and hidden ones."""
    other = environment.models.get(field.relation)
    if other is None:
        return list(environment.value(model, row, field.name))
    if not environment.may_read(other.name):
        reason = refusals.no_right_text(other.title, other.name)
        raise refusals.failed_field(model.name, field.name, reason)
    place = environment.keep(("place", other.name), lambda: _places(environment, other))
    return sorted(
        (number for number in environment.value(model, row, field.name) if number in place), key=place.__getitem__
    )


def _places(environment: Environment, model: Model) -> dict[int, int]:
    """Return the places of the records that the user sees, in the order of their model."""
    sees = environment.sees(model)
    rows = [
        row
        for row in environment.rows(model.name)
        if (environment.shows_archived or environment.is_active(model, row)) and sees(row)
    ]
    return {row["id"]: index for index, row in enumerate(sort_rows(environment, model, rows, None))}


def _name(environment: Environment, field: Field, number: int) -> str:
    other = environment.model(field.relation)
    return environment.display_name(other, environment.table(other.name)[number])


def _readable(environment: Environment, model: Model) -> list[str]:
    """Return the fields that are read when none is named: all that the sandbox can tell."""
    return [
        name
        for name, field in model.fields.items()
        if environment.has_field(model, field)
        and (field.store or field.related or field.compute or name == "display_name")
    ]
