import structlog
from celery import shared_task

from conversations import removal

logger = structlog.get_logger(__name__)


@shared_task
def purge() -> None:
    removed = removal.purge()
    if removed:
        logger.info("conversations_purged", removed=removed)
