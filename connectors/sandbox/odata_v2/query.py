"""The query options of a read: what is filtered, sorted, selected, expanded and paged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from connectors.sandbox.odata_v2 import refusals
from connectors.sandbox.odata_v2.filter import Predicate, compile_filter
from connectors.sandbox.odata_v2.service import EntitySet, Navigation, Property, Service

COLLECTION_OPTIONS = frozenset(
    ("$filter", "$orderby", "$top", "$skip", "$skiptoken", "$inlinecount", "$select", "$expand", "$format")
)
ENTITY_OPTIONS = frozenset(("$select", "$expand", "$format"))
COUNT_OPTIONS = frozenset(("$filter", "$top", "$skip"))


@dataclass(frozen=True, slots=True)
class Shape:
    """What an answer shows of an entity: properties, links, and entities within it."""

    properties: tuple[Property, ...]
    deferred: tuple[Navigation, ...]
    expanded: tuple[tuple[Navigation, Shape], ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A read, understood."""

    shape: Shape
    predicate: Predicate | None = None
    order: tuple[tuple[Property, bool], ...] = ()
    """Properties with whether they sort downwards."""
    top: int | None = None
    skip: int = 0
    skip_token: int = 0
    counts: bool = False


def read_options(query_string: str) -> dict[str, str]:
    """Decode a query string (+ is a space); ODataRefusal if an option comes twice.

    Only $skiptoken may come again, because the links of the system carry the former one along; the last
    one counts.
    """
    options: dict[str, str] = {}
    for name, value in parse_qsl(query_string, keep_blank_values=True):
        if name in options and name.startswith("$") and name != "$skiptoken":
            raise refusals.system_options_refused()
        options[name] = value
    return options


def refuse_other_options(options: Iterable[str], allowed: frozenset[str]) -> None:
    """Refuse options beginning with $ that do not belong to this kind of request."""
    if any(name.startswith("$") and name not in allowed for name in options):
        raise refusals.system_options_refused()


def read_query(options: dict[str, str], entity_set: EntitySet, service: Service, *, single: bool) -> Query:
    """Understand the options of a read of one entity or of a collection."""
    refuse_other_options(options, ENTITY_OPTIONS if single else COLLECTION_OPTIONS)
    count = options.get("$inlinecount", "none")
    if count not in ("none", "allpages"):
        raise refusals.invalid_option("$inlinecount", count)
    return Query(
        shape=read_shape(options.get("$select"), options.get("$expand"), entity_set, service),
        predicate=compile_filter(options["$filter"], entity_set, service.functions) if "$filter" in options else None,
        order=_order(options["$orderby"], entity_set) if "$orderby" in options else (),
        top=_number(options, "$top"),
        skip=_number(options, "$skip") or 0,
        skip_token=_number(options, "$skiptoken") or 0,
        counts=count == "allpages",
    )


def read_shape(select: str | None, expand: str | None, entity_set: EntitySet, service: Service) -> Shape:
    """Understand $select and $expand together."""
    expanded = [path.split("/") for path in _names(expand)]
    selected = None if select is None else [path.split("/") for path in _names(select)]
    return _shape(selected, expanded, entity_set, service)


def _shape(
    selected: Sequence[Sequence[str]] | None,
    expanded: Sequence[Sequence[str]],
    entity_set: EntitySet,
    service: Service,
) -> Shape:
    """Shape one level; `selected` is None where everything is shown."""
    for path in expanded:
        if path[0] not in entity_set.navigation:
            raise refusals.unknown_segment(path[0])
    opened = {path[0] for path in expanded}
    for path in selected or ():
        _check_selected(path, opened, entity_set)
    heads = {path[0] for path in selected or ()}
    everything = selected is None or "*" in heads
    inner = []
    for navigation in entity_set.navigation.values():
        if navigation.name not in opened or (selected is not None and navigation.name not in heads):
            continue
        below = [path[1:] for path in selected or () if path[0] == navigation.name]
        shape = _shape(
            None if not all(below) or selected is None else below,
            [path[1:] for path in expanded if path[0] == navigation.name and len(path) > 1],
            service.entity_sets[navigation.target],
            service,
        )
        inner.append((navigation, shape))
    return Shape(
        properties=tuple(each for each in entity_set.properties.values() if everything or each.name in heads),
        deferred=tuple(
            each
            for each in entity_set.navigation.values()
            if each.name not in opened and (selected is None or each.name in heads)
        ),
        expanded=tuple(inner),
    )


def _check_selected(path: Sequence[str], opened: set[str], entity_set: EntitySet) -> None:
    head = path[0]
    if head in entity_set.navigation:
        if len(path) > 1 and head not in opened:
            raise refusals.invalid_option("$select", "/".join(path))
    elif (head != "*" and head not in entity_set.properties) or len(path) > 1:
        raise refusals.unknown_segment(head)


def _names(text: str | None) -> list[str]:
    if text is None:
        return []
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise refusals.malformed(text)
    return names


def _order(text: str, entity_set: EntitySet) -> tuple[tuple[Property, bool], ...]:
    order = []
    for part in _names(text):
        name, _, direction = part.partition(" ")
        prop = entity_set.properties.get(name)
        if prop is None:
            raise refusals.unknown_property(name, entity_set.type)
        if not prop.sortable:
            raise refusals.not_allowed_here(name, "sorting")
        if direction.strip() not in ("", "asc", "desc"):
            raise refusals.invalid_option("$orderby", text)
        order.append((prop, direction.strip() == "desc"))
    return tuple(order)


def _number(options: dict[str, str], name: str) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise refusals.invalid_option(name, text)
    return int(text)
