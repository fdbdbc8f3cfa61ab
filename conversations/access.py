"""User to row. A user reaches only what is theirs, and what is somebody else's looks exactly like
what does not exist: every lookup that starts from an id that came from outside goes through here.
"""

from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import User
from conversations.models import (
    Attachment,
    Conversation,
    Folder,
    Generation,
    Message,
    Preset,
    Prompt,
)


class NotFound(LookupError):
    """There is no such row for this user."""


def conversations_of(user: User) -> QuerySet[Conversation]:
    return Conversation.objects.filter(owner=user, deleted_at=None)


def conversation_of(user: User, conversation_id: UUID) -> Conversation:
    """Raises NotFound."""
    found = conversations_of(user).filter(pk=conversation_id).first()
    if found is None:
        raise NotFound(f"There is no conversation {conversation_id}.")
    return found


def folder_of(user: User, folder_id: UUID) -> Folder:
    """Raises NotFound."""
    found = Folder.objects.filter(pk=folder_id, owner=user).first()
    if found is None:
        raise NotFound(f"There is no folder {folder_id}.")
    return found


def message_of(user: User, message_id: UUID) -> Message:
    """Raises NotFound."""
    found = (
        Message.objects.filter(
            pk=message_id, conversation__owner=user, conversation__deleted_at=None
        )
        .select_related("conversation", "parent")
        .first()
    )
    if found is None:
        raise NotFound(f"There is no message {message_id}.")
    return found


def generation_of(user: User, generation_id: UUID) -> Generation:
    """Raises NotFound."""
    found = (
        Generation.objects.filter(
            pk=generation_id, conversation__owner=user, conversation__deleted_at=None
        )
        .select_related("message", "conversation")
        .first()
    )
    if found is None:
        raise NotFound(f"There is no generation {generation_id}.")
    return found


def attachment_of(user: User, attachment_id: UUID) -> Attachment:
    """Raises NotFound; also for one that a deleted conversation holds."""
    found = (
        Attachment.objects.filter(pk=attachment_id, owner=user)
        .filter(Q(conversation=None) | Q(conversation__deleted_at=None))
        .first()
    )
    if found is None:
        raise NotFound(f"There is no attachment {attachment_id}.")
    return found


def prompt_of(user: User, prompt_id: UUID) -> Prompt:
    """Raises NotFound."""
    found = Prompt.objects.filter(pk=prompt_id, owner=user).first()
    if found is None:
        raise NotFound(f"There is no prompt {prompt_id}.")
    return found


def preset_of(user: User, preset_id: UUID) -> Preset:
    """Raises NotFound."""
    found = Preset.objects.filter(pk=preset_id, owner=user).first()
    if found is None:
        raise NotFound(f"There is no preset {preset_id}.")
    return found
