"""What is listed and changed of conversations; messages come and go over the socket."""

from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import Field, StringConstraints

from api.auth import user_of
from api.paging import cursor
from api.shapes import ConversationOut
from conversations.access import conversation_of, folder_of
from conversations.lists import PAGE, listed, page_of, shapes_of
from conversations.models import TITLE_CHARS, Conversation
from conversations.removal import bring_back, hide
from conversations.search.index import index_title
from conversations.shapes import active_ids, conversation_shape
from streaming.cancel import cancel_all
from streaming.news import announce_conversation, announce_deletion

router = Router(tags=["conversations"])


# PostgreSQL's text holds every character but NUL.
Title = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=TITLE_CHARS, pattern=r"^[^\x00]*$"
    ),
]


class Changes(Schema):
    """Only what is named is changed; `folder: null` takes it out of its folder."""

    title: Title | None = None
    pinned: bool | None = None
    archived: bool | None = None
    folder: UUID | None = None


class New(Schema):
    """A temporary one is never listed, and goes by itself."""

    temporary: bool = False


class Filters(Schema):
    """`folder`: of that folder; `none`: of no folder; left out: of all. Pinned ones stand on top of
    the page already, so that they are left out of the list of those in no folder."""

    before: str = ""
    archived: bool = False
    folder: UUID | Literal["none"] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = PAGE


class PageOut(Schema):
    """`next`: the `before` of the next page, null on the last one."""

    conversations: list[ConversationOut]
    next: str | None


@router.get("", response=PageOut)
def page(request: HttpRequest, filters: Query[Filters]) -> dict[str, Any]:
    user = user_of(request)
    rows = listed(user).filter(archived=filters.archived)
    if filters.folder == "none":
        rows = rows.filter(folder=None, pinned=False)
    elif filters.folder is not None:
        rows = rows.filter(folder=folder_of(user, filters.folder))
    found = page_of(rows, cursor(filters.before), filters.limit)
    return {
        "conversations": shapes_of(found.rows),
        "next": str(found.next) if found.next else None,
    }


@router.post("", response={201: ConversationOut})
def create(request: HttpRequest, new: New) -> Status[dict[str, Any]]:
    """An empty conversation. The first message makes one by itself, so that this is only for what
    must be known before."""
    lives = timedelta(hours=settings.TEMPORARY_HOURS)
    with transaction.atomic():
        made = Conversation.objects.create(
            owner=user_of(request), expires_at=timezone.now() + lives if new.temporary else None
        )
        announce_conversation(made)
    return Status(201, conversation_shape(made, []))


@router.get("/{uuid:conversation_id}", response=ConversationOut)
def read(request: HttpRequest, conversation_id: UUID) -> dict[str, Any]:
    return shape(conversation_of(user_of(request), conversation_id))


@router.patch("/{uuid:conversation_id}", response=ConversationOut)
def change(request: HttpRequest, conversation_id: UUID, changes: Changes) -> dict[str, Any]:
    user = user_of(request)
    found = conversation_of(user, conversation_id)
    fields = changes.dict(exclude_unset=True)
    if (folder := fields.pop("folder", None)) is not None:
        fields["folder_id"] = folder_of(user, folder).pk
    elif "folder" in changes.model_fields_set:
        fields["folder_id"] = None
    fields = {
        name: value for name, value in fields.items() if name == "folder_id" or value is not None
    }
    if "title" in fields:
        fields["title_source"] = Conversation.TitleSource.USER
    with transaction.atomic():
        for name, value in fields.items():
            setattr(found, name, value)
        found.save(update_fields=list(fields))
        if "title" in fields:
            index_title(found)
        announce_conversation(found)
    return shape(found)


@router.delete("/{uuid:conversation_id}", response={204: None})
def delete(request: HttpRequest, conversation_id: UUID) -> Status[None]:
    """For everybody at once, and for good only after a while: see `restore`."""
    found = conversation_of(user_of(request), conversation_id)
    with transaction.atomic():
        if hide(found):
            announce_deletion(found)
            transaction.on_commit(lambda: cancel_all(found.pk))
    return Status(204, None)


@router.post("/{uuid:conversation_id}/restore", response=ConversationOut)
def restore(request: HttpRequest, conversation_id: UUID) -> dict[str, Any]:
    with transaction.atomic():
        found = bring_back(user_of(request), conversation_id)
        announce_conversation(found)
    return shape(found)


def shape(conversation: Conversation) -> dict[str, Any]:
    return conversation_shape(conversation, active_ids(conversation.pk))
