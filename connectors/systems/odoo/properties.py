"""Fields that people give to a group of records in Odoo, its properties: names, kinds and values in one list."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.fields import FieldSpec, Word
from connectors.protocols.base import Getter, WireProtocol
from schema.assets import Attribute
from schema.model import FieldModel

_HEADING = "separator"


@dataclass(frozen=True, eq=False)
class Properties(Word):
    """Technical data from the properties at a path; null where a record has none."""

    path: str

    def paths(self) -> Iterator[str]:
        """The one path."""
        yield self.path

    def part(self, name: str) -> FieldSpec | None:
        """Odoo knows no units of properties; people write them into the name."""
        return None if name == "unit" else Word()

    def reader(self, model: FieldModel, wire: WireProtocol) -> Getter:
        """Read each property that is no heading."""
        get = wire.getter(self.path)
        return lambda row: attributes(get(row))


def attributes(properties: Any) -> list[Attribute] | None:
    """What the properties of a record say, in the order in which people have put them."""
    if properties is None or properties is False:
        return None
    if not isinstance(properties, list):
        raise ValueError("no list of properties")
    return [
        Attribute(name=_name(item), value=_value(item), unit=None)
        for item in properties
        if item.get("type") != _HEADING
    ] or None


def _name(item: Mapping[str, Any]) -> str:
    name = item.get("string") or item.get("name")
    if not isinstance(name, str):
        raise ValueError("a property without a name")
    return name


def _value(item: Mapping[str, Any]) -> str | None:
    """A value as people read it: words for keys, names for records."""
    value, kind = item.get("value"), item.get("type")
    if kind == "boolean":
        return None if value is None else "yes" if value else "no"
    if value is None or value is False:
        return None
    match kind:
        case "selection":
            return _words(item.get("selection")).get(value, str(value))
        case "tags":
            words = _words(item.get("tags"))
            return ", ".join(words.get(tag, str(tag)) for tag in value) or None
        case "many2one":
            return str(value[1])
        case "many2many":
            return ", ".join(str(name) for _, name in value) or None
        case _:
            return format(value, "f") if isinstance(value, Decimal) else str(value) or None


def _words(choices: Any) -> dict[str, str]:
    return {choice[0]: choice[1] for choice in choices or ()}
