"""How the providers fare, told by the answers that they give and shared by all processes.

A breaker: after LLM_BREAKER_FAILURES failures in a row a provider is out of automatic choice for
LLM_BREAKER_SECONDS. Then one answer at a time may try it again; the first that works brings it
back. What is known stands in the cache, so a Redis that is away forgets it: then every provider is
tried, as if there was no breaker.

The functions are for threads; `succeeded_soon` and `failed_soon` are for event loops.
"""

import asyncio
import time
from collections.abc import Iterable

import msgspec
import structlog
from django.conf import settings
from django.core.cache import cache

from llm import metrics
from llm.errors import Code, ProviderError

logger = structlog.get_logger(__name__)

# The others are about one request or one model.
COUNTED: frozenset[Code] = frozenset(
    {
        "provider_unreachable",
        "provider_auth",
        "provider_rate_limited",
        "provider_error",
        "provider_interrupted",
        "provider_timeout",
        "provider_invalid_response",
    }
)
KEPT_SECONDS = 24 * 3600
# A worker with a thousand answers a minute must not ask the cache for each.
LOOK_AGAIN_SECONDS = 2.0
_looked: dict[int, float] = {}


class Trouble(msgspec.Struct, frozen=True):
    """Times are seconds since 1970; `until` is 0 before there were failures enough."""

    since: float
    failures: int
    code: str
    detail: str = ""
    until: float = 0.0

    @property
    def is_out(self) -> bool:
        return self.until > time.time()


def trouble(provider: int) -> Trouble | None:
    """None: all that is known of it is good."""
    return _read(cache.get(_key(provider)))


def troubles(providers: Iterable[int]) -> dict[int, Trouble]:
    found = cache.get_many([_key(provider) for provider in providers])
    known = {provider: _read(found.get(_key(provider))) for provider in providers}
    return {provider: each for provider, each in known.items() if each is not None}


def admits(provider: int | None) -> bool:
    """Whether an answer that has a choice may ask it. True when it is time for a probe, to whoever
    asks first; the next one may when that probe has failed or is late."""
    known = None if provider is None else trouble(provider)
    if known is None or not known.until:
        return True
    return not known.is_out and bool(
        cache.add(_key(provider, "probe"), 1, settings.LLM_BREAKER_SECONDS)
    )


def failed(provider: int, name: str, error: ProviderError) -> None:
    if error.code not in COUNTED:
        return
    metrics.PROVIDER_FAILURES.labels(name, error.code).inc()
    before, now = trouble(provider), time.time()
    number = _count(provider)
    is_out = number >= settings.LLM_BREAKER_FAILURES
    if is_out and not (before and before.is_out):
        metrics.PROVIDER_OUT.labels(name).inc()
        logger.error("provider_out", provider=name, failures=number, code=error.code)
    after = Trouble(
        since=before.since if before else now,
        failures=number,
        code=error.code,
        detail=error.detail,
        until=now + settings.LLM_BREAKER_SECONDS if is_out else 0.0,
    )
    cache.set(_key(provider), msgspec.to_builtins(after), KEPT_SECONDS)
    cache.delete(_key(provider, "probe"))
    _looked.pop(provider, None)


def succeeded(provider: int, name: str) -> None:
    if (before := trouble(provider)) is None:
        return
    cache.delete_many([_key(provider), _key(provider, "failures"), _key(provider, "probe")])
    if before.until:
        logger.info("provider_back", provider=name, seconds=round(time.time() - before.since))


async def failed_soon(provider: int | None, name: str, error: ProviderError) -> None:
    if provider is not None:
        await asyncio.to_thread(failed, provider, name, error)


async def succeeded_soon(provider: int | None, name: str) -> None:
    now = time.monotonic()
    if provider is None or now - _looked.get(provider, -LOOK_AGAIN_SECONDS) < LOOK_AGAIN_SECONDS:
        return
    _looked[provider] = now
    await asyncio.to_thread(succeeded, provider, name)


def _count(provider: int) -> int:
    """Atomic, because many workers fail at once."""
    key = _key(provider, "failures")
    cache.add(key, 0, KEPT_SECONDS)
    try:
        return int(cache.incr(key))
    except ValueError:
        # It went away in between: somebody had an answer.
        return 1


def _key(provider: int | None, what: str = "trouble") -> str:
    return f"llm:provider:{provider}:{what}"


def _read(found: object) -> Trouble | None:
    try:
        return None if found is None else msgspec.convert(found, Trouble)
    except msgspec.ValidationError:
        # Of another version of this program.
        return None
