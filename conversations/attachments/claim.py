"""Taking files into a message. A message names them in content blocks by `file_id`; the bytes stay
where they are."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from conversations.models import Attachment, Conversation, Message
from conversations.refused import Refused

Block = dict[str, Any]


def check_count(files: Sequence[UUID]) -> None:
    if len(files) > settings.ATTACHMENTS_PER_MESSAGE:
        sentence = _("A message holds at most %(most)s files.")
        raise Refused("too_many_files", sentence % {"most": settings.ATTACHMENTS_PER_MESSAGE})


def claim(user: User, conversation: Conversation, files: Sequence[UUID]) -> list[Attachment]:
    """Bind the user's files to a conversation, inside the caller's transaction; in the order given.

    One guarded update decides: a file of somebody else's, one that is gone and one that another
    conversation has taken look the same. Raises Refused (not_found).
    """
    if not files:
        return []
    free = Q(conversation=None) | Q(conversation=conversation)
    wanted = Attachment.objects.filter(free, pk__in=files, owner=user)
    if wanted.update(conversation=conversation) != len(files):
        raise Refused("not_found", _("A file is no longer there. Remove it and attach it again."))
    found = Attachment.objects.defer("text").in_bulk(files)
    return [found[pk] for pk in files]


def blocks_of(files: Sequence[Attachment]) -> list[Block]:
    """LangChain's standard blocks, with a reference in place of the bytes."""
    return [block_of(each) for each in files]


def block_of(attachment: Attachment) -> Block:
    is_image = attachment.kind == Attachment.Kind.IMAGE
    extras: Block = {"name": attachment.name, "size": attachment.size}
    if is_image:
        extras |= {"width": attachment.width, "height": attachment.height}
    elif attachment.pages is not None:
        extras["pages"] = attachment.pages
    return {
        "type": "image" if is_image else "file",
        "file_id": str(attachment.pk),
        "mime_type": attachment.media_type,
        "extras": extras,
    }


def files_in(content: Sequence[Block]) -> list[str]:
    return [str(block["file_id"]) for block in content if "file_id" in block]


def same_files(message: Message, files: Sequence[UUID]) -> bool:
    return files_in(message.content) == [str(each) for each in files]
