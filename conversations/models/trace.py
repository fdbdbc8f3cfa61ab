from django.db import models

from conversations.models.generation import Generation


class GenerationTrace(models.Model):
    """What the last attempt of a generation did and when, where it was an agent's or a runnable's
    (llm/trace.py). `steps` only where an admin debugs its model."""

    generation = models.OneToOneField(
        Generation, primary_key=True, on_delete=models.CASCADE, related_name="trace"
    )
    spans = models.JSONField(default=list)
    steps = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.generation_id}: {len(self.spans)} spans"
