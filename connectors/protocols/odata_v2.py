"""OData V2 as SAP Gateway speaks it: typed literals, `/Date(…)/`, `d.results` and server-driven pages."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

from connectors.errors import BadAnswer, NoSuchRecords, PermissionDenied, Rejected, Trouble, Upstream
from connectors.protocols.base import Row, WireProtocol, http_trouble, plain_decoders, read_json
from connectors.protocols.edmx import metadata_request, read_shapes
from connectors.protocols.shapes import EVERYTHING, Shape
from connectors.query import (
    ALWAYS,
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

_JSON = (("Accept", "application/json"),)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_SERVICE = "/IWFND/MED/170"
_XML_ERROR = re.compile(rb"<code>([!-;=-~]+)</code>\s*<message[^>]*>([^<]{1,500})</message>")
"""What a refusal of a question for XML looks like."""
_DATE = re.compile(r"/Date\((-?\d+)(?:([+-])(\d{4}))?\)/")


class ODataV2(WireProtocol):
    """Reads collections with $filter, $select, $expand, $orderby and $top; a null of text is the empty text.

    Unless the connection names a language, English is asked for, because words such as those of statuses come in it.
    """

    version_path = "__metadata.etag"
    searches_text = False
    children_key = "results"

    def __init__(self) -> None:
        self.decoders = plain_decoders() | {date: read_day, datetime: read_moment}

    def request(self, read: Read, options: Mapping[str, str]) -> Request:
        """Ask for a collection; blanks are sent as %20, because a plus sign is not one in a URL's query."""
        paths = sorted(path for path in read.paths - {EVERYTHING} if not path.startswith("__"))
        parameters = {
            "$select": "" if EVERYTHING in read.paths else ",".join(path.replace(".", "/") for path in paths),
            "$expand": ",".join(_expanded(paths)),
            "$filter": "" if read.where == ALWAYS else write_where(read.where),
            "$orderby": ",".join(map(_write_order, read.order)),
            "$top": "" if read.limit is None else str(read.limit),
            "$format": "json",
            "sap-language": "EN",
            **options,
        }
        query = "&".join(f"{name}={quote(value, safe=',/')}" for name, value in parameters.items() if value)
        return Request("GET", read.source, query, _JSON)

    def page(self, read: Read, answer: Answer) -> Page:
        """Read `d.results`; of `d.__next` only the query is taken, since its host may be one behind a proxy."""
        body = read_json(answer)
        try:
            content = body["d"]
            rows = content["results"]
            link = content.get("__next")
        except (KeyError, TypeError, AttributeError):
            raise BadAnswer("The answer is no OData collection.", upstream=Upstream(status=answer.status)) from None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise BadAnswer("The rows of the answer are no list of objects.")
        following = Request("GET", read.source, urlsplit(link).query, _JSON) if isinstance(link, str) else None
        return Page(rows, following)

    def count(self, read: Read, options: Mapping[str, str]) -> Request:
        """The number is a resource of its own below the collection."""
        where = "" if read.where == ALWAYS else f"$filter={quote(write_where(read.where), safe=',/')}"
        return Request("GET", f"{read.source}/$count", where, (("Accept", "text/plain"),))

    def trouble(self, answer: Answer) -> Trouble | None:
        """SAP says why in `error.message.value`; a refusal that asks for a token is not about rights.

        A 404 with SAP's own words comes from the right system: it does not know a name in the question. A service
        that is not switched on answers 403, which is no matter of rights either.
        """
        if 200 <= answer.status < 300:
            return None
        code, message = _error(answer)
        if answer.status == 404 and message is not None:
            return Rejected(f"The system refuses the request: {message}", upstream=Upstream(404, code, message))
        if answer.status == 403 and code == _NO_SERVICE:
            return NoSuchRecords("The service is not active in the system.", upstream=Upstream(403, code, message))
        trouble = http_trouble(answer, code, message)
        if isinstance(trouble, PermissionDenied) and answer.headers.get("x-csrf-token", "").lower() == "required":
            return BadAnswer("The system asks for a CSRF token.", upstream=trouble.upstream)
        return trouble

    def describe(self, source: str, options: Mapping[str, str]) -> Request:
        """Its service tells, in the language that texts come in."""
        query = "&".join(f"{name}={quote(value)}" for name, value in {"sap-language": "EN", **options}.items())
        return replace(metadata_request(source), query=query)

    def shapes(self, source: str, answer: Answer) -> Mapping[str, Shape]:
        """All collections of the service, with properties, and navigation properties as links."""
        return read_shapes(source, answer)

    def whole(self, source: str, row: Row, expanded: frozenset[str]) -> Row:
        """Without links, expanded or not: they are addresses within the system, which nobody else can follow."""
        return {name: value for name, value in row.items() if name not in expanded and not _is_deferred(value)}

    def attach(self, row: Row, name: str, rows: list[Row]) -> None:
        """As if they had been expanded."""
        row[f"@{name}"] = {"results": rows}

    def children(self, path: str) -> Callable[[Row], list[Row] | None]:
        """Expanded collections stand under `results`; those of several rows on the way are put together."""
        steps = path.split(".")

        def children(row: Row) -> list[Row] | None:
            rows = [row]
            for step in steps:
                found = [_expansion(item.get(step)) for item in rows]
                if rows and all(item is None for item in found):
                    return None
                rows = [child for item in found for child in item or ()]
            return rows

        return children


def _is_deferred(value: Any) -> bool:
    return isinstance(value, dict) and "__deferred" in value


def _expansion(value: Any) -> list[Row] | None:
    """The rows that an expanded navigation property leads to, many or one; None where it was not expanded."""
    if not isinstance(value, dict) or not value or "__deferred" in value:
        return None
    results = value.get("results", [value])
    return results if isinstance(results, list) else None


def _expanded(paths: Iterable[str]) -> list[str]:
    """The navigation properties that paths lead through, each prefix once."""
    prefixes: set[str] = set()
    for path in paths:
        steps = path.split(".")
        prefixes.update("/".join(steps[:end]) for end in range(1, len(steps)))
    return sorted(prefixes)


def _write_order(step: OrderBy) -> str:
    return f"{step.path} desc" if step.descending else f"{step.path} asc"


_SYMBOLS = {
    Comparison.EQ: "eq",
    Comparison.NOT_EQ: "ne",
    Comparison.GT: "gt",
    Comparison.GTE: "ge",
    Comparison.LT: "lt",
    Comparison.LTE: "le",
}


def write_where(where: Where) -> str:
    """Write conditions as `$filter`; every group is bracketed, so precedence is never in question."""
    match where:
        case AllOf(terms):
            return "(" + " and ".join(map(write_where, terms)) + ")"
        case AnyOf(terms):
            return "(" + " or ".join(map(write_where, terms)) + ")"
        case Compare(path, comparison, value, kind):
            name = path.replace(".", "/")
            written = _write_compare(name, comparison, value, kind)
            if kind in (date, datetime) and _finds_initial(comparison, value):
                return f"({written} and {name} ne null)"
            return written


def _finds_initial(comparison: Comparison, value: Any) -> bool:
    """Whether dates shown as null are found too: inside they are the initial one, the first day that there is."""
    if comparison in (Comparison.LT, Comparison.LTE):
        return True
    values = value if isinstance(value, tuple) else (value,)
    is_first = any(isinstance(item, date) and item.timetuple()[:3] == date.min.timetuple()[:3] for item in values)
    return is_first and comparison in (Comparison.EQ, Comparison.IN, Comparison.GTE)


def _write_compare(name: str, comparison: Comparison, value: Any, kind: type[Any]) -> str:
    match comparison:
        case Comparison.IN:
            return "(" + " or ".join(f"{name} eq {write_literal(item)}" for item in value) + ")"
        case Comparison.NOT_IN:
            return "(" + " and ".join(f"{name} ne {write_literal(item)}" for item in value) + ")"
        case Comparison.MISSING:
            return f"{name} eq ''" if kind is str else f"{name} eq null"
        case Comparison.PRESENT:
            return f"{name} ne ''" if kind is str else f"{name} ne null"
        case Comparison.CONTAINS:
            return f"substringof({write_literal(value)},{name})"
        case Comparison.STARTS_WITH:
            return f"startswith({name},{write_literal(value)})"
        case _:
            return f"{name} {_SYMBOLS[comparison]} {write_literal(value)}"


def write_literal(value: Any) -> str:
    """Write a value as V2 types it; a quote inside text is doubled."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, datetime):
        return f"datetimeoffset'{value.astimezone(UTC).replace(tzinfo=None).isoformat()}Z'"
    if isinstance(value, date):
        return f"datetime'{value.isoformat()}T00:00:00'"
    if isinstance(value, Decimal):
        return f"{value:f}m"
    return f"guid'{value}'" if isinstance(value, UUID) else str(value)


def read_moment(value: Any) -> datetime:
    """Read `/Date(milliseconds+offset)/`; the milliseconds are UTC, the offset only says how it is shown."""
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("not a moment")
    return _EPOCH + timedelta(milliseconds=int(match[1]))


def read_day(value: Any) -> date:
    """Read the day of an Edm.DateTime, which has no zone: its milliseconds count from midnight as it is meant."""
    return read_moment(value).date()


def _error(answer: Answer) -> tuple[str | None, str | None]:
    """SAP's own code and words, where the answer is its JSON or XML; pages of anything else are not passed on."""
    try:
        error = read_json(answer)["error"]
        message = error["message"]
        text = message["value"] if isinstance(message, dict) else message
        return str(error.get("code") or "") or None, str(text) if text else None
    except (BadAnswer, KeyError, TypeError, AttributeError):
        found = _XML_ERROR.search(answer.body)
        return (found[1].decode(), found[2].decode(errors="replace")) if found else (None, None)
