"""Odoo's JSON-2: `web_search_read` with prefix domains and nested specifications; empty values are `false`."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connectors.errors import (
    BadAnswer,
    NoSuchRecords,
    PermissionDenied,
    Reauthorize,
    Rejected,
    Trouble,
    Unavailable,
    Upstream,
    WrongSystem,
)
from connectors.protocols.base import (
    Getter,
    Row,
    WireProtocol,
    http_trouble,
    plain_decoders,
    read_bool,
    read_decimal,
    read_int,
    read_json,
    read_text,
)
from connectors.protocols.shapes import Form, FoundField, Shape
from connectors.query import AllOf, Answer, AnyOf, Compare, Comparison, OrderBy, Page, Read, Request, Where

_HEADERS = (("Content-Type", "application/json"), ("Accept", "application/json"))
_CONTEXT = {"active_test": False, "tz": "UTC"}
"""Archived records are asked for too: being archived is a status here. A day in a question about moments is one of UTC;
else it would be one of the user's zone.
"""
_VALUE_ERROR, _NO_FIELD = "builtins.ValueError", "Invalid field "
"""How Python says that a model has no such field; Odoo's own messages are in the user's language, but not this one."""
_NOBODY = "No Odoo 19 or later answers at this address with this database."
_LONGEST_MESSAGE = 300


class OdooJson2(WireProtocol):
    """Reads models with `web_search_read`, which gives linked records and child rows nested in one answer."""

    version_path = "write_date"
    asks_by_name = True

    def __init__(self) -> None:
        self.decoders = plain_decoders() | {
            str: _unless_false(read_text),
            int: _unless_false(read_int),
            bool: read_bool,
            Decimal: _unless_false(read_decimal),
            date: _unless_false(read_day),
            datetime: _unless_false(read_moment),
        }

    def request(self, read: Read, options: Mapping[str, str]) -> Request:
        """Ask for rows of a model; the order always ends with the key, since others are not stable."""
        arguments = {
            "domain": write_where(read.where),
            "specification": write_specification(read.paths),
            "offset": 0,
            "limit": read.limit,
            "order": ", ".join(map(_write_order, read.order)),
            "count_limit": 1,
            "context": _CONTEXT,
        }
        body = json.dumps(arguments, separators=(",", ":")).encode()
        return Request("POST", f"json/2/{read.source}/web_search_read", headers=_HEADERS, body=body, is_read=True)

    def page(self, read: Read, answer: Answer) -> Page:
        """Read the records; the limit is honoured as asked, so there is never a rest."""
        body = read_json(answer)
        rows = body.get("records") if isinstance(body, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise BadAnswer("The answer is no list of records.", upstream=Upstream(status=answer.status))
        return Page(rows)

    def count(self, read: Read, options: Mapping[str, str]) -> Request:
        """Ask the model's own count."""
        arguments = {"domain": write_where(read.where), "context": _CONTEXT}
        body = json.dumps(arguments, separators=(",", ":")).encode()
        return Request("POST", f"json/2/{read.source}/search_count", headers=_HEADERS, body=body, is_read=True)

    def trouble(self, answer: Answer) -> Trouble | None:
        """What a bad answer means, by status and exception; the traceback that comes with it is never passed on."""
        if 200 <= answer.status < 300:
            return None
        error = _error(answer)
        if error is None and answer.status == 404:
            return WrongSystem(_NOBODY, upstream=Upstream(status=404))
        if error is None:
            return http_trouble(answer)
        name, message = error
        said = Upstream(status=answer.status, code=name, message=message)
        if answer.status == 401:
            return Reauthorize(f"Odoo refuses the API key: {message}", upstream=said)
        if name.endswith("AccessError"):
            return PermissionDenied(f"The connection's user may not read this: {message}", upstream=said)
        if answer.status == 404 or (name == _VALUE_ERROR and message.startswith(_NO_FIELD)):
            return NoSuchRecords(f"This Odoo lacks the module for it: {message}", upstream=said)
        if name == _VALUE_ERROR or answer.status < 500:
            return Rejected(f"Odoo refuses the request: {message}", upstream=said)
        return Unavailable(f"Odoo failed: {message}", upstream=said)

    def describe(self, source: str, options: Mapping[str, str]) -> Request:
        """Every model tells, of the fields that the user may see."""
        body = json.dumps({"attributes": _ATTRIBUTES}).encode()
        return Request("POST", f"json/2/{source}/fields_get", headers=_HEADERS, body=body)

    def shapes(self, source: str, answer: Answer) -> Mapping[str, Shape]:
        """Every model has a number as its key, and a name that it is shown with."""
        body = read_json(answer)
        if not isinstance(body, dict) or not all(isinstance(said, dict) for said in body.values()):
            raise BadAnswer("The answer describes no fields.", upstream=Upstream(status=answer.status))
        fields = {name: _found(name, said) for name, said in sorted(body.items())}
        return {source: Shape(("id",), fields, "display_name" if "display_name" in fields else None)}

    def whole(self, source: str, row: Row, expanded: frozenset[str]) -> Row:
        """Links as numbers, which they are unless something behind them was asked for."""
        return {name: _folded(value) if name in expanded else value for name, value in row.items()}

    def getter(self, path: str) -> Getter:
        """Step into linked records; a linked record stands for its id, and nothing is `false`."""
        *steps, last = path.split(".")

        def get(row: Row) -> Any:
            value: Any = row
            for step in steps:
                value = value.get(step)
                if not isinstance(value, dict):
                    return None
            found = value.get(last)
            return found.get("id") if isinstance(found, dict) else found

        return get

    def children(self, path: str) -> Callable[[Row], list[Row] | None]:
        """Child rows stand under the field's name, also below a linked record."""
        steps = path.split(".")

        def children(row: Row) -> list[Row] | None:
            found: Any = row
            for step in steps:
                found = found.get(step) if isinstance(found, dict) else None
            return found if isinstance(found, list) else None

        return children


_ATTRIBUTES = ["type", "string", "relation", "searchable", "store", "related"]
_FORMS = {
    "char": Form.TEXT,
    "text": Form.TEXT,
    "html": Form.TEXT,
    "selection": Form.TEXT,
    "integer": Form.WHOLE,
    "float": Form.FLOAT,
    "monetary": Form.EXACT,
    "boolean": Form.TRUTH,
    "date": Form.DAY,
    "datetime": Form.MOMENT,
    "many2one": Form.LINK,
}
_NUMBERS = (Form.WHOLE, Form.FLOAT, Form.EXACT, Form.TRUTH)


def _found(name: str, said: Mapping[str, Any]) -> FoundField:
    """A field as Odoo describes it; numbers and truths are never empty there.

    What is neither stored nor taken from a linked record is worked out, and refused as a whole row where the user may
    not read what it is worked out from.
    """
    kind = said.get("type", "")
    is_worked_out = not said.get("store") and not said.get("related") and name != "display_name"
    form = _FORMS.get(kind, Form.OTHER)
    return FoundField(
        name,
        form,
        label=said.get("string") or None,
        target=said.get("relation") or None,
        is_many=kind in ("one2many", "many2many"),
        is_apart=kind == "binary" or is_worked_out,
        can_filter=said.get("searchable") is True,
        is_filled=form in _NUMBERS,
    )


def _folded(value: Any) -> Any:
    """Linked records as they come when nothing of them is asked for."""
    if isinstance(value, list):
        return [_folded(item) for item in value]
    return value.get("id") if isinstance(value, dict) else value


def write_specification(paths: Iterable[str]) -> dict[str, Any]:
    """The fields to send, nested as they are linked; dotted names are not allowed there."""
    specification: dict[str, Any] = {}
    for path in sorted(paths):
        level = specification
        *steps, last = path.split(".")
        for step in steps:
            level = level.setdefault(step, {}).setdefault("fields", {})
        level.setdefault(last, {})
    return specification


def _write_order(step: OrderBy) -> str:
    return f"{step.path} {'desc' if step.descending else 'asc'} nulls last"


_OPERATORS = {
    Comparison.GT: ">",
    Comparison.GTE: ">=",
    Comparison.LT: "<",
    Comparison.LTE: "<=",
}


def write_where(where: Where) -> list[Any]:
    """Write conditions as a domain: operators come before their terms, and lists are not nested."""
    match where:
        case AllOf(terms):
            return _write_group("&", terms)
        case AnyOf(terms):
            if not terms:
                raise ValueError("a question that finds nothing is not asked")
            return _write_group("|", terms)
        case Compare(path, comparison, value, _):
            return _write_compare(path, comparison, value)


def _write_group(operator: str, terms: tuple[Where, ...]) -> list[Any]:
    return [operator] * (len(terms) - 1) + [token for term in terms for token in write_where(term)]


def _write_compare(path: str, comparison: Comparison, value: Any) -> list[Any]:
    """Negation is written with `!`: a dotted `!=`, or `=` nothing, would leave out rows whose link is empty."""
    match comparison:
        case Comparison.EQ:
            return [[path, "=", write_value(value)]]
        case Comparison.NOT_EQ:
            return ["!", [path, "=", write_value(value)]]
        case Comparison.IN:
            return [[path, "in", [write_value(item) for item in value]]]
        case Comparison.NOT_IN:
            return ["!", [path, "in", [write_value(item) for item in value]]]
        case Comparison.MISSING:
            return ["!", [path, "!=", False]]
        case Comparison.PRESENT:
            return [[path, "!=", False]]
        case Comparison.CONTAINS:
            return [[path, "ilike", _escape(value)]]
        case Comparison.STARTS_WITH:
            return [[path, "=ilike", f"{_escape(value)}%"]]
        case _:
            return [[path, _OPERATORS[comparison], write_value(value)]]


def _escape(text: str) -> str:
    """Keep signs that a pattern would read as wildcards."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def write_value(value: Any) -> Any:
    """Write a value as Odoo compares it: moments in UTC without saying so, and numbers as text, to stay exact."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else value


def _unless_false(decode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Odoo writes `false` for whatever is empty."""
    return lambda value: None if value is False else decode(value)


def read_day(value: Any) -> date:
    """A day such as 2024-03-04, or the one of a moment in UTC."""
    if not isinstance(value, str):
        raise ValueError("not a day")
    return date.fromisoformat(value) if len(value) == len("2024-03-04") else read_moment(value).date()


def read_moment(value: Any) -> datetime:
    """A moment such as 2024-02-10 06:00:00, which is in UTC without saying so."""
    if not isinstance(value, str):
        raise ValueError("not a moment")
    return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def _error(answer: Answer) -> tuple[str, str] | None:
    """The exception and the first line of its message, where Odoo itself says it."""
    try:
        body = read_json(answer)
    except BadAnswer:
        return None
    if not isinstance(body, dict) or not isinstance(body.get("name"), str):
        return None
    return body["name"], str(body.get("message") or "").partition("\n")[0][:_LONGEST_MESSAGE]
