"""Resource paths: which entity set, which key, and what is asked of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.odata_v2 import refusals
from connectors.sandbox.odata_v2.filter import LITERALS_OF
from connectors.sandbox.odata_v2.literals import parse_literal
from connectors.sandbox.odata_v2.service import EntitySet, Navigation, Property, Service
from connectors.sandbox.odata_v2.values import comparable

SEGMENT = re.compile(r"(?P<name>[A-Za-z_]\w*)(?:\((?P<key>.*)\))?", re.DOTALL)
KEY_PART = re.compile(r"\s*(?:(\w+)\s*=\s*)?((?:[a-z]+)?'(?:[^']|'')*'|[^,'=\s]+)\s*(?:,|$)")

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """What a path leads to: a set, perhaps one entity of it, perhaps what hangs on that entity."""

    entity_set: EntitySet
    key: Key | None = None
    navigation: Navigation | None = None
    navigation_key: Key | None = None
    property: Property | None = None
    count: bool = False


def parse_path(segments: Sequence[str], service: Service) -> Target:
    """Read the decoded segments behind the service name; ODataRefusal for what leads nowhere."""
    first, *rest = segments
    name, predicate = _split(first)
    entity_set = service.entity_sets.get(name)
    if entity_set is None:
        raise refusals.unknown_segment(name)
    target = Target(entity_set, parse_key(predicate, entity_set))
    if rest and target.key is None and rest != ["$count"]:
        raise refusals.unknown_segment(rest[0])
    if rest and rest[0] != "$count":
        target = _step(target, rest.pop(0), service)
    if rest == ["$count"]:
        return Target(target.entity_set, target.key, target.navigation, target.navigation_key, count=True)
    if rest:
        raise refusals.unknown_segment(rest[0])
    return target


def parse_key(predicate: str | None, entity_set: EntitySet) -> Key | None:
    """Read a key predicate into what the database compares; None if there is none."""
    if predicate is None:
        return None
    parts: dict[str, str] = {}
    position = 0
    while position < len(predicate):
        found = KEY_PART.match(predicate, position)
        name = (found[1] or (entity_set.key[0] if len(entity_set.key) == 1 else "")) if found else ""
        if found is None or name in parts:
            raise refusals.malformed(f"key predicate ({predicate})")
        parts[name] = found[2]
        position = found.end()
    if set(parts) != set(entity_set.key):
        raise refusals.malformed(f"key predicate ({predicate}) of {entity_set.name}")
    return tuple(_key_value(entity_set.properties[name], parts[name]) for name in entity_set.key)


def _step(target: Target, segment: str, service: Service) -> Target:
    name, predicate = _split(segment)
    navigation = target.entity_set.navigation.get(name)
    if navigation is not None:
        other = service.entity_sets[navigation.target]
        if predicate is not None and not navigation.many:
            raise refusals.malformed(segment)
        return Target(target.entity_set, target.key, navigation, parse_key(predicate, other))
    prop = target.entity_set.properties.get(name)
    if prop is None or predicate is not None:
        raise refusals.unknown_segment(name)
    return Target(target.entity_set, target.key, property=prop)


def _split(segment: str) -> tuple[str, str | None]:
    found = SEGMENT.fullmatch(segment)
    if found is None:
        raise refusals.unknown_segment(segment)
    return found["name"], found["key"]


def _key_value(prop: Property, text: str) -> Any:
    literal = parse_literal(text)
    if literal.type not in LITERALS_OF.get(prop.type, ()):
        raise refusals.malformed(f"key value {text} of {prop.name}")
    return comparable(prop)(literal.value)
