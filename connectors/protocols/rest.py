"""JSON over HTTP as a thousand programs speak it: what differs between them is data, one collection at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any
from urllib.parse import quote, urlsplit

from connectors.errors import BadAnswer, Trouble, Upstream
from connectors.fields import Pushed
from connectors.protocols.base import Getter, WireProtocol, http_trouble, read_json
from connectors.protocols.json_values import Times
from connectors.protocols.value_sets import fold
from connectors.protocols.walking import ROW_NUMBER
from connectors.query import NEVER, AllOf, Answer, Compare, Comparison, Page, Read, Request, Where, all_of

Parameters = list[tuple[str, str]]


class Paging(Enum):
    """How a source gives a collection in pieces."""

    NONE = "none"
    OFFSET = "offset"
    PAGE_NUMBER = "page-number"
    CURSOR = "cursor"
    LINK = "link"
    LINK_HEADER = "link-header"
    AFTER_KEY = "after-key"


class Several(Enum):
    """How several values are given for one parameter."""

    REPEATED = "repeated"
    COMMA = "comma"


@dataclass(frozen=True, slots=True)
class Pages:
    """The paging of a collection.

    `parameter` takes the offset, the page's number, the cursor or the last key; pages are counted from `first`.
    `limit` is the parameter for the size of a page, and `next` the path of the next cursor or link in an answer.
    """

    kind: Paging = Paging.NONE
    parameter: str = ""
    first: int = 1
    limit: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Collection:
    """How the rows of one collection are asked for.

    `rows` is the path of the rows in an answer, empty where the answer is the list. `filters` names the parameter of
    each comparison, with `{path}` for the field, and `own_filters` those of single fields; a parameter finds only rows
    that have a value, and `filled` are the fields that always have one. `one` is the path of one record, with `{key}`,
    and `record` where it is in that answer.
    """

    path: str
    key: str
    rows: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[Comparison, str] = field(default_factory=dict)
    own_filters: Mapping[str, Mapping[Comparison, str]] = field(default_factory=dict)
    several: Several | None = None
    filled: frozenset[str] = frozenset()
    pages: Pages = field(default_factory=Pages)
    one: str = ""
    record: str = ""

    def parameter_of(self, path: str, comparison: Comparison) -> str | None:
        """The parameter that compares a field; None where there is none."""
        own = self.own_filters.get(path)
        pattern = (self.filters if own is None else own).get(comparison)
        return None if pattern is None else pattern.replace("{path}", path)

    def reads_one(self, read: Read) -> bool:
        """Whether a question is for the record with one key, by its own path; all others ask with IN."""
        match read.where:
            case Compare(self.key, Comparison.EQ):
                return bool(self.one)
            case _:
                return False


class Rest(WireProtocol):
    """Reads collections by name.

    `message` and `code` are the paths of a refusal's words and code, `version` that of a row's version.
    """

    def __init__(
        self,
        collections: Mapping[str, Collection],
        *,
        headers: Mapping[str, str] | None = None,
        times: Times | None = None,
        message: str = "message",
        code: str = "code",
        version: str = "",
    ) -> None:
        self._collections = collections
        self._headers = (("Accept", "application/json"), *(headers or {}).items())
        self._times = times or Times()
        self._message = self.getter(message)
        self._code = self.getter(code)
        self.version_path = version
        self.decoders = self._times.decoders()

    def request(self, read: Read, options: Mapping[str, str]) -> Request:
        """Ask for a collection, or for one record by its key."""
        collection = self._collections[read.source]
        if collection.reads_one(read) and isinstance(read.where, Compare):
            path = collection.one.replace("{key}", quote(str(read.where.value), safe=""))
            return Request("GET", path, _write(collection.parameters.items()), self._headers)
        return Request("GET", collection.path, _write(self._parameters(collection, read)), self._headers)

    def _parameters(self, collection: Collection, read: Read) -> Parameters:
        where, place = _without_place(read.where, collection)
        conditions = self._conditions(collection, where)
        if conditions is None:
            raise ValueError(f"{read.source} cannot be asked for {read.where}")
        return [*collection.parameters.items(), *conditions, *_paging(collection.pages, place, read.limit)]

    def grasp(self, source: str) -> Callable[[Where, Pushed], Pushed | None]:
        """Make the function that tells what a collection makes of a condition, beside others that it has already."""
        collection = self._collections[source]

        def grasp(before: Where, pushed: Pushed) -> Pushed | None:
            together = fold(all_of(before, pushed.where))
            if together == NEVER:
                return Pushed(NEVER)
            return None if self._conditions(collection, together) is None else pushed

        return grasp

    def _conditions(self, collection: Collection, where: Where) -> Parameters | None:
        """Conditions as parameters; None where they cannot be said, or one parameter would be needed twice."""
        found: dict[str, list[str]] = {}
        terms = _terms(fold(where))
        compared = {term.path for term in terms if isinstance(term, Compare) and term.comparison in _FIND_VALUES}
        present = {term.path for term in terms if isinstance(term, Compare) and term.comparison is Comparison.PRESENT}
        for term in terms:
            if not isinstance(term, Compare):
                return None
            if term.comparison is Comparison.PRESENT and term.path in compared:
                continue
            if term.comparison is Comparison.NOT_IN and term.path not in present | collection.filled:
                return None  # it means rows without a value, too, which no parameter finds
            if not all(map(self._times.can_compare, term.value if isinstance(term.value, tuple) else (term.value,))):
                return None
            name = collection.parameter_of(term.path, _ALIKE.get(term.comparison, term.comparison))
            values = self._values(term)
            if name is None or name in found or not _can_list(values, collection.several):
                return None
            found[name] = values
        if collection.several is Several.COMMA:
            return [(name, ",".join(values)) for name, values in found.items()]
        return [(name, value) for name, values in found.items() for value in values]

    def _values(self, term: Compare) -> list[str]:
        if term.comparison in (Comparison.IN, Comparison.NOT_IN):
            return [self._times.write(value) for value in term.value]
        if term.comparison in (Comparison.MISSING, Comparison.PRESENT):
            return ["true"]
        return [self._times.write(term.value)]

    def page(self, read: Read, answer: Answer) -> Page:
        """Read the rows, and where the answer tells of it, how to go on; of a link only the query is taken."""
        collection = self._collections[read.source]
        body = read_json(answer)
        is_one = collection.reads_one(read)
        found = self._find(collection.record if is_one else collection.rows, body)
        rows = [found] if is_one else found
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise BadAnswer("The answer holds no rows where they should be.", upstream=Upstream(status=answer.status))
        return Page(rows, None if is_one else self._next(collection, read, answer, body))

    def _next(self, collection: Collection, read: Read, answer: Answer, body: Any) -> Request | None:
        pages = collection.pages
        if pages.kind is Paging.CURSOR:
            cursor = self._find(pages.next, body)
            if cursor in (None, "", False):
                return None
            request = self.request(read, {})
            return replace(request, query=f"{request.query}&{_write([(pages.parameter, str(cursor))])}".lstrip("&"))
        link = self._find(pages.next, body) if pages.kind is Paging.LINK else None
        if pages.kind is Paging.LINK_HEADER:
            link = _next_link(answer.headers.get("link", ""))
        if not isinstance(link, str) or not link:
            return None
        return Request("GET", collection.path, urlsplit(link).query, self._headers)

    def trouble(self, answer: Answer) -> Trouble | None:
        """What the status means, with the source's own words where they are JSON."""
        if 200 <= answer.status < 300:
            return None
        try:
            body = read_json(answer)
        except BadAnswer:
            body = None
        return http_trouble(answer, _text(self._code, body), _text(self._message, body))

    def _find(self, path: str, body: Any) -> Any:
        if not path:
            return body
        return self.getter(path)(body) if isinstance(body, dict) else None


_ALIKE = {Comparison.IN: Comparison.EQ, Comparison.NOT_IN: Comparison.NOT_EQ}
_FIND_VALUES = frozenset(Comparison) - {Comparison.MISSING, Comparison.PRESENT}


def _terms(where: Where) -> tuple[Where, ...]:
    return where.terms if isinstance(where, AllOf) else (where,)


def _without_place(where: Where, collection: Collection) -> tuple[Where, Any]:
    """Take from a question the place to go on from: after how many rows, or after which key."""
    is_by_key = collection.pages.kind is Paging.AFTER_KEY
    place, comparison = (collection.key if is_by_key else ROW_NUMBER), Comparison.GT
    others, found = [], None
    for term in _terms(where):
        match term:
            case Compare(path, how, value) if (path, how) == (place, comparison):
                found = value
            case _:
                others.append(term)
    return AllOf(tuple(others)), found


def _paging(pages: Pages, place: Any, limit: int | None) -> Parameters:
    found: Parameters = []
    match pages.kind:
        case Paging.OFFSET:
            found.append((pages.parameter, str(place or 0)))
        case Paging.PAGE_NUMBER:
            found.append((pages.parameter, str(pages.first + (place or 0) // (limit or 1))))
        case Paging.AFTER_KEY if place is not None:
            found.append((pages.parameter, str(place)))
    if pages.limit and limit is not None:
        found.append((pages.limit, str(limit)))
    return found


def _can_list(values: list[str], several: Several | None) -> bool:
    if several is Several.COMMA and any("," in value for value in values):
        return False
    return len(values) == 1 or several is not None


def _write(parameters: Any) -> str:
    """Write a query; blanks are sent as %20, because a plus sign is not one everywhere."""
    return "&".join(f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, value in parameters)


def _next_link(header: str) -> str | None:
    """The address of the next page in a Link header (RFC 8288), whose addresses may hold commas and semicolons."""
    for part in header.split("<")[1:]:
        address, _, attributes = part.partition(">")
        names = attributes.lower().replace(" ", "").replace('"', "").split(";")
        if any(name.rstrip(",") == "rel=next" for name in names):
            return address
    return None


def _text(get: Getter, body: Any) -> str | None:
    """A text of a refusal; anything else that stands there is not passed on."""
    found = get(body) if isinstance(body, dict) else None
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return found if isinstance(found, str) and found else None
