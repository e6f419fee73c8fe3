"""From raw rows to records: only what is selected is computed, and every null can say why it is one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from connectors.composites import EachChild, Many, Parts
from connectors.derived import AsOf
from connectors.effective import AddedField
from connectors.errors import BadAnswer, NoSuchRecords, PermissionDenied, Rejected, Trouble
from connectors.extras import Extras
from connectors.fields import At, FieldSpec, decoded
from connectors.lacking import look_for
from connectors.ports import Reads
from connectors.protocols.base import Getter, Row, WireProtocol
from connectors.spec import Resource
from connectors.tally import Tally
from schema.filters import REFERENCE
from schema.ids import RecordId
from schema.matching import attribute_path
from schema.model import OWN_FIELDS, FieldModel, Kind, fields_of
from schema.records import FieldGap, FieldGapReason, Origin, RecordMeta, Served, ServedFrom
from schema.selection import Selection, below, merge, rows_of

_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
Column = tuple[str, Getter]


class RowReader(Protocol):
    """Knows what to ask of a collection, and makes something of its rows; each has the `origin` of its row."""

    resource: Resource
    selection: Selection
    extras: Extras

    @property
    def beside(self) -> Mapping[str, frozenset[str]]:
        """The collections beside the rows that have to be read, and what of them."""

    @property
    def paths(self) -> frozenset[str]:
        """The source's fields that have to be asked for."""

    async def narrow(self, trouble: Trouble, source: Reads, tally: Tally, deadline: float) -> bool:
        """Ask for less, since the source refuses; False where the refusal is about something else."""

    def value_of(self, path: str) -> Callable[[Any], Any]:
        """How what a filter compares is found in what was made."""

    def read(self, rows: Sequence[Row]) -> list[Any]:
        """Make something of each row."""


class RecordReader:
    """Reads the rows of one resource of one connection.

    `selection` is what the client wants of each record; `needed` are further paths, such as total.amount, that
    filters, orders or links need. `paths` are the source's fields that have to be asked for. `now` is the moment that
    values such as `isOverdue` are told for; without it, that of making the reader. `added` are the fields that the
    connection's settings add to such records.
    """

    def __init__(
        self,
        resource: Resource,
        wire: WireProtocol,
        connection_id: str,
        selection: Selection,
        needed: Iterable[str] = (),
        now: datetime | None = None,
        added: Sequence[AddedField] = (),
    ) -> None:
        self.selection = selection
        self._connection_id = connection_id
        self._wire = wire
        self._now = now or datetime.now(UTC)
        self._needed = tuple(needed)
        self.failed_beside: dict[str, FieldGapReason] = {}
        """Collections beside the rows that could not be read, and why."""
        self.extras = Extras(resource.source, wire, selection, added)
        self._read_from(resource)

    def _read_from(self, resource: Resource) -> None:
        """Find out what has to be asked for, and how it is read."""
        self.resource = resource
        self._paths: set[str] = {resource.key}
        self._key = At(resource.key).reader(resource.model.fields["remoteId"], self._wire)
        self._columns: list[Column] = []
        self._links: list[Column] = []
        self._children: list[tuple[str, Getter, ChildReader]] = []
        links_above = _links_above(resource, self.selection)
        wanted = merge(self.selection, *map(_nested, self._needed), dict.fromkeys(links_above))
        for name in wanted:
            self._add(name, below(wanted, name))
        self._title = self._title_column() if "displayName" in self.selection or links_above else None
        self.beside = _by_collection(self._paths)
        self._own_paths = frozenset(path for path in self._paths if not path.startswith("@"))
        self.extras.hides(self._own_paths | self.extras.paths, self.beside)
        self.decisive = frozenset(name for root in self._roots for name in self._collections_of(root))
        """Collections beside the rows that filters, orders or links look at."""

    @property
    def _roots(self) -> frozenset[str]:
        """The fields that filters, orders or links look at."""
        return frozenset(path.partition(".")[0] for path in self._needed)

    async def narrow(self, trouble: Trouble, source: Reads, tally: Tally, deadline: float) -> bool:
        """Ask for less, since the source refuses: leave out what the system does not have, fields and then extras.

        False where that is not why, or it is a matter of rights. What filters, orders or links look at cannot be left
        out, since rows would be left out without a word: that is Rejected, for the system does have such records.
        """
        own = self._own_paths - {self._wire.version_path}
        is_permitted = not isinstance(trouble, PermissionDenied)
        found = await look_for(source, self.resource, own, tally, deadline) if is_permitted else None
        if found is not None and found.narrower is not None and self._roots <= found.narrower.fields.keys():
            self._read_from(found.narrower)
            return True
        if await self.extras.narrow(trouble, source, tally, deadline):
            return True
        if found is not None and (found.narrower is not None or isinstance(trouble, NoSuchRecords)):
            raise Rejected(trouble.message, upstream=trouble.upstream)
        return False

    @property
    def paths(self) -> frozenset[str]:
        """The source's fields that have to be asked for; fewer once the source has refused some of the extras."""
        return self._own_paths | self.extras.paths

    def value_of(self, path: str) -> Callable[[Any], Any]:
        """How what a filter compares is found in a record."""
        model = self.resource.model.fields.get(path)
        if path == REFERENCE:
            return lambda record: record.origin.reference
        if model is not None and model.kind is Kind.LINK:
            return lambda record: record.origin.links.get(model.attribute)
        return attribute_path(path)

    def _add(self, name: str, inner: Selection) -> None:
        if name == "version":
            self._paths.add(self._wire.version_path)
            get = self._wire.getter(self._wire.version_path)
            self._columns.append(("version", decoded(get, self._wire.decoders[str])))
        spec, model = self.resource.fields.get(name), self.resource.model.fields.get(name)
        if spec is None or model is None:
            return
        if isinstance(spec, Many):
            reader = ChildReader(spec, model, self._wire, rows_of(inner))
            self._paths.update(reader.paths)
            self._children.append((model.attribute, self._wire.children(spec.path), reader))
            return
        spec = prune(spec.at(self._now) if isinstance(spec, AsOf) else spec, model, inner)
        self._paths.update(spec.paths())
        columns = self._links if model.kind is Kind.LINK else self._columns
        columns.append((model.attribute, spec.reader(model, self._wire)))

    def _title_column(self) -> Getter | None:
        spec = self.resource.fields.get(self.resource.title)
        if spec is None:
            return None
        self._paths.update(spec.paths())
        return spec.reader(self.resource.model.fields[self.resource.title], self._wire)

    def read(self, rows: Sequence[Row]) -> list[Any]:
        """Make a record of each row; a value that cannot be read is null and says so, and never an error.

        Only a row without its key is one, a BadAnswer: it could not be found again, and leaving it out would be a lie.
        """
        cls = self.resource.entity
        records = []
        for row in rows:
            key = _attempt(self._key, row)
            if key is None:
                raise BadAnswer("A row of the answer has no key.")
            origin = Origin(key, self.resource.prefix + key)
            values = _read_columns(self._columns, row, origin.unreadable)
            links = _read_columns(self._links, row, origin.unreadable)
            origin.links = {name: link for name, link in links.items() if link is not None}
            for attribute, children, reader in self._children:
                try:
                    found, identity = children(row), self._id(origin.reference)
                    origin.children[attribute] = None if found is None else reader.read(found, identity)
                except _UNREADABLE:
                    origin.children[attribute] = None
                    origin.unreadable.add(attribute)
            self.extras.fill(row, origin)
            if self._title is not None:
                values["display_name"] = _attempt(self._title, row) or key
            record = object.__new__(cls)
            record.__dict__.update(
                values,
                id=self._id(origin.reference).encode(),
                remote_id=key,
                origin=origin,
            )
            records.append(record)
        return records

    def key_of(self, row: Row) -> str | None:
        """The key of a row, as text."""
        key: str | None = _attempt(self._key, row)
        return key

    def _id(self, reference: str) -> RecordId:
        return RecordId(self.resource.model.type, self._connection_id, reference)

    def meta_of(self, record: Any, fetched_at: datetime) -> RecordMeta:
        """Where a record comes from; what is missing in it is looked up when it is asked for.

        `fetched_at` is when live records were read.
        """
        served = record.origin.served or Served(ServedFrom.LIVE, fetched_at)
        return RecordMeta(source=served.source, fetched_at=served.fetched_at, find_gaps=partial(self._gaps, record))

    def _gaps(self, record: Any) -> list[FieldGap]:
        gaps: list[FieldGap] = []
        fields = self.resource.model.fields
        for name in self.selection:
            model = fields.get(name)
            if model is None:
                continue
            if model.kind is Kind.CHILDREN:
                gaps.extend(self._child_gaps(record, model))
            elif model.kind is Kind.LINKS:
                if model.attribute in record.origin.failed_links:
                    gaps.append(FieldGap(path=name, reason=record.origin.failed_links[model.attribute]))
            elif model.kind is Kind.TRAIL:
                if getattr(record, model.attribute) is None:
                    gaps.append(FieldGap(path=name, reason=self._link_reason(record, str(model.marker.by), model)))
            elif model.kind is Kind.LINK:
                if getattr(record, model.attribute) is None:
                    gaps.append(FieldGap(path=name, reason=self._link_reason(record, name, model)))
            elif name not in OWN_FIELDS or name == "version":
                value = getattr(record, model.attribute)
                spec = self.resource.fields.get(name)
                if value is None:
                    gaps.append(FieldGap(path=name, reason=self._reason(record.origin, name, model.attribute)))
                elif spec is not None:
                    gaps.extend(_part_gaps(name, model, spec, [value], below(self.selection, name)))
        gaps.extend(FieldGap(path=path, reason=reason) for path, reason in record.origin.left_out.items())
        return gaps

    def _link_reason(self, record: Any, name: str, model: FieldModel) -> FieldGapReason:
        failed: FieldGapReason | None = record.origin.failed_links.get(model.attribute)
        return failed or self._reason(record.origin, name, model.attribute)

    def _reason(self, origin: Origin, name: str, attribute: str) -> FieldGapReason:
        if attribute in origin.unreadable:
            return FieldGapReason.UNPARSABLE
        for collection in self._collections_of(name):
            if collection in self.failed_beside:
                return self.failed_beside[collection]
        if name == "version":
            return FieldGapReason.NOT_SUPPORTED_BY_SYSTEM
        return absence(name, self.resource.unsupported, self.resource.unmapped) or FieldGapReason.EMPTY_AT_SOURCE

    def _collections_of(self, name: str) -> Iterable[str]:
        """The collections beside the rows that a field is made of."""
        spec = self.resource.fields.get(name)
        return () if spec is None else _by_collection(spec.paths())

    def _child_gaps(self, record: Any, model: FieldModel) -> list[FieldGap]:
        rows = record.origin.children.get(model.attribute)
        if rows is None:
            return [FieldGap(path=model.name, reason=self._reason(record.origin, model.name, model.attribute))]
        reader = next(reader for attribute, _, reader in self._children if attribute == model.attribute)
        return reader.gaps(model.name, rows)


def _links_above(resource: Resource, selection: Selection) -> set[str]:
    """The links that selected trails follow."""
    fields = resource.model.fields
    chosen = [fields[name].marker for name in selection if name in fields and fields[name].kind is Kind.TRAIL]
    return {marker.by for marker in chosen if marker.by is not None}


class ChildReader:
    """Reads the child rows of a record, such as the lines of an order."""

    def __init__(self, spec: Many, model: FieldModel, wire: WireProtocol, selection: Selection) -> None:
        self._spec = spec
        self._name = model.name
        self._cls = model.type
        self._models = fields_of(model.type)
        self._selection = selection
        readers = [At(path).reader(self._models["id"], wire) for path in spec.key_paths]
        self._key = readers[0] if len(readers) == 1 else _joined_key(readers)
        self._columns: list[Column] = []
        inner_paths = set(spec.key_paths)
        self._links: list[Column] = []
        for name in selection:
            word = spec.fields.get(name)
            if word is not None:
                word = prune(word, self._models[name], below(selection, name))
                inner_paths.update(word.paths())
                columns = self._links if self._models[name].kind is Kind.LINK else self._columns
                columns.append((self._models[name].attribute, word.reader(self._models[name], wire)))
        self.paths = frozenset(f"{spec.path}.{path}" for path in inner_paths)

    def read(self, rows: Sequence[Row], parent: RecordId) -> list[Any]:
        """Make a child of each row; ValueError where one has no key, since the list would not be whole without it."""
        keyed = [(self._key(row), row) for row in rows]
        if any(key is None for key, _ in keyed):
            raise ValueError("a child row has no key")
        form = self._spec.key_form
        if form is not None:
            keyed.sort(key=lambda pair: form.order(pair[0]))
        children = []
        for key, row in keyed:
            origin = Origin(key, key)
            child = object.__new__(self._cls)
            identity = RecordId(parent.entity, parent.connection_id, parent.key, (self._name, key))
            values = _read_columns(self._columns, row, origin.unreadable)
            child.__dict__.update(values, id=identity.encode(), origin=origin)
            links = _read_columns(self._links, row, origin.unreadable)
            origin.links = {name: link for name, link in links.items() if link is not None}
            children.append(child)
        return children

    def gaps(self, path: str, rows: Sequence[Any]) -> list[FieldGap]:
        """Each field, and each part of one, that is null in at least one child, once."""
        found: list[FieldGap] = []
        for name in self._selection:
            model = self._models.get(name)
            if model is None or name == "id":
                continue
            empty = [row for row in rows if getattr(row, model.attribute) is None]
            if empty:
                reason = _failed_link(model.attribute, empty)
                reason = reason or absence(name, self._spec.unsupported, self._spec.unmapped)
                if any(model.attribute in row.origin.unreadable for row in empty):
                    reason = FieldGapReason.UNPARSABLE
                found.append(FieldGap(path=f"{path}.{name}", reason=reason or FieldGapReason.EMPTY_AT_SOURCE))
            spec = self._spec.fields.get(name)
            if spec is not None:
                values = [value for row in rows if (value := getattr(row, model.attribute)) is not None]
                found.extend(_part_gaps(f"{path}.{name}", model, spec, values, below(self._selection, name)))
        return found


def _failed_link(attribute: str, rows: Sequence[Any]) -> FieldGapReason | None:
    """Why a link of child rows leads nowhere; that one could not be followed tells more than that one is dead."""
    reasons = {row.origin.failed_links[attribute] for row in rows if attribute in row.origin.failed_links}
    told = reasons - {FieldGapReason.EMPTY_AT_SOURCE} or reasons
    return min(told, key=lambda reason: reason.name, default=None)


def _joined_key(readers: Sequence[Getter]) -> Getter:
    """The parts of a key in one text; parts may be empty, but not all of them."""

    def read(row: Row) -> str | None:
        parts = [get(row) or "" for get in readers]
        return "|".join(parts) if any(parts) else None

    return read


def prune(spec: FieldSpec, model: FieldModel, selection: Selection) -> FieldSpec:
    """Leave out the parts of a value object that nobody selected and that it can do without."""
    if isinstance(spec, EachChild):
        return EachChild(spec.path, _prune_parts(spec.parts, model, selection))
    return _prune_parts(spec, model, selection) if isinstance(spec, Parts) else spec


def _prune_parts(spec: Parts, model: FieldModel, selection: Selection) -> Parts:
    if not selection:
        return spec
    models = fields_of(model.type)
    return Parts({name: word for name, word in spec.fields.items() if name in selection or models[name].is_required})


def absence(name: str, unsupported: Sequence[str], unmapped: Sequence[str]) -> FieldGapReason | None:
    """Why a field is never filled; None where it is mapped."""
    if name in unsupported:
        return FieldGapReason.NOT_SUPPORTED_BY_SYSTEM
    return FieldGapReason.NOT_MAPPED if name in unmapped else None


def _part_gaps(
    path: str, model: FieldModel, spec: FieldSpec, values: Sequence[Any], selection: Selection
) -> Iterator[FieldGap]:
    """Each part of value objects that is null in at least one of them, once."""
    if model.kind is Kind.VALUES:
        values = [item for value in values for item in value]
    elif model.kind is not Kind.VALUE:
        return
    models = fields_of(model.type)
    for part in selection:
        if part in models and any(getattr(value, models[part].attribute) is None for value in values):
            is_mapped = spec.part(part) is not None
            reason = FieldGapReason.EMPTY_AT_SOURCE if is_mapped else FieldGapReason.NOT_MAPPED
            yield FieldGap(path=f"{path}.{part}", reason=reason)


def _by_collection(paths: Iterable[str]) -> dict[str, frozenset[str]]:
    """The paths in each collection beside the rows, by its name."""
    found: dict[str, set[str]] = {}
    for path in paths:
        if path.startswith("@"):
            name, _, rest = path[1:].partition(".")
            found.setdefault(name, set()).add(rest)
    return {name: frozenset(inner) for name, inner in found.items()}


def _nested(path: str) -> Selection:
    """A dotted path as a selection."""
    name, _, rest = path.partition(".")
    return {name: _nested(rest) if rest else None}


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
