"""Writes: entities are created, changed and deleted under the rules that the facts give each set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.sandbox.odata_v2 import refusals
from connectors.sandbox.odata_v2.paths import Target
from connectors.sandbox.odata_v2.payload import flatten, read_value
from connectors.sandbox.odata_v2.reading import Reader
from connectors.sandbox.odata_v2.refusals import ODataRefusal
from connectors.sandbox.odata_v2.service import EntitySet, Property, Row, Service
from connectors.sandbox.odata_v2.values import comparable, etag, initial, key_of, value_of


class Changer:
    """Writes to one service for one user."""

    def __init__(self, service: Service, data: dict[str, list[Row]], user: str, now: Callable[[], datetime]) -> None:
        self.service = service
        self.data = data
        self.user = user
        self.now = now
        self.reader = Reader(service, data)
        self.pending: list[tuple[EntitySet, Row]] = []

    def create(self, target: Target, body: Mapping[str, Any]) -> tuple[EntitySet, Row]:
        """Create an entity with what is inside it, all or nothing; return it with its set."""
        entity_set = target.entity_set
        joined: Row = {}
        if target.navigation is not None:
            outer = self.reader.find(entity_set, target.key or ())
            joined = {far: outer.get(near) for near, far in target.navigation.on.items()}
            entity_set = self.service.entity_sets[target.navigation.target]
        if not entity_set.creatable or (target.key is not None and target.navigation is None):
            raise refusals.method_not_allowed()
        flatten(body, entity_set, self.service, joined=joined, complete=self._complete)
        created = self.pending[0]
        self._touch_parent(*created)
        for each, row in self.pending:
            self.data.setdefault(each.name, []).append(row)
        return created

    def update(self, target: Target, body: Mapping[str, Any], if_match: str | None, *, replace: bool = False) -> None:
        """Change an entity; what cannot be updated is ignored, as the real services do.

        `replace` resets what the body does not name.
        """
        entity_set, row = self.reader.one(target)
        if not entity_set.updatable:
            raise refusals.method_not_allowed()
        _check_etag(entity_set, row, if_match)
        self._check_open(entity_set, row)
        changes: Row = {}
        for name, raw in body.items():
            if name == "__metadata":
                continue
            prop = entity_set.properties.get(name)
            if prop is None:
                raise refusals.invalid_body_property(name)
            changes[name] = read_value(prop, raw)
        for prop in entity_set.properties.values():
            if prop.updatable and prop.name not in entity_set.key:
                if prop.name in changes:
                    row[prop.name] = changes[prop.name]
                elif replace:
                    row[prop.name] = initial(prop)
        self._stamp(entity_set, row, entity_set.changed_stamps)
        self._touch_parent(entity_set, row)

    def delete(self, target: Target, if_match: str | None) -> None:
        """Delete an entity: sets with a deletion flag keep the row and mark it and what is inside it."""
        entity_set, row = self.reader.one(target)
        if not entity_set.deletable:
            raise refusals.method_not_allowed()
        _check_etag(entity_set, row, if_match)
        self._check_open(entity_set, row)
        if not entity_set.deletion_flag:
            self.data[entity_set.name].remove(row)
        else:
            self._flag(entity_set, row)
        self._touch_parent(entity_set, row)

    def _flag(self, entity_set: EntitySet, row: Row) -> None:
        row |= entity_set.deletion_flag
        self._stamp(entity_set, row, entity_set.changed_stamps)
        for navigation in entity_set.navigation.values():
            other = self.service.entity_sets[navigation.target]
            if navigation.many and other.deletion_flag:
                for child in self.reader.related(entity_set, navigation, [row])[0]:
                    self._flag(other, child)

    def _complete(self, entity_set: EntitySet, row: Row) -> None:
        """Finish a row that is to be created: what may not be given goes, what the system gives comes."""
        kept = {*entity_set.key, *(name for name, prop in entity_set.properties.items() if prop.creatable)}
        for name in [name for name in row if name not in kept]:
            del row[name]
        parent = self._parent(entity_set, row)
        if parent is not None and entity_set.parent is not None:
            self._check_open(*parent)
            row |= {name: parent[1].get(name) for name in entity_set.parent.inherits}
        for name in entity_set.required_on_create:
            if not row.get(name):
                raise ODataRefusal(400, "ME/083", f"Enter {name}")
        row |= {name: value for name, value in entity_set.defaults.items() if not row.get(name)}
        for name, numbers in entity_set.numbering.items():
            if not row.get(name):
                row[name] = self._number(entity_set, row, entity_set.properties[name], numbers)
        self._stamp(entity_set, row, entity_set.created_stamps)
        key = key_of(entity_set, row)
        if any(key_of(entity_set, other) == key for other in self._rows(entity_set)):
            raise ODataRefusal(400, "/IWBEP/CM_MGW_RT/022", f"{entity_set.name} exists already")
        self.pending.append((entity_set, row))

    def _number(self, entity_set: EntitySet, row: Row, prop: Property, numbers: Mapping[str, int]) -> str:
        """Return the next number among the entities with the same parent."""
        others = [entity_set.properties[name] for name in entity_set.key if name != prop.name]
        wanted = [comparable(other)(value_of(other, row)) for other in others]
        last = numbers["from"] - numbers["step"]
        for each in self._rows(entity_set):
            if [comparable(other)(value_of(other, each)) for other in others] == wanted:
                text = str(value_of(prop, each))
                last = max(last, int(text) if text.isascii() and text.isdigit() else 0)
        return str(last + numbers["step"])

    def _rows(self, entity_set: EntitySet) -> list[Row]:
        return [
            *self.data.get(entity_set.name, ()),
            *(row for each, row in self.pending if each is entity_set),
        ]

    def _parent(self, entity_set: EntitySet, row: Row) -> tuple[EntitySet, Row] | None:
        if entity_set.parent is None:
            return None
        owner = self.service.entity_sets[entity_set.parent.entity_set]
        properties = entity_set.properties
        wanted = {
            far: comparable(properties[near])(value_of(properties[near], row))
            for near, far in entity_set.parent.on.items()
        }
        key = tuple(wanted[name] for name in owner.key)
        for candidate in self._rows(owner):
            if key_of(owner, candidate) == key:
                return owner, candidate
        raise refusals.not_found(owner.type)

    def _check_open(self, entity_set: EntitySet, row: Row) -> None:
        """Refuse what would change a closed document, be it through one of its parts."""
        if any(row.get(name) == value for name, value in entity_set.closed_when.items()):
            key = " ".join(str(row[name]) for name in entity_set.key)
            raise ODataRefusal(400, "ME/013", f"Document {key} is deleted; changes are not possible")
        parent = self._parent(entity_set, row)
        if parent is not None:
            self._check_open(*parent)

    def _touch_parent(self, entity_set: EntitySet, row: Row) -> None:
        parent = self._parent(entity_set, row)
        if parent is not None:
            self._stamp(parent[0], parent[1], parent[0].changed_stamps)
            self._touch_parent(*parent)

    def _stamp(self, entity_set: EntitySet, row: Row, stamps: Mapping[str, str]) -> None:
        """Write who and when; an instant always moves on, so that an ETag made of it changes."""
        now = self.now()
        for name, kind in stamps.items():
            match kind:
                case "instant":
                    row[name] = self._later(entity_set.properties[name], row.get(name))
                case "date":
                    row[name] = now.date()
                case "time":
                    row[name] = now.time().replace(microsecond=0)
                case "user":
                    row[name] = self.user.upper()[: entity_set.properties[name].max_length]
                case "text":
                    row[name] = f"{now:%Y%m%d%H%M%S%f}"

    def _later(self, prop: Property, before: datetime | None) -> datetime:
        """Return the current instant as exactly as the property keeps it, but no earlier than after `before`."""
        step = timedelta(seconds=1) if prop.precision == 0 else timedelta(microseconds=1)
        now = self.now().replace(microsecond=0) if prop.precision == 0 else self.now()
        return max(now, before + step) if before else now


def _check_etag(entity_set: EntitySet, row: Row, if_match: str | None) -> None:
    tag = etag(entity_set, row)
    if tag is None:
        return
    if if_match is None:
        raise refusals.precondition_required()
    if if_match not in ("*", tag):
        raise refusals.precondition_failed()
