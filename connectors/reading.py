"""From raw rows to records: only what is selected is computed, and every null can say why it is one."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from connectors.composites import Many, Parts
from connectors.fields import At, FieldSpec
from connectors.protocols.base import Getter, Row, WireProtocol
from connectors.spec import Resource
from schema.ids import RecordId
from schema.model import OWN_FIELDS, FieldModel, Kind, fields_of
from schema.records import FieldGap, FieldGapReason, Origin, RecordMeta, ServedFrom
from schema.selection import Selection, below, rows_of

_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError)
Column = tuple[str, Getter]


class RecordReader:
    """Reads the rows of one resource of one connection.

    `selection` is what the client wants of each record; `needed` names further fields that filters, orders or
    links need. `paths` are the source's fields that have to be asked for.
    """

    def __init__(
        self,
        resource: Resource,
        wire: WireProtocol,
        connection_id: str,
        selection: Selection,
        needed: Iterable[str] = (),
    ) -> None:
        self.resource = resource
        self.selection = selection
        self._connection_id = connection_id
        self._wire = wire
        self._paths: set[str] = {resource.key}
        self._key = At(resource.key).reader(resource.model.fields["remoteId"], wire)
        self._columns: list[Column] = []
        self._links: list[Column] = []
        self._children: list[tuple[str, Getter, ChildReader]] = []
        for name in dict.fromkeys([*selection, *needed]):
            self._add(name)
        self._title = self._title_column() if "displayName" in selection else None
        self.paths = frozenset(self._paths)

    def _add(self, name: str) -> None:
        if name == "version":
            self._paths.add(self._wire.version_path)
            self._columns.append(("version", self._wire.getter(self._wire.version_path)))
        spec, model = self.resource.fields.get(name), self.resource.model.fields.get(name)
        if spec is None or model is None:
            return
        if isinstance(spec, Many):
            reader = ChildReader(spec, model, self._wire, rows_of(below(self.selection, name)))
            self._paths.update(reader.paths)
            self._children.append((model.attribute, self._wire.children(spec.path), reader))
            return
        spec = prune(spec, model, below(self.selection, name))
        self._paths.update(spec.paths())
        columns = self._links if model.kind is Kind.LINK else self._columns
        columns.append((model.attribute, spec.reader(model, self._wire)))

    def _title_column(self) -> Getter:
        spec = self.resource.fields[self.resource.title]
        self._paths.update(spec.paths())
        return spec.reader(self.resource.model.fields[self.resource.title], self._wire)

    def read(self, rows: Sequence[Row]) -> list[Any]:
        """Make a record of each row; a value that cannot be read is null and says so, and never an error."""
        cls, entity_type = self.resource.entity, self.resource.model.type
        records = []
        for row in rows:
            key = self._key(row)
            if key is None:
                continue
            origin = Origin(key)
            values = _read_columns(self._columns, row, origin.unreadable)
            links = _read_columns(self._links, row, origin.unreadable)
            origin.links = {name: link for name, link in links.items() if link is not None}
            for attribute, children, reader in self._children:
                found = children(row)
                origin.children[attribute] = None if found is None else reader.read(found, self._id(key))
            if self._title is not None:
                values["display_name"] = _attempt(self._title, row) or key
            record = object.__new__(cls)
            record.__dict__.update(
                values,
                id=RecordId(entity_type, self._connection_id, key).encode(),
                remote_id=key,
                origin=origin,
            )
            records.append(record)
        return records

    def _id(self, key: str) -> RecordId:
        return RecordId(self.resource.model.type, self._connection_id, key)

    def meta_of(self, record: Any, fetched_at: datetime) -> RecordMeta:
        """Where a record comes from; what is missing in it is looked up when it is asked for."""
        return RecordMeta(source=ServedFrom.LIVE, fetched_at=fetched_at, find_gaps=partial(self._gaps, record))

    def _gaps(self, record: Any) -> list[FieldGap]:
        gaps: list[FieldGap] = []
        fields = self.resource.model.fields
        for name, inner in self.selection.items():
            model = fields.get(name)
            if model is None:
                continue
            if model.kind is Kind.CHILDREN:
                gaps.extend(self._child_gaps(record, model))
            elif model.kind is Kind.LINK:
                if getattr(record, model.attribute) is None:
                    gaps.append(FieldGap(path=name, reason=self._link_reason(record, name, model)))
            elif name not in OWN_FIELDS or name == "version":
                value = getattr(record, model.attribute)
                spec = self.resource.fields.get(name)
                if value is None:
                    gaps.append(FieldGap(path=name, reason=self._reason(record.origin, name, model.attribute)))
                elif isinstance(spec, Parts):
                    gaps.extend(_part_gaps(name, model, spec, value, inner or {}))
        return gaps

    def _link_reason(self, record: Any, name: str, model: FieldModel) -> FieldGapReason:
        failed: FieldGapReason | None = record.origin.failed_links.get(model.attribute)
        return failed or self._reason(record.origin, name, model.attribute)

    def _reason(self, origin: Origin, name: str, attribute: str) -> FieldGapReason:
        if name == "version":
            return FieldGapReason.NOT_SUPPORTED_BY_SYSTEM
        if attribute in origin.unreadable:
            return FieldGapReason.UNPARSABLE
        return absence(name, self.resource.unsupported, self.resource.unmapped) or FieldGapReason.EMPTY_AT_SOURCE

    def _child_gaps(self, record: Any, model: FieldModel) -> list[FieldGap]:
        rows = record.origin.children.get(model.attribute)
        if rows is None:
            return [FieldGap(path=model.name, reason=self._reason(record.origin, model.name, model.attribute))]
        reader = next(reader for attribute, _, reader in self._children if attribute == model.attribute)
        return reader.gaps(model.name, rows)


class ChildReader:
    """Reads the child rows of a record, such as the lines of an order."""

    def __init__(self, spec: Many, model: FieldModel, wire: WireProtocol, selection: Selection) -> None:
        self._spec = spec
        self._name = model.name
        self._cls = model.type
        self._models = fields_of(model.type)
        self._selection = selection
        self._key = At(spec.key).reader(self._models["id"], wire)
        self._columns: list[Column] = []
        inner_paths = {spec.key}
        for name in selection:
            word = spec.fields.get(name)
            if word is not None:
                word = prune(word, self._models[name], below(selection, name))
                inner_paths.update(word.paths())
                self._columns.append((self._models[name].attribute, word.reader(self._models[name], wire)))
        self.paths = frozenset(f"{spec.path}.{path}" for path in inner_paths)

    def read(self, rows: Sequence[Row], parent: RecordId) -> list[Any]:
        """Make a child of each row that has a key."""
        children = []
        for row in rows:
            key = self._key(row)
            if key is None:
                continue
            unreadable: set[str] = set()
            child = object.__new__(self._cls)
            identity = RecordId(parent.entity, parent.connection_id, parent.key, (self._name, key))
            child.__dict__.update(_read_columns(self._columns, row, unreadable), id=identity.encode())
            child.__dict__["unreadable"] = unreadable
            children.append(child)
        return children

    def gaps(self, path: str, rows: Sequence[Any]) -> list[FieldGap]:
        """Each field that is null in at least one child, once."""
        found = []
        for name in self._selection:
            model = self._models.get(name)
            if model is None or name == "id":
                continue
            empty = [row for row in rows if getattr(row, model.attribute) is None]
            if empty:
                reason = absence(name, self._spec.unsupported, self._spec.unmapped)
                if any(model.attribute in row.unreadable for row in empty):
                    reason = FieldGapReason.UNPARSABLE
                found.append(FieldGap(path=f"{path}.{name}", reason=reason or FieldGapReason.EMPTY_AT_SOURCE))
        return found


def prune(spec: FieldSpec, model: FieldModel, selection: Selection) -> FieldSpec:
    """Leave out the parts of a value object that nobody selected and that it can do without."""
    if not isinstance(spec, Parts) or not selection:
        return spec
    models = fields_of(model.type)
    return Parts({name: word for name, word in spec.fields.items() if name in selection or models[name].is_required})


def absence(name: str, unsupported: Sequence[str], unmapped: Sequence[str]) -> FieldGapReason | None:
    """Why a field is never filled; None where it is mapped."""
    if name in unsupported:
        return FieldGapReason.NOT_SUPPORTED_BY_SYSTEM
    return FieldGapReason.NOT_MAPPED if name in unmapped else None


def _part_gaps(name: str, model: FieldModel, spec: Parts, value: Any, selection: Selection) -> list[FieldGap]:
    gaps = []
    models = fields_of(model.type)
    for part in selection:
        if part in models and getattr(value, models[part].attribute) is None:
            is_mapped = part in spec.fields
            reason = FieldGapReason.EMPTY_AT_SOURCE if is_mapped else FieldGapReason.NOT_MAPPED
            gaps.append(FieldGap(path=f"{name}.{part}", reason=reason))
    return gaps


def _read_columns(columns: Sequence[Column], row: Row, unreadable: set[str]) -> dict[str, Any]:
    values = {}
    for attribute, get in columns:
        try:
            values[attribute] = get(row)
        except _UNREADABLE:
            values[attribute] = None
            unreadable.add(attribute)
    return values


def _attempt(get: Getter, row: Row) -> Any:
    try:
        return get(row)
    except _UNREADABLE:
        return None
