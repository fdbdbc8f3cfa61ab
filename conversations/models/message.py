import uuid
from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from conversations.models.conversation import Conversation


def text_of(content: list[dict[str, Any]]) -> str:
    """The text blocks, joined."""
    return "".join(block["text"] for block in content if block.get("type") == "text")


class Message(models.Model):
    """One turn. Messages form a tree by `parent`; a conversation shows one path of it.

    `content` is a list of LangChain standard content blocks (text, reasoning, tool_call, …).
    `client_message_id` is made by the browser, so that sending twice is sending once.
    """

    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"
        SYSTEM = "system"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="messages"
    )
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="children"
    )
    role = models.CharField(max_length=16, choices=Role)
    content = models.JSONField(default=list, blank=True)
    client_message_id = models.UUIDField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        ordering = ["created_at"]
        indexes = [
            models.Index(fields=["conversation", "created_at"]),
            models.Index(fields=["-created_at"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "client_message_id"], name="sent_twice_is_sent_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.text[:60]}"

    @property
    def text(self) -> str:
        """What a person reads, without reasoning and tool calls."""
        return text_of(self.content)


class Feedback(models.Model):
    """What the owner thinks of an answer."""

    class Rating(models.IntegerChoices):
        BAD = -1
        GOOD = 1

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="feedback")
    rating = models.SmallIntegerField(choices=Rating)
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-updated_at"]
        verbose_name_plural = "feedback"

    def __str__(self) -> str:
        return f"{self.get_rating_display()}: {self.comment[:60]}"
