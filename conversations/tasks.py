"""What is done now and then, on the background queue. Each may run twice or end in the middle."""

import structlog
from celery import shared_task

from conversations import removal
from conversations.attachments import purge as unsent

logger = structlog.get_logger(__name__)


@shared_task
def purge() -> None:
    removed = removal.purge()
    if removed:
        logger.info("conversations_purged", removed=removed)


@shared_task
def purge_attachments() -> None:
    while unsent.purge() == unsent.PURGED_AT_ONCE:
        pass
