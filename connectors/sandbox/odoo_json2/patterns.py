"""The patterns of like and ilike: `%` and `_` stand for something, a backslash takes that away."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from connectors.sandbox.odoo_json2.refusals import OdooRefusal

TextTest = Callable[[str], bool]


def compile_pattern(operator: str, pattern: str, *, unaccent: bool) -> TextTest:
    """Return the test of `like`, `ilike`, `=like` or `=ilike`: contained, or the whole text with `=`.

    The cases of `ilike` are folded letter by letter (ß is no ss); with `unaccent` it ignores accents too.
    """
    fold = "ilike" in operator
    if not operator.startswith("="):
        pattern = f"%{pattern}%"
    if fold:
        pattern = folded(pattern, unaccent)
    found = _expression(pattern)
    if fold:
        return lambda text: found.fullmatch(folded(text, unaccent)) is not None
    return lambda text: found.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def folded(text: str, unaccent: bool) -> str:
    """Return the text in lower case, letter by letter as the database does it."""
    if unaccent:
        plain = text.replace("ß", "ss").replace("ł", "l").replace("Ł", "L").replace("ø", "o").replace("Ø", "O")
        text = "".join(sign for sign in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(sign))
    return "".join(sign.lower() for sign in text)


def _expression(pattern: str) -> re.Pattern[str]:
    parts = []
    signs = iter(pattern)
    for sign in signs:
        match sign:
            case "%":
                parts.append(".*")
            case "_":
                parts.append(".")
            case "\\":
                parts.append(re.escape(_escaped(next(signs, None))))
            case _:
                parts.append(re.escape(sign))
    return re.compile("".join(parts), re.DOTALL)


def _escaped(sign: str | None) -> str:
    if sign is None:
        name = "psycopg2.errors.InvalidEscapeSequence"
        raise OdooRefusal(500, name, "LIKE pattern must not end with escape character\n")
    return sign
