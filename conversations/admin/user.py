"""What a user's page says of what this package keeps of them."""

from __future__ import annotations

from django.db.models import Sum
from django.template.defaultfilters import filesizeformat

from accounts.admin import BELONGINGS, link_to
from accounts.models import User
from conversations.models import Attachment, Conversation


def conversations(user: User) -> str:
    count = Conversation.objects.filter(owner=user).count()
    label = f"Conversations: {count:,}"
    return link_to("conversations_conversation", label, owner__id__exact=user.pk)


def attachments(user: User) -> str:
    kept = Attachment.objects.filter(owner=user)
    size = kept.aggregate(size=Sum("size"))["size"] or 0
    label = f"Attachments: {kept.count():,} ({filesizeformat(size)})"
    return link_to("conversations_attachment", label, owner__id__exact=user.pk)


BELONGINGS.extend([conversations, attachments])
