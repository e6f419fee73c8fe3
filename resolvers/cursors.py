"""Cursors over several sources: sealed, bound to their query, and with every source's place."""

import base64
import binascii
import hashlib
import json
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from graphql import GraphQLError

from connectors.plan import Continuation, KeyPosition, Phase, Position, ReadPlan, RowNumber
from schema.errors import ErrorCode, failure
from schema.filters import comparable_type
from schema.model import Entity
from schema.ordering import comparable
from schema.sorting import Order

_MAX_LENGTH = 4096
_MAX_PAYLOAD = 64 * 1024
_LIFETIME = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Place:
    """Where one source stands: not begun, just after a row, or at its end."""

    position: Position | None = None
    is_done: bool = False


def fingerprint(*parts: Any) -> str:
    """What a cursor is bound to: the same parts always give the same text."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def write_cursor(key: bytes, query: str, places: Mapping[str, Place], now: float | None = None) -> str:
    """Seal the places of all sources of a query; too many of them are refused rather than cut.

    They are encrypted, since a source's own continuation may hold what clients should not see. The same places give
    the same cursor, so that no number has to be drawn for each of millions.
    """
    content = {
        "t": int(time.time() if now is None else now),
        "q": query,
        "s": {connection_id: _pack(place) for connection_id, place in places.items()},
    }
    payload = zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 9)
    text = _print(AESSIV(key).encrypt(payload, None))
    if len(text) > _MAX_LENGTH:
        raise failure(
            ErrorCode.QUERY_TOO_COMPLEX,
            "The cursor would be longer than 4 KiB; ask fewer connections at once with `connectionIds`.",
        )
    return text


def read_cursor(
    key: bytes, query: str, cursor: str, value_types: Sequence[type[Any]], now: float | None = None
) -> dict[str, Place]:
    """The places in a cursor; one that was changed, is too old or belongs to another query is INVALID_CURSOR."""
    if len(cursor) > _MAX_LENGTH:
        raise _invalid("The cursor is not one of ours.")
    try:
        sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        raise _invalid("The cursor is not one of ours.") from None
    # Base64 reads several texts as the same bytes; only the one that was written is a cursor.
    if _print(sealed) != cursor:
        raise _invalid("The cursor is not one of ours, or was changed.")
    try:
        payload = AESSIV(key).decrypt(sealed, None)
    except InvalidTag:
        raise _invalid("The cursor is not one of ours, or was changed.") from None
    content = json.loads(zlib.decompressobj().decompress(payload, _MAX_PAYLOAD))
    if content["q"] != query:
        raise _invalid("The cursor belongs to a query with another filter, order or choice of connections.")
    if (time.time() if now is None else now) - content["t"] > _LIFETIME:
        raise _invalid("The cursor is older than 24 hours.")
    return {connection_id: _unpack(packed, value_types) for connection_id, packed in content["s"].items()}


def check_places(places: Mapping[str, Place], plans: Mapping[str, ReadPlan]) -> None:
    """See that sources are still read as they were when a cursor was made; else it is INVALID_CURSOR."""
    if not all(plan.can_go_on_from(places[key].position) for key, plan in plans.items() if key in places):
        raise _invalid("The cursor is of a time when a system was read in another way.")


def value_types(entity: Entity, order: Order) -> list[type[Any]]:
    """The Python types of the values that a place has, one for each step of the order."""
    return [comparable_type(entity, step.path) for step in order]


def _print(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _invalid(message: str) -> GraphQLError:
    return failure(ErrorCode.INVALID_CURSOR, message, field="after")


def _pack(place: Place) -> Any:
    if place.is_done:
        return 1
    if place.position is None:
        return 0
    position = place.position
    match position:
        case RowNumber(rows, first):
            return ["R", rows, first]
        case Continuation(query, rows):
            return ["C", query, rows]
    values = [None if value is None else comparable(value) for value in position.values]
    return [position.phase.name[0], values, position.key]


def _unpack(packed: Any, value_types: Sequence[type[Any]]) -> Place:
    if packed in (0, 1):
        return Place(is_done=packed == 1)
    match packed:
        case ["R", rows, first]:
            return Place(RowNumber(rows, first))
        case ["C", query, rows]:
            return Place(Continuation(query, rows))
    phase, texts, key = packed
    values = tuple(
        None if text is None else _read_value(text, kind) for text, kind in zip(texts, value_types, strict=True)
    )
    return Place(KeyPosition(Phase.VALUES if phase == "V" else Phase.NULLS, values, key))


def _read_value(text: str, value_type: type[Any]) -> Any:
    try:
        if value_type is datetime:
            return datetime.fromisoformat(text).astimezone(UTC)
        if value_type is date:
            return date.fromisoformat(text)
        if issubclass(value_type, Enum):
            return value_type[text]
        return Decimal(text) if value_type is Decimal else text
    except (ValueError, KeyError, InvalidOperation):
        raise _invalid("The cursor does not fit the order.") from None
