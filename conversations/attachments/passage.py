"""What a model reads of a conversation's files when it asks for them by name."""

from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Length, Substr

from conversations.models import Attachment
from llm.surroundings import AttachedFile

MOST = 100


def files_of(conversation: UUID) -> list[AttachedFile]:
    """The newest first. Of several with one name, the newest is the one that the name means."""
    found: dict[str, AttachedFile] = {}
    rows = _of(conversation).annotate(characters=Length("text")).defer("text")
    for row in rows[:MOST]:
        file = AttachedFile(row.name, row.kind, row.pages, row.characters)
        found.setdefault(row.name, file)
    return list(found.values())


def passage(conversation: UUID, name: str, offset: int, length: int) -> str | None:
    """Only these characters leave the database."""
    piece = Substr("text", offset + 1, length)
    found = _of(conversation).filter(name=name).values_list(piece, flat=True)
    text: str | None = found.first()
    return text


def _of(conversation: UUID) -> QuerySet[Attachment]:
    """A file that no message has taken yet belongs to no conversation."""
    return Attachment.objects.filter(conversation=conversation).order_by("-created_at", "-pk")
