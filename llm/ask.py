"""One request to a model, sent again where that may help."""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, cast

from django.conf import settings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.runnables import RunnableBinding

from llm import failures, health, history
from llm.errors import ProviderError
from llm.parts import Part
from llm.places import in_place
from llm.reading import HangsUp
from llm.reply import Reply, in_one_piece
from llm.spec import ModelSpec

FIRST_PAUSE_SECONDS = 0.4
LONGEST_PAUSE_SECONDS = 10.0


def options(
    chat: BaseChatModel, callable_by_model: Sequence[Any], wanted: dict[str, Any]
) -> dict[str, Any]:
    """The keyword arguments that `bind_tools` would bind: streaming through the binding itself
    costs a generator more for each token."""
    if not callable_by_model:
        return {}
    bound = chat.bind_tools(callable_by_model, **wanted)
    return dict(bound.kwargs) if isinstance(bound, RunnableBinding) else {}


async def ask_until_answered(
    chat: BaseChatModel,
    asked: list[BaseMessage],
    options: dict[str, Any],
    reply: Reply,
    model: ModelSpec,
) -> AsyncGenerator[Part, None]:
    attempt = 0
    while True:
        try:
            asking = _ask(chat, asked, options, reply)
            async with aclosing(in_place(model, asking)) as parts:
                async for part in parts:
                    yield part
            await health.succeeded_soon(model.provider, model.provider_name)
            return
        except ProviderError as error:
            if _is_shorter_now(error, asked, reply, model):
                continue
            pause = _pause(error, attempt)
            last = attempt == settings.LLM_MAX_RETRIES
            if reply.started or last or not error.repeatable or pause > LONGEST_PAUSE_SECONDS:
                await health.failed_soon(model.provider, model.provider_name, error)
                raise
        attempt += 1
        await asyncio.sleep(pause)


def _is_shorter_now(
    error: ProviderError, asked: list[BaseMessage], reply: Reply, model: ModelSpec
) -> bool:
    """Whether it was too long, older messages could be left out, and it may be asked again."""
    too_long = error.code == "context_too_long" and not reply.started
    return too_long and model.trims_history and history.halve(asked)


def _pause(error: ProviderError, attempt: int) -> float:
    """Doubles, with jitter, so that a crowd that failed together does not come back together."""
    backoff: float = FIRST_PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311
    return max(error.retry_after or 0.0, backoff)


async def _ask(
    chat: BaseChatModel, asked: list[BaseMessage], options: dict[str, Any], reply: Reply
) -> AsyncGenerator[Part, None]:
    """One request. Raises ProviderError for all that can go wrong with it."""
    try:
        chunks = cast(AsyncGenerator[Any, None], chat.astream(asked, **options))
        async with aclosing(chunks):
            async for chunk in chunks:
                whole = not isinstance(chunk, AIMessageChunk)
                for part in reply.take(in_one_piece(chunk) if whole else chunk):
                    yield part
    except failures.CAUGHT as error:
        raise failures.from_exception(error) from error
    finally:
        if isinstance(chat, HangsUp):
            chat.hang_up()
    if reply.finish is None:
        raise ProviderError("provider_interrupted")
