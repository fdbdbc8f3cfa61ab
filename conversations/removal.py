"""Deleting in two steps: what a user deletes is gone for everybody at once, and can be brought back
until a task removes the rows."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from conversations.access import NotFound
from conversations.models import Conversation

PURGED_AT_ONCE = 500


def hide(conversation: Conversation) -> bool:
    """False where it has been deleted meanwhile."""
    now = timezone.now()
    return bool(
        Conversation.objects.filter(pk=conversation.pk, deleted_at=None).update(deleted_at=now)
    )


def bring_back(user: User, conversation_id: UUID) -> Conversation:
    """Does nothing to one that is there. Raises NotFound for one that has been removed."""
    Conversation.objects.filter(owner=user, pk=conversation_id).update(deleted_at=None)
    found = Conversation.objects.filter(owner=user, pk=conversation_id).first()
    if found is None:
        raise NotFound(f"There is no conversation {conversation_id}.")
    return found


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
