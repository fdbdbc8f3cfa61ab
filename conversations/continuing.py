"""Going on with what somebody else has shared: a copy that belongs to the reader alone."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.core.files import File
from django.utils import timezone

from accounts.models import User
from conversations.models import Attachment, Conversation, Message, Share
from conversations.search.index import index_conversation
from conversations.sharing import FILES, Block

COPIED_FIELDS = ("name", "kind", "media_type", "size", "pages", "width", "height", "text")


def continue_shared(user: User, shared: Share) -> Conversation:
    """Inside the caller's transaction."""
    made = Conversation.objects.create(
        owner=user, title=shared.title, title_source=Conversation.TitleSource.USER
    )
    files = copied_files(user, made, shared)
    now, parent = timezone.now(), None
    rows: list[Message] = []
    for number, message in enumerate(shared.messages):
        parent = Message(
            id=uuid4(),
            conversation=made,
            parent=parent,
            role=message["role"],
            content=own_content(message["content"], files),
            # A microsecond apart, so that the order of creation is total.
            created_at=now + timedelta(microseconds=number),
        )
        rows.append(parent)
    Message.objects.bulk_create(rows)
    index_conversation(made)
    return made


def copied_files(user: User, made: Conversation, shared: Share) -> dict[str, str]:
    """Old id to new id. The owner may delete theirs; the copy stays."""
    if not shared.with_attachments:
        return {}
    named = [block["file_id"] for block in blocks_of(shared) if block["type"] in FILES]
    found = Attachment.objects.filter(pk__in=named, conversation=shared.conversation_id)
    return {str(file.pk): str(copy_of(file, user, made).pk) for file in found}


def copy_of(file: Attachment, user: User, made: Conversation) -> Attachment:
    fields: dict[str, Any] = {name: getattr(file, name) for name in COPIED_FIELDS}
    with file.file.open("rb") as content:
        return Attachment.objects.create(
            owner=user, conversation=made, file=File(content, name=file.name), **fields
        )


def blocks_of(shared: Share) -> list[Block]:
    return [block for message in shared.messages for block in message["content"]]


def own_content(content: list[Block], files: dict[str, str]) -> list[Block]:
    """A model needs an id to every call of a tool; what was left out stays out."""
    own: list[Block] = []
    for block in content:
        if block["type"] in FILES:
            if block["file_id"] in files:
                own.append({**block, "file_id": files[block["file_id"]]})
        elif block["type"] == "tool_call":
            own.append({**block, "id": f"call_{uuid4().hex}"})
        elif block["type"] != "left_out":
            own.append(block)
    return own
