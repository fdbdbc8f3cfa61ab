"""From a conversation of a file to rows. Every id follows from the user and the id in the file, so
that bringing the same conversation twice makes it once."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal

from django.db import transaction

from accounts.models import User
from conversations.models import TITLE_CHARS, Conversation, Folder, Generation, Message
from conversations.search.index import index_conversation
from conversations.transfer.blocks import read_blocks, storable_text
from conversations.transfer.shapes import (
    FORMAT,
    PortableConversation,
    PortableMessage,
    Wrong,
)

NAMESPACE = uuid.UUID("6d2b4d0e-8f0b-4a53-9a6b-0d1f5c0a7e11")
MICROSECOND = timedelta(microseconds=1)
ROWS_AT_ONCE = 500
Stored = Literal["created", "extended", "unchanged"]


def store(user: User, brought: PortableConversation, source: str) -> tuple[Stored, Conversation]:
    """One transaction: a conversation is there as a whole or not at all.

    One that the user has already, because it was exported here or brought before, is not made
    again; what a later file adds to one that was brought is added. Raises Wrong.
    """
    ordered = list(from_the_roots(brought.messages))
    contents = [
        read_blocks(message.content, f"messages[{message.id}]") for message in brought.messages
    ]
    content_of = dict(zip((message.id for message in brought.messages), contents, strict=True))
    own = exported_here(user, brought.id) if source == FORMAT else None
    if own is not None:
        return "unchanged", own
    target = uuid.uuid5(NAMESPACE, f"{user.pk}:{source}:{brought.id}")
    with transaction.atomic():
        # What was deleted and is brought again begins anew.
        user.conversations.filter(pk=target).exclude(deleted_at=None).delete()
        conversation = user.conversations.filter(pk=target).first()
        made = conversation is None
        if conversation is None:
            conversation = create(user, target, brought)
        added = add_messages(conversation, ordered, content_of)
        if made or added:
            index_conversation(conversation)
    return "created" if made else "extended" if added else "unchanged", conversation


def create(user: User, target: uuid.UUID, brought: PortableConversation) -> Conversation:
    folder = None
    if name := storable_text(brought.folder).strip():
        folder, _ = Folder.objects.get_or_create(owner=user, name=name)
    return Conversation.objects.create(
        id=target,
        owner=user,
        folder=folder,
        title=title_of(brought),
        title_source=Conversation.TitleSource.USER,
        pinned=brought.pinned,
        archived=brought.archived,
        model_slug=storable_text(brought.model),
        system_prompt=storable_text(brought.system_prompt),
        temperature=brought.temperature,
        tools=brought.tools,
        created_at=brought.created_at,
        updated_at=brought.updated_at,
    )


def title_of(brought: PortableConversation) -> str:
    title = " ".join(storable_text(brought.title).split())
    return title if len(title) <= TITLE_CHARS else title[: TITLE_CHARS - 1].rstrip() + "…"


def from_the_roots(messages: Sequence[PortableMessage]) -> Iterator[PortableMessage]:
    """Every parent before its children. Raises Wrong where they form no tree."""
    ids = {message.id for message in messages}
    if len(ids) < len(messages):
        raise Wrong("messages: two of them have the same id")
    children: dict[str | None, list[PortableMessage]] = {}
    for message in messages:
        if message.parent is not None and message.parent not in ids:
            raise Wrong(f"messages[{message.id}].parent: there is no message {message.parent!r}")
        children.setdefault(message.parent, []).append(message)
    level = children.get(None, [])
    found = 0
    while level:
        found += len(level)
        yield from level
        level = [child for message in level for child in children.get(message.id, [])]
    if found < len(messages):
        raise Wrong("messages: some of them follow each other in a circle")


def add_messages(
    conversation: Conversation,
    ordered: Sequence[PortableMessage],
    content_of: dict[str, list[dict[str, object]]],
) -> int:
    known = set(conversation.messages.values_list("pk", flat=True))
    rows: dict[str, Message] = {}
    for brought in ordered:
        above = rows.get(brought.parent or "")
        rows[brought.id] = Message(
            id=uuid.uuid5(conversation.pk, brought.id),
            conversation=conversation,
            parent_id=above.pk if above else None,
            role=brought.role,
            content=content_of[brought.id],
            created_at=time_after(above, brought.created_at),
        )
    new = [brought for brought in ordered if rows[brought.id].pk not in known]
    Message.objects.bulk_create([rows[one.id] for one in new], batch_size=ROWS_AT_ONCE)
    Generation.objects.bulk_create(answers(rows, new), batch_size=ROWS_AT_ONCE)
    return len(new)


def time_after(above: Message | None, at: datetime) -> datetime:
    """A message is later than the one that it follows, so that the order of creation is total."""
    return at if above is None else max(at, above.created_at + MICROSECOND)


def answers(rows: dict[str, Message], brought: Sequence[PortableMessage]) -> Iterator[Generation]:
    """The page names the model of an answer by its Generation. It was never queued here."""
    for one in brought:
        message, prompt = rows[one.id], rows.get(one.parent or "")
        if one.role != "assistant" or prompt is None or not (one.model or one.status):
            continue
        yield Generation(
            conversation_id=message.conversation_id,
            prompt=prompt,
            message=message,
            model_slug=storable_text(one.model),
            status=one.status or Generation.Status.COMPLETED,
            attempt=1,
            seq=1,
            queued_at=message.created_at,
            enqueued_at=message.created_at,
            started_at=message.created_at,
            finished_at=message.created_at,
        )


def exported_here(user: User, key: str) -> Conversation | None:
    try:
        pk = uuid.UUID(key)
    except ValueError:
        return None
    return user.conversations.filter(pk=pk, deleted_at=None).first()
