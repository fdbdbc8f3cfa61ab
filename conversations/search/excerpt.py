"""The part of a text that shows why it was found, as pieces: no markup comes from here."""

import re
from collections.abc import Iterator
from typing import TypedDict

from conversations.search.words import WORD, Term, fold

BEFORE_CHARS, AFTER_CHARS = 48, 140
MARKS = re.compile(r"[*`#|~>\s]+")


class Piece(TypedDict):
    text: str
    hit: bool


def excerpt(text: str, terms: list[Term]) -> list[Piece]:
    """Around the first hit, on one line; the beginning where there is none."""
    wanted = Wanted(terms)
    first = next(wanted.hits(text), None)
    at = first.start() if first else 0
    start, end = max(0, at - BEFORE_CHARS), min(len(text), at + AFTER_CHARS)
    start, end = whole_words(text, start, end)
    cut = MARKS.sub(" ", text[start:end]).strip()
    return pieces(("…" if start else "") + cut + ("…" if end < len(text) else ""), wanted)


def highlighted(text: str, terms: list[Term]) -> list[Piece]:
    """The whole of it."""
    return pieces(text, Wanted(terms))


class Wanted:
    def __init__(self, terms: list[Term]) -> None:
        shown = [term for term in terms if not term.excluded]
        self.words = {fold(word) for term in shown for word in term.words}
        self.prefixes = tuple(fold(term.words[-1]) for term in shown if term.prefix)

    def hits(self, text: str) -> Iterator[re.Match[str]]:
        for word in WORD.finditer(text):
            folded = fold(word[0])
            if folded in self.words or (self.prefixes and folded.startswith(self.prefixes)):
                yield word


def whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Moved inwards to the next space, where there is one near."""
    if start and (space := text.find(" ", start, start + 24)) >= 0:
        start = space + 1
    if end < len(text) and (space := text.rfind(" ", end - 24, end)) > start:
        end = space
    return start, end


def pieces(text: str, wanted: Wanted) -> list[Piece]:
    found: list[Piece] = []
    at = 0
    for hit in wanted.hits(text):
        if hit.start() > at:
            found.append({"text": text[at : hit.start()], "hit": False})
        found.append({"text": hit[0], "hit": True})
        at = hit.end()
    if at < len(text):
        found.append({"text": text[at:], "hit": False})
    return found
