"""API tokens: how they are made, told apart from typing errors, shown and stored.

A token reads `prefix_` + 30 random base62 characters + 6 that check the rest. The prefix says what the token
reaches, so that people and secret scanners recognise it; the checksum refuses a mistyped token without a
look-up. Only a keyed digest is stored, hence a copy of the database opens nothing.
"""

import hashlib
import hmac
import re
import zlib
from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr

from gateway.keys import base62


class TokenKind(StrEnum):
    """What a token reaches."""

    ADMIN = "ADMIN"
    CUSTOMER = "CUSTOMER"
    CONNECTION = "CONNECTION"


PREFIXES = {TokenKind.ADMIN: "sga", TokenKind.CUSTOMER: "sgc", TokenKind.CONNECTION: "sgk"}
_KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}
_RANDOM_LENGTH = 30
_CHECKSUM_LENGTH = 6

PATTERN = re.compile(rf"(?:{'|'.join(_KINDS)})_[0-9A-Za-z]{{{_RANDOM_LENGTH + _CHECKSUM_LENGTH}}}")
"""Finds what looks like one of our tokens inside other text."""


@dataclass(frozen=True)
class Token:
    """A new token: the secret is given out once, the preview may be kept and shown."""

    kind: TokenKind
    secret: SecretStr
    preview: str


def mint(kind: TokenKind) -> Token:
    """Make a new random token of this kind."""
    body = f"{PREFIXES[kind]}_{base62.random(_RANDOM_LENGTH)}"
    text = body + _checksum(body)
    return Token(kind=kind, secret=SecretStr(text), preview=f"{PREFIXES[kind]}_…{text[-4:]}")


def kind_of(text: str) -> TokenKind | None:
    """Tell the kind of a token whose form and checksum are right; None for anything else."""
    if not PATTERN.fullmatch(text):
        return None
    body, checksum = text[:-_CHECKSUM_LENGTH], text[-_CHECKSUM_LENGTH:]
    return _KINDS[text.partition("_")[0]] if _checksum(body) == checksum else None


def checksum_ok(text: str) -> bool:
    """Tell whether the text can be one of our tokens at all; it need not exist."""
    return kind_of(text) is not None


def digest(text: str, pepper: bytes) -> str:
    """Give the form in which a token is stored and looked up: HMAC-SHA256 under the pepper, in hex."""
    return hmac.new(pepper, text.encode(), hashlib.sha256).hexdigest()


def _checksum(body: str) -> str:
    return base62.encode(zlib.crc32(body.encode()), _CHECKSUM_LENGTH)
