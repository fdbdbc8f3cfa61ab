"""What every tab of a user is told, beside the streams."""

from typing import Any
from uuid import UUID

import structlog
from django.db.models import F, FilteredRelation, Q
from django.db.transaction import on_commit
from redis.exceptions import RedisError

from accounts.models import User
from conversations.lists import list_folders
from conversations.models import Conversation, Generation, Message
from streaming.delivery import channel_of, user_group
from streaming.protocol import (
    ConversationDeleted,
    ConversationSettings,
    ConversationUpdated,
    FoldersUpdated,
    MessageRated,
    encode,
)
from streaming.redis import connect_sync

logger = structlog.get_logger(__name__)


def conversation_updated(conversation_id: UUID) -> ConversationUpdated:
    """Raises Conversation.DoesNotExist where it has been deleted meanwhile."""
    is_active = Q(generations__status__in=Generation.ACTIVE)
    running = FilteredRelation("generations", condition=is_active)
    # One row for each running generation, and one where none is.
    rows = list(
        Conversation.objects.filter(pk=conversation_id)
        .annotate(running=running, generation=F("running__pk"))
        .order_by("running__queued_at")
    )
    if not rows:
        raise Conversation.DoesNotExist(f"There is no conversation {conversation_id}.")
    return update_of(rows[0], [row.generation for row in rows if row.generation])


def update_of(conversation: Conversation, active: list[UUID]) -> ConversationUpdated:
    return ConversationUpdated(
        conversation=conversation.pk,
        title=conversation.title,
        pinned=conversation.pinned,
        archived=conversation.archived,
        folder=conversation.folder_id,
        active=active,
        temporary=conversation.is_temporary,
        updated_at=conversation.updated_at.isoformat(),
    )


def announce_conversation(conversation: Conversation) -> None:
    """After the commit, tell the owner's tabs what the row says then."""
    owner, pk = conversation.owner_id, conversation.pk

    def tell() -> None:
        try:
            news = conversation_updated(pk)
        except Conversation.DoesNotExist:
            return
        publish(owner, encode(news))

    on_commit(tell)


def announce_deletion(conversation: Conversation) -> None:
    owner, gone = conversation.owner_id, encode(ConversationDeleted(conversation.pk))
    on_commit(lambda: publish(owner, gone))


def announce_deletions(user: User, conversations: list[UUID]) -> None:
    """Of many, over one connection."""
    frames = [encode(ConversationDeleted(conversation)) for conversation in conversations]
    on_commit(lambda: publish_all(user.pk, frames))


def announce_settings(conversation: Conversation, settings: dict[str, Any]) -> None:
    owner, news = conversation.owner_id, encode(ConversationSettings(conversation.pk, settings))
    on_commit(lambda: publish(owner, news))


def announce_feedback(user: User, message: Message, feedback: dict[str, Any] | None) -> None:
    news = encode(MessageRated(message.conversation_id, message.pk, feedback))
    on_commit(lambda: publish(user.pk, news))


def announce_folders(user: User) -> None:
    def tell() -> None:
        publish(user.pk, encode(FoldersUpdated(list_folders(user))))

    on_commit(tell)


def publish(user_id: int, frame: bytes) -> None:
    """To all tabs of a user. Should it get lost, they see it when they load the page again."""
    publish_all(user_id, [frame])


def publish_all(user_id: int, frames: list[bytes]) -> None:
    try:
        with connect_sync() as redis:
            for frame in frames:
                redis.publish(channel_of(user_group(user_id)), frame)
    except (RedisError, OSError) as error:
        logger.warning("sockets_not_told", user=user_id, error=str(error))
