import structlog
from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)
GENERATE = "streaming.generate"
ENTITLE = "streaming.entitle"
BACKGROUND = "background"


def enqueue(generation_id: str, queue: str) -> None:
    """Send the hint. It may get lost: the sweeper sends it again."""
    send(GENERATE, generation_id, queue)


def enqueue_title(conversation_id: str) -> None:
    """It may get lost: then the first words stay."""
    send(ENTITLE, conversation_id, BACKGROUND)


def send(task: str, row: str, queue: str) -> None:
    """By the task's name, so that a web node need not load what only workers use. It must not
    hang."""
    try:
        current_app.send_task(task, (row,), queue=queue, retry=False, ignore_result=True)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("not_enqueued", task=task, row=row, error=str(error))
