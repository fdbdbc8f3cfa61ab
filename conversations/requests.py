"""What programs ask: a conversation that is never listed and soon removed, so that it goes the same
way as everything else, is counted with it, and can be looked at by whoever runs the site."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation, Generation, Message
from conversations.submit import pick_model, queue_answer, reply_to, title_of


def submit_request(user: User, model: str, text: str, request: dict[str, Any]) -> Generation:
    """`text`: the last that was said, for people; cut where it is long. Raises Refused
    (model_unavailable)."""
    text = text.replace("\0", "")[: settings.MESSAGE_CHARS]
    chosen = pick_model(user, model, None)
    with transaction.atomic():
        conversation = Conversation.objects.create(
            owner=user,
            title=title_of(text),
            expires_at=timezone.now() + timedelta(hours=settings.REQUESTS_KEPT_HOURS),
        )
        prompt = Message.objects.create(
            conversation=conversation,
            role=Message.Role.USER,
            content=[{"type": "text", "text": text}] if text else [],
        )
        reply = reply_to(prompt)
        reply.save()
        generation = queue_answer(reply, prompt, chosen)
        generation.request = request
        generation.save(update_fields=["request"])
    return generation
