import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

TITLE_CHARS = 80


class Folder(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="folders"
    )
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="one_folder_of_a_name")
        ]

    def __str__(self) -> str:
        return self.name


class Conversation(models.Model):
    """`deleted_at` hides a conversation that can still be brought back; a task removes it later.
    A temporary one has `expires_at` and is never listed. `system_prompt`, `temperature` and `tools`
    are the owner's wishes for this conversation; None means what the model comes with."""

    class TitleSource(models.TextChoices):
        WORDS = "words"
        MODEL = "model"
        USER = "user"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations"
    )
    folder = models.ForeignKey(
        Folder, null=True, blank=True, on_delete=models.SET_NULL, related_name="conversations"
    )
    title = models.CharField(max_length=200, blank=True)
    title_source = models.CharField(max_length=8, choices=TitleSource, default=TitleSource.WORDS)
    pinned = models.BooleanField(default=False)
    archived = models.BooleanField(default=False)
    model_slug = models.CharField(max_length=200, blank=True)
    system_prompt = models.TextField(blank=True)
    temperature = models.FloatField(null=True, blank=True)
    tools = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    updated_at = models.DateTimeField(default=timezone.now, db_default=Now())
    deleted_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-updated_at"]
        indexes = [
            models.Index(fields=["owner", "-updated_at"]),
            models.Index(fields=["-updated_at"]),
            models.Index(
                fields=["owner", "-updated_at", "-id"],
                condition=Q(
                    deleted_at=None, expires_at=None, archived=False, pinned=False, folder=None
                ),
                name="listed_conversations",
            ),
            models.Index(
                fields=["owner", "-updated_at"],
                condition=Q(pinned=True),
                name="pinned_conversations",
            ),
            models.Index(
                fields=["owner", "-updated_at", "-id"],
                condition=Q(archived=True),
                name="archived_conversations",
            ),
            models.Index(fields=["folder", "-updated_at", "-id"], name="conversations_in_a_folder"),
            models.Index(
                fields=["deleted_at"],
                condition=Q(deleted_at__isnull=False),
                name="deleted_conversations",
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(expires_at__isnull=False),
                name="temporary_conversations",
            ),
        ]

    def __str__(self) -> str:
        return self.title or str(self.id)

    def get_absolute_url(self) -> str:
        return f"/c/{self.id}/"

    @property
    def is_temporary(self) -> bool:
        return self.expires_at is not None
