"""Tryton's JSON-RPC: `search_read` with domains, typed values, and errors inside good answers."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
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
)
from connectors.protocols.base import Getter, Row, WireProtocol, checked_count, http_trouble, plain_decoders, read_json
from connectors.protocols.shapes import Form, FoundField, Shape
from connectors.query import (
    AllOf,
    Answer,
    AnyOf,
    Compare,
    Comparison,
    OrderBy,
    Page,
    Read,
    Request,
    Where,
)
from connectors.retry_after import wait_of

_HEADERS = (("Content-Type", "application/json"), ("Accept", "application/json"))


class TrytonRpc(WireProtocol):
    """Reads models with `search_read`; the context is always the last argument."""

    version_path = "_timestamp"
    asks_by_name = True

    def __init__(self) -> None:
        self.decoders = plain_decoders() | {
            bool: read_truth,
            Decimal: read_number,
            date: read_day,
            datetime: read_moment,
            timedelta: read_span,
        }

    def request(self, read: Read, options: Mapping[str, str]) -> Request:
        """Ask for rows of a model; inactive ones too, since being inactive is a status here."""
        order = [_write_order(step) for step in read.order]
        context = {"active_test": False} | dict(read.context)
        names = sorted(read.paths)
        return rpc_request(
            f"model.{read.source}.search_read",
            [write_where(read.where), 0, read.limit, order, names, context],
            is_read=True,
        )

    def page(self, read: Read, answer: Answer) -> Page:
        """Read the rows; the limit is honoured as asked, so there is never a rest."""
        body = read_json(answer)
        rows = body.get("result") if isinstance(body, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise BadAnswer("The answer is no list of records.", upstream=Upstream(status=answer.status))
        return Page(rows)

    def count(self, read: Read, options: Mapping[str, str]) -> Request:
        """Ask the model's own count."""
        return rpc_request(
            f"model.{read.source}.search_count",
            [write_where(read.where), 0, None, {"active_test": False}],
            is_read=True,
        )

    def counted(self, answer: Answer) -> int:
        """The result is the number alone."""
        body = read_json(answer)
        return checked_count(body.get("result") if isinstance(body, dict) else None, answer)

    def trouble(self, answer: Answer) -> Trouble | None:
        """Errors of the program come with status 200; its HTTP errors are pages, which are not passed on."""
        if answer.status == 403:
            return Rejected("Tryton does not offer this method.", upstream=Upstream(status=403))
        if answer.status == 503:
            wait = wait_of(answer.headers)
            return Unavailable("Tryton cannot open this database.", upstream=Upstream(status=503), retry_after=wait)
        if not 200 <= answer.status < 300:
            return http_trouble(answer)
        body = read_json(answer)
        if isinstance(body, dict) and "error" in body:
            return _error(body["error"])
        return None

    def getter(self, path: str) -> Getter:
        """A step to a linked record stands under the field's name with a dot."""
        *links, name = path.split(".")
        keys = [f"{link}." for link in links]
        if not keys:
            return lambda row: row.get(name)

        def get(row: Row) -> Any:
            value: Any = row
            for key in keys:
                value = value.get(key)
                if not isinstance(value, dict):
                    return None
            return value.get(name)

        return get

    def describe(self, source: str, options: Mapping[str, str]) -> Request:
        """Every model tells, of the fields that the user may see."""
        return rpc_request(f"model.{source}.fields_get", [[], 0, {}])

    def shapes(self, source: str, answer: Answer) -> Mapping[str, Shape]:
        """Every model has a number as its key, and a name that it is shown with."""
        body = read_json(answer)
        found = body.get("result") if isinstance(body, dict) else None
        if not isinstance(found, dict) or not all(isinstance(said, dict) for said in found.values()):
            raise BadAnswer("The answer describes no fields.", upstream=Upstream(status=answer.status))
        fields = {name: _found(name, said) for name, said in sorted(found.items())}
        return {source: Shape(("id",), fields, "rec_name" if "rec_name" in fields else None)}

    def whole(self, source: str, row: Row, expanded: frozenset[str]) -> Row:
        """Without what was asked for behind links, which stands beside them."""
        return {name: value for name, value in row.items() if not name.endswith(".")}

    def link_key(self, name: str) -> str:
        """A link is a number; what it leads to stands under its name with a dot."""
        return f"{name}."

    def attach(self, row: Row, name: str, rows: list[Row]) -> None:
        """As if they had been asked for by a dotted name."""
        row[f"@{name}."] = rows

    def attach_one(self, row: Row, name: str, found: Row) -> None:
        """As if it had been asked for by a dotted name."""
        row[f"@{name}."] = found

    def children(self, path: str) -> Callable[[Row], list[Row] | None]:
        """Child records stand under the field's name with a dot."""
        keys = [f"{step}." for step in path.split(".")]

        def children(row: Row) -> list[Row] | None:
            found: Any = row
            for key in keys:
                found = found.get(key) if isinstance(found, dict) else None
            return found if isinstance(found, list) else None

        return children


_FORMS = {
    "char": Form.TEXT,
    "text": Form.TEXT,
    "fulltext": Form.TEXT,
    "selection": Form.TEXT,
    "integer": Form.WHOLE,
    "numeric": Form.EXACT,
    "float": Form.FLOAT,
    "boolean": Form.TRUTH,
    "date": Form.DAY,
    "datetime": Form.MOMENT,
    "timestamp": Form.MOMENT,
    "many2one": Form.LINK,
    "one2one": Form.LINK,
}


def _found(name: str, said: Mapping[str, Any]) -> FoundField:
    kind = said.get("type", "")
    return FoundField(
        name,
        _FORMS.get(kind, Form.OTHER),
        label=said.get("string") or None,
        target=said.get("relation") or None,
        is_many=kind in ("one2many", "many2many"),
        is_apart=kind == "binary",
        can_filter=said.get("searchable") is True,
    )


def rpc_request(method: str, params: list[Any], *, is_read: bool = False) -> Request:
    """One call; the body has exactly these keys, because with others the answer has another shape."""
    body = json.dumps({"id": 1, "method": method, "params": params}, separators=(",", ":"))
    return Request("POST", "", headers=_HEADERS, body=body.encode(), is_read=is_read)


def _write_order(step: OrderBy) -> list[str]:
    return [step.path, "DESC NULLS LAST" if step.descending else "ASC NULLS LAST"]


_OPERATORS = {
    Comparison.EQ: "=",
    Comparison.GT: ">",
    Comparison.GTE: ">=",
    Comparison.LT: "<",
    Comparison.LTE: "<=",
}


def write_where(where: Where) -> list[Any]:
    """Write conditions as a domain; it has no negation, and `OR` without terms would find everything."""
    match where:
        case AllOf(terms):
            return ["AND", *map(write_where, terms)] if terms else []
        case AnyOf(terms):
            if not terms:
                raise ValueError("a question that finds nothing is not asked")
            return ["OR", *map(write_where, terms)]
        case Compare(path, comparison, value, kind):
            return _write_compare(path, comparison, value, kind)


def _write_compare(path: str, comparison: Comparison, value: Any, kind: type[Any]) -> list[Any]:
    """Columns that are not text follow SQL, where null differs from nothing; so null is asked for by name."""
    match comparison:
        case Comparison.NOT_EQ if kind is bool:
            return [path, "=", not value]  # asked for null, a yes-or-no finds the noes
        case Comparison.NOT_EQ:
            return ["OR", [path, "!=", write_value(value)], *_missing(path, kind)]
        case Comparison.IN:
            return [path, "in", [write_value(item) for item in value]]
        case Comparison.NOT_IN:
            return ["OR", [path, "not in", [write_value(item) for item in value]], *_missing(path, kind)]
        case Comparison.MISSING:
            return _any_of(_missing(path, kind))
        case Comparison.PRESENT:
            return ["AND", [path, "!=", None], [path, "!=", ""]] if kind is str else [path, "!=", None]
        case Comparison.CONTAINS:
            return [path, "ilike", f"%{_escape(value)}%"]
        case Comparison.STARTS_WITH:
            return [path, "ilike", f"{_escape(value)}%"]
        case _:
            return [path, _OPERATORS[comparison], write_value(value)]


def _missing(path: str, kind: type[Any]) -> list[list[Any]]:
    """When there is no value: it is null or empty text, or one of the links that lead to it leads nowhere."""
    steps = path.split(".")
    links = [[".".join(steps[:end]), "=", None] for end in range(1, len(steps))]
    return [[path, "in", [None, ""]] if kind is str else [path, "=", None], *links]


def _any_of(clauses: list[list[Any]]) -> list[Any]:
    return clauses[0] if len(clauses) == 1 else ["OR", *clauses]


def _escape(text: str) -> str:
    """Keep signs that a pattern would read as wildcards."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def write_value(value: Any) -> Any:
    """Write a value as Tryton types it."""
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        parts = {name: getattr(moment, name) for name in _MOMENT_PARTS}
        return {"__class__": "datetime", **parts}
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": f"{value:f}"}
    return value


_MOMENT_PARTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def read_truth(value: Any) -> bool:
    """True or false, which are 1 and 0 where Tryton runs on SQLite."""
    if isinstance(value, bool) or value in (0, 1):
        return bool(value)
    raise ValueError("neither true nor false")


def read_number(value: Any) -> Decimal:
    """An exact number: marked where Tryton keeps it exactly, plain where it keeps a float (a quantity)."""
    if isinstance(value, dict) and value.get("__class__") == "Decimal":
        return Decimal(value["decimal"])
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("not a number")
    return Decimal(value)


def read_day(value: Any) -> date:
    """A marked day."""
    if not isinstance(value, dict) or value.get("__class__") != "date":
        raise ValueError("not a day")
    return date(value["year"], value["month"], value["day"])


def read_moment(value: Any) -> datetime:
    """A marked moment; Tryton keeps them in UTC, without saying so."""
    if not isinstance(value, dict) or value.get("__class__") != "datetime":
        raise ValueError("not a moment")
    return datetime(*[value[name] for name in _MOMENT_PARTS]).replace(tzinfo=UTC)


def read_span(value: Any) -> timedelta:
    """A marked span of time."""
    if not isinstance(value, dict) or value.get("__class__") != "timedelta":
        raise ValueError("not a span of time")
    return timedelta(microseconds=int(Decimal(value["seconds"]) * _MICROSECONDS))


_MICROSECONDS = 1_000_000

_WORDS = {"UserError": 0, "UserWarning": 1, "LoginException": 1}
"""Where in the details of Tryton's own errors the sentence for people stands."""
_LONGEST_MESSAGE = 300
_NAME = re.compile(r"'[a-z][a-z0-9_.]*'")
"""How a model or field that is not installed is named."""


def _error(error: Any) -> Trouble:
    """What an error list means.

    A question that only reads meets a UserError for one reason alone: a missing right on a model or field. Its
    text is in the user's language, so it is shown but never examined. What is no error of Tryton's own is one of
    Python, whose second part may be a traceback; a mere name in quotes is what is asked for and not installed.
    """
    name, detail = error[:2] if isinstance(error, list) and len(error) > 1 else (error, None)
    if not isinstance(name, str) or name not in _WORDS or not isinstance(detail, list):
        message = str(name)[:_LONGEST_MESSAGE]
        if _NAME.fullmatch(message):
            said = Upstream(status=200, message=message)
            return NoSuchRecords(f"This Tryton lacks the module that has {message}.", upstream=said)
        return Rejected(f"Tryton refuses the request: {message}", upstream=Upstream(status=200, message=message))
    message = str(next(iter(detail[_WORDS[name] :]), ""))[:_LONGEST_MESSAGE]
    said = Upstream(status=200, code=name, message=message)
    if name == "UserError":
        return PermissionDenied(f"The connection's user may not read this: {message}", upstream=said)
    if name == "LoginException":
        return Reauthorize("Tryton asks for another way of logging in.", upstream=said)
    return Rejected(f"Tryton refuses the request: {message}", upstream=said)
