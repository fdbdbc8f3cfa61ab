"""From a row to the work and back: what follows a commit that queued a generation, or one that
asked for its end. A command over the socket and a request over HTTP do the same."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from msgspec import UNSET

from accounts.models import User
from conversations.models import Generation, Message
from conversations.retry import retry
from conversations.shapes import message_shape
from conversations.submit import Submitted, submit
from streaming import lease, protocol
from streaming.cancel import cancel_queued
from streaming.delivery import conversation_group, user_group
from streaming.news import conversation_updated, update_of
from streaming.protocol import Event, MessageCreated
from streaming.queue import enqueue

if TYPE_CHECKING:
    from streaming.node import Node

logger = structlog.get_logger(__name__)


def store(user: User, **message: Any) -> tuple[Submitted, list[Event]]:
    """Store a message, and say what its user's tabs are to be told: one call to the database."""
    stored = submit(user, **message)
    if not stored.created:
        return stored, []
    created = created_news([stored.message, stored.reply])
    if stored.new_conversation:
        # Nobody else can have changed it yet.
        return stored, [*created, update_of(stored.conversation, [stored.generation.pk])]
    return stored, [*created, conversation_updated(stored.conversation.pk)]


def store_retry(
    user: User, message: UUID, model: str | None, goes_on: bool
) -> tuple[tuple[Message, Generation, bool], list[Event]]:
    reply, generation, created = retry(user, message, model, goes_on=goes_on)
    if not created:
        return (reply, generation, created), []
    news = [*created_news([reply]), conversation_updated(reply.conversation_id)]
    return (reply, generation, created), news


def created_news(messages: list[Message]) -> list[Event]:
    return [MessageCreated(one.conversation_id, message_shape(one)) for one in messages]


async def send_out(
    node: "Node", user: User, generation: Generation, news: list[Event], waiting: int
) -> None:
    """After the commit: tell the user's tabs the news (the conversation's own comes last), and send
    the work out. Should Redis go away just here, the sweeper sends it, and the tabs see it when
    they resume. `waiting`: how many were in the queue before it."""
    conversation = generation.conversation_id
    queued = protocol.Queued(conversation, generation.pk, generation.message_id, waiting or UNSET)
    mine = user_group(user.pk)
    try:
        await node.publish(
            *((mine, event) for event in news[:-1]),
            (conversation_group(conversation), queued),
            *((mine, event) for event in news[-1:]),
        )
    except node.unreachable as error:
        logger.warning("not_announced", generation=str(generation.pk), error=str(error))
    # On nobody's time: a broker that hangs must not hold up the next command.
    node.spawn(node.in_thread(enqueue, str(generation.pk), generation.queue))


async def stop(node: "Node", generation: Generation) -> None:
    """After the request has been stored (`lease.request_cancel`): make it reach who must know."""
    try:
        await node.announce_cancel(str(generation.pk))
    except node.unreachable as error:
        logger.warning("cancel_not_announced", generation=str(generation.pk), error=str(error))
    await cancel_queued(generation, node)


async def ask_to_stop(node: "Node", generation: Generation) -> bool:
    """Whether there was something to stop. Returns once the request is stored."""
    return await node.in_database(lease.request_cancel, generation.pk)
