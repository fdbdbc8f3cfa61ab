import uuid
from pathlib import PurePath

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone


def stored_as(one: "Import", _: str) -> str:
    """Nothing of a user's own file name gets into a path."""
    return str(PurePath("imports", one.id.hex))


class Import(models.Model):
    """A file of conversations that a user brought, and how far it has been read.

    `touched_at` is the worker's proof of life: a running import that nobody has touched for a while
    is taken up again, from the start, where what is there already is not made twice. The file goes
    when the import has ended.
    """

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        COMPLETED = "completed"
        FAILED = "failed"

    ACTIVE = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="imports"
    )
    file = models.FileField(upload_to=stored_as, blank=True)
    name = models.CharField(max_length=255)
    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    total = models.PositiveIntegerField(default=0, help_text="Conversations in the file.")
    done = models.PositiveIntegerField(default=0, help_text="Conversations looked at so far.")
    created = models.PositiveIntegerField(default=0)
    extended = models.PositiveIntegerField(
        default=0, help_text="Were there already, and have got new messages."
    )
    refused = models.PositiveIntegerField(default=0, help_text="Could not be read.")
    problems = models.JSONField(default=list, blank=True, help_text="The first of them, in words.")
    error = models.TextField(blank=True, help_text="Why nothing more could be read.")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    touched_at = models.DateTimeField(default=timezone.now, db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner"],
                condition=Q(status__in=["queued", "running"]),
                name="one_import_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.status})"
