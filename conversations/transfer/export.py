"""Conversations on their way out, one after the other: whoever has thousands of them needs no more
memory than for the longest."""

from collections.abc import Iterable, Iterator
from uuid import UUID

import msgspec
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from conversations.lists import listed
from conversations.models import Conversation, Message
from conversations.shapes import generation_or_none
from conversations.transfer.shapes import FORMAT, VERSION, PortableConversation, PortableMessage

encoder = msgspec.json.Encoder()


def ids_of(user: User) -> list[UUID]:
    """What is exported of a user: all but what is deleted and what is temporary."""
    return list(listed(user).order_by("created_at", "id").values_list("pk", flat=True))


def portables(user: User, ids: Iterable[UUID]) -> Iterator[PortableConversation]:
    """Those of them that are still there when their turn comes."""
    for pk in ids:
        found = listed(user).select_related("folder").filter(pk=pk).first()
        if found is not None:
            yield portable(found)


def as_json(conversations: Iterable[PortableConversation]) -> Iterator[bytes]:
    head = {"format": FORMAT, "version": VERSION, "exported_at": timezone.now()}
    yield encoder.encode(head)[:-1] + b',"conversations":['
    for number, one in enumerate(conversations):
        yield (b",\n" if number else b"\n") + encoder.encode(one)
    yield b"\n]}\n"


def portable(conversation: Conversation) -> PortableConversation:
    return PortableConversation(
        id=str(conversation.pk),
        title=conversation.title,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
        messages=[portable_message(row) for row in in_order(conversation.messages.all())],
        pinned=conversation.pinned,
        archived=conversation.archived,
        folder=conversation.folder.name if conversation.folder else "",
        model=conversation.model_slug,
        system_prompt=conversation.system_prompt,
        temperature=conversation.temperature,
        tools=conversation.tools,
    )


def in_order(messages: "QuerySet[Message]") -> "QuerySet[Message]":
    return messages.select_related("generation").order_by("created_at", "id")


def portable_message(message: Message) -> PortableMessage:
    generation = generation_or_none(message)
    return PortableMessage(
        id=str(message.pk),
        parent=str(message.parent_id) if message.parent_id else None,
        role=message.role,  # type: ignore[arg-type]
        content=message.content,
        created_at=message.created_at,
        model=generation.model_slug if generation else "",
        status=ended(generation.status) if generation else "",  # type: ignore[arg-type]
    )


def ended(status: str) -> str:
    """One that is still running goes on without the file: there it has been stopped."""
    return status if status in ("completed", "failed") else "cancelled"
