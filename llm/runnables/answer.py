"""An answer of a runnable: its events, as parts.

A LangGraph graph gives the tokens of every model that its nodes ask, also of those that they ask
with `invoke`; a chain gives what it puts out. What either reports by custom events or the stream
writer, and the tools that it uses, are told in between.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from typing import Any, cast

import structlog
from langchain_core.language_models import BaseLanguageModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.schema import StreamEvent

from llm import failures
from llm.errors import ProviderError
from llm.messages import as_text, messages
from llm.parts import (
    Finish,
    FinishReason,
    Part,
    Progress,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    Usage,
)
from llm.reply import Reply, in_one_piece
from llm.runnables.find import find
from llm.spec import ModelSpec, Turn
from llm.surroundings import Surroundings
from llm.tools.progress import from_stream, made
from llm.trace import Spans
from llm.usage import estimate_tokens, total
from llm.watch import Watch

logger = structlog.get_logger(__name__)
NO_RESULT = "The call had no result."
MODES = ["messages", "custom"]


async def answer(
    model: ModelSpec, turns: Sequence[Turn], around: Surroundings
) -> AsyncGenerator[Part, None]:
    """Ends with Usage and Finish, or raises ProviderError: for what a provider did, and for what
    the runnable itself raises (`runnable_failed`), which only the log may hold."""
    runnable = await asyncio.to_thread(find, model.slug)
    asked = messages(turns, model.system_prompt)
    reading = Reading(asked, around.spans)
    try:
        async with aclosing(_events(runnable, asked, around, model.debug)) as events:
            async for event in events:
                for part in reading.take(event):
                    yield part
    except failures.CAUGHT as error:
        raise failures.from_exception(error) from error
    except ProviderError:
        raise
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        logger.exception("runnable_failed", model=model.slug)
        raise ProviderError("runnable_failed", detail=type(error).__name__) from error
    for part in reading.unfinished():
        yield part
    yield reading.usage()
    yield Finish(reading.reason)


def _events(
    runnable: Runnable[Any, Any], asked: list[BaseMessage], around: Surroundings, debug: bool
) -> AsyncGenerator[StreamEvent, None]:
    wanted = [*MODES, "debug"] if debug else MODES
    modes: dict[str, Any] = {"stream_mode": wanted} if _is_graph(runnable) else {}
    config = RunnableConfig(callbacks=[Watch(around.spans)] if around.spans is not None else [])
    events: AsyncIterator[StreamEvent] = runnable.astream_events(
        _input(runnable, asked), config, version="v2", **modes
    )
    return cast(AsyncGenerator[StreamEvent, None], events)


def _input(runnable: Runnable[Any, Any], asked: list[BaseMessage]) -> Any:
    if isinstance(runnable, BaseLanguageModel):
        return asked
    if _is_graph(runnable):
        return {"messages": asked}
    return {"messages": asked, "input": asked[-1].text if asked else ""}


def _is_graph(runnable: Runnable[Any, Any]) -> bool:
    """Without importing LangGraph for a chain: whoever made a graph has imported it."""
    return any(kind.__module__.startswith("langgraph.") for kind in type(runnable).__mro__)


class Reading:
    """Of one runnable's events. Each message of a model is a reply of its own."""

    def __init__(self, asked: list[BaseMessage], spans: Spans | None = None) -> None:
        self._asked = asked
        self._spans = spans
        self._replies: dict[str, Reply] = {}
        self._written: list[str] = []
        self._open: dict[str, tuple[str, str]] = {}

    @property
    def reason(self) -> FinishReason:
        last = next(reversed(self._replies.values()), None)
        return (last and last.finish) or "stop"

    def usage(self) -> Usage:
        if self._replies:
            return total([reply.usage(self._asked) for reply in self._replies.values()])
        read = sum(estimate_tokens(message.text) for message in self._asked)
        return Usage(read, estimate_tokens("".join(self._written)), estimated=True)

    def take(self, event: StreamEvent) -> Iterator[Part]:
        kind, is_root = event["event"], not event["parent_ids"]
        if kind == "on_custom_event":
            label = event["name"].replace("_", " ").strip().capitalize()
            yield made(label, event["data"])
        elif kind in ("on_chain_stream", "on_chat_model_stream", "on_llm_stream") and is_root:
            yield from self._put_out(event["data"].get("chunk"))

    def unfinished(self) -> Iterator[Part]:
        """Calls whose results never came by: whoever watches must see an end of them."""
        for call, (name, args) in self._open.items():
            yield ToolCallFinished(call, name, args, None, NO_RESULT, side_effects=False)

    def _put_out(self, chunk: Any) -> Iterator[Part]:
        match chunk:
            case ("custom", said):
                part = from_stream(said)
                yield Progress(part.label, part.data)
            case ("debug", said):
                if self._spans is not None:
                    self._spans.debug(said)
            case ("messages", (message, _)):
                yield from self._said(message)
            case BaseMessage():
                yield from self._said(chunk)
            case str() if chunk:
                self._written.append(chunk)
                yield TextDelta(chunk)
            case None | "" | tuple():
                return
            case _:
                text = as_text(chunk)
                self._written.append(text)
                yield TextDelta(text)

    def _said(self, message: Any) -> Iterator[Part]:
        if isinstance(message, ToolMessage):
            yield from self._result(message)
        elif isinstance(message, AIMessage):
            chunk = message if isinstance(message, AIMessageChunk) else in_one_piece(message)
            reply = self._replies.setdefault(message.id or "", Reply(acts=lambda _: False))
            for part in reply.take(chunk):
                if isinstance(part, ToolCallStarted):
                    self._open[part.id] = (part.name, part.args)
                yield part

    def _result(self, message: ToolMessage) -> Iterator[Part]:
        name, args = self._open.pop(message.tool_call_id, (message.name or "", ""))
        calls = (call for reply in self._replies.values() for call in reply.calls.values())
        args = next((call.args for call in calls if call.id == message.tool_call_id), args)
        failed = message.status == "error"
        yield ToolCallFinished(
            message.tool_call_id,
            name,
            args,
            None if failed else message.text,
            message.text if failed else None,
            side_effects=False,
        )
