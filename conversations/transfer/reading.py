"""From a file that somebody brought to its conversations, one by one.

A small file may claim to hold a very large one, so what is unpacked is counted while it is written,
and the text stays on the disk: it is mapped, not read, and only one conversation at a time becomes
objects.
"""

import mmap
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any
from zipfile import BadZipFile, ZipFile, ZipInfo, is_zipfile

import msgspec
from django.conf import settings
from django.utils.translation import gettext as _

from conversations.transfer import chatgpt
from conversations.transfer.shapes import FORMAT, VERSION, PortableConversation, Wrong

PIECE_BYTES = 1024 * 1024
# ChatGPT puts large accounts into several files.
MEMBERS = re.compile(r"(?:^|/)conversations(?:-\d+)?\.json$")
MEMBERS_AT_MOST = 1_000
CONVERSATIONS_AT_MOST = 100_000
# As objects it takes several times as much.
CONVERSATION_BYTES = 50_000_000
BOM = b"\xef\xbb\xbf"
# Texts, which may hold any of the others, and what makes the order of a JSON text.
MARKS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},]', re.DOTALL)
OPENING, CLOSING, COMMA = b"[{", b"]}", ord(",")
# An escape, with its second half if it is one of a pair.
ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}(\\u[dD][c-fC-F][0-9a-fA-F]{2})?|(u[dD][c-fC-F])|.)",
    re.DOTALL,
)


class Head(msgspec.Struct):
    """Of our own format; everything has a default, because a file may be anything."""

    conversations: list[msgspec.Raw]
    format: str = ""
    version: Any = None


@dataclass(frozen=True, slots=True)
class Source:
    """`name` is that of the format."""

    name: str
    items: list[msgspec.Raw]

    def read(self, number: int) -> PortableConversation:
        """Raises Wrong, with the place."""
        place = _("Conversation %(number)s") % {"number": number + 1}
        if memoryview(self.items[number]).nbytes > CONVERSATION_BYTES:
            reason = _("it is too long")
            raise Wrong(f"{place}: {reason}")
        try:
            if self.name == chatgpt.NAME:
                return chatgpt.read(msgspec.json.decode(self.items[number], type=chatgpt.Chat))
            return msgspec.json.decode(self.items[number], type=PortableConversation)
        except (msgspec.MsgspecError, Wrong) as error:
            raise Wrong(f"{place}: {error}") from None


@contextmanager
def opened(upload: IO[bytes]) -> Iterator[list[Source]]:
    """Raises Wrong where it is no file of conversations."""
    with TemporaryFile() as kept:
        sources: list[Source] = []
        mapped: list[mmap.mmap] = []
        try:
            for start, end in unpack(upload, kept):
                text = mapped_part(kept, start, end)
                mapped.append(text)
                sources.append(source_of(text))
            yield sources
        finally:
            sources.clear()


def unpack(upload: IO[bytes], kept: IO[bytes]) -> list[tuple[int, int]]:
    """Write the JSON texts one after the other; where each begins and ends."""
    if not is_zipfile(upload):
        upload.seek(0)
        return [copied(upload, kept, 0)]
    try:
        with ZipFile(upload) as archive:
            return [copied_member(archive, member, kept) for member in members_of(archive)]
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error) as error:
        raise Wrong(_("The ZIP is damaged or locked: %(error)s") % {"error": error}) from None


def members_of(archive: ZipFile) -> list[ZipInfo]:
    found = [member for member in archive.infolist() if MEMBERS.search(member.filename)]
    if not found:
        raise Wrong(_("There is no conversations.json in the ZIP."))
    return sorted(found, key=lambda member: member.filename)[:MEMBERS_AT_MOST]


def copied_member(archive: ZipFile, member: ZipInfo, kept: IO[bytes]) -> tuple[int, int]:
    with archive.open(member) as file:
        return copied(file, kept, kept.tell())


def copied(source: IO[bytes], kept: IO[bytes], start: int) -> tuple[int, int]:
    limit = settings.IMPORT_UNPACKED_MB * 1_000_000
    # A mapping begins at the border of a page.
    start += -start % mmap.ALLOCATIONGRANULARITY
    kept.seek(start)
    while piece := source.read(PIECE_BYTES):
        kept.write(piece)
        if kept.tell() > limit:
            text = _("The file holds more than %(most)s MB of text, which is too much.")
            raise Wrong(text % {"most": settings.IMPORT_UNPACKED_MB})
    return start, kept.tell()


def mapped_part(kept: IO[bytes], start: int, end: int) -> mmap.mmap:
    if start == end:
        raise Wrong(_("The file is empty."))
    kept.flush()
    return mmap.mmap(kept.fileno(), end - start, offset=start)


def source_of(text: mmap.mmap) -> Source:
    if text[:3] == BOM:
        text[:3] = b"   "
    try:
        return split(text)
    except msgspec.DecodeError:
        mend_halves(text)
    try:
        return split(text)
    except msgspec.DecodeError as error:
        # What the parser says, of bytes and keys, is nothing to a user.
        sentence = _("This is no file of conversations, or it is damaged or incomplete.")
        raise Wrong(sentence) from error


def split(text: mmap.mmap) -> Source:
    """ChatGPT's file is a list, ours an object. Raises DecodeError."""
    is_list = text[:64].lstrip().startswith(b"[")
    check_count(text, depth=1 if is_list else 2)
    if is_list:
        return Source(chatgpt.NAME, msgspec.json.decode(text, type=list[msgspec.Raw]))
    head = msgspec.json.decode(text, type=Head)
    if head.format != FORMAT:
        raise Wrong(_("This file is neither an export of this site nor one of ChatGPT."))
    if head.version != VERSION:
        sentence = _("The file has version %(version)s of the format; this site reads version 1.")
        raise Wrong(sentence % {"version": head.version})
    return Source(FORMAT, head.conversations)


def check_count(text: mmap.mmap, depth: int) -> None:
    """A few bytes of a file are an object of many in memory, so a list of millions of nothings must
    not be taken apart. What is no JSON is found out later."""
    level = count = 0
    for mark in MARKS.finditer(text):
        sign = text[mark.start()]
        if sign in OPENING:
            level += 1
        elif sign in CLOSING:
            level -= 1
        elif sign == COMMA and level == depth:
            count += 1
            if count >= CONVERSATIONS_AT_MOST:
                most = {"most": CONVERSATIONS_AT_MOST}
                raise Wrong(_("The file holds more than %(most)s conversations.") % most)


def mend_halves(text: mmap.mmap) -> None:
    """Half of an emoji, as some exports hold it where a text was cut, makes the whole file
    unreadable. It is replaced in place: the escape of U+FFFD is as long."""
    for found in ESCAPES.finditer(text):
        is_half = len(found[0]) == 6 or found[2]
        if is_half:
            text[found.start() : found.start() + 6] = rb"\ufffd"
