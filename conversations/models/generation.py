import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from conversations.models.conversation import Conversation
from conversations.models.message import Message


class Generation(models.Model):
    """The job that produces one assistant message.

    `attempt` is the fence: every write of a worker names the attempt that it was given, and a write
    that matches no row means that another worker has taken over. `seq` is the position of the
    terminal event inside `attempt`, 0 while there is none. A lease that has run out is the sign of
    a dead worker.
    """

    class Status(models.TextChoices):
        QUEUED = "queued"
        IN_PROGRESS = "in_progress"
        COMPLETED = "completed"
        FAILED = "failed"
        CANCELLED = "cancelled"

    ACTIVE = (Status.QUEUED, Status.IN_PROGRESS)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="generations"
    )
    prompt = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="answers")
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="generation")
    model = models.ForeignKey(
        "llm.ChatModel", null=True, on_delete=models.SET_NULL, related_name="generations"
    )
    model_slug = models.CharField(max_length=200, blank=True)
    answered_by = models.CharField(
        max_length=200, blank=True, help_text="Slug of the fallback that answered in its place."
    )
    queue = models.CharField(max_length=64, default="generations")
    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    seq = models.PositiveIntegerField(default=0)
    losses = models.PositiveSmallIntegerField(
        default=0, help_text="Attempts whose worker died or was cut off."
    )
    worker = models.CharField(max_length=128, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    side_effects = models.BooleanField(
        default=False, help_text="A tool with side effects has run, so it must not start again."
    )
    error_code = models.CharField(max_length=64, blank=True)
    error_message = models.TextField(blank=True)
    retryable = models.BooleanField(default=False)
    finish_reason = models.CharField(
        max_length=32, blank=True, help_text="Why the model ended: stop, length, …"
    )
    continues = models.BooleanField(
        default=False,
        help_text="Goes on with what its message held when it was made: every attempt starts from "
        "there.",
    )
    request = models.JSONField(
        null=True, blank=True, help_text="What a program asked through the API (llm/request.py)."
    )
    usage = models.JSONField(default=dict, blank=True)
    timings = models.JSONField(default=dict, blank=True, help_text="Milliseconds.")
    queued_at = models.DateTimeField(default=timezone.now, db_default=Now())
    enqueued_at = models.DateTimeField(default=timezone.now, db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-queued_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["prompt"],
                condition=Q(status__in=["queued", "in_progress"]),
                name="one_active_generation_per_branch",
            ),
            models.CheckConstraint(
                condition=Q(status="in_progress", lease_expires_at__isnull=False)
                | ~Q(status="in_progress"),
                name="in_progress_has_a_lease",
            ),
        ]
        indexes = [
            models.Index(
                fields=["status", "lease_expires_at"],
                condition=Q(status__in=["queued", "in_progress"]),
                name="active_generations",
            ),
            models.Index(fields=["conversation", "-queued_at"]),
            models.Index(fields=["-queued_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.status})"

    @property
    def answering_slug(self) -> str:
        return self.answered_by or self.model_slug

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE
