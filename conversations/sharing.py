"""Read-only links. A link shows a snapshot of one path of a conversation, to whoever has it.

What leaves here is public: a block is copied field by field, so that whatever else a provider or a
later version puts into one (signatures, ids of the owner's rows) stays at home.
"""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from conversations.access import NotFound
from conversations.by_id import by_id
from conversations.models import Attachment, Conversation, Generation, Message, Share
from conversations.shapes import generation_or_none
from conversations.submit import Refused
from llm.models import ChatModel

Block = dict[str, Any]
FILES = frozenset({"image", "file"})
# Whatever else stands in an address, such as a NUL, is nothing to ask the database about.
TOKEN = re.compile(r"[\w-]{1,64}", re.ASCII)


def share(conversation: Conversation, leaf: UUID, *, with_attachments: bool) -> Share:
    """A new link to the path that ends with `leaf`.

    Raises NotFound and Refused (conflict, busy).
    """
    if conversation.is_temporary:
        raise Refused("conflict", _("A temporary chat cannot be shared."))
    return Share.objects.create(
        conversation=conversation,
        title=conversation.title,
        messages=snapshot(conversation, leaf, with_attachments),
        with_attachments=with_attachments,
    )


def renew(found: Share, leaf: UUID, *, with_attachments: bool) -> Share:
    """Put what the conversation says now under the same link."""
    found.title = found.conversation.title
    found.messages = snapshot(found.conversation, leaf, with_attachments)
    found.with_attachments = with_attachments
    found.updated_at = timezone.now()
    fields = ("title", "messages", "with_attachments", "updated_at")
    # The owner may have taken it back in another tab meanwhile, and its text went with that.
    living = Share.objects.filter(pk=found.pk, revoked_at=None)
    if not living.update(**{name: getattr(found, name) for name in fields}):
        raise NotFound(f"There is no link {found.pk}.")
    return found


def revoke(found: Share) -> None:
    """For good: a link that was taken back must not come to life again. The text goes at once."""
    Share.objects.filter(pk=found.pk, revoked_at=None).update(
        revoked_at=timezone.now(), messages=[], title=""
    )


def links_of(user: User) -> Any:
    """The living links of a user, the newest first."""
    return Share.objects.filter(
        conversation__owner=user, conversation__deleted_at=None, revoked_at=None
    ).select_related("conversation")


def link_of(user: User, share_id: UUID) -> Share:
    """Raises NotFound."""
    found: Share | None = links_of(user).filter(pk=share_id).first()
    if found is None:
        raise NotFound(f"There is no link {share_id}.")
    return found


def shared_as(token: str) -> Share:
    """What a link leads to. One that was revoked, whose conversation was deleted or whose owner is
    gone looks like one that never was: NotFound."""
    if not TOKEN.fullmatch(token):
        raise NotFound(_("This link leads nowhere."))
    found = (
        Share.objects.filter(
            token=token,
            revoked_at=None,
            conversation__deleted_at=None,
            conversation__owner__is_active=True,
        )
        .select_related("conversation")
        .first()
    )
    if found is None:
        raise NotFound(_("This link leads nowhere."))
    return found


def shared_file(found: Share, file_id: UUID) -> Attachment:
    """A file that the snapshot itself names. Raises NotFound."""
    named = {
        block.get("file_id")
        for message in found.messages
        for block in message["content"]
        if block["type"] in FILES
    }
    file = None
    if found.with_attachments and str(file_id) in named:
        file = Attachment.objects.filter(pk=file_id, conversation=found.conversation_id).first()
    if file is None:
        raise NotFound(f"There is no file {file_id}.")
    return file


def snapshot(conversation: Conversation, leaf: UUID, with_attachments: bool) -> list[Block]:
    path = path_to(conversation, leaf)
    if any(is_being_written(message) for message in path):
        sentence = _("An answer is still being written. Share it when it is complete.")
        raise Refused("busy", sentence, retryable=True)
    labels = dict(ChatModel.objects.values_list("slug", "label"))
    shapes = [public_shape(message, labels, with_attachments) for message in path]
    return [shape for shape in shapes if shape["content"]]


def path_to(conversation: Conversation, leaf: UUID) -> list[Message]:
    """From the root to `leaf`, by way of the parents. Raises NotFound."""
    parents = dict(conversation.messages.values_list("pk", "parent_id"))
    if leaf not in parents:
        raise NotFound(f"There is no message {leaf}.")
    path: list[UUID] = []
    at: UUID | None = leaf
    while at is not None:
        path.append(at)
        # Taken out when it is used, so that a loop in broken data ends.
        at = parents.pop(at, None)
    rows = by_id(conversation.messages.select_related("generation"), path)
    return [rows[pk] for pk in reversed(path) if pk in rows]


def is_being_written(message: Message) -> bool:
    generation = generation_or_none(message)
    return generation is not None and generation.is_active


def public_shape(message: Message, labels: dict[str, str], with_attachments: bool) -> Block:
    slug = model_of(generation_or_none(message))
    content = [public_block(block, with_attachments) for block in message.content]
    return {
        "role": message.role,
        "content": [block for block in content if block],
        "model": labels.get(slug, slug) or None,
        "created_at": message.created_at.isoformat(),
    }


def model_of(generation: Generation | None) -> str:
    return generation.model_slug if generation else ""


def public_block(block: Block, with_attachments: bool) -> Block | None:
    kind = block.get("type")
    if kind in FILES:
        return file_block(block) if with_attachments else {"type": "left_out"}
    copy = COPIED.get(str(kind))
    return copy(block) if copy else None


def text_block(block: Block) -> Block:
    return {"type": "text", "text": block.get("text", "")}


def reasoning_block(block: Block) -> Block:
    return {"type": "reasoning", "reasoning": block.get("reasoning", "")}


def tool_block(block: Block) -> Block:
    extras = block.get("extras") or {}
    told = {name: extras[name] for name in ("result", "error") if name in extras}
    return {
        "type": "tool_call",
        "id": "",
        "name": block.get("name", ""),
        "args": block.get("args") or {},
        "extras": told,
    }


def file_block(block: Block) -> Block:
    extras = block.get("extras") or {}
    told = {name: extras[name] for name in ("name", "size", "width", "height") if name in extras}
    copied = {name: block.get(name) for name in ("type", "file_id", "mime_type")}
    return {**copied, "extras": told}


COPIED: dict[str, Callable[[Block], Block]] = {
    "text": text_block,
    "reasoning": reasoning_block,
    "tool_call": tool_block,
}
