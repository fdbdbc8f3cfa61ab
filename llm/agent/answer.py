"""The graph's stream, as the parts of an answer."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import RunnableConfig
from langgraph.types import StreamMode

from llm.agent.graph import MODEL, STEP_LIMIT, TOOLS, State, graph
from llm.agent.session import Broken, Gate, Session
from llm.ask import options
from llm.build import built
from llm.mcp.tools import as_tool
from llm.messages import messages
from llm.parts import Finish, FinishReason, Part, Progress, ToolCallFinished, Usage
from llm.reply import Reply, in_one_piece
from llm.spec import ModelSpec, Turn
from llm.summary import Excerpt
from llm.surroundings import Surroundings
from llm.tools import find
from llm.tools.progress import CustomEvents, from_stream
from llm.watch import Watch

# Each step is two nodes, and LangGraph counts nodes; the model's own limit comes first.
NODE_LIMIT = 2 * STEP_LIMIT + 2
MODES: list[StreamMode] = ["messages", "updates", "custom"]
THINKING = Progress("Thinking", {"kind": "thinking"})


async def answer(
    model: ModelSpec, turns: Sequence[Turn], around: Surroundings
) -> AsyncGenerator[Part, None]:
    """Ends with Usage and Finish, or raises ProviderError, as `llm.stream.stream` promises."""
    chat = await built(model)
    tools = [*find(model.tools), *map(as_tool, model.server_tools)]
    bound = options(chat, tools, model.tool_options)
    excerpt = Excerpt(messages(turns, model.system_prompt), model, bound)
    async with aclosing(excerpt.summarise(around)) as preparing:
        async for part in preparing:
            yield part
    by_name = {tool.name: tool for tool in tools}
    session = Session(model, chat, excerpt.asked, by_name, bound, around)
    start = State(used=[], calls=[], reason=None, steps=0)
    watching = [Watch(around.spans)] if around.spans is not None else []
    debugged = around.spans if model.debug else None
    config = RunnableConfig(recursion_limit=NODE_LIMIT, callbacks=[CustomEvents(), *watching])
    said = cast(
        AsyncGenerator[tuple[str, Any], None],
        graph().astream(start, config, context=session, stream_mode=modes(model)),
    )
    reading = Reading(session)
    async with aclosing(said):
        async for mode, what in said:
            if debugged and mode == "debug":
                debugged.debug(what)
            for part in reading.take(mode, what):
                yield part
    yield excerpt.usage(reading.used)
    yield Finish(reading.reason)


def modes(model: ModelSpec) -> list[StreamMode]:
    return [*MODES, "debug"] if model.debug else MODES


class Reading:
    """Of one graph's stream. The model's messages are those of the node that asks it: what a tool
    asks of a model is the tool's own business."""

    def __init__(self, session: Session) -> None:
        self._acts = session.acts_at_once
        self.reason: FinishReason = "stop"
        self.used: list[Usage] = []
        self._reply = Reply(self._acts)

    def take(self, mode: str, what: Any) -> Iterator[Part]:
        if mode == "messages":
            message, about = what
            if about.get("langgraph_node") == MODEL:
                yield from self._said(message)
        elif mode == "custom":
            yield from self._custom(what)
        elif mode == "updates":
            yield from self._update(what)

    def _said(self, message: Any) -> Iterator[Part]:
        if isinstance(message, AIMessageChunk):
            yield from self._reply.take(message)
        elif isinstance(message, AIMessage):
            yield from self._reply.take(in_one_piece(message))

    def _custom(self, what: Any) -> Iterator[Part]:
        """Raises ProviderError."""
        match what:
            case Gate():
                what.passed.set()
            case Broken():
                raise what.error
            case ToolCallFinished():
                yield what
            case _:
                yield from_stream(what)

    def _update(self, nodes: dict[str, Any]) -> Iterator[Part]:
        """A step is over. After the model's, the next chunks are another answer's; after the
        tools', it thinks again."""
        if (thought := nodes.get(MODEL)) is not None:
            self._reply = Reply(self._acts)
            self.used += thought.get("used", [])
            self.reason = thought["reason"] or "stop"
        if TOOLS in nodes and self.reason == "stop":
            yield THINKING
