"""What a user finds: conversations by their title, then messages, the newest first."""

from typing import Any

from django.db.models import F, QuerySet

from accounts.models import User
from conversations.lists import Cursor
from conversations.models import SearchText
from conversations.search.excerpt import excerpt, highlighted
from conversations.search.match import matching
from conversations.search.words import Term, terms_of

PAGE = 20
TITLES = 8


def search(user: User, query: str, before: Cursor | None = None) -> dict[str, Any]:
    """`{"results": […], "next": cursor or None}`. `message` of a result is None for a title."""
    terms = terms_of(query)
    if not terms:
        return {"results": [], "next": None}
    found = mine(user).filter(matching(terms, user.pk))
    messages = found.exclude(message=None)
    if before is not None:
        messages = messages.filter(before.older("created_at", "message_id"))
    rows = list(messages.order_by("-created_at", "-message_id")[: PAGE + 1])
    titles: list[SearchText] = []
    if before is None:
        titles = list(found.filter(message=None).order_by("-conversation__updated_at")[:TITLES])
    shown = rows[:PAGE]
    more = len(rows) > PAGE
    return {
        "results": [hit(row, terms) for row in [*titles, *shown]],
        "next": str(after(shown[-1])) if more else None,
    }


def after(row: SearchText) -> Cursor:
    assert row.message_id is not None
    return Cursor(row.created_at, row.message_id)


def mine(user: User) -> QuerySet[SearchText]:
    """Nothing of others, deleted or temporary: said of the conversation itself, whatever the index
    holds. The texts' own `owner` lets the database walk from the newest where a word is common."""
    found = SearchText.objects.filter(
        owner=user,
        conversation__owner=user,
        conversation__deleted_at=None,
        conversation__expires_at=None,
    )
    return found.select_related("conversation").annotate(role=F("message__role"))


def hit(row: SearchText, terms: list[Term]) -> dict[str, Any]:
    conversation = row.conversation
    return {
        "conversation": conversation.id,
        "title": highlighted(conversation.title, terms),
        "archived": conversation.archived,
        "message": row.message_id,
        "role": row.role,  # type: ignore[attr-defined]
        "excerpt": excerpt(row.text, terms) if row.message_id else [],
        "at": row.created_at if row.message_id else conversation.updated_at,
    }
