"""How sources write their keys: which text can be one, and in which order the source puts them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_GREATEST_NUMBER = 2**63 - 1
_KEPT_NOWHERE = re.compile("[\x00\ud800-\udfff]")
"""Characters that databases refuse, and halves of characters, which have no form in UTF-8."""


@dataclass(frozen=True, eq=False)
class KeyForm:
    """The form of a source's keys.

    `kind` is the type that they have there. `read` makes a key of the text that a record shows, or gives None where
    no record can show this text, so that nothing equals it. `order` is what the source compares when it sorts.
    """

    kind: type[str] | type[int]
    read: Callable[[str], str | int | None]
    order: Callable[[str], Any]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def can_be_sent(text: str) -> bool:
    """Whether text reaches every system as it stands: some trim what they are asked for, and some signs none takes."""
    return text == text.strip() and _KEPT_NOWHERE.search(text) is None


def _plain(text: str) -> str | None:
    """Systems trim what they store and what they are asked for alike."""
    return text if text and can_be_sent(text) else None


def _number(text: str) -> int | None:
    if not _is_number(text) or (text[0] == "0" and text != "0"):
        return None
    number = int(text) if len(text) <= len(str(_GREATEST_NUMBER)) else _GREATEST_NUMBER + 1
    return number if number <= _GREATEST_NUMBER else None


TEXT = KeyForm(str, _plain, str)
"""Keys are any text, sorted by code point."""

NUMBER = KeyForm(int, _number, int)
"""Keys are whole numbers."""


def padded(length: int) -> KeyForm:
    """Keys are text of at most this length; numbers among them are kept with leading zeros and shown without."""

    def read(text: str) -> str | None:
        is_shown = not (_is_number(text) and text[0] == "0" and text != "0")
        return _plain(text) if is_shown and len(text) <= length else None

    return KeyForm(str, read, lambda text: text.zfill(length) if _is_number(text) else text)
