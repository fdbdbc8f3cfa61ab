"""Another model answers where the chosen one cannot."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing

import structlog

from llm import health, metrics
from llm.errors import Code, ProviderError
from llm.parts import Answering, Part, Progress
from llm.spec import ModelSpec, Turn

logger = structlog.get_logger(__name__)

Answer = Callable[[ModelSpec, Sequence[Turn]], AsyncGenerator[Part, None]]
# Another model would not take these either, or they are for the user to decide. Moderation is the
# same for all of them.
FINAL: frozenset[Code] = frozenset(
    {"provider_bad_request", "context_too_long", "moderation_unavailable"}
)


async def with_fallbacks(
    model: ModelSpec, turns: Sequence[Turn], answer: Answer
) -> AsyncGenerator[Part, None]:
    """The first that answers, in the order of the fallbacks. Nothing of another model can follow
    what one has begun to say."""
    failure: ProviderError | None = None
    async for choice in _admitted([model, *model.fallbacks]):
        if choice is not model:
            yield Answering(choice.slug, choice.label or choice.slug, model.label or model.slug)
        begun = False
        try:
            async with aclosing(answer(choice, turns)) as parts:
                async for part in parts:
                    begun = begun or not isinstance(part, Progress)
                    yield part
        except ProviderError as error:
            if begun or error.code in FINAL:
                raise
            failure = error
            logger.warning("model_failed", model=choice.slug, code=error.code)
            continue
        if choice is not model:
            metrics.FALLBACKS.labels(model.slug, choice.slug).inc()
        return
    if failure is not None:
        raise failure


async def _admitted(choices: Sequence[ModelSpec]) -> AsyncIterator[ModelSpec]:
    """Those whose provider is not out; where all are, the one that the user chose."""
    is_one_in = False
    for choice in choices:
        if await asyncio.to_thread(health.admits, choice.provider):
            is_one_in = True
            yield choice
    if not is_one_in:
        yield choices[0]
