"""Reads collections that no connector maps: what their system told of them takes the place of a mapping."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from connectors.effective import AddedObject
from connectors.errors import BadAnswer, Trouble
from connectors.extras import Extras, custom_field, custom_reader
from connectors.fields import At, Can, FieldSpec, Pushed, Ref
from connectors.keys import NUMBER, TEXT, KeyForm
from connectors.ports import Reads
from connectors.protocols.base import Getter, Row, WireProtocol
from connectors.protocols.shapes import Form, FoundField
from connectors.query import Compare, Comparison, OrderBy, Where, all_of, any_of
from connectors.secret_names import says_secret
from connectors.spec import Resource
from connectors.tally import Tally
from schema.custom import CustomField, CustomFieldType
from schema.filters import Operator
from schema.ids import CustomObjectId
from schema.model import Entity, FieldModel, Kind, Marker
from schema.records import FieldGapReason, Origin
from schema.selection import Selection


def _read_guid(text: str) -> str | None:
    try:
        return text if str(UUID(text)) == text.lower() else None
    except ValueError:
        return None


GUID = KeyForm(UUID, _read_guid, str)  # type: ignore[arg-type] # compared as such, and shown as text
KEY_FORMS: Mapping[Form, KeyForm] = {Form.TEXT: TEXT, Form.WHOLE: NUMBER, Form.GUID: GUID}
"""What can be a key, or a part of one: everything else has no order to rely on."""

_PYTHON_TYPES: Mapping[Form, type[Any]] = {
    Form.TEXT: str,
    Form.GUID: str,
    Form.LINK: str,
    Form.WHOLE: int,
    Form.EXACT: Decimal,
    Form.FLOAT: Decimal,
    Form.TRUTH: bool,
    Form.DAY: date,
    Form.MOMENT: datetime,
}
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, eq=False, kw_only=True)
class CustomResource(Resource):
    """A collection as its system describes it; `types` says what its fields hold, by the paths that clients use."""

    added: AddedObject
    types: Mapping[str, CustomFieldType] = field(default_factory=dict)
    models: Mapping[str, FieldModel] = field(default_factory=dict)

    @cached_property
    def model(self) -> Entity:
        """Rows of it are no entity; the filters of this one are the fields themselves."""
        return Entity(CustomRow, None, "rows", self.models, None)  # type: ignore[arg-type]

    @property
    def key_order(self) -> tuple[OrderBy, ...]:
        """All parts of the key, in their order."""
        return tuple(map(OrderBy, self.added.shape.key))

    def behind(self, key: str) -> Where:
        """A key of several parts is behind another by the first part that differs."""
        parts = self._parts(key) or ()
        found = []
        for place, (path, form, value) in enumerate(parts):
            same = [
                Compare(path, Comparison.EQ, before, before_form.kind) for path, before_form, before in parts[:place]
            ]
            found.append(all_of(*same, Compare(path, Comparison.GT, value, form.kind)))
        return any_of(*found)

    def is_key(self, key: str) -> Where | None:
        """What the row with this key meets; None where no row can have it."""
        parts = self._parts(key)
        return (
            None
            if parts is None
            else all_of(*(Compare(path, Comparison.EQ, value, form.kind) for path, form, value in parts))
        )

    def _parts(self, key: str) -> list[tuple[str, KeyForm, Any]] | None:
        names = self.added.shape.key
        try:
            texts = json.loads(key) if len(names) > 1 else [key]
        except ValueError:
            return None
        if not isinstance(texts, list) or len(texts) != len(names) or not all(isinstance(item, str) for item in texts):
            return None
        found = []
        for name, text in zip(names, texts, strict=True):
            form = KEY_FORMS[self.added.shape.fields[name].form]
            value = form.read(text) if text else ""
            if value is None:
                return None
            found.append((name, form, form.kind(value)))
        return found

    def filter_name(self, path: str) -> str:
        """Fields are called what their system calls them."""
        return path

    def find(self, path: str) -> tuple[FieldSpec, FieldModel] | None:
        """The word and the model of a field."""
        word, model = self.fields.get(path), self.models.get(path)
        return None if word is None or model is None else (word, model)


@dataclass
class CustomRow:
    """A row, with its values as filters compare them."""

    id: str
    remote_id: str
    display_name: str
    values: Mapping[str, Any]
    origin: Origin


def resource_of(added: AddedObject, wire: WireProtocol) -> CustomResource:
    """The collection as it can be read and compared; what is called a secret only where the settings name it."""
    fields = {
        name: found
        for name, found in added.shape.fields.items()
        if not (found.is_many or found.is_pure) and (name in added.fields or not says_secret(name))
    }
    words: dict[str, FieldSpec] = {name: _word(found, wire) for name, found in fields.items()}
    types = {name: found.form.type for name, found in fields.items()}
    forms = {name: _PYTHON_TYPES.get(found.form, object) for name, found in fields.items()}
    for path, kind in added.behind_links.items():
        words[path], types[path] = At(path), kind
    models = {name: FieldModel(name, name, Kind.SCALAR, forms.get(name, object), "", Marker(), False) for name in words}
    key = added.shape.key
    return CustomResource(
        entity=CustomRow,
        source=added.source,
        key=key[0],
        key_form=KEY_FORMS[added.shape.fields[key[0]].form],
        fields=words,
        added=added,
        types=types,
        models=models,
    )


def _word(found: FoundField, wire: WireProtocol) -> FieldSpec:
    """What the source compares of it: only what it surely compares as we do."""
    can = Can.NOTHING
    match found.form:
        case Form.TEXT:
            can = Can.EQ | Can.NULL | (Can.TEXT if wire.searches_text else Can.NOTHING)
        case Form.TRUTH:
            can = Can.EQ
        case Form.WHOLE | Form.EXACT:
            can = Can.EQ | Can.RANGE
        case Form.DAY | Form.MOMENT:
            can = Can.EQ | Can.RANGE | Can.NULL
        case Form.LINK if found.can_filter:
            return Ref(found.name, Can.EQ | Can.NULL, NUMBER)
    kind = _Whole if found.form is Form.WHOLE else At
    return kind(
        found.name,
        filter=can if found.can_filter else Can.NOTHING,
        required=found.is_filled,
        finds_more=True,
        resolution=_SECOND if found.form is Form.MOMENT and wire.asks_by_name else None,
    )


class _Whole(At):
    """A whole number: compared with a fraction it is compared here, since sources refuse that, each in its own way."""

    def push(self, operator: Operator, value: Any, model: FieldModel) -> Pushed | None:
        """Compare whole numbers only."""
        if operator is Operator.IS_NULL:
            return super().push(operator, value, model)
        values = value if isinstance(value, tuple) else (value,)
        if any(item != int(item) for item in values):
            return None
        return super().push(operator, tuple(map(int, values)) if isinstance(value, tuple) else int(value), model)


class CustomReader:
    """Makes rows of an object: the wanted fields, what a filter needs, and the source's own row where it is wanted."""

    def __init__(
        self,
        resource: CustomResource,
        wire: WireProtocol,
        connection_id: str,
        selection: Selection,
        names: Sequence[str],
        needed: frozenset[str],
    ) -> None:
        self.resource: Resource = resource
        self.selection = selection
        self.beside: Mapping[str, frozenset[str]] = {}
        self._added = resource.added
        self._connection_id = connection_id
        self._names = names
        self._labels = {name: found.label for name, found in resource.added.shape.fields.items()}
        self._types = resource.types
        self._columns = {
            name: custom_reader(wire, name, resource.types[name]) for name in dict.fromkeys([*names, *sorted(needed)])
        }
        self._key = [custom_reader(wire, name, CustomFieldType.TEXT) for name in resource.added.shape.key]
        title = resource.added.shape.title if "displayName" in selection else None
        self._title = custom_reader(wire, title, CustomFieldType.TEXT) if title is not None else None
        self._own_paths = frozenset({*self._columns, *resource.added.shape.key, *([title] if title else ())})
        self.extras = Extras(resource.source, wire, selection)
        self.extras.hides(self._own_paths, ())

    @property
    def paths(self) -> frozenset[str]:
        """The source's fields that have to be asked for."""
        return self._own_paths | self.extras.paths

    async def narrow(self, trouble: Trouble, source: Reads, tally: Tally, deadline: float) -> bool:
        """Ask for less of the source's own row; the fields themselves are what the settings ask for."""
        return await self.extras.narrow(trouble, source, tally, deadline)

    def value_of(self, path: str) -> Callable[[Any], Any]:
        """How what a filter compares is found in a row."""
        return lambda row: row.values.get(path)

    def read(self, rows: Sequence[Row]) -> list[CustomRow]:
        """Make a row of each; BadAnswer where one has no key."""
        return [self._read(row) for row in rows]

    def _read(self, row: Row) -> CustomRow:
        key = self._key_of(row)
        origin = Origin(key, key)
        values = {name: self._value(name, get, row, origin) for name, get in self._columns.items()}
        self.extras.fill(row, origin)
        origin.custom = [self._shown(name, values[name]) for name in self._names]
        title = self._title(row) if self._title is not None else None
        identity = CustomObjectId(self._connection_id, self._added.object, key).encode()
        return CustomRow(identity, key, title or key, values, origin)

    def _shown(self, name: str, value: Any) -> CustomField:
        kind, label = self._types[name], self._labels.get(name)
        if value is None:
            return CustomField(key=name, label=label, type=kind)
        return custom_field(name, label, kind, value)

    def _value(self, name: str, get: Getter, row: Row, origin: Origin) -> Any:
        try:
            return get(row)
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
            origin.left_out[name] = FieldGapReason.UNPARSABLE
            return None

    def _key_of(self, row: Row) -> str:
        try:
            parts = [get(row) or "" for get in self._key]
        except (ValueError, TypeError):
            parts = []
        if not any(parts):
            raise BadAnswer("A row of the answer has no key.")
        return parts[0] if len(parts) == 1 else json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
