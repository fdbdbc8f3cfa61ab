import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """Somebody who can log in. Everything that belongs to a user is reached through its owner."""

    class Theme(models.TextChoices):
        SYSTEM = "system"
        LIGHT = "light"
        DARK = "dark"

    class TextSize(models.TextChoices):
        SMALL = "small"
        MEDIUM = "medium"
        LARGE = "large"
        LARGEST = "largest"

    language = models.CharField(
        max_length=16, blank=True, help_text="A code such as `fr`; empty: the browser's."
    )
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.SYSTEM)
    text_size = models.CharField(max_length=8, choices=TextSize, default=TextSize.MEDIUM)
    leaving_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When they asked to be removed."
    )

    @property
    def name(self) -> str:
        return self.get_full_name() or self.get_username()


class ApiKey(models.Model):
    """Lets a program act for its owner. `digest` is the SHA-256 of the secret, `prefix` its
    beginning, so that a person can tell keys apart."""

    class Scope(models.TextChoices):
        CHAT = "chat", _("Ask models")
        READ = "read", _("Read conversations")
        WRITE = "write", _("Change conversations")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_valid(self) -> bool:
        expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.revoked_at is None and not expired

    @property
    def scope_labels(self) -> list[str]:
        return [str(self.Scope(scope).label) for scope in self.scopes]
