"""Taking everything away: all conversations of a user, or the user."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from api.background import soon
from conversations import removal
from conversations.models import Attachment, Conversation, Generation, Import
from conversations.refused import Refused
from streaming.cancel import cancel_all
from streaming.news import announce_deletions

PURGE = "api.tasks.purge_conversations"
REMOVE_ACCOUNT = "api.tasks.remove_account"
# Of the older ones, which no tab shows, the tabs hear when the rows go.
TOLD_AT_ONCE = 500
ROWS_AT_ONCE = 100


def delete_all(user: User) -> int:
    """Gone for everybody with one update, whatever their number; the rows follow in the background.
    Raises Refused (busy) while an import would bring new ones."""
    if Import.objects.filter(owner=user, status__in=Import.ACTIVE).exists():
        raise Refused("busy", _("An import is still running. Wait for it."))
    return hide_all(user)


def hide_all(user: User) -> int:
    with transaction.atomic():
        running = list(conversations_with_running(user))
        hidden = removal.hide_all(user)
        announce_deletions(user, hidden[:TOLD_AT_ONCE])
        for conversation in running:
            cancel_after_commit(conversation)
        soon(PURGE)
    return len(hidden)


def conversations_with_running(user: User) -> "QuerySet[Generation, UUID]":
    active = Generation.objects.filter(conversation__owner=user, status__in=Generation.ACTIVE)
    return active.values_list("conversation", flat=True).distinct()


def cancel_after_commit(conversation: UUID) -> None:
    transaction.on_commit(lambda: cancel_all(conversation))


def leave(user: User) -> None:
    """The account is closed at once, on all devices; its rows are removed in the background.
    Raises Refused (conflict) for the last one who can administer this site."""
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    if user.is_superuser and not others.exists():
        sentence = _("You are the only administrator. Make somebody else one first.")
        raise Refused("conflict", sentence)
    with transaction.atomic():
        user.is_active = False
        user.leaving_at = timezone.now()
        user.set_unusable_password()
        user.save(update_fields=["is_active", "leaving_at", "password"])
        hide_all(user)
        soon(REMOVE_ACCOUNT, str(user.pk))


def leaving() -> "QuerySet[User, Any]":
    return User.objects.exclude(leaving_at=None)


def remove(user_id: int) -> bool:
    """Remove what is left of somebody who has left, in short transactions; their row goes last, so
    that a worker that dies in the middle leaves a trace for the next one."""
    user = leaving().filter(pk=user_id).first()
    if user is None:
        return False
    remove_in_pieces(Conversation.objects.filter(owner=user), 10)
    remove_in_pieces(Attachment.objects.filter(owner=user).defer("text"), ROWS_AT_ONCE)
    for one in Import.objects.filter(owner=user):
        one.file.delete(save=False)
    user.delete()
    return True


def remove_in_pieces(rows: "QuerySet[Any]", at_once: int) -> None:
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:at_once]):
        rows.filter(pk__in=ids).delete()
