"""The rows that are known to be right: written beside a system's spec, read by people, and compared exactly."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from connectors.reading import RecordReader
from connectors.spec import Resource
from schema.model import Entity, FieldModel, Kind, fields_of

Json = Any


def as_json(record: Any, entity: Entity, reader: RecordReader) -> dict[str, Json]:
    """A record as it is kept: every field that has a value, and why the others have none."""
    kept: dict[str, Json] = {"remoteId": record.remote_id, "displayName": record.display_name}
    for item in entity.mapped_fields():
        value = _field(record, item)
        if value is not None:
            kept[item.name] = value
    if record.version is not None:
        kept["version"] = record.version
    follow_links(record)
    gaps = reader.meta_of(record, datetime.now(UTC)).find_gaps()
    return kept | {"missing": {gap.path: gap.reason.name for gap in gaps}}


def follow_links(record: Any) -> None:
    """Let every link of a record and of its child rows lead somewhere: the contract ends at the keys."""
    children = [row for rows in record.origin.children.values() for row in rows or ()]
    for row in (record, *children):
        for attribute in row.origin.links:
            setattr(row, attribute, record)


def _field(record: Any, item: FieldModel) -> Json:
    if item.kind is Kind.LINK:
        return record.origin.links.get(item.attribute)
    if item.kind is Kind.CHILDREN:
        rows = record.origin.children.get(item.attribute)
        return None if rows is None else [_child(row, fields_of(item.type)) for row in rows]
    return _plain(getattr(record, item.attribute))


def _child(row: Any, models: Mapping[str, FieldModel]) -> dict[str, Json]:
    found = {name: _field(row, model) for name, model in models.items() if name != "id"}
    return {name: item for name, item in found.items() if item is not None}


def _fields(value: Any, models: Mapping[str, FieldModel]) -> dict[str, Json]:
    found = {name: _plain(getattr(value, model.attribute)) for name, model in models.items() if name != "id"}
    return {name: item for name, item in found.items() if item is not None}


def _plain(value: Any) -> Json:
    match value:
        case None | bool() | int() | str():
            return value
        case Enum():
            return value.name
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case list():
            return [_plain(item) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _fields(value, fields_of(type(value)))
        case _:
            raise TypeError(f"{type(value).__name__} is no value of the contract: {value!r}")


def path_of(folder: Path, resource: Resource) -> Path:
    """Where the rows of a resource are kept; where several fill one entity, their prefixes tell them apart."""
    words = (resource.model.type.name, *re.findall(r"\w+", resource.prefix))
    return folder / f"{'_'.join(words).lower()}.json"


def read_rows(folder: Path, resource: Resource) -> list[dict[str, Json]]:
    """The rows that are kept; none where nothing is kept yet."""
    path = path_of(folder, resource)
    rows: list[dict[str, Json]] = json.loads(path.read_text("utf-8")) if path.exists() else []
    return rows


def write_rows(folder: Path, resource: Resource, rows: Sequence[Mapping[str, Json]]) -> None:
    """Keep rows; done only when somebody asks for it, and reviewed like code."""
    folder.mkdir(exist_ok=True)
    path_of(folder, resource).write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", "utf-8")
