"""Another answer to the same message: a new one, or the rest of one that was cut."""

from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from conversations.access import message_of
from conversations.models import Generation, Message
from conversations.refused import Refused
from conversations.submit import busy, pick_model, queue_answer, reply_to, touch
from llm.going_on import continuable
from llm.models import ChatModel
from llm.spec import Block


def retry(
    user: User, message_id: UUID, model: str | None, *, goes_on: bool = False
) -> tuple[Message, Generation, bool]:
    """A sibling of an assistant message, with a generation of its own; True where it is new. One
    that goes on begins with what there is of the message.

    Raises Refused (busy, conflict, too_long, model_unavailable) and NotFound.
    """
    message = message_of(user, message_id)
    if message.role != Message.Role.ASSISTANT or message.parent is None:
        raise Refused("conflict", _("Only an answer can be tried again."))
    before = Generation.objects.filter(message=message).first()
    chosen = pick_model(user, model, before.model_slug if before else None)
    running = active_answer(message.parent)
    if running is not None:
        return same_retry_or_busy(running, message, chosen, goes_on)
    begun = to_go_on_from(message) if goes_on else []
    try:
        with transaction.atomic():
            reply = reply_to(message.parent, begun)
            reply.save(force_insert=True)
            generation = queue_answer(reply, message.parent, chosen)
            touch(message.conversation)
    except IntegrityError:
        running = active_answer(message.parent)
        if running is None:
            raise busy() from None
        return same_retry_or_busy(running, message, chosen, goes_on)
    return reply, generation, True


def active_answer(prompt: Message) -> Generation | None:
    return (
        Generation.objects.filter(prompt=prompt, status__in=Generation.ACTIVE)
        .select_related("message")
        .first()
    )


def same_retry_or_busy(
    running: Generation, message: Message, model: ChatModel, goes_on: bool
) -> tuple[Message, Generation, bool]:
    """A retry that is sent again, because its acknowledgement was lost, is the same retry."""
    same = running.model_slug == model.slug and running.continues == goes_on
    if running.message_id == message.pk or not same:
        raise busy()
    return running.message, running, False


def to_go_on_from(message: Message) -> list[Block]:
    begun = continuable(message.content)
    if not begun:
        raise Refused("conflict", _("There is nothing to continue. Try again instead."))
    if len(message.text) >= settings.ANSWER_CHARS:
        raise Refused("too_long", _("This answer cannot become any longer."))
    return begun
