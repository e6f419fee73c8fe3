"""What one read asks of its rows beyond the mapped fields: custom fields, and the source's own record."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from connectors.discovery import NoSuchPath, find_path
from connectors.effective import AddedField
from connectors.errors import NoSuchRecords, PermissionDenied, Rejected, Trouble
from connectors.fields import decoded
from connectors.ports import Reads
from connectors.protocols.base import Getter, Row, WireProtocol
from connectors.protocols.shapes import EVERYTHING
from connectors.protocols.trees import Tree, tree_of
from connectors.query import Request
from connectors.secret_names import says_secret
from connectors.tally import Tally
from schema.absent import given
from schema.custom import CustomField, CustomFieldType
from schema.records import FieldGap, FieldGapReason, Origin, chosen_parts
from schema.scalars import print_datetime
from schema.selection import Selection, uses

MAX_RAW_CHARACTERS = 256 * 1024
"""How long the source's own record may be, as JSON; a longer one is held back."""

_GREATEST_WHOLE = 2**53
"""Up to here every whole number is a double."""

_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
_PYTHON_TYPES: Mapping[CustomFieldType, type[Any]] = {
    CustomFieldType.TEXT: str,
    CustomFieldType.NUMBER: Decimal,
    CustomFieldType.BOOLEAN: bool,
    CustomFieldType.DATE: date,
    CustomFieldType.DATE_TIME: datetime,
}
REFUSALS = (PermissionDenied, Rejected, NoSuchRecords)
"""What a system may answer because of what was asked beyond the mapped fields."""

Choice = frozenset[str] | None
"""The parts of the source's record that one use of `raw` asks for; None is all of it."""


class Extras:
    """The custom fields and the parts of the source's own record that a selection asks for, of one collection."""

    def __init__(
        self, collection: str, wire: WireProtocol, selection: Selection, added: Sequence[AddedField] = ()
    ) -> None:
        self._collection = collection
        self._wire = wire
        wanted = _wanted_keys(selection)
        chosen = [item for item in added if wanted is None or item.key in wanted]
        self._elsewhere = [item for item in chosen if item.sources and collection not in item.sources]
        self._added = [item for item in chosen if item not in self._elsewhere]
        self._readers = [(item, custom_reader(wire, item.path, item.type)) for item in self._added]
        self._choices: list[Choice] = [
            chosen_parts(given(use.arguments.get("paths"))) for use in uses(selection, "raw").values()
        ]
        named = sorted({path for choice in self._choices for path in choice or ()})
        self._secret = [path for path in named if says_secret(path)]
        self._named = [path for path in named if path not in self._secret and (wire.asks_by_name or "." in path)]
        self._has_to_look = bool(self._choices) and (wire.asks_by_name or bool(self._named))
        self._raw_paths = frozenset({EVERYTHING} if self._choices and not self._has_to_look else ())
        self._whole_names: Sequence[str] | None = None
        self._refused: FieldGapReason | None = None
        self._raw_refused: FieldGapReason | None = None
        self._gone: set[str] = set()
        self._expanded: frozenset[str] = frozenset()
        self._beside: frozenset[str] = frozenset()

    def hides(self, paths: Iterable[str], beside: Iterable[str]) -> None:
        """Keep out of the source's own record what other fields ask for: behind links, and beside the row."""
        self._expanded = frozenset(path.partition(".")[0] for path in paths if "." in path) - {
            self._wire.version_path.partition(".")[0]
        }
        self._beside = frozenset(f"@{name}" for name in beside)

    @property
    def paths(self) -> frozenset[str]:
        """What has to be asked for beyond the mapped fields."""
        if self._refused is not None:
            return frozenset()
        return self._raw_paths | {item.path for item in self._added if item.key not in self._gone}

    def lasting_gaps(self) -> Iterator[FieldGap]:
        """What of this no record of the collection can have."""
        for item in self._elsewhere:
            yield FieldGap(path=f"customFields.{item.key}", reason=FieldGapReason.NOT_SUPPORTED_BY_SYSTEM)
        for path in self._secret:
            yield FieldGap(path=f"raw.{path}", reason=FieldGapReason.REDACTED)

    def looking(self, options: Mapping[str, str]) -> Request | None:
        """How the system is asked for its fields before its own record can be; None where that need not be."""
        return self._wire.describe(self._collection, options) if self._has_to_look else None

    @property
    def most_looks(self) -> int:
        """How many collections have to be described at most to know them: this one, and those behind links."""
        links = {path[:end] for path in self._named for end, sign in enumerate(path) if sign == "."}
        return 1 + len(links) if self._has_to_look else 0

    async def prepare(self, source: Reads, tally: Tally, deadline: float) -> None:
        """Find out what has to be asked for to get the source's own record; nothing where nobody wants it."""
        if self._has_to_look and self._raw_refused is None and not self._raw_paths:
            try:
                self._raw_paths = await self._paths_of_raw(source, tally, deadline)
            except REFUSALS as trouble:
                self._raw_refused = _reason_of(trouble)

    async def _paths_of_raw(self, source: Reads, tally: Tally, deadline: float) -> frozenset[str]:
        """The paths to ask for; what a client names is asked for only where the system says that it is there."""
        if not self._has_to_look:
            return frozenset({EVERYTHING})
        shape = await source.shape(self._collection, tally, deadline)
        wanted: set[str] = set() if self._wire.asks_by_name else {EVERYTHING}
        if shape is None and self._wire.asks_by_name:
            raise NoSuchRecords("The system does not say which fields there are.")
        if shape is None:
            return frozenset(wanted)
        if self._wire.asks_by_name and None in self._choices:
            self._whole_names = shape.plain_names()
            wanted.update(name for name in self._whole_names if not says_secret(name))
        for path in self._named:
            with suppress(NoSuchPath):
                found = await find_path(source, shape, path, tally, deadline)
                wanted |= set() if found.field.is_pure else {path}
        return frozenset(wanted)

    async def narrow(self, trouble: Trouble, source: Reads, tally: Tally, deadline: float) -> bool:
        """Ask for less, since the source refuses: leave out what is gone from it, else everything of this.

        False where nothing of this was asked for, so that the refusal is about something else.
        """
        if not self.paths:
            return False
        before = self.paths
        with suppress(*REFUSALS):
            await self._leave_out_what_is_gone(source, tally, deadline)
        if self.paths == before:
            self._refused = self._raw_refused = _reason_of(trouble)
        return True

    async def _leave_out_what_is_gone(self, source: Reads, tally: Tally, deadline: float) -> None:
        shape = await source.shape(self._collection, tally, deadline, is_fresh=True)
        if shape is None:
            return
        for item in self._added:
            try:
                await find_path(source, shape, item.path, tally, deadline)
            except NoSuchPath:
                self._gone.add(item.key)
        if self._raw_paths:
            self._raw_paths = await self._paths_of_raw(source, tally, deadline)

    def fill(self, row: Row, origin: Origin) -> None:
        """Give a record what was read for it."""
        origin.custom = [self._read(item, get, row, origin) for item, get in self._readers] + [
            self._empty(item, origin, FieldGapReason.NOT_SUPPORTED_BY_SYSTEM) for item in self._elsewhere
        ]
        for choice in self._choices:
            origin.raw[choice] = self._raw(row, choice, origin)

    def _read(self, item: AddedField, get: Getter, row: Row, origin: Origin) -> CustomField:
        if self._refused is not None or item.key in self._gone:
            return self._empty(item, origin, self._refused or FieldGapReason.NOT_SUPPORTED_BY_SYSTEM)
        try:
            value = get(row)
        except _UNREADABLE:
            return self._empty(item, origin, FieldGapReason.UNPARSABLE)
        if value is None:
            return self._empty(item, origin, FieldGapReason.EMPTY_AT_SOURCE)
        return custom_field(item.key, item.label, item.type, value)

    def _empty(self, item: AddedField, origin: Origin, reason: FieldGapReason) -> CustomField:
        origin.left_out[f"customFields.{item.key}"] = reason
        return CustomField(key=item.key, label=item.label, type=item.type)

    def _raw(self, row: Row, choice: Choice, origin: Origin) -> Any:
        if self._raw_refused is not None:
            origin.left_out["raw"] = self._raw_refused
            return None
        named = choice or ()
        kept = {path.partition(".")[0] for path in named if "." in path}
        own = {name: value for name, value in row.items() if name not in self._beside}
        whole = self._wire.whole(self._collection, own, self._expanded - kept)
        if choice is None and self._whole_names is not None:
            whole = {name: whole[name] for name in self._whole_names if name in whole}
        hidden = self._whole_names or () if choice is None else choice
        secret = {path for path in hidden if says_secret(path)}
        found = without_secrets(plain_json(whole if choice is None else self._parts(row, whole, named)), secret)
        origin.left_out.update({f"raw.{path}": FieldGapReason.REDACTED for path in sorted(secret)})
        if len(json.dumps(found)) > MAX_RAW_CHARACTERS:
            origin.left_out["raw"] = FieldGapReason.REDACTED
            return None
        return found

    def _parts(self, row: Row, whole: Row, paths: Iterable[str]) -> Row:
        """The named parts, nested as the source has them."""
        tree = tree_of(paths)
        own = {name: whole[name] for name, inner in tree.items() if not inner and name in whole}
        behind_links: Row = _narrow(self._wire, row, {name: inner for name, inner in tree.items() if inner})
        return own | behind_links


def _reason_of(trouble: Trouble) -> FieldGapReason:
    is_right = isinstance(trouble, PermissionDenied)
    return FieldGapReason.NOT_PERMITTED if is_right else FieldGapReason.SOURCE_ERROR


def _wanted_keys(selection: Selection) -> frozenset[str] | None:
    """The keys of the custom fields that are selected; None is all of them."""
    chosen = [given(use.arguments.get("keys")) for use in uses(selection, "customFields").values()]
    return None if None in chosen else frozenset(key for keys in chosen for key in keys)


def custom_reader(wire: WireProtocol, path: str, kind: CustomFieldType) -> Getter:
    """Make the function that reads a value of this type; one of no known type comes as the source sends it."""
    get = wire.getter(path)
    python_type = _PYTHON_TYPES.get(kind)
    return get if python_type is None else decoded(get, wire.decoders[python_type])


def custom_field(key: str, label: str | None, kind: CustomFieldType, value: Any) -> CustomField:
    """A value as clients see it: as JSON, with exact numbers as text, and as a text in any case."""
    shown: Any = value
    match value:
        case bool():
            text = "true" if value else "false"
        case Decimal() if kind is CustomFieldType.NUMBER:
            shown = text = f"{value:f}"
        case datetime():
            shown = text = print_datetime(value)
        case date():
            shown = text = value.isoformat()
        case str():
            text = value
        case _:
            shown = plain_json(value)
            text = json.dumps(shown, ensure_ascii=False)
    return CustomField(key=key, label=label, type=kind, value=shown, text=text)


def plain_json(value: Any) -> Any:
    """What a source sent, as JSON: a number that a double may not hold exactly is a string, so that nothing is lost."""
    match value:
        case int() if abs(value) > _GREATEST_WHOLE:
            return str(value)
        case Decimal():
            number = float(value)
            return number if Decimal(repr(number)) == value else str(value)
        case Mapping():
            return {name: plain_json(item) for name, item in value.items()}
        case list():
            return [plain_json(item) for item in value]
        case _:
            return value


def without_secrets(value: Any, found: set[str], place: str = "") -> Any:
    """A value without what the names in it call a secret; the paths of these are put into `found`."""
    if isinstance(value, list):
        return [without_secrets(item, found, place) for item in value]
    if not isinstance(value, dict):
        return value
    found.update(f"{place}{name}" for name in value if says_secret(name))
    return {
        name: without_secrets(item, found, f"{place}{name}.") for name, item in value.items() if not says_secret(name)
    }


def _narrow(wire: WireProtocol, value: Any, tree: Tree) -> Any:
    """Keep of a value only what a tree names, and how it is nested."""
    if isinstance(value, list):
        return [_narrow(wire, item, tree) for item in value]
    if not isinstance(value, dict):
        return value
    if wire.children_key is not None and isinstance(value.get(wire.children_key), list):
        return {wire.children_key: _narrow(wire, value[wire.children_key], tree)}
    found: Row = {}
    for name, inner in tree.items():
        key = wire.link_key(name) if inner else name
        if key in value:
            found[key] = _narrow(wire, value[key], inner) if inner else value[key]
    return found
