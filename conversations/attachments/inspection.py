"""What a file is, by what is in it. Its name only decides how text is called, and where it claims
to be what it is not, the file is refused: it is broken, or somebody plays tricks."""

from dataclasses import dataclass

import puremagic
from django.utils.translation import gettext as _

from conversations.attachments import documents, images
from conversations.attachments.names import clean_name, suffix_of, with_suffix
from conversations.models import Attachment
from conversations.refused import Refused

PDF = "application/pdf"
HEAD_BYTES = 1024
IMAGE_SUFFIXES = {"image/png": (".png",), "image/jpeg": (".jpg", ".jpeg")}
# SVG and HTML too are text here, and never more than that.
TEXT_TYPES = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".csv": "text/csv",
    ".json": "application/json",
}
PLAIN = "text/plain"
NO_TEXT = (
    {".pdf", ".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".ico", ".tif", ".tiff", ".heic"}
    | {".zip", ".gz", ".exe", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".odt", ".ods"}
    | {".mp3", ".mp4", ".mov", ".wav"}
)


@dataclass(frozen=True, slots=True)
class Inspected:
    """`content` is what is kept, which of an image is another than what came."""

    name: str
    kind: Attachment.Kind
    media_type: str
    content: bytes
    text: str = ""
    pages: int | None = None
    width: int | None = None
    height: int | None = None


def inspect(name: str, content: bytes) -> Inspected:
    """Raises Refused (file_empty, file_type, file_unreadable, file_too_large)."""
    name = clean_name(name)
    if not content.strip():
        raise Refused("file_empty", _("The file is empty."))
    media_type = media_type_of(content)
    if media_type in images.FORMATS:
        return image(name, content, media_type)
    if media_type == PDF:
        return pdf(name, content)
    return text(name, content)


def media_type_of(content: bytes) -> str:
    """One of those that are no text; empty for all others."""
    try:
        found = puremagic.magic_string(content[:HEAD_BYTES])
    except (puremagic.PureError, ValueError):
        return ""
    known = (PDF, *images.FORMATS)
    return next((match.mime_type for match in found if match.mime_type in known), "")


def image(name: str, content: bytes, media_type: str) -> Inspected:
    drawn = images.redraw(content, media_type)
    return Inspected(
        name=with_suffix(name, *IMAGE_SUFFIXES[drawn.media_type]),
        kind=Attachment.Kind.IMAGE,
        media_type=drawn.media_type,
        content=drawn.content,
        width=drawn.width,
        height=drawn.height,
    )


def pdf(name: str, content: bytes) -> Inspected:
    document = documents.read_pdf(content)
    return Inspected(
        name=with_suffix(name, ".pdf"),
        kind=Attachment.Kind.PDF,
        media_type=PDF,
        content=content,
        text=document.text,
        pages=document.pages,
    )


def text(name: str, content: bytes) -> Inspected:
    written = documents.decode_text(content)
    suffix = suffix_of(name)
    if written is None or suffix in NO_TEXT:
        raise Refused("file_type", refusal_of(suffix, written))
    return Inspected(
        name=name,
        kind=Attachment.Kind.TEXT,
        media_type=TEXT_TYPES.get(suffix, PLAIN),
        content=content,
        text=documents.read_text(written).text,
    )


def refusal_of(suffix: str, written: str | None) -> str:
    if written is not None:
        return _("The file is not what its name says.")
    if suffix in TEXT_TYPES or suffix == ".txt":
        return _("The text is not in UTF-8. Save it as UTF-8 and attach it again.")
    return _("Files of this kind cannot be read. Attach an image, a PDF or text.")
