"""Reads the pages of the documents: their text, links, headings and blocks of code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from docs import generate

ROOT = generate.ROOT
PAGES = generate.pages(ROOT)

_BLOCK = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?P<inline>[^)\s]+)\)|<(?P<plain>https?://[^>\s]+)>")
_HEADING = re.compile(r"^#+ (?P<words>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code; `file` is what stands after the language, such as the file that it is taken from."""

    page: Path
    line: int
    language: str
    file: str
    text: str

    def __str__(self) -> str:
        """Where to look when it fails."""
        return f"{name_of(self.page)}:{self.line}"


def name_of(page: Path) -> str:
    """A page by its path in the repository."""
    return page.relative_to(ROOT).as_posix()


@cache
def text_of(page: Path) -> str:
    """The text of a page."""
    return page.read_text("utf-8")


def prose_of(page: Path) -> str:
    """The text of a page without its blocks of code."""
    return _BLOCK.sub("", text_of(page))


def blocks_of(page: Path) -> Iterator[Block]:
    """The blocks of a page, in their order."""
    text = text_of(page)
    for found in _BLOCK.finditer(text):
        language, _, file = found["info"].strip().partition(" ")
        yield Block(page, text.count("\n", 0, found.start()) + 1, language, file, found["text"])


def blocks(language: str) -> list[Block]:
    """The blocks in one language, of all pages."""
    return [block for page in PAGES for block in blocks_of(page) if block.language == language]


def links_of(page: Path) -> list[str]:
    """Where a page leads, as it is written there."""
    return [found["inline"] or found["plain"] for found in _LINK.finditer(prose_of(page))]


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual viewers of Markdown make them."""
    words = [found["words"].lower() for found in _HEADING.finditer(prose_of(page))]
    return {re.sub(r"[^\w\- ]", "", text).replace(" ", "-") for text in words}
