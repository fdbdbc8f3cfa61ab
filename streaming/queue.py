import structlog
from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)
GENERATE = "streaming.generate"


def enqueue(generation_id: str, queue: str) -> None:
    """Send the hint, by the task's name so that a web node need not load what only workers use.

    It must not hang, and it may get lost: the sweeper sends it again.
    """
    try:
        current_app.send_task(
            GENERATE, (generation_id,), queue=queue, retry=False, ignore_result=True
        )
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("not_enqueued", generation=generation_id, error=str(error))
