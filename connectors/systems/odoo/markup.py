"""What Odoo's formatted texts say, without their format."""

import re
from html.parser import HTMLParser

_BLOCKS = frozenset(
    ("blockquote", "br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "table", "tr", "ul")
)
"""What begins a line of its own."""
_UNSEEN = frozenset(("script", "style"))
_BLANKS = re.compile(r"\s+")


class _Reader(HTMLParser):
    """Collects the text between tags; blanks in a row are one, as a browser shows them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _UNSEEN
        if tag in _BLOCKS:
            self._parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _UNSEEN and self._hidden > 0
        if tag in _BLOCKS:
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._parts.append(_BLANKS.sub(" ", data))

    def text(self) -> str:
        """The lines that say something."""
        lines = (_BLANKS.sub(" ", line).strip() for line in "".join(self._parts).split("\n"))
        return "\n".join(line for line in lines if line)


def plain_text(markup: str | None) -> str | None:
    """The text of HTML, line by line; null where it says nothing, such as in an empty paragraph."""
    if markup is None:
        return None
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader.text() or None
