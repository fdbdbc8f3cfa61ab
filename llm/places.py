"""How many requests may be at a provider at once, over all workers.

A place is a key in the cache that `add` makes for one holder, and that runs out by itself: whoever
holds it renews it, and the place of a worker that died comes back. It is held for a request to the
model, not while a tool runs or a pause before a retry passes. With Redis away nobody waits: then
every place looks free.

Whoever waits looks again now and then, and holds neither a thread nor a connection meanwhile.
Nobody is next in line: those who wait are few as long as the number is well chosen.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog
from django.core.cache import cache

from llm import metrics
from llm.parts import Part, Progress
from llm.spec import ModelSpec

logger = structlog.get_logger(__name__)

LEASE_SECONDS = 15
RENEW_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.3


def in_place(model: ModelSpec, parts: AsyncGenerator[Part, None]) -> AsyncGenerator[Part, None]:
    """`parts`, which begin once there is a place for them. Closes them in every case."""
    if not model.max_concurrency or model.provider is None:
        return parts
    return _in_place(model, model.provider, model.max_concurrency, parts)


async def _in_place(
    model: ModelSpec, provider: int, most: int, parts: AsyncGenerator[Part, None]
) -> AsyncGenerator[Part, None]:
    holder = secrets.token_hex(8)
    try:
        async with aclosing(parts):
            place = await asyncio.to_thread(take, provider, most, holder)
            if place is None:
                metrics.PROVIDER_WAITS.labels(model.provider_name).inc()
                yield Progress("Waiting for a free place at the model", {"kind": "place"})
                place = await _wait(provider, most, holder)
                # No label: whoever shows the other one takes it away.
                yield Progress("", {"kind": "place"})
            renewing = asyncio.create_task(_renew(place, holder))
            try:
                async for part in parts:
                    yield part
            finally:
                renewing.cancel()
    finally:
        # By the holder's name: a take that was cancelled may have won a place all the same.
        await asyncio.shield(asyncio.to_thread(give_back, provider, most, holder))


async def _wait(provider: int, most: int, holder: str) -> str:
    while True:
        await asyncio.sleep(LOOK_AGAIN_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311
        place = await asyncio.to_thread(take, provider, most, holder)
        if place is not None:
            return place


async def _renew(place: str, holder: str) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        await asyncio.to_thread(renew, place, holder)


def take(provider: int, most: int, holder: str) -> str | None:
    """The place's key; None where all of them are taken."""
    places = _places(provider, most)
    held = cache.get_many(places)
    free = [place for place in places if place not in held]
    random.shuffle(free)
    return next((each for each in free if cache.add(each, holder, LEASE_SECONDS)), None)


def renew(place: str, holder: str) -> None:
    """A Redis that was restarted empty has forgotten it, and a worker that stood still for longer
    than the lease may have lost it. Then there is one too many for a while: to break off an answer
    that has begun would be worse."""
    if cache.add(place, holder, LEASE_SECONDS):
        return
    if cache.get(place) == holder:
        cache.touch(place, LEASE_SECONDS)
        return
    logger.warning("place_lost", place=place)


def give_back(provider: int, most: int, holder: str) -> None:
    held = cache.get_many(_places(provider, most))
    cache.delete_many([place for place, by in held.items() if by == holder])


def taken(provider: int, most: int) -> int:
    return len(cache.get_many(_places(provider, most)))


def _places(provider: int, most: int) -> list[str]:
    return [f"llm:provider:{provider}:place:{number}" for number in range(most)]
