"""Letting files go: the bytes with their row, and what was uploaded and never sent."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

from conversations.models import Attachment

UNSENT_DAYS = 1
PURGED_AT_ONCE = 200


def purge() -> int:
    """Remove what was never sent, some at a time. A row that a message is just taking is locked,
    and passed over."""
    with transaction.atomic():
        old = timezone.now() - timedelta(days=UNSENT_DAYS)
        unsent = Attachment.objects.filter(conversation=None, created_at__lt=old).defer("text")
        ids = [row.pk for row in unsent.select_for_update(skip_locked=True)[:PURGED_AT_ONCE]]
        Attachment.objects.filter(pk__in=ids).delete()
    return len(ids)


@receiver(post_delete, sender=Attachment)
def remove_file(instance: Attachment, using: str, **_: Any) -> None:
    """However the row went: with its conversation, or with its owner's account."""
    storage, name = instance.file.storage, instance.file.name
    if name:
        transaction.on_commit(lambda: storage.delete(name), using=using)
