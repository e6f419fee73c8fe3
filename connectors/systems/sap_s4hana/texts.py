"""Texts of S/4HANA, which are kept in several languages."""

from collections.abc import Mapping, Sequence
from typing import Any


def english(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """The English text, else that of the first language by its code, since they come in any order."""
    texts = {row["language"]: row["text"] for row in rows if row["text"] is not None and row["language"] is not None}
    return texts.get("EN") or next((texts[language] for language in sorted(texts)), None)
