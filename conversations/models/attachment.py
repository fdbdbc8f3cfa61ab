import uuid
from pathlib import PurePath

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from conversations.models.conversation import Conversation

# Ends the text of a file that is too long to be kept whole.
CUT = "\n\n[The rest of this file is left out.]"


def stored_as(attachment: "Attachment", _: str) -> str:
    """Nothing of a user's own file name gets into a path."""
    return str(PurePath("attachments", attachment.id.hex[:2], attachment.id.hex))


class Attachment(models.Model):
    """A file that a user sent. `conversation` is None until a message takes it; a message names it
    in a content block by `file_id`. `media_type` is what its content says, not what its name says.
    `text` is what a model reads of it, where it is not an image."""

    class Kind(models.TextChoices):
        IMAGE = "image"
        PDF = "pdf"
        TEXT = "text"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="attachments"
    )
    conversation = models.ForeignKey(
        Conversation, null=True, blank=True, on_delete=models.CASCADE, related_name="attachments"
    )
    file = models.FileField(upload_to=stored_as)
    name = models.CharField(max_length=255)
    kind = models.CharField(max_length=8, choices=Kind)
    media_type = models.CharField(max_length=128)
    size = models.PositiveIntegerField(help_text="Bytes.")
    pages = models.PositiveIntegerField(null=True, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels.")
    height = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels.")
    text = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=Q(conversation__isnull=True),
                name="attachments_not_sent",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def reads(self) -> str:
        """How much of it a model can read: `whole`, `part` or `none`."""
        if self.kind == self.Kind.IMAGE:
            return "whole"
        if not self.text.strip():
            return "none"
        return "part" if self.text.endswith(CUT) else "whole"
