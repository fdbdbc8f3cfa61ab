"""What a model can read of a file: the text of a PDF, or the file itself where it is text."""

import codecs
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from conversations.models import CUT
from conversations.refused import Refused

PROGRAM = Path(__file__).with_name("read_pdf.py")
SECONDS = 15
# What the program needs to start and to say what it has, after its own limit.
GRACE_SECONDS = 5
# A crowd of PDFs must not take every core from the streams.
_turns = BoundedSemaphore(2)
# Tabs, line ends and the page breaks of old listings are text; other controls are not.
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Document:
    text: str
    pages: int | None = None


def read_pdf(content: bytes) -> Document:
    """Raises Refused (file_unreadable, file_too_large)."""
    found = ask_program(content)
    refuse(found)
    return Document(cut(storable(found["text"]), found["cut"]), found["pages"])


def ask_program(content: bytes) -> dict[str, Any]:
    limits = (settings.ATTACHMENT_PAGES, settings.ATTACHMENT_CHARS, SECONDS)
    command = [sys.executable, "-I", str(PROGRAM), *(str(limit) for limit in limits)]
    with _turns:
        try:
            done = subprocess.run(  # noqa: S603
                command,
                input=content,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
                timeout=SECONDS + GRACE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"trouble": "slow"}
    # It ends without a word where it has reached the limit of its memory or of its time.
    return json.loads(done.stdout) if done.returncode == 0 and done.stdout else {"trouble": "slow"}


def refuse(found: dict[str, Any]) -> None:
    match found.get("trouble"):
        case None:
            return
        case "locked":
            sentence = _("The PDF is protected by a password. Attach it without one.")
        case "empty":
            sentence = _("The PDF has no pages.")
        case "pages":
            most = settings.ATTACHMENT_PAGES
            sentence = _("The PDF has %(pages)s pages; at most %(most)s are taken.") % {
                "pages": found["pages"],
                "most": most,
            }
            raise Refused("file_too_large", sentence)
        case "slow":
            sentence = _(
                "The PDF is too complicated to be read. Attach a simpler one, or its text."
            )
        case _:
            sentence = _("The PDF is damaged and cannot be read.")
    raise Refused("file_unreadable", sentence)


def decode_text(content: bytes) -> str | None:
    """UTF-8, or UTF-16 that says so; None where it is neither, and so no text."""
    encoding = "utf-16" if content.startswith(UTF_16) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if CONTROLS.search(text) else text


def read_text(text: str) -> Document:
    return Document(cut(storable(text.replace("\r\n", "\n"))))


def cut(text: str, was_cut: bool = False) -> str:
    most = settings.ATTACHMENT_CHARS
    return text[:most] + CUT if was_cut or len(text) > most else text


def storable(text: str) -> str:
    """PostgreSQL holds every character but NUL, and UTF-8 no half of a surrogate pair."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
