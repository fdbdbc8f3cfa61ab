"""A file's name as it is shown and offered for saving. It is the only part of an upload that is
kept as the user's machine wrote it, so nothing in it may act: no folder, no line end, no mark that
turns the direction of writing around (`exe.txt` shown for `txt.exe`)."""

import re
import unicodedata
from pathlib import PurePosixPath

MAX_CHARS = 120
MAX_SUFFIX_CHARS = 12
# Embeddings, overrides and isolates of the direction, and what is invisible in a name.
TURNS_AROUND = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
UNWRITTEN = frozenset({"Cc", "Cs", "Zl", "Zp"})


def clean_name(name: str) -> str:
    """Never empty, at most MAX_CHARS characters, the suffix kept."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    shown = "".join(character for character in last if is_shown(character))
    tidy = " ".join(shown.split()).strip(". ")
    return shorten(tidy) if tidy else "file"


def is_shown(character: str) -> bool:
    return character not in TURNS_AROUND and unicodedata.category(character) not in UNWRITTEN


def shorten(name: str) -> str:
    if len(name) <= MAX_CHARS:
        return name
    suffix = suffix_of(name)
    return name[: MAX_CHARS - 1 - len(suffix)].rstrip() + "…" + suffix


def suffix_of(name: str) -> str:
    """`.pdf`; empty where there is none, or none that is one."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix if 1 < len(suffix) <= MAX_SUFFIX_CHARS else ""


def with_suffix(name: str, *suffixes: str) -> str:
    """The name with the first suffix, unless it has one of them already."""
    if suffix_of(name) in suffixes:
        return name
    stem = name[: len(name) - len(suffix_of(name))]
    return shorten(f"{stem}{suffixes[0]}")
