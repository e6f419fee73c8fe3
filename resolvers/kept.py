"""How answers of sources are kept: exactly as they came, as the JSON that they were, and never as objects."""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from hashlib import sha256
from typing import Any

from connectors.protocols.base import Row
from connectors.query import Page, Read, Request
from schema.records import FieldGapReason

_MARK = secrets.token_hex(16)
"""Stands before a number with a fraction while JSON is written; nobody outside of this process can guess it."""
_PLAIN = {str, int, bool, type(None), Decimal}
_MARKED = re.compile(f'"{_MARK}([^"]+)"')


class CannotKeep(Exception):
    """A value is none that JSON has; the answer is used and not kept."""


@dataclass(frozen=True)
class KeptPage:
    """A page, and the whole that it belongs to: only pages of one whole may continue each other."""

    page: Page
    whole: str


@dataclass(frozen=True)
class KeptRow:
    """A row with what belongs beside it, None where the source has none; and what could not be read beside it."""

    row: Row | None
    failed: Mapping[str, FieldGapReason]


def digest_of(*parts: Any) -> str:
    """A short name for a question, the same in every process of this version."""
    return sha256(repr([_canonical(part) for part in parts]).encode("utf-8", "backslashreplace")).hexdigest()[:40]


def _canonical(part: Any) -> Any:
    if isinstance(part, Read):
        return [sorted(part.paths), *(getattr(part, item.name) for item in fields(part) if item.name != "paths")]
    return part


def write_page(page: Page, whole: str) -> bytes:
    """A page as bytes."""
    following = None
    if page.next is not None:
        # A body is bytes, and latin-1 has a character for each.
        headers = [list(header) for header in page.next.headers]
        following = asdict(page.next) | {"headers": headers, "body": page.next.body.decode("latin-1")}
    return _write({"rows": page.rows, "next": following, "whole": whole})


def read_page(content: bytes) -> KeptPage:
    """The page that was written, anew with every call, since whoever reads rows may add to them."""
    found = _read(content)
    following = found["next"]
    if following is not None:
        headers = tuple((name, value) for name, value in following["headers"])
        following = Request(**following | {"headers": headers, "body": following["body"].encode("latin-1")})
    return KeptPage(Page(found["rows"], following), found["whole"])


def write_row(row: Row | None, failed: Mapping[str, FieldGapReason]) -> bytes:
    """A row as bytes, with what could not be read beside it."""
    return _write({"row": row, "failed": {name: reason.name for name, reason in failed.items()}})


def read_row(content: bytes) -> KeptRow:
    """The row that was written, anew with every call."""
    found = _read(content)
    return KeptRow(found["row"], {name: FieldGapReason[reason] for name, reason in found["failed"].items()})


def _write(value: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(_checked(value), separators=(",", ":"), default=_mark)
    except (TypeError, ValueError, RecursionError) as error:
        raise CannotKeep(str(error)) from None
    return _MARKED.sub(r"\1", text).encode()


def _read(content: bytes) -> Any:
    return json.loads(content, parse_float=Decimal)


def _mark(value: Any) -> str:
    """A number with a fraction as it will stand there; with an exponent where it would look like a whole number."""
    if not isinstance(value, Decimal) or not value.is_finite():
        raise TypeError(f"{type(value).__name__} is not a value of JSON")
    text = str(value)
    return _MARK + (text if "." in text or "E" in text else f"{text}E0")


def _checked(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuse what JSON would take and give back as something else: a float, a tuple, and a key that is no text."""
    pending: list[Any] = [value]
    while pending:
        item = pending.pop()
        if type(item) is dict:
            if any(type(key) is not str for key in item):
                raise TypeError("a key is not a text")
            pending.extend(inner for inner in item.values() if type(inner) not in _PLAIN)
        elif type(item) is list:
            pending.extend(inner for inner in item if type(inner) not in _PLAIN)
        else:
            raise TypeError(f"{type(item).__name__} is not a value of JSON")
    return value
