"""Of the beginning of a conversation that is too long for its model."""

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError

from conversations.models import HistorySummary

# Of one conversation: each branch may have one, and the older ones are soon out of use.
KEPT = 20


def recall(conversation: UUID, digests: Sequence[str]) -> tuple[str, str] | None:
    """Of these digests, oldest first, the last one that is known, and its text."""
    rows = HistorySummary.objects.filter(conversation=conversation)
    known = dict(rows.values_list("digest", "text"))
    found = next((digest for digest in reversed(digests) if digest in known), None)
    return None if found is None else (found, known[found])


def remember(conversation: UUID, digest: str, text: str) -> None:
    """Does nothing where the conversation has been removed meanwhile."""
    try:
        HistorySummary.objects.update_or_create(
            conversation_id=conversation, digest=digest, defaults={"text": text}
        )
    except IntegrityError:
        return
    mine = HistorySummary.objects.filter(conversation=conversation)
    newest = mine.order_by("-created_at").values_list("pk", flat=True)[:KEPT]
    mine.exclude(pk__in=list(newest)).delete()
