"""Written bodies: JSON values read by type, and nested entities flattened into rows of their sets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from connectors.sandbox.odata_v2 import refusals
from connectors.sandbox.odata_v2.literals import duration, instant
from connectors.sandbox.odata_v2.service import EntitySet, Navigation, Property, Row, Service
from connectors.sandbox.odata_v2.values import NUMBERS, decimals, moment

TICKS = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")

Complete = Callable[[EntitySet, Row], None]


def read_value(prop: Property, raw: Any) -> Any:
    """Read one JSON value; ODataRefusal if it does not fit the property. Numbers with decimals are texts."""
    if raw is None:
        return None
    try:
        value = _read(prop, raw)
    except (ValueError, OverflowError, InvalidOperation):
        raise refusals.invalid_body_value(prop.name, raw) from None
    too_long = isinstance(value, str) and prop.max_length is not None and len(value) > prop.max_length
    if too_long or (isinstance(value, Decimal) and not _fits(prop, value)):
        raise refusals.invalid_body_value(prop.name, raw)
    return value


def flatten(
    nested: Mapping[str, Any],
    entity_set: EntitySet,
    service: Service,
    *,
    joined: Mapping[str, Any] | None = None,
    complete: Complete | None = None,
) -> list[tuple[EntitySet, Row]]:
    """Turn an entity with others inside it into rows, each with its set, the outer one first.

    What is inside hangs on a navigation property, as a list or as {"results": [...]}, and takes its
    parent's key. `joined` is what the outermost row takes from a parent of its own; `complete` may finish
    each row before its children are joined to it.
    """
    row: Row = {}
    children: list[tuple[Navigation, Mapping[str, Any]]] = []
    for name, raw in nested.items():
        if name == "__metadata":
            continue
        if name in entity_set.navigation:
            children += [(entity_set.navigation[name], child) for child in _inner(name, raw)]
        elif name in entity_set.properties:
            row[name] = read_value(entity_set.properties[name], raw)
        else:
            raise refusals.invalid_body_property(name)
    row |= joined or {}
    if complete is not None:
        complete(entity_set, row)
    rows = [(entity_set, row)]
    for navigation, child in children:
        other = service.entity_sets[navigation.target]
        keys = {far: row.get(near) for near, far in navigation.on.items()}
        rows += flatten(child, other, service, joined=keys, complete=complete)
    return rows


def _inner(name: str, raw: Any) -> list[Mapping[str, Any]]:
    if isinstance(raw, Mapping):
        if "__deferred" in raw:
            return []
        raw = raw.get("results", [raw])
    if not isinstance(raw, list) or not all(isinstance(child, Mapping) for child in raw):
        raise refusals.invalid_body_value(name, raw)
    return raw


def _read(prop: Property, raw: Any) -> Any:
    match prop.type, raw:
        case "Edm.Boolean", bool():
            return raw
        case kind, int() if kind in NUMBERS and not isinstance(raw, bool):
            return raw
        case _, str():
            return _read_text(prop, raw)
    raise ValueError(raw)


def _read_text(prop: Property, text: str) -> Any:
    match prop.type:
        case "Edm.String":
            return text
        case "Edm.Decimal":
            return Decimal(text)
        case "Edm.Double" | "Edm.Single":
            return float(text)
        case "Edm.Int64":
            return int(text)
        case "Edm.Time":
            return duration(text)
        case "Edm.Guid":
            return UUID(text)
        case "Edm.DateTime" | "Edm.DateTimeOffset":
            ticks = TICKS.fullmatch(text)
            offset = prop.type == "Edm.DateTimeOffset"
            value = (moment(int(ticks[1])) if ticks else instant(text, offset=offset)).astimezone(UTC)
            return value.date() if prop.format == "Date" else value
    raise ValueError(text)


def _fits(prop: Property, value: Decimal) -> bool:
    if not value.is_finite():
        return False
    needed = decimals(value)
    whole = max(0, value.adjusted() + 1) if value else 0
    scale = needed if prop.scale is None else prop.scale
    return needed <= scale and (prop.precision is None or whole + scale <= prop.precision)
