"""Writes the generated parts of the documents: `python -m docs.generate`, or with `--check` only looks at them.

A part stands between two comments of a page, `generated: NAME` with its arguments and `end`; NAME is in `TABLES`.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import unified_diff
from pathlib import Path

from docs import operations, tables

ROOT = Path(__file__).resolve().parents[1]
TABLES: Mapping[str, Callable[..., str]] = {
    "settings": tables.settings,
    "errors": tables.errors,
    "metrics": tables.metrics,
    "spans": tables.spans,
    "attributes": tables.attributes,
    "enum": tables.enum,
    "commands": tables.commands,
    "operations": operations.table,
    "coverage": tables.coverage,
    "form": tables.form,
    "guide": tables.guide,
    "paths": tables.paths,
    "values": tables.values,
}
"""What makes a part, by its name; further words of the comment are arguments."""

_BEGIN = re.compile(r"<!-- generated: (?P<words>[^>]+?) -->")
_END = "<!-- end -->"


class PageBroken(Exception):
    """A page asks for a part that cannot be made; the message says which and why."""


def pages(root: Path) -> list[Path]:
    """Every page of the documents."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]


def fill(text: str) -> str:
    """The text of a page with every generated part made anew."""
    written: list[str] = []
    rest = text
    while found := _BEGIN.search(rest):
        before, rest = rest[: found.end()], rest[found.end() :]
        _, end, after = rest.partition(_END)
        if not end or _BEGIN.search(rest[: rest.index(_END)]):
            raise PageBroken(f"the part `{found['words']}` has no `{_END}`")
        written += [before, "\n", _made(found["words"]), "\n", _END]
        rest = after
    return "".join([*written, rest])


def _made(words: str) -> str:
    name, *arguments = words.split()
    if name not in TABLES:
        raise PageBroken(f"there is no part `{name}`; there are: {', '.join(TABLES)}")
    try:
        return TABLES[name](*arguments)
    except (KeyError, TypeError):
        raise PageBroken(f"`{words}` cannot be made: the words after `{name}` are not right") from None


def stale_pages(root: Path) -> dict[Path, str]:
    """The pages whose generated parts are not what the code says, with the text that they should have."""
    stale = {}
    for page in pages(root):
        text = page.read_text("utf-8")
        try:
            filled = fill(text)
        except PageBroken as error:
            raise PageBroken(f"{page.relative_to(root)}: {error}") from None
        if filled != text:
            stale[page] = filled
    return stale


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Write what is stale, or with `--check` show it; the exit code is 1 where a page is stale or broken."""
    if list(arguments) not in ([], ["--check"]):
        print("usage: python -m docs.generate [--check]", file=sys.stderr)
        return 2
    try:
        stale = stale_pages(root)
    except PageBroken as error:
        print(error, file=sys.stderr)
        return 1
    for page, filled in stale.items():
        name = str(page.relative_to(root))
        if arguments:
            before, after = page.read_text("utf-8").splitlines(), filled.splitlines()
            print(*unified_diff(before, after, name, f"{name} as the code has it", lineterm=""), sep="\n")
            print(f"{name} is stale; `make docs` writes it again.", file=sys.stderr)
        else:
            page.write_text(filled, "utf-8")
            print(f"{name} is written again.")
    return 1 if arguments and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
