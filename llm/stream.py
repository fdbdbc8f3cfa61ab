"""One answer, from the turns that ask for it to its last part."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from importlib import import_module

from langchain_core.messages import BaseMessage
from msgspec.structs import replace

from llm.ask import ask_until_answered, options
from llm.build import built
from llm.cache import cached
from llm.calls import CUT_OFF, finished
from llm.fallback import with_fallbacks
from llm.filters.chain import filtered
from llm.going_on import prefilled
from llm.messages import messages, tool_message
from llm.parts import Finish, FinishReason, Part, ToolCallFinished, Usage
from llm.reply import Reply
from llm.spec import ModelSpec, Turn
from llm.summary import Excerpt
from llm.surroundings import NOTHING, Surroundings
from llm.tools import ToolRun


def stream(
    model: ModelSpec, turns: Sequence[Turn], around: Surroundings = NOTHING
) -> AsyncGenerator[Part, None]:
    """Ends with Usage and Finish, or raises ProviderError.

    Closing or cancelling it closes the provider's connection, in every phase. A request that
    failed is sent again only while it has brought nothing; after that a fallback answers.
    """

    def answer(chosen: ModelSpec, asked: Sequence[Turn]) -> AsyncGenerator[Part, None]:
        careful = as_careful_as(model, chosen)
        return shaped(unshaped(careful, asked, around), chosen, model, asked)

    parts = with_fallbacks(model, turns, answer) if model.fallbacks else answer(model, turns)
    return cached(model, turns, parts)


def unshaped(
    model: ModelSpec, turns: Sequence[Turn], around: Surroundings = NOTHING
) -> AsyncGenerator[Part, None]:
    """Of this very model, with all its steps, and as it says it: no filter has seen it."""
    if model.kind == "runnable":
        return _by("llm.runnables.answer", model, turns, around)
    if model.tools or model.server_tools:
        return _by("llm.agent.answer", model, turns, around)
    return _plain(model, turns, around)


def shaped(
    parts: AsyncGenerator[Part, None], chosen: ModelSpec, wanted: ModelSpec, turns: Sequence[Turn]
) -> AsyncGenerator[Part, None]:
    """Through the filters of the model that answers, and then of the one in whose place it does:
    what is kept back of a model's words is kept back of those that stand in for it too."""
    others = (each for each in wanted.filters if each not in chosen.filters)
    filters = (*chosen.filters, *others)
    # A model that has none has none of it in the way of its tokens.
    return filtered(parts, filters, turns) if filters else parts


def as_careful_as(wanted: ModelSpec, chosen: ModelSpec) -> ModelSpec:
    """What the user must approve of a model's calls, they must approve of those of one that answers
    in its place."""
    others = (name for name in wanted.tools_to_approve if name not in chosen.tools_to_approve)
    return replace(chosen, tools_to_approve=(*chosen.tools_to_approve, *others))


async def _by(
    module: str, model: ModelSpec, turns: Sequence[Turn], around: Surroundings
) -> AsyncGenerator[Part, None]:
    """The first import of LangGraph takes its time, in which other answers go on."""
    loaded = await asyncio.to_thread(import_module, module)
    async with aclosing(loaded.answer(model, turns, around)) as parts:
        async for part in parts:
            yield part


async def _plain(
    model: ModelSpec, turns: Sequence[Turn], around: Surroundings
) -> AsyncGenerator[Part, None]:
    """One request and no graph around it: each token costs as little as it can."""
    chat = await built(model)
    tools = options(chat, model.client_tools, model.tool_options)
    excerpt = Excerpt(prefilled(messages(turns, model.system_prompt), model), model, tools)
    async with aclosing(excerpt.summarise(around)) as preparing:
        async for part in preparing:
            yield part
    asked, used = excerpt.asked, list[Usage]()
    for last in (False, True):
        reply = Reply()
        async with aclosing(ask_until_answered(chat, asked, tools, reply, model)) as parts:
            async for part in parts:
                yield part
        used.append(reply.usage(asked))
        reason = _reason(reply, model)
        if reason == "tool_calls" or not reply.calls:
            # Whoever asked runs its own tools, and asks again with their results.
            break
        for part in _refuse_calls(reply, asked, reason):
            yield part
        if last or reason != "stop":
            break
    yield excerpt.usage(used)
    yield Finish(reason)


def _reason(reply: Reply, model: ModelSpec) -> FinishReason:
    reason = reply.finish or "stop"
    return "tool_calls" if reason == "stop" and reply.calls and model.client_tools else reason


def _refuse_calls(
    reply: Reply, asked: list[BaseMessage], reason: FinishReason
) -> Iterator[ToolCallFinished]:
    """Of ours it was offered none. It is told so once, for it may well know the answer without; a
    call that was shown must come to an end in any case."""
    asked.append(reply.message())
    for call in reply.calls.values():
        why = f"There is no tool called {call.name!r}." if reason == "stop" else CUT_OFF
        asked.append(tool_message(call.id, None, why))
        yield finished(call, ToolRun(error=why))
