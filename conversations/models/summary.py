from django.db import models
from django.utils import timezone

from conversations.models.conversation import Conversation


class HistorySummary(models.Model):
    """What the earlier messages of a conversation said, in short, for a model that can no longer
    read them. `digest` is one of these messages (llm/summary.py)."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="summaries"
    )
    digest = models.CharField(max_length=64)
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "digest"], name="one_summary_of_each")
        ]
        verbose_name_plural = "history summaries"

    def __str__(self) -> str:
        return self.text[:60]
