"""The pages of the sidebar: newest first, each one going on where the last one ended."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from accounts.models import User
from conversations.access import conversations_of
from conversations.models import Conversation, Folder, Generation
from conversations.shapes import conversation_shape

PAGE = 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Cursor:
    """After which row a page begins. Two rows may have the same time, so the id decides."""

    at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // MICROSECOND}.{self.id.hex}"

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Raises ValueError for what `str` did not make."""
        at, _, row = text.partition(".")
        try:
            return cls(EPOCH + int(at) * MICROSECOND, UUID(hex=row))
        except (ValueError, OverflowError):
            raise ValueError(f"expected a cursor that a page gave, got {text[:40]!r}") from None

    def older(self, time: str, row: str = "id") -> Q:
        """By the names of the fields. The first condition alone bounds the walk through the
        index."""
        until = Q(**{f"{time}__lte": self.at})
        return until & (Q(**{f"{time}__lt": self.at}) | Q(**{f"{row}__lt": self.id}))


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Conversation]
    next: Cursor | None


def listed(user: User) -> QuerySet[Conversation]:
    """Temporary conversations are never listed."""
    return conversations_of(user).filter(expires_at=None)


def page_of(rows: QuerySet[Conversation], before: Cursor | None, limit: int = PAGE) -> Page:
    if before is not None:
        rows = rows.filter(before.older("updated_at"))
    found = list(with_running(rows.order_by("-updated_at", "-id"))[: limit + 1])
    shown = found[:limit]
    more = len(found) > limit
    return Page(shown, Cursor(shown[-1].updated_at, shown[-1].id) if more else None)


def with_running(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    running = Generation.objects.filter(status__in=Generation.ACTIVE).only("conversation_id")
    return rows.prefetch_related(Prefetch("generations", queryset=running, to_attr="running"))


def shapes_of(rows: list[Conversation]) -> list[dict[str, Any]]:
    """Of rows that came by `with_running`."""
    return [conversation_shape(row, [one.pk for one in row.running]) for row in rows]  # type: ignore[attr-defined]


def sidebar(user: User) -> dict[str, Any]:
    """What the page begins with: all that is pinned, the newest of what is in no folder, and the
    folders, which load what is in them when they are opened."""
    shown = listed(user).filter(archived=False)
    pinned = with_running(shown.filter(pinned=True).order_by("-updated_at"))
    newest = page_of(shown.filter(pinned=False, folder=None), None)
    return {
        "conversations": shapes_of([*pinned, *newest.rows]),
        "next": str(newest.next) if newest.next else None,
        "folders": list_folders(user),
    }


def list_folders(user: User) -> list[dict[str, str]]:
    return [{"id": str(row.id), "name": row.name} for row in Folder.objects.filter(owner=user)]
