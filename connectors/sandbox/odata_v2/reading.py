"""Reads over the rows: found by key, filtered, sorted as the database sorts, cut into pages and shaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from connectors.sandbox.odata_v2 import refusals
from connectors.sandbox.odata_v2.paths import Key, Target
from connectors.sandbox.odata_v2.query import Query, Shape
from connectors.sandbox.odata_v2.service import EntitySet, Navigation, Row, Service
from connectors.sandbox.odata_v2.values import comparable, etag, in_language, key_of, to_json, to_literal, value_of


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one answer, how many there are in all, and where the next page begins (None: nowhere)."""

    rows: Sequence[Row]
    total: int
    next_token: int | None


class Reader:
    """Answers reads of one service from the rows of its entity sets."""

    def __init__(self, service: Service, data: Mapping[str, list[Row]], language: str = "EN") -> None:
        self.service = service
        self.data = data
        self.language = language

    def find(self, entity_set: EntitySet, key: Key) -> Row:
        """Return the row with this comparable key, or refuse with 404."""
        for row in self.data.get(entity_set.name, ()):
            if key_of(entity_set, row) == key:
                return row
        raise refusals.not_found(entity_set.type)

    def one(self, target: Target) -> tuple[EntitySet, Row]:
        """Return the single entity that a path leads to, with its entity set."""
        row = self.find(target.entity_set, target.key or ())
        if target.navigation is None:
            return target.entity_set, row
        other = self.service.entity_sets[target.navigation.target]
        for found in self.related(target.entity_set, target.navigation, [row])[0]:
            if target.navigation_key is None or key_of(other, found) == target.navigation_key:
                return other, found
        raise refusals.not_found(other.type)

    def many(self, target: Target) -> tuple[EntitySet, Sequence[Row]]:
        """Return the collection that a path leads to, unsorted, with its entity set."""
        if target.navigation is None:
            return target.entity_set, self.data.get(target.entity_set.name, [])
        row = self.find(target.entity_set, target.key or ())
        other = self.service.entity_sets[target.navigation.target]
        return other, self.related(target.entity_set, target.navigation, [row])[0]

    def page(self, entity_set: EntitySet, rows: Iterable[Row], query: Query, limit: int, maximum: int) -> Page:
        """Filter, sort and cut: `limit` rows a page, or up to `maximum` if the caller names a $top."""
        found = [row for row in rows if query.predicate is None or query.predicate(row)]
        total = len(found)
        found = self.in_order(entity_set, found, query)[query.skip :]
        if query.top is not None:
            found = found[: query.top]
        size = limit if query.top is None else maximum
        end = query.skip_token + size
        return Page(found[query.skip_token : end], total, end if end < len(found) else None)

    def in_order(self, entity_set: EntitySet, rows: list[Row], query: Query) -> list[Row]:
        """Sort; what the order leaves open is settled by a hash, differently for every $skip."""
        ordered = sorted(rows, key=lambda row: _arbitrary(entity_set, row, query.skip))
        for prop, downwards in reversed(query.order):
            inner = comparable(prop)
            ordered.sort(key=lambda row: inner(value_of(prop, row)), reverse=downwards)
        return ordered

    def related(self, entity_set: EntitySet, navigation: Navigation, rows: Sequence[Row]) -> list[Sequence[Row]]:
        """Return what each row leads to, in no order to rely on."""
        other = self.service.entity_sets[navigation.target]
        near = [(entity_set.properties[name], comparable(entity_set.properties[name])) for name in navigation.on]
        far = [(other.properties[name], comparable(other.properties[name])) for name in navigation.on.values()]
        index: dict[Key, list[Row]] = {}
        for row in self.data.get(other.name, ()):
            if any(value_of(other.properties[name], row) not in texts for name, texts in navigation.where.items()):
                continue
            index.setdefault(tuple(inner(value_of(prop, row)) for prop, inner in far), []).append(row)
        found = (index.get(tuple(inner(value_of(prop, row)) for prop, inner in near), []) for row in rows)
        return [sorted(each, key=lambda row: _arbitrary(other, row, 0)) for each in found]

    def shown(self, entity_set: EntitySet, row: Row) -> Row:
        """Return a row as the reader sees it, in the language of the logon."""
        return in_language(entity_set, row, self.language)

    def shaped(self, entity_set: EntitySet, rows: Sequence[Row], shape: Shape, root: str) -> list[dict[str, Any]]:
        """Write rows as JSON objects; `root` is the address of the service."""
        answers = []
        for row in rows:
            address = entity_address(entity_set, row, root)
            answer: dict[str, Any] = {"__metadata": _metadata(entity_set, row, address)}
            shown = self.shown(entity_set, row)
            answer |= {prop.name: to_json(prop, shown) for prop in shape.properties}
            answer |= {each.name: {"__deferred": {"uri": f"{address}/{each.name}"}} for each in shape.deferred}
            answers.append(answer)
        for navigation, inner in shape.expanded:
            other = self.service.entity_sets[navigation.target]
            for answer, found in zip(answers, self.related(entity_set, navigation, rows), strict=True):
                entities = self.shaped(other, found, inner, root)
                single = entities[0] if entities else None
                answer[navigation.name] = {"results": entities} if navigation.many else single
        return answers


def entity_address(entity_set: EntitySet, row: Row, root: str) -> str:
    """Return the address of one entity."""
    literals = {name: to_literal(entity_set.properties[name], row) for name in entity_set.key}
    named = ",".join(f"{name}={literal}" for name, literal in literals.items())
    return f"{root}/{entity_set.name}({named if len(literals) > 1 else next(iter(literals.values()))})"


def _metadata(entity_set: EntitySet, row: Row, address: str) -> dict[str, str]:
    said = {"id": address, "uri": address, "type": f"{entity_set.namespace}.{entity_set.type}"}
    tag = etag(entity_set, row)
    return said if tag is None else {**said, "etag": tag}


def _arbitrary(entity_set: EntitySet, row: Row, salt: int) -> int:
    return crc32(repr((salt, key_of(entity_set, row))).encode())
