import secrets
import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from conversations.models.conversation import Conversation


def new_token() -> str:
    return secrets.token_urlsafe(24)


class Share(models.Model):
    """A conversation as it was when it was shared, for whoever has the link. `messages` is the
    shown path as `conversations.sharing` puts it; what is written or deleted later does not reach
    it. `updated_at` is when the owner last put a new snapshot under the same link."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="shares")
    token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)
    title = models.CharField(max_length=200, blank=True)
    messages = models.JSONField(default=list)
    with_attachments = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    updated_at = models.DateTimeField(default=timezone.now, db_default=Now())
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.title or str(self.id)

    def get_absolute_url(self) -> str:
        return f"/s/{self.token}/"
