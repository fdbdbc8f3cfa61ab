"""Redis clients with limits, so that a Redis that hangs is an error within seconds."""

from typing import Any

from django.conf import settings
from redis import Redis as SyncRedis
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError  # noqa: A004

# A connection from the pool may have died with the Redis before: then the first command fails, and
# a new connection is all that it needs. Every command of ours may be sent twice.
ONCE_MORE = Retry(NoBackoff(), 1, supported_errors=(ConnectionError,))
LIMITS: dict[str, Any] = {
    "socket_connect_timeout": 2,
    "socket_timeout": 3,
    "health_check_interval": 10,
}


def connect(connections: int = 8) -> Redis:
    """A client for the running event loop; it belongs to that loop alone."""
    pool = BlockingConnectionPool.from_url(
        settings.REDIS_URL, max_connections=connections, timeout=3, retry=ONCE_MORE, **LIMITS
    )
    return Redis(connection_pool=pool)


def connect_sync() -> SyncRedis:
    return SyncRedis.from_url(settings.REDIS_URL, **LIMITS)
