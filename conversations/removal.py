"""Deleting in two steps: what a user deletes is gone for everybody at once, and can be brought back
until a task removes the rows."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from conversations.access import NotFound
from conversations.models import Conversation

PURGED_AT_ONCE = 500
# The time of deletion of what its owner has deleted for good.
NEVER_BACK = datetime(1970, 1, 1, tzinfo=UTC)


def expire() -> int:
    """Hide temporary conversations whose time is over, for good; returns how many."""
    over = Conversation.objects.filter(expires_at__lt=timezone.now(), deleted_at=None)
    return over.update(deleted_at=NEVER_BACK)


def hide(conversation: Conversation) -> bool:
    """False where it has been deleted meanwhile."""
    now = timezone.now()
    return bool(
        Conversation.objects.filter(pk=conversation.pk, deleted_at=None).update(deleted_at=now)
    )


def bring_back(user: User, conversation_id: UUID) -> Conversation:
    """Does nothing to one that is there. Raises NotFound for one that has been removed."""
    mine = Conversation.objects.filter(owner=user, pk=conversation_id)
    mine.exclude(deleted_at=NEVER_BACK).update(deleted_at=None)
    found = mine.filter(deleted_at=None).first()
    if found is None:
        raise NotFound(f"There is no conversation {conversation_id}.")
    return found


def hide_all(user: User) -> list[UUID]:
    """Everything at once, archived and temporary ones too, and not to be brought back: the next
    purge takes them. Returns their ids, the newest first."""
    there = user.conversations.filter(deleted_at=None).order_by("-updated_at")
    hidden = list(there.values_list("pk", flat=True))
    user.conversations.update(deleted_at=NEVER_BACK)
    return hidden


def purge() -> int:
    """Remove what was deleted long enough ago; returns how many. One by one, each a short
    transaction of its own: a long conversation has thousands of rows that go with it."""
    before = timezone.now() - timedelta(minutes=settings.DELETED_KEPT_MINUTES)
    gone = Conversation.objects.filter(deleted_at__lt=before)
    removed = 0
    for pk in list(gone.values_list("pk", flat=True)[:PURGED_AT_ONCE]):
        # Asked again, because its owner may have brought it back this very moment.
        removed += bool(gone.filter(pk=pk).delete()[0])
    return removed
