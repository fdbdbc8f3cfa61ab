"""What load balancers ask. The answers name no hosts and no reasons: those are in the log."""

import asyncio

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chatsite import probes
from streaming.node import nodes

OK, UNREACHABLE, NONE_ALIVE = "ok", "unreachable", "none alive"


@require_safe
@never_cache
async def alive(request: HttpRequest) -> HttpResponse:
    """Restart me if this does not answer. It asks nobody: no restart mends a database."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
async def ready(request: HttpRequest) -> JsonResponse:
    """Send users here only with 200. A node that shuts down is not ready for new ones."""
    database, redis, worker = await asyncio.gather(check_database(), check_redis(), check_worker())
    draining = any(node.draining for node in nodes())
    state = {"database": database, "redis": redis, "worker": worker, "draining": draining}
    well = database == redis == worker == OK and not draining
    return JsonResponse(state, status=200 if well else 503)


async def check_database() -> str:
    answered = await probes.answer("database", probes.in_database(select_one))
    return OK if answered else UNREACHABLE


def select_one() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


async def check_redis() -> str:
    return OK if await probes.answer("redis", ping()) else UNREACHABLE


async def ping() -> bool:
    async with probes.redis() as client:
        return bool(await client.ping())


async def check_worker() -> str:
    alive = await probes.answer("redis", any_worker())
    if alive is None:
        return UNREACHABLE
    return OK if alive else NONE_ALIVE


async def any_worker() -> int:
    async with probes.redis() as client:
        return await probes.live_workers(client, enough=1)
