"""What a model finds in the conversations of the user whom it answers."""

from uuid import UUID

from django.urls import reverse
from django.utils import formats, timezone

from accounts.models import User
from conversations.models import SearchText
from conversations.search.excerpt import Wanted, whole_words
from conversations.search.find import mine
from conversations.search.match import matching
from conversations.search.words import Term, terms_of
from llm.surroundings import Passage

MOST = 8
BEFORE_CHARS, AFTER_CHARS = 200, 600


def passages(owner: int, query: str, besides: UUID) -> list[Passage]:
    """The newest messages that have all the words; none of the conversation `besides`, which the
    model knows already."""
    terms = terms_of(query)
    if not terms:
        return []
    found = mine(User(pk=owner)).filter(matching(terms, owner)).exclude(message=None)
    rows = found.exclude(conversation=besides).order_by("-created_at", "-message_id")[:MOST]
    return [_passage(row, terms) for row in rows]


def _passage(row: SearchText, terms: list[Term]) -> Passage:
    return Passage(
        title=row.conversation.title or "Untitled",
        said_by="the user" if row.role == "user" else "the assistant",  # type: ignore[attr-defined]
        said_at=formats.date_format(timezone.localdate(row.created_at), "Y-m-d"),
        text=_around_first(row.text, terms),
        path=reverse("conversation", args=[row.conversation_id]),
    )


def _around_first(text: str, terms: list[Term]) -> str:
    first = next(Wanted(terms).hits(text), None)
    at = first.start() if first else 0
    start, end = max(0, at - BEFORE_CHARS), min(len(text), at + AFTER_CHARS)
    start, end = whole_words(text, start, end)
    return ("…" if start else "") + text[start:end].strip() + ("…" if end < len(text) else "")
