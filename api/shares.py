"""Read-only links: made, renewed and taken back by the owner of a conversation, and continued by
whoever has one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from ninja import Router, Schema, Status

from api.auth import user_of
from conversations import sharing
from conversations.access import conversation_of
from conversations.continuing import continue_shared
from conversations.models import Share
from streaming.news import announce_conversation

router = Router(tags=["shares"])
of_conversations = Router(tags=["shares"])


class Wish(Schema):
    """`message` is the last one of the path that is shown."""

    message: UUID
    with_attachments: bool = False


class ShareOut(Schema):
    id: UUID
    url: str
    title: str
    conversation: UUID
    with_attachments: bool
    created_at: datetime
    updated_at: datetime


class Continued(Schema):
    conversation: UUID


@of_conversations.get("/{uuid:conversation_id}/shares", response=list[ShareOut])
def of_one(request: HttpRequest, conversation_id: UUID) -> list[dict[str, Any]]:
    found = conversation_of(user_of(request), conversation_id)
    links = sharing.links_of(user_of(request)).filter(conversation=found).defer("messages")
    return [share_shape(request, link) for link in links]


@of_conversations.post("/{uuid:conversation_id}/shares", response={201: ShareOut})
def create(request: HttpRequest, conversation_id: UUID, wish: Wish) -> Status[dict[str, Any]]:
    found = conversation_of(user_of(request), conversation_id)
    made = sharing.share(found, wish.message, with_attachments=wish.with_attachments)
    return Status(201, share_shape(request, made))


@router.get("", response=list[ShareOut])
def all_of_mine(request: HttpRequest) -> list[dict[str, Any]]:
    links = sharing.links_of(user_of(request)).defer("messages")
    return [share_shape(request, link) for link in links]


@router.put("/{uuid:share_id}", response=ShareOut)
def renew(request: HttpRequest, share_id: UUID, wish: Wish) -> dict[str, Any]:
    found = sharing.link_of(user_of(request), share_id)
    sharing.renew(found, wish.message, with_attachments=wish.with_attachments)
    return share_shape(request, found)


@router.delete("/{uuid:share_id}", response={204: None})
def revoke(request: HttpRequest, share_id: UUID) -> Status[None]:
    sharing.revoke(sharing.link_of(user_of(request), share_id))
    return Status(204, None)


@router.post("/{str:token}/continue", response={201: Continued})
def go_on(request: HttpRequest, token: str) -> Status[dict[str, UUID]]:
    with transaction.atomic():
        made = continue_shared(user_of(request), sharing.shared_as(token))
        announce_conversation(made)
    return Status(201, {"conversation": made.pk})


def share_shape(request: HttpRequest, link: Share) -> dict[str, Any]:
    return {
        "id": link.pk,
        "url": request.build_absolute_uri(link.get_absolute_url()),
        "title": link.title,
        "conversation": link.conversation_id,
        "with_attachments": link.with_attachments,
        "created_at": link.created_at,
        "updated_at": link.updated_at,
    }
