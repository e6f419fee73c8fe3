"""Global ids: opaque text that names entity, connection and key, so that no store is needed to find a record."""

import base64
import binascii
import json
from dataclasses import dataclass

import strawberry

from schema.model import EntityType


@dataclass(frozen=True, slots=True)
class RecordId:
    """What the id of a record, or of one of its child rows, says."""

    entity: EntityType
    connection_id: str
    key: str
    child: tuple[str, str] | None = None

    def encode(self) -> strawberry.ID:
        """Write the id; the same record always has the same one."""
        return _encode([self.entity.name, self.connection_id, self.key, *(self.child or ())])


_CUSTOM = "CUSTOM_OBJECT"


@dataclass(frozen=True, slots=True)
class CustomObjectId:
    """What the id of a row of a custom object says."""

    connection_id: str
    object: str
    key: str

    def encode(self) -> strawberry.ID:
        """Write the id; the same row always has the same one."""
        return _encode([_CUSTOM, self.connection_id, self.object, self.key])


def read_custom_object_id(text: str) -> CustomObjectId | None:
    """Read an id; None where it is not one of a custom object's row."""
    parts = _decode(text)
    if parts is None or len(parts) != 4 or parts[0] != _CUSTOM:
        return None
    found = CustomObjectId(*parts[1:])
    return found if found.encode() == text else None


def _encode(parts: list[str]) -> strawberry.ID:
    text = json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
    return strawberry.ID(base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode())


def _decode(text: str) -> list[str] | None:
    try:
        parts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    is_ours = isinstance(parts, list) and all(isinstance(part, str) and part for part in parts)
    return parts if is_ours else None


def read_record_id(text: str) -> RecordId | None:
    """Read an id; None where it is not one of a record or child row."""
    parts = _decode(text)
    if parts is None or len(parts) not in (3, 5) or parts[0] not in EntityType.__members__:
        return None
    child = (parts[3], parts[4]) if len(parts) == 5 else None
    found = RecordId(EntityType[parts[0]], parts[1], parts[2], child)
    try:
        return found if found.encode() == text else None
    except UnicodeEncodeError:
        return None  # half a character was escaped in it
