"""Redis clients with limits, so that a Redis that hangs is an error within seconds and not a wait."""

from django.conf import settings
from redis import Redis as SyncRedis
from redis.asyncio import BlockingConnectionPool, Redis

LIMITS = {
    "socket_connect_timeout": 2,
    "socket_timeout": 3,
    "health_check_interval": 10,
}


def connect(connections: int = 8) -> "Redis[bytes]":
    """A client for the running event loop; it belongs to that loop alone."""
    pool = BlockingConnectionPool.from_url(
        settings.REDIS_URL, max_connections=connections, timeout=3, **LIMITS
    )
    return Redis(connection_pool=pool)


def connect_sync() -> "SyncRedis[bytes]":
    return SyncRedis.from_url(settings.REDIS_URL, **LIMITS)
