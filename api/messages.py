"""Messages that the page does not have yet; new ones come over the socket."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from api.auth import user_of
from conversations import windows
from conversations.access import conversation_of

router = Router(tags=["messages"])


class WindowOut(Schema):
    """Oldest first. Where the path goes on below the last message, `newer` has that one's children;
    `latest` is the end of the path."""

    messages: list[dict[str, Any]]
    newer: list[UUID]
    latest: UUID | None


@router.get("/{uuid:conversation_id}/messages", response=WindowOut)
def messages(
    request: HttpRequest,
    conversation_id: UUID,
    before: UUID | None = None,
    starting: UUID | None = None,
    through: UUID | None = None,
) -> dict[str, Any]:
    """The newest part of the path; `before` a message, `starting` with it, or around it."""
    found = conversation_of(user_of(request), conversation_id)
    if before is not None:
        return windows.before(found, before)
    if starting is not None:
        return windows.starting(found, starting)
    if through is not None:
        return windows.around(found, through)
    return windows.newest(found)
