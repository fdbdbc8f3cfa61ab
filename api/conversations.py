"""What is changed of a conversation; messages come and go over the socket."""

from typing import Annotated, Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from api.auth import user_of
from api.shapes import ConversationOut
from conversations.access import conversation_of
from conversations.models import TITLE_CHARS, Conversation
from conversations.shapes import active_ids, conversation_shape
from streaming.news import announce_conversation

router = Router(tags=["conversations"])


class Changes(Schema):
    """Only what is named is changed."""

    title: Annotated[str, Field(min_length=1, max_length=TITLE_CHARS)] | None = None
    pinned: bool | None = None


@router.patch("/{uuid:conversation_id}", response=ConversationOut)
def change(request: HttpRequest, conversation_id: UUID, changes: Changes) -> dict[str, Any]:
    found = conversation_of(user_of(request), conversation_id)
    fields = changes.dict(exclude_unset=True, exclude_none=True)
    if "title" in fields:
        fields["title_source"] = Conversation.TitleSource.USER
    with transaction.atomic():
        for name, value in fields.items():
            setattr(found, name, value)
        found.save(update_fields=list(fields))
        announce_conversation(found)
    return conversation_shape(found, active_ids(found.pk))
