"""Rows as the plain data that the page and the socket speak of."""

from typing import Any
from uuid import UUID

from conversations.models import Attachment, Conversation, Feedback, Generation, Message


def message_shape(message: Message) -> dict[str, Any]:
    """`message.generation` should be loaded already: it is read without a query of its own."""
    return {
        "id": str(message.id),
        "conversation": str(message.conversation_id),
        "parent": str(message.parent_id) if message.parent_id else None,
        "role": message.role,
        "content": message.content,
        "created_at": message.created_at.isoformat(),
        "generation": generation_shape(generation_or_none(message)),
        "feedback": feedback_shape(feedback_or_none(message)),
    }


def generation_or_none(message: Message) -> Generation | None:
    if message.role != Message.Role.ASSISTANT:
        return None
    try:
        return message.generation
    except Generation.DoesNotExist:
        return None


def feedback_or_none(message: Message) -> Feedback | None:
    """Only where it has been loaded: what has just been written has none."""
    found: Feedback | None = message._state.fields_cache.get("feedback")
    return found


def feedback_shape(feedback: Feedback | None) -> dict[str, Any] | None:
    if feedback is None:
        return None
    return {"rating": feedback.rating, "comment": feedback.comment}


def generation_shape(generation: Generation | None) -> dict[str, Any] | None:
    if generation is None:
        return None
    return {
        "id": str(generation.id),
        "status": generation.status,
        "attempt": generation.attempt if not generation.is_active else 0,
        "seq": generation.seq,
        "model": generation.answering_slug or None,
        "error": error_shape(generation),
        "usage": generation.usage,
        "timings": generation.timings,
        "finish_reason": generation.finish_reason or None,
    }


def error_shape(generation: Generation) -> dict[str, Any] | None:
    if not generation.error_code:
        return None
    return {
        "code": generation.error_code,
        "message": generation.error_message,
        "retryable": generation.retryable,
    }


def conversation_shape(conversation: Conversation, active: list[UUID]) -> dict[str, Any]:
    return {
        "id": str(conversation.id),
        "title": conversation.title,
        "pinned": conversation.pinned,
        "archived": conversation.archived,
        "folder": str(conversation.folder_id) if conversation.folder_id else None,
        "temporary": conversation.is_temporary,
        "updated_at": conversation.updated_at.isoformat(),
        "active": [str(generation) for generation in active],
    }


def active_ids(conversation_id: UUID) -> list[UUID]:
    return list(
        Generation.objects.filter(conversation=conversation_id, status__in=Generation.ACTIVE)
        .order_by("queued_at")
        .values_list("pk", flat=True)
    )


def message_shapes(ids: list[UUID]) -> list[dict[str, Any]]:
    """In the order of their ids."""
    rows = Message.objects.select_related("generation", "feedback").in_bulk(ids)
    return [message_shape(rows[pk]) for pk in ids if pk in rows]


def attachment_shape(attachment: Attachment) -> dict[str, Any]:
    return {
        "id": str(attachment.pk),
        "name": attachment.name,
        "kind": attachment.kind,
        "media_type": attachment.media_type,
        "size": attachment.size,
        "pages": attachment.pages,
        "width": attachment.width,
        "height": attachment.height,
        "reads": attachment.reads,
        "sent": attachment.conversation_id is not None,
    }
