"""What a user typed, as words: `rust "borrow checker" -async` are three terms."""

import re
import unicodedata
from dataclasses import dataclass

MOST_TERMS = 16
WORD = re.compile(r"[^\W_]+")
PIECE = re.compile(r'(-?)(?:"([^"]*)("|$)|(\S+))')


@dataclass(frozen=True, slots=True)
class Term:
    """Words that follow each other; with `prefix` the last of them may go on."""

    words: tuple[str, ...]
    excluded: bool = False
    prefix: bool = False


def terms_of(query: str) -> list[Term]:
    """All of them must match. Empty where nothing is left to look for."""
    terms: list[Term] = []
    for piece in PIECE.finditer(query):
        minus, quoted, closing, bare = piece.groups()
        words = tuple(WORD.findall(bare if quoted is None else quoted))
        if not words:
            continue
        # The last word may still be on its way; a quotation mark or a space ends it.
        unfinished = piece.end() == len(query) and not closing
        terms.append(Term(words, bool(minus), unfinished and not minus))
    terms = terms[:MOST_TERMS]
    return terms if any(not term.excluded for term in terms) else []


def fold(text: str) -> str:
    """Without case and accents, as both databases compare."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFD", text.lower())
    return "".join(char for char in plain if not unicodedata.combining(char))
