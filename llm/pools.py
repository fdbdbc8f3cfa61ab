"""The worker pools that are there now."""

import structlog
from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)

# Nobody knows how many will answer, so it is always waited for so long.
ANSWER_SECONDS = 1.0


def is_served(queue: str) -> bool | None:
    """Whether a living worker takes from it; None where none can be asked."""
    try:
        with current_app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=ANSWER_SECONDS)
            asking = current_app.control.inspect(timeout=ANSWER_SECONDS, connection=connection)
            found = asking.active_queues() or {}
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("workers_not_asked", error=str(error))
        return None
    return any(each["name"] == queue for queues in found.values() for each in queues)
