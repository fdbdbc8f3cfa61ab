from django.conf import settings
from django.db import models
from django.db.models import Q

from conversations.models.conversation import Conversation
from conversations.models.message import Message


class SearchText(models.Model):
    """What is searched: a message's text, or, where `message` is None, a conversation's title.

    Kept beside the messages, because their content is JSON, which neither database indexes as
    text. Each database has an index of its own over `text`, which the migration makes.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    message = models.OneToOneField(Message, null=True, on_delete=models.CASCADE, related_name="+")
    text = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["owner", "-created_at", "-message"])]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(message=None), name="one_title_to_search"
            )
        ]

    def __str__(self) -> str:
        return self.text[:60]
