"""Questions to the database and to Redis whose answer must come soon, or is taken for none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, connection
from redis.asyncio import Redis
from redis.exceptions import RedisError

from streaming.log import worker_key
from streaming.redis import connect

logger = structlog.get_logger(__name__)
T = TypeVar("T")

PROBE_SECONDS = 2
KEYS_IN_A_STEP = 1000

# Threads of their own: a database that hangs holds those that asked it, and must not take the ones
# that serve sockets. While both are held, every further probe runs into its time limit.
_threads = ThreadPoolExecutor(2, "probe")


async def answer(part: str, question: Awaitable[T]) -> T | None:
    """The answer, or None where `part` gives none in time. The reason goes to the log alone."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            return await question
    except (DatabaseError, InterfaceError, RedisError, OSError) as error:
        # TimeoutError is an OSError; psycopg's pool raises an OperationalError of Django's.
        logger.warning("unreachable", part=part, error=repr(error))
        return None


async def in_database(call: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, _and_close, call)


def _and_close(call: Callable[[], T]) -> T:
    try:
        return call()
    finally:
        connection.close()


@asynccontextmanager
async def redis() -> AsyncIterator[Redis]:
    """A connection made for this one question, so that it tells of new ones too."""
    client = connect(1)
    try:
        yield client
    finally:
        await client.connection_pool.disconnect()


async def live_workers(client: Redis, enough: int | None = None) -> int:
    """How many workers have lately said that they live; counting ends with `enough`."""
    found: set[bytes] = set()
    async for key in client.scan_iter(worker_key("*"), count=KEYS_IN_A_STEP):
        found.add(key)
        if enough is not None and len(found) >= enough:
            break
    return len(found)
