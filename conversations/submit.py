"""Storing what a user sends: their message, an empty answer and a queued generation, in one
transaction. Nothing here publishes or enqueues; that happens after the commit."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from conversations.access import NotFound, conversation_of, conversations_of
from conversations.attachments.claim import blocks_of, check_count, claim, same_files
from conversations.models import TITLE_CHARS, Conversation, Generation, Message
from conversations.refused import Refused as Refused
from conversations.search.index import index_submitted
from conversations.settings import DEFAULTS, ChatSettings, check, columns
from conversations.shapes import generation_or_none
from llm.catalogue import default_model, find
from llm.models import ChatModel
from llm.spec import Block

CONVERSATION_NAMESPACE = uuid.UUID("3f2f8f52-5d0f-4f0c-9d7e-0f3b8a1c6b51")


@dataclass(frozen=True, slots=True)
class Submitted:
    """`created` is False where the same message had been stored before."""

    conversation: Conversation
    message: Message
    reply: Message
    generation: Generation
    created: bool
    new_conversation: bool


def submit(
    user: User,
    *,
    client_message_id: UUID,
    conversation: UUID | None,
    parent: UUID | None,
    text: str,
    model: str | None,
    attachments: Sequence[UUID] = (),
    wishes: ChatSettings = DEFAULTS,
) -> Submitted:
    """Store a message once, however often it is sent. `wishes` are for the conversation that it
    opens.

    Raises Refused (empty, too_long, too_many_files, not_found, conflict, busy, model_unavailable)
    and NotFound.
    """
    files = list(dict.fromkeys(attachments))
    # A message of files alone has no text, and no block for it.
    text = text if text.strip() or not files else ""
    check_text(text, empty_too=bool(files))
    check_count(files)
    target = conversation or first_conversation_id(user, client_message_id)
    try:
        chosen = pick_model(user, model, last_model(user, conversation))
        new = check(user, columns(wishes)) if conversation is None else None
        with transaction.atomic():
            return store(user, target, new, client_message_id, parent, text, files, chosen)
    except (IntegrityError, Refused, NotFound):
        # It may have been stored before, by a resend or another tab: the database refuses a second
        # one. Looked up only now, because nearly every message is new.
        before = stored(user, target, client_message_id)
        if before is None:
            raise
        if before.conversation.deleted_at is not None:
            raise NotFound(f"There is no conversation {target}.") from None
        return same_or_refused(before, text, parent, files)


def check_text(text: str, *, empty_too: bool = False) -> None:
    if not text.strip() and not empty_too:
        raise Refused("empty", _("The message is empty. Write something first."))
    if len(text) > settings.MESSAGE_CHARS:
        raise Refused(
            "too_long",
            _("The message has %(count)s characters; at most %(limit)s fit.")
            % {"count": intcomma(len(text)), "limit": intcomma(settings.MESSAGE_CHARS)},
        )
    if "\0" in text:
        raise Refused("bad_command", r"text: expected no NUL character, got '\x00'")


def first_conversation_id(user: User, client_message_id: UUID) -> UUID:
    """The id of the conversation that a message opens follows from the message's own id, so that
    sending the first message twice finds the conversation that the first one made."""
    return uuid.uuid5(CONVERSATION_NAMESPACE, f"{user.pk}:{client_message_id}")


def stored(user: User, conversation_id: UUID, client_message_id: UUID) -> Submitted | None:
    message = (
        Message.objects.filter(
            conversation=conversation_id,
            conversation__owner=user,
            client_message_id=client_message_id,
        )
        .select_related("conversation")
        .first()
    )
    if message is None:
        return None
    generation = message.answers.select_related("message").order_by("queued_at").first()
    if generation is None:
        raise Refused("conflict", _("The answer to this message has been deleted."))
    return Submitted(message.conversation, message, generation.message, generation, False, False)


def same_or_refused(
    before: Submitted, text: str, parent: UUID | None, files: Sequence[UUID]
) -> Submitted:
    same = before.message.text == text and before.message.parent_id == parent
    if not same or not same_files(before.message, files):
        raise Refused("conflict", "This client_message_id was used before for another message.")
    return before


def store(
    user: User,
    target: UUID,
    new: dict[str, Any] | None,
    client_message_id: UUID,
    parent: UUID | None,
    text: str,
    files: Sequence[UUID],
    model: ChatModel,
) -> Submitted:
    """`new`: what else to say of a conversation that opens with this message; None: it is there."""
    if new is not None:
        if parent is not None:
            raise NotFound(f"There is no message {parent}.")
        conversation = Conversation.objects.create(
            id=target, owner=user, title=title_of(text), model_slug=model.slug, **new
        )
    else:
        conversation = conversation_of(user, target)
    attached = claim(user, conversation, files)
    message = Message(
        conversation=conversation,
        parent=answered(conversation, parent),
        role=Message.Role.USER,
        content=[*blocks_of(attached), *([{"type": "text", "text": text}] if text else [])],
        client_message_id=client_message_id,
    )
    reply = reply_to(message)
    Message.objects.bulk_create([message, reply])
    generation = queue_answer(reply, message, model)
    if new is None:
        touch(conversation, model)
    if not conversation.title:
        conversation.title = title_of(text or attached[0].name)
        conversation.save(update_fields=["title"])
    index_submitted(message, with_title=new is not None)
    return Submitted(conversation, message, reply, generation, True, new is not None)


def answered(conversation: Conversation, parent: UUID | None) -> Message | None:
    """The message that a new one follows: an answer of this conversation that is not still being
    written, or None for the beginning."""
    if parent is None:
        return None
    found = conversation.messages.filter(pk=parent).select_related("generation").first()
    if found is None:
        raise NotFound(f"There is no message {parent}.")
    if found.role == Message.Role.USER:
        raise Refused("conflict", _("A message can only follow an answer."))
    generation = generation_or_none(found)
    if generation is not None and generation.is_active:
        raise busy()
    return found


def reply_to(prompt: Message, begun: Sequence[Block] = ()) -> Message:
    """An answer, not stored yet. `begun`: what it goes on with, where it is not a new one."""
    # One microsecond later than its prompt at least, so that the order of creation is total.
    created_at = max(timezone.now(), prompt.created_at + timedelta(microseconds=1))
    return Message(
        conversation_id=prompt.conversation_id,
        parent=prompt,
        role=Message.Role.ASSISTANT,
        content=list(begun),
        created_at=created_at,
    )


def queue_answer(reply: Message, prompt: Message, model: ChatModel) -> Generation:
    return Generation.objects.create(
        conversation_id=prompt.conversation_id,
        prompt=prompt,
        message=reply,
        model=model,
        model_slug=model.slug,
        continues=bool(reply.content),
        queue=model.queue,
    )


def pick_model(user: User, slug: str | None, last: str | None) -> ChatModel:
    """The one that is asked for; else the `last` one, where this user can still have it."""
    # PostgreSQL is not even asked about a NUL: it would answer with an error.
    model = find(slug, user) if slug and "\0" not in slug else None
    if not slug:
        model = (find(last, user) if last else None) or default_model(user)
    if model is None:
        raise Refused("model_unavailable", unavailable(slug))
    return model


def last_model(user: User, conversation: UUID | None) -> str | None:
    """The slug of the model that this conversation was last asked with."""
    if conversation is None:
        return None
    known = conversations_of(user).filter(pk=conversation)
    return known.values_list("model_slug", flat=True).first()


def unavailable(slug: str | None) -> str:
    if slug is None:
        return _("No model is available.")
    return _("The model “%(name)s” is not available. Choose another one.") % {"name": slug}


def touch(conversation: Conversation, model: ChatModel | None = None) -> None:
    """It has moved; `model` is the one to go on with."""
    conversation.updated_at = timezone.now()
    if model is not None:
        conversation.model_slug = model.slug
    conversation.save(update_fields=["updated_at", "model_slug"] if model else ["updated_at"])


def title_of(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TITLE_CHARS else line[: TITLE_CHARS - 1].rstrip() + "…"


def busy() -> Refused:
    return Refused(
        "busy",
        _("An answer is still being written here. Wait for it or stop it."),
        retryable=True,
    )
