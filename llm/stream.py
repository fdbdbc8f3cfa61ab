"""One answer, from the turns that ask for it to its last part."""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, cast

import msgspec
from django.conf import settings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.runnables import RunnableBinding
from msgspec.structs import replace

from llm import failures, health, history, tools
from llm.build import build
from llm.errors import ProviderError
from llm.fallback import with_fallbacks
from llm.messages import messages, tool_message
from llm.parts import Finish, FinishReason, Part, Progress, ToolCallFinished, Usage
from llm.reading import HangsUp
from llm.reply import Call, Reply
from llm.spec import ModelSpec, Turn

STEP_LIMIT = 8
FIRST_PAUSE_SECONDS = 0.4
LONGEST_PAUSE_SECONDS = 10.0
TOO_MANY_STEPS = "The answer had already used all the tool calls that one answer may make."
CUT_OFF = "The call was cut off before it was complete."


def stream(model: ModelSpec, turns: Sequence[Turn]) -> AsyncGenerator[Part, None]:
    """Ends with Usage and Finish, or raises ProviderError.

    Closing or cancelling it closes the provider's connection, in every phase. A request that
    failed is sent again only while it has brought nothing; after that a fallback answers.
    """
    return with_fallbacks(model, turns, answer) if model.fallbacks else answer(model, turns)


async def answer(model: ModelSpec, turns: Sequence[Turn]) -> AsyncGenerator[Part, None]:
    """Of this very model, with all its steps."""
    chat = build(model)
    options = _options(chat, model)
    whole = messages(turns, model.system_prompt)
    asked = history.fit(whole, model, options)[:]
    used: list[Usage] = []
    for step in range(1, STEP_LIMIT + 1):
        reply = Reply()
        async with aclosing(_ask_until_answered(chat, asked, options, reply, model)) as parts:
            async for part in parts:
                yield part
        used.append(reply.usage(asked))
        reason = _reason(reply, step, model)
        async with aclosing(_finish_calls(model.tools, reply, asked, reason)) as finished:
            async for part in finished:
                yield part
        if reason is not None:
            yield msgspec.structs.replace(_total(used), left_out=history.left_out(whole, asked))
            yield Finish(reason)
            return


def _options(chat: BaseChatModel, model: ModelSpec) -> dict[str, Any]:
    """The keyword arguments that `bind_tools` would bind: streaming through the binding itself
    costs a generator more for each token."""
    callable_by_model: list[Any] = [*tools.find(model.tools), *model.client_tools]
    if not callable_by_model:
        return {}
    bound = chat.bind_tools(callable_by_model, **model.tool_options)
    return dict(bound.kwargs) if isinstance(bound, RunnableBinding) else {}


def _reason(reply: Reply, step: int, model: ModelSpec) -> FinishReason | None:
    """None: the model waits for the results of its calls."""
    if reply.finish != "stop" or not reply.calls:
        return reply.finish or "stop"
    if model.client_tools:
        return "tool_calls"
    return "tool_limit" if step == STEP_LIMIT else None


def _total(used: Sequence[Usage]) -> Usage:
    return Usage(
        sum(each.input_tokens for each in used),
        sum(each.output_tokens for each in used),
        any(each.estimated for each in used),
    )


async def _ask_until_answered(
    chat: BaseChatModel,
    asked: list[BaseMessage],
    options: dict[str, Any],
    reply: Reply,
    model: ModelSpec,
) -> AsyncGenerator[Part, None]:
    attempt = 0
    while True:
        try:
            async with aclosing(_ask(chat, asked, options, reply)) as parts:
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
        chunks = cast(AsyncGenerator[AIMessageChunk, None], chat.astream(asked, **options))
        async with aclosing(chunks):
            async for chunk in chunks:
                for part in reply.take(chunk):
                    yield part
    except failures.CAUGHT as error:
        raise failures.from_exception(error) from error
    finally:
        if isinstance(chat, HangsUp):
            chat.hang_up()
    if reply.finish is None:
        raise ProviderError("provider_interrupted")


async def _finish_calls(
    allowed: Sequence[str], reply: Reply, asked: list[BaseMessage], reason: FinishReason | None
) -> AsyncGenerator[Part, None]:
    """Run the calls side by side; their results join `asked` in the order of the calls. With a
    reason to end, none runs and each is told so: a call that was shown must come to an end."""
    calls = list(reply.calls.values())
    if reason == "tool_calls":
        # Whoever asked runs them, and asks again with their results.
        return
    if reason is not None:
        why = TOO_MANY_STEPS if reason == "tool_limit" else CUT_OFF
        for call in calls:
            yield _finished(call, tools.ToolRun(error=why))
        return
    runs: dict[str, tools.ToolRun] = {}
    async with aclosing(_run(allowed, calls)) as steps:
        async for step in steps:
            if isinstance(step, Progress):
                yield step
                continue
            call, run = step
            runs[call.id] = run
            yield _finished(call, run)
    asked.append(reply.message())
    asked.extend(tool_message(c.id, runs[c.id].result, runs[c.id].error) for c in calls)


async def _run(
    allowed: Sequence[str], calls: Sequence[Call]
) -> AsyncGenerator[Progress | tuple[Call, tools.ToolRun], None]:
    """Results and progress as they come. Leaving early cancels the tools that still run."""
    arrived: asyncio.Queue[Progress | tuple[Call, tools.ToolRun]] = asyncio.Queue()

    async def run(call: Call) -> None:
        def report(step: Progress) -> None:
            arrived.put_nowait(replace(step, tool_call=call.id))

        arrived.put_nowait((call, await tools.run(allowed, call.name, call.args, report)))

    tasks = [asyncio.create_task(run(call)) for call in calls]
    try:
        waiting = len(tasks)
        while waiting:
            step = await arrived.get()
            waiting -= isinstance(step, tuple)
            yield step
    finally:
        for task in tasks:
            task.cancel()
        # Cancelled tools get the time to say goodbye, but cannot hold up a stop.
        await asyncio.wait(tasks, timeout=0.1)


def _finished(call: Call, run: tools.ToolRun) -> ToolCallFinished:
    return ToolCallFinished(
        id=call.id,
        name=call.name,
        args=call.args,
        result=run.result,
        error=run.error,
        side_effects=tools.has_side_effects(call.name),
    )
