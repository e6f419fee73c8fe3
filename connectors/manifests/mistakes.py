"""Mistakes in a manifest, each with its file, its line and a suggestion."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

Keys = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Mistake:
    """One thing that is wrong; `line` counts from 1, and is None where the file is no text with lines."""

    file: str
    line: int | None
    message: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.message}"


class ManifestError(Exception):
    """A folder does not describe a system; the message lists every mistake."""

    def __init__(self, folder: str, mistakes: Sequence[Mistake]) -> None:
        super().__init__(f"{folder} does not describe a system:\n" + "\n".join(f"  {item}" for item in mistakes))
        self.mistakes = tuple(mistakes)


def suggest(name: str, known: Iterable[str]) -> str:
    """A hint at the nearest known name; empty where none is near."""
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def suggest_or_list(name: str, known: Iterable[str]) -> str:
    """A hint at the nearest known name, or at all of them where none is near."""
    names = list(known)
    return suggest(name, names) or (f"; there are: {', '.join(names)}" if names else "")


def placed(keys: Keys, message: str) -> str:
    """A message behind the keys that it is about."""
    return f"{'.'.join(str(key) for key in keys)}: {message}" if keys else message


def find_line(text: str, keys: Keys) -> int:
    """The line of a TOML text that a path of keys leads to, or of the last key that can be found.

    The TOML reader of Python tells no lines, so each key is looked for in turn, as a table's header or before an equals
    sign, from where the one before it was found.
    """
    lines = text.splitlines()
    place, column = 0, 0
    for index, key in enumerate(keys):
        if isinstance(key, int):
            continue
        following = keys[index + 1] if index + 1 < len(keys) else 0
        skip = following if isinstance(following, int) else 0
        found = _next(lines, place, column, key, skip)
        if found is not None:
            place, column = found
    return place + 1


def _next(lines: list[str], place: int, column: int, key: str, skip: int) -> tuple[int, int] | None:
    """Where a key stands next; of tables in a list, `skip` are passed."""
    quoted = re.escape(key)
    name = rf"""(?<![\w-])["']?{quoted}["']?(?![\w-])"""
    header = re.compile(rf"^\s*\[\[?.*{name}.*\]")
    equals = re.compile(rf"{name}\s*(?:\.|=)")
    for number in range(place, len(lines)):
        start = column if number == place else 0
        is_header = header.match(lines[number])
        found = is_header or equals.search(lines[number], start)
        if found is None:
            continue
        if is_header and lines[number].lstrip().startswith("[[") and skip:
            skip -= 1
            continue
        return number, 0 if is_header else found.end()
    return None
