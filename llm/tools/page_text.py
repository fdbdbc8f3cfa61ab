"""What a person reads of an HTML page, as plain text."""

import re
from html.parser import HTMLParser

SKIPPED = frozenset({"script", "style", "noscript", "template", "svg", "iframe", "canvas"})
BLOCKS = frozenset(
    {"p", "div", "br", "li", "tr", "table", "ul", "ol", "section", "article", "header", "footer"}
    | {"blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd", "main", "nav", "hr"}
)
FEED_CHARS = 16 * 1024
CELLS = frozenset({"td", "th"})


def page_text(html: str) -> tuple[str, str]:
    """The title and the text. Broken HTML gives what can be read of it."""
    reader = _Reader()
    start = 0
    while start < len(html):
        # The parser reads what is not yet closed again with each piece, so a piece is as long as
        # that: the sum stays linear.
        end = start + max(FEED_CHARS, len(reader.rawdata))
        reader.feed(html[start:end])
        start = end
    if len(reader.rawdata) <= FEED_CHARS:
        # At the end the parser tries each character of what was never closed as a beginning: over
        # a megabyte of it, a page could hold a worker for minutes.
        reader.close()
    return _one_line(reader.title), _tidy("".join(reader.pieces))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.pieces: list[str] = []
        self._skipping = ""
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title" and not self.title:
            self._in_title = True
        elif not self._skipping and tag in SKIPPED:
            self._skipping = tag
        elif not self._skipping:
            self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif tag == self._skipping:
            self._skipping = ""
        elif not self._skipping:
            self._break(tag)

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        elif not self._skipping:
            self.pieces.append(data)

    def _break(self, tag: str) -> None:
        if tag in BLOCKS:
            self.pieces.append("\n")
        elif tag in CELLS:
            self.pieces.append("\t")


def _tidy(text: str) -> str:
    lines = (_one_line(line) for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _one_line(text: str) -> str:
    return " ".join(text.split())
