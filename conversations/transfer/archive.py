"""All of a user's conversations as a ZIP that is written while it is sent."""

import io
import re
from collections.abc import Iterator
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.utils import timezone

from accounts.models import User
from conversations.by_id import parts
from conversations.lists import listed
from conversations.models import Attachment
from conversations.transfer.export import as_json, ids_of, portables
from conversations.transfer.markdown import as_markdown
from conversations.transfer.shapes import PortableConversation

PIECE_BYTES = 256 * 1024
FILES_AT_ONCE = 100
TITLE_IN_NAME = 60
NOT_IN_NAMES = re.compile(r"[^\w .,()&+-]+")


class Outlet(io.RawIOBase):
    """Where the ZIP writes to: what has come so far is taken away again and again. It cannot seek,
    so sizes follow the data, which every reader of ZIP files knows."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._pieces.append(piece)
        return len(piece)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def as_zip(user: User) -> Iterator[bytes]:
    """`conversations.json`, which can be imported again, each conversation as Markdown, and the
    files. The conversations are read twice: a ZIP holds one file after the other."""
    outlet, ids = Outlet(), ids_of(user)
    with ZipFile(outlet, "w", ZIP_DEFLATED) as archive:
        with archive.open(entry("conversations.json"), "w", force_zip64=True) as file:
            for piece in as_json(portables(user, ids)):
                file.write(piece)
                yield outlet.take()
        for number, one in enumerate(portables(user, ids), start=1):
            archive.writestr(entry(markdown_name(number, one)), as_markdown(one))
            yield outlet.take()
        for attachment in files_of(user):
            yield from add_file(archive, outlet, attachment)
    yield outlet.take()


def files_of(user: User) -> Iterator[Attachment]:
    """A few at a time: between two pieces of the archive its connection is given back, and with it
    would go a cursor."""
    rows = Attachment.objects.filter(conversation__in=listed(user))
    for some in parts(list(rows.values_list("pk", flat=True)), FILES_AT_ONCE):
        yield from rows.filter(pk__in=some).defer("text")


def add_file(archive: ZipFile, outlet: Outlet, attachment: Attachment) -> Iterator[bytes]:
    """Photos and PDFs are compressed already. One whose bytes are gone is left out."""
    name = f"attachments/{attachment.pk}/{safe(attachment.name) or 'file'}"
    try:
        source = attachment.file.open("rb")
    except FileNotFoundError:
        return
    with source, archive.open(entry(name, ZIP_STORED), "w", force_zip64=True) as file:
        while piece := source.read(PIECE_BYTES):
            file.write(piece)
            yield outlet.take()


def entry(name: str, how: int = ZIP_DEFLATED) -> ZipInfo:
    made = ZipInfo(name, timezone.now().timetuple()[:6])
    made.compress_type = how
    return made


def markdown_name(number: int, one: PortableConversation) -> str:
    title = safe(one.title)[:TITLE_IN_NAME].strip()
    return f"markdown/{number:04} {title}".rstrip() + ".md"


def safe(name: str) -> str:
    """Nothing that a file system takes for a path or refuses."""
    return " ".join(NOT_IN_NAMES.sub(" ", name).split()).strip(" .")
