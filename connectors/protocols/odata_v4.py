"""OData V4: bare literals, `$expand` with its own `$select`, `value`, `@odata.nextLink` and `error.message`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit

from connectors.errors import BadAnswer, Rejected, Trouble, Upstream
from connectors.fields import Pushed
from connectors.protocols.base import Getter, Row, WireProtocol, http_trouble, read_json
from connectors.protocols.edmx import metadata_request, read_shapes
from connectors.protocols.json_values import Times
from connectors.protocols.shapes import EVERYTHING, Shape
from connectors.protocols.trees import Tree, tree_of
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
    compared,
)

GUID = "guid"
"""The type of properties whose literals are written without quotes."""

_SAFE = ",/()$'"
"""Signs that may stand in the value of an OData option as they are."""


@dataclass(frozen=True, slots=True)
class EntitySet:
    """What a set's properties are where it matters.

    `types` names those that are no plain type: GUID, or the qualified name of an enum. `complex` are the properties
    with parts that are no navigation, so that they are selected and not expanded.
    """

    types: Mapping[str, str] = field(default_factory=dict)
    complex: frozenset[str] = frozenset()


class ODataV4(WireProtocol):
    """Reads sets with $select, $expand, $filter, $orderby and $top.

    `supports_in` is for services that know the operator `in`, `ignores_case` for those that compare texts without
    minding capital letters. `parameters` and `headers` go with every request; `page_size` asks for pages of this size.
    """

    version_path = "@odata.etag"

    def __init__(
        self,
        sets: Mapping[str, EntitySet] | None = None,
        *,
        supports_in: bool = False,
        ignores_case: bool = False,
        page_size: int | None = None,
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._sets = sets or {}
        self._supports_in = supports_in
        self._ignores_case = ignores_case
        self._parameters = parameters or {}
        prefer = {} if page_size is None else {"Prefer": f"odata.maxpagesize={page_size}"}
        given = {"Accept": "application/json", "OData-Version": "4.0", **prefer, **(headers or {})}
        self._headers = tuple(given.items())
        self.decoders = Times().decoders()

    def request(self, read: Read, options: Mapping[str, str]) -> Request:
        """Ask for a set; blanks are sent as %20, because services answer a plus sign with 400."""
        entity_set = self._set(read)
        paths = [path for path in read.paths if not path.startswith("@")]
        if EVERYTHING in paths:
            own = [path for path in paths if "." not in path or path.partition(".")[0] in entity_set.complex]
            paths = [EVERYTHING, *(path for path in paths if path not in own)]
        parameters = {
            **write_projection(tree_of(paths), entity_set.complex),
            "$filter": "" if read.where == ALWAYS else self.write_where(read.where, entity_set),
            "$orderby": ",".join(map(_write_order, read.order)),
            "$top": "" if read.limit is None else str(read.limit),
            **self._parameters,
            **options,
        }
        query = "&".join(f"{name}={quote(value, safe=_SAFE)}" for name, value in parameters.items() if value)
        return Request("GET", read.source, query, self._headers)

    def page(self, read: Read, answer: Answer) -> Page:
        """Read `value`; of `@odata.nextLink` only the query is taken, because its host may be one behind a proxy."""
        body = read_json(answer)
        rows = body.get("value") if isinstance(body, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise BadAnswer("The answer is no OData collection.", upstream=Upstream(status=answer.status))
        link = body.get("@odata.nextLink")
        following = None
        if isinstance(link, str) and link:
            following = Request("GET", read.source, urlsplit(link).query, self._headers)
        return Page(rows, following)

    def trouble(self, answer: Answer) -> Trouble | None:
        """The service says why in `error.message`; a 404 with its own words comes from the right system."""
        if 200 <= answer.status < 300:
            return None
        code, message = _error(answer)
        if answer.status == 404 and message is not None:
            return Rejected(f"The system refuses the request: {message}", upstream=Upstream(404, code, message))
        return http_trouble(answer, code, message)

    def getter(self, path: str) -> Getter:
        """Step through expanded and complex properties; a name with a dot of its own is an annotation."""
        if path.startswith("@"):
            return lambda row: row.get(path)
        return super().getter(path)

    def describe(self, source: str, options: Mapping[str, str]) -> Request:
        """Its service tells."""
        return metadata_request(source)

    def shapes(self, source: str, answer: Answer) -> Mapping[str, Shape]:
        """All collections of the service, with properties, and navigation properties as links."""
        return read_shapes(source, answer)

    def whole(self, source: str, row: Row, expanded: frozenset[str]) -> Row:
        """Without what was expanded; complex properties belong to the row."""
        own = self._sets.get(source, EntitySet()).complex
        return {name: value for name, value in row.items() if name not in expanded or name in own}

    def grasp(self, source: str) -> Callable[[Where, Pushed], Pushed | None]:
        """Make the function that tells what a set makes of a condition.

        A service that ignores case finds texts that only look alike, too; so it cannot leave out one text alone.
        """
        types = self._sets.get(source, EntitySet()).types

        def grasp(before: Where, pushed: Pushed) -> Pushed | None:
            found = [item for item in compared(pushed.where) if item.kind is str and item.path not in types]
            texts = {item.comparison for item in found} & _EQUALITIES
            if not self._ignores_case or not texts:
                return pushed
            return None if texts & {Comparison.NOT_EQ, Comparison.NOT_IN} else Pushed(pushed.where, is_exact=False)

        return grasp

    def _set(self, read: Read) -> EntitySet:
        return self._sets.get(read.source, EntitySet())

    def write_where(self, where: Where, entity_set: EntitySet) -> str:
        """Write conditions as `$filter`; every group is bracketed, so precedence is never in question."""
        match where:
            case AllOf(terms):
                return "(" + " and ".join(self.write_where(term, entity_set) for term in terms) + ")"
            case AnyOf(terms):
                return "(" + " or ".join(self.write_where(term, entity_set) for term in terms) + ")"
            case Compare():
                return self._write_compare(where, entity_set.types.get(where.path))

    def _write_compare(self, compare: Compare, kind: str | None) -> str:
        name = compare.path.replace(".", "/")
        has_empty = compare.kind is str and kind is None
        match compare.comparison:
            case Comparison.IN | Comparison.NOT_IN:
                return self._write_list(name, compare, kind)
            case Comparison.MISSING:
                return f"({name} eq null or {name} eq '')" if has_empty else f"{name} eq null"
            case Comparison.PRESENT:
                return f"({name} ne null and {name} ne '')" if has_empty else f"{name} ne null"
            case Comparison.CONTAINS | Comparison.STARTS_WITH:
                function = "contains" if compare.comparison is Comparison.CONTAINS else "startswith"
                if self._ignores_case:
                    return f"{function}({name},{write_literal(compare.value)})"
                return f"{function}(tolower({name}),{write_literal(compare.value.lower())})"
            case _:
                return f"{name} {_SYMBOLS[compare.comparison]} {write_literal(compare.value, kind)}"

    def _write_list(self, name: str, compare: Compare, kind: str | None) -> str:
        values = [write_literal(value, kind) for value in compare.value]
        is_in = compare.comparison is Comparison.IN
        if self._supports_in and len(values) > 1:
            found = f"{name} in ({','.join(values)})"
            return found if is_in else f"not ({found})"
        symbol, joint = ("eq", " or ") if is_in else ("ne", " and ")
        return "(" + joint.join(f"{name} {symbol} {value}" for value in values) + ")"


_SYMBOLS = {
    Comparison.EQ: "eq",
    Comparison.NOT_EQ: "ne",
    Comparison.GT: "gt",
    Comparison.GTE: "ge",
    Comparison.LT: "lt",
    Comparison.LTE: "le",
}
_EQUALITIES = frozenset({Comparison.EQ, Comparison.NOT_EQ, Comparison.IN, Comparison.NOT_IN})


def write_projection(tree: Tree, complex_paths: frozenset[str], prefix: str = "") -> dict[str, str]:
    """The options $select and $expand for a tree of paths."""
    selected: list[str] = []
    expanded: list[str] = []
    for step, inner in tree.items():
        path = f"{prefix}{step}"
        if not inner or path in complex_paths:
            selected.append(step)
            continue
        options = write_projection(inner, complex_paths, f"{path}.")
        written = ";".join(f"{name}={value}" for name, value in options.items() if value)
        expanded.append(f"{step}({written})")
    return {"$select": ",".join(selected), "$expand": ",".join(expanded)}


def _write_order(step: OrderBy) -> str:
    return f"{step.path.replace('.', '/')} {'desc' if step.descending else 'asc'}"


def write_literal(value: Any, kind: str | None = None) -> str:
    """Write a value as V4 does: texts in quotes, which are doubled inside, enums behind their type, others bare."""
    if kind == GUID:
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"{kind or ''}'" + value.replace("'", "''") + "'"
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _error(answer: Answer) -> tuple[str | None, str | None]:
    """The service's own code and words, with the first detail; pages of anything else are not passed on."""
    try:
        error = read_json(answer)["error"]
        words = [error.get("message"), *_inner_words(error)]
        said = " ".join(dict.fromkeys(text for text in words if isinstance(text, str) and text))
        return str(error.get("code") or "") or None, said or None
    except (BadAnswer, KeyError, TypeError, AttributeError):
        return None, None


def _inner_words(error: Mapping[str, Any]) -> list[Any]:
    """Some services say the useful thing in the details or in the inner error; a stack trace is left there."""
    details = error.get("details")
    found = [item.get("message") for item in details[:1] if isinstance(item, dict)] if isinstance(details, list) else []
    inner = error.get("innererror")
    return [*found, inner.get("message")] if isinstance(inner, dict) else found
