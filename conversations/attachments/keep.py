"""Keeping a file, or not. Bytes go through Django's storage alone: a folder today,
perhaps a bucket tomorrow."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import User
from conversations.access import NotFound
from conversations.attachments.inspection import Inspected, inspect
from conversations.models import Attachment
from conversations.refused import Refused

MEGABYTE = 1_000_000


def keep(user: User, upload: "UploadedFile[Any]") -> Attachment:
    """Raises Refused (file_…, storage_full)."""
    if (upload.size or 0) > settings.ATTACHMENT_MB * MEGABYTE:
        sentence = _("The file is too large: at most %(most)s MB are taken.")
        raise Refused("file_too_large", sentence % {"most": settings.ATTACHMENT_MB})
    # Not worth the work where it cannot be kept; the binding count is below.
    check_room(user, 0)
    return store(user, inspect(upload.name or "", upload.read()))


def store(user: User, found: Inspected) -> Attachment:
    attachment = Attachment(
        owner=user,
        name=found.name,
        kind=found.kind,
        media_type=found.media_type,
        size=len(found.content),
        pages=found.pages,
        width=found.width,
        height=found.height,
        text=found.text,
    )
    try:
        with transaction.atomic():
            # One upload of a user at a time is counted, or many together would pass the limit.
            User.objects.select_for_update(no_key=True).get(pk=user.pk)
            check_room(user, attachment.size)
            attachment.file.save(found.name, ContentFile(found.content), save=False)
            attachment.save()
    except BaseException:
        if attachment.file.name:
            attachment.file.storage.delete(attachment.file.name)
        raise
    return attachment


def check_room(user: User, size: int) -> None:
    used = user.attachments.aggregate(bytes=Sum("size"))["bytes"] or 0
    if used + size > settings.ATTACHMENT_TOTAL_MB * MEGABYTE:
        sentence = _(
            "Your files take all of your %(most)s MB. Delete conversations with files first."
        )
        raise Refused("storage_full", sentence % {"most": settings.ATTACHMENT_TOTAL_MB})


def discard(user: User, attachment_id: UUID) -> None:
    """Raises NotFound, and Refused (conflict) for one that a message holds."""
    with transaction.atomic():
        found = Attachment.objects.select_for_update().filter(pk=attachment_id, owner=user).first()
        if found is None:
            raise NotFound(f"There is no attachment {attachment_id}.")
        if found.conversation_id is not None:
            raise Refused("conflict", _("The file has been sent already."))
        found.delete()
