"""What the owner thinks of an answer."""

from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status
from pydantic import StringConstraints

from api.auth import user_of
from conversations.access import message_of
from conversations.models import Feedback, Message
from conversations.shapes import feedback_shape
from conversations.submit import Refused
from streaming.news import announce_feedback

COMMENT_CHARS = 2_000
router = Router(tags=["messages"])


class FeedbackIn(Schema):
    """`rating` 1 is good, -1 is bad."""

    rating: Literal[1, -1]
    comment: Annotated[
        str,
        StringConstraints(strip_whitespace=True, max_length=COMMENT_CHARS, pattern=r"^[^\x00]*$"),
    ] = ""


class FeedbackOut(Schema):
    rating: int
    comment: str


@router.put("/{uuid:message_id}/feedback", response=FeedbackOut)
def rate(request: HttpRequest, message_id: UUID, given: FeedbackIn) -> dict[str, Any] | None:
    user = user_of(request)
    message = message_of(user, message_id)
    if message.role != Message.Role.ASSISTANT:
        raise Refused("not_an_answer", _("Only answers can be rated."))
    feedback, _made = Feedback.objects.update_or_create(message=message, defaults=given.dict())
    shape = feedback_shape(feedback)
    announce_feedback(user, message, shape)
    return shape


@router.delete("/{uuid:message_id}/feedback", response={204: None})
def take_back(request: HttpRequest, message_id: UUID) -> Status[None]:
    user = user_of(request)
    message = message_of(user, message_id)
    Feedback.objects.filter(message=message).delete()
    announce_feedback(user, message, None)
    return Status(204, None)
