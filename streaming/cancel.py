"""Stopping generations that nobody watches: one that still waits in the queue, for which no worker
needs to be free, and all of a conversation that is being deleted."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from conversations.models import Generation
from conversations.shapes import active_ids
from streaming import lease, metrics, protocol
from streaming.delivery import channel_of, conversation_group, user_group
from streaming.lease import Outcome
from streaming.log import Batch, Entry, cancel_channel
from streaming.news import conversation_updated
from streaming.recovery import state_in_log
from streaming.redis import connect_sync

if TYPE_CHECKING:
    from streaming.node import Node

logger = structlog.get_logger(__name__)
USAGE = {"input_tokens": 0, "output_tokens": 0, "estimated": True}


async def cancel_queued(generation: Generation, node: "Node") -> bool:
    """False where a worker has begun: that one has been asked to stop."""
    content = await content_so_far(generation, node)
    outcome = Outcome("cancelled", 2, content, USAGE, {})
    attempt = await node.in_database(lease.cancel_queued, generation.pk, outcome)
    if not attempt:
        return False
    metrics.GENERATIONS.labels("cancelled").inc()
    batch = Batch(
        str(generation.pk),
        channel_of(conversation_group(generation.conversation_id)),
        attempt,
        ending_events(generation, attempt, content),
    )
    owner, news = await node.in_database(news_of, generation)
    try:
        await node.log.append([batch])
        await node.publish((user_group(owner), news))
    except node.unreachable as error:
        # The position check finds the end in the database.
        logger.warning("cancel_not_announced", generation=str(generation.pk), error=str(error))
    return True


def news_of(generation: Generation) -> tuple[int, protocol.ConversationUpdated]:
    """Whom to tell, and what. A row that was stored a moment ago asks the database for its
    conversation."""
    return generation.conversation.owner_id, conversation_updated(generation.conversation_id)


def cancel_all(conversation_id: UUID) -> None:
    """Ask for the end of all that is written in a conversation. One that still waits in the queue
    ends when a worker takes it up, and has cost nothing until then."""
    active = active_ids(conversation_id)
    asked = [str(generation) for generation in active if lease.request_cancel(generation)]
    try:
        with connect_sync() as redis:
            for generation in asked:
                redis.publish(cancel_channel(), generation)
    except (RedisError, OSError) as error:
        # Whoever runs them sees the request with its next renewal.
        logger.warning("cancel_not_announced", conversation=str(conversation_id), error=str(error))


async def content_so_far(generation: Generation, node: "Node") -> list[dict[str, Any]]:
    """One that was handed over has text, and one that goes on with an answer began with some; every
    tab shows it."""
    begun: list[dict[str, Any]] = generation.message.content
    if generation.attempt == 0:
        return begun
    try:
        state = await state_in_log(node.log, str(generation.pk))
    except node.unreachable:
        return begun
    return state["content"] if state else begun


def ending_events(
    generation: Generation, attempt: int, content: list[dict[str, Any]]
) -> list[Entry]:
    at: dict[str, Any] = {"generation": generation.pk, "attempt": attempt}
    whole = protocol.Snapshot(
        **at,
        seq=1,
        conversation=generation.conversation_id,
        message=generation.message_id,
        status="in_progress",
        content=content,
        model=generation.model_slug,
    )
    end = protocol.Cancelled(**at, seq=2, usage=USAGE, timings={})
    return [Entry(1, protocol.encode(whole), whole=True), Entry(2, protocol.encode(end))]
