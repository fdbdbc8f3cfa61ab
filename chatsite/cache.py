"""Redis as cache, where a Redis that is away means an empty cache and no error: people must be able
to sign in and read meanwhile. Rate limits do not count for as long."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)


def forgiving(call: Callable[..., Any], answer: Any) -> Callable[..., Any]:
    @wraps(call)
    def tried(self: RedisCache, *args: Any, **kwargs: Any) -> Any:
        try:
            return call(self, *args, **kwargs)
        except (RedisError, OSError) as error:
            logger.warning("cache_unreachable", error=str(error))
            return answer

    return tried


class ForgivingRedisCache(RedisCache):
    set = forgiving(RedisCache.set, None)
    add = forgiving(RedisCache.add, True)
    incr = forgiving(RedisCache.incr, 0)
    get_many = forgiving(RedisCache.get_many, {})
    delete_many = forgiving(RedisCache.delete_many, None)
    delete = forgiving(RedisCache.delete, False)
    touch = forgiving(RedisCache.touch, False)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return forgiving(RedisCache.get, default)(self, key, default, version)
