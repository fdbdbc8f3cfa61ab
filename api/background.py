"""Work that a request asks for and does not wait for, on the background queue."""

import structlog
from celery import current_app
from django.db.transaction import on_commit
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)
QUEUE = "background"


def soon(task: str, *args: str) -> None:
    """After the commit. It may get lost: what it is about is in a row, which beat looks after."""
    on_commit(lambda: send(task, *args))


def send(task: str, *args: str) -> None:
    try:
        current_app.send_task(task, args, queue=QUEUE, retry=False, ignore_result=True)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("not_enqueued", task=task, error=str(error))
