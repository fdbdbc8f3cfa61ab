"""Files on their way into a message. One request brings one file, so that each has a progress and
a refusal of its own."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import File, Router, Schema, Status
from ninja.files import UploadedFile

from api.auth import user_of
from conversations.access import attachment_of
from conversations.attachments.keep import discard, keep
from conversations.shapes import attachment_shape

router = Router(tags=["attachments"])


class AttachmentOut(Schema):
    """`reads`: how much of it a model can read: `whole`, `part` or `none`; of an image `whole`.
    `sent`: a message holds it."""

    id: UUID
    name: str
    kind: str
    media_type: str
    size: int
    pages: int | None
    width: int | None
    height: int | None
    reads: str
    sent: bool


@router.post("", response={201: AttachmentOut})
def upload(request: HttpRequest, file: File[UploadedFile]) -> Status[dict[str, Any]]:
    return Status(201, attachment_shape(keep(user_of(request), file)))


@router.get("/{uuid:attachment_id}", response=AttachmentOut)
def show(request: HttpRequest, attachment_id: UUID) -> dict[str, Any]:
    return attachment_shape(attachment_of(user_of(request), attachment_id))


@router.delete("/{uuid:attachment_id}", response={204: None})
def remove(request: HttpRequest, attachment_id: UUID) -> Status[None]:
    discard(user_of(request), attachment_id)
    return Status(204, None)
