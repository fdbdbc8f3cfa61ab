"""What every tab of a user is told, beside the streams."""

from uuid import UUID

from conversations.models import Conversation
from conversations.shapes import active_ids
from streaming.protocol import ConversationUpdated


def conversation_updated(conversation_id: UUID) -> ConversationUpdated:
    """Raises Conversation.DoesNotExist where it has been deleted meanwhile."""
    conversation = Conversation.objects.get(pk=conversation_id)
    return ConversationUpdated(
        conversation=conversation.pk,
        title=conversation.title,
        pinned=conversation.pinned,
        active=active_ids(conversation.pk),
        updated_at=conversation.updated_at.isoformat(),
    )
