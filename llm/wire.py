"""The chunks of an OpenAI-compatible stream, and how those of one read become one."""

from typing import Any

import msgspec
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

REASONING, TEXT, TOOLS = range(3)


class Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class ToolCall(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: Function | None = None


class Delta(msgspec.Struct):
    """`content` is a list of blocks where a server (Mistral) mixes thinking into it."""

    content: str | list[dict[str, Any]] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None


class Choice(msgspec.Struct):
    """`message` is the whole of an answer in one piece, and has the shape of a delta."""

    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None
    index: int = 0


class Chunk(msgspec.Struct):
    choices: list[Choice] | None = None
    usage: dict[str, Any] | None = None
    error: Any = None
    model: str | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None


# A copy costs a third less than a new one, which would have its text checked to be a text.
EMPTY = AIMessageChunk(content="")
EMPTY_GENERATION = ChatGenerationChunk(message=EMPTY)

decode = msgspec.json.Decoder(Chunk).decode


def generation(message: AIMessageChunk) -> ChatGenerationChunk:
    return EMPTY_GENERATION.model_copy(update={"message": message, "text": message.content})


class Merger:
    """Gathers deltas until `take`.

    One chunk holds reasoning before text before tool calls; a delta that would break this order
    closes the chunk, so that nothing is shown in another order than it was written.
    """

    __slots__ = ("_done", "_indexes", "_kind", "_reasoning", "_text", "_tools")

    def __init__(self) -> None:
        self._kind = REASONING
        self._reasoning: list[str] = []
        self._text: list[str] = []
        self._tools: dict[int, ToolCallChunk] = {}
        self._done: list[AIMessageChunk] = []
        self._indexes: list[str | None] = []

    def add(self, delta: Delta) -> None:
        if thought := delta.reasoning_content or delta.reasoning:
            self._turn(REASONING)
            self._reasoning.append(thought)
        if content := delta.content:
            if isinstance(content, str):
                self._turn(TEXT)
                self._text.append(content)
            else:
                self._add_blocks(content)
        if delta.refusal:
            self._turn(TEXT)
            self._text.append(delta.refusal)
        if delta.tool_calls:
            self._turn(TOOLS)
            for call in delta.tool_calls:
                self._add_call(call)

    def take(self) -> list[AIMessageChunk]:
        """The chunks since the last call; empty when no delta held anything."""
        self._close()
        if not self._done:
            return self._done
        chunks, self._done = self._done, []
        return chunks

    def _turn(self, kind: int) -> None:
        if kind < self._kind:
            self._close()
        self._kind = kind

    def _close(self) -> None:
        if not (self._text or self._reasoning or self._tools):
            return
        text = "".join(self._text)
        if self._tools:
            chunk = AIMessageChunk(content=text, tool_call_chunks=list(self._tools.values()))
        else:
            chunk = EMPTY.model_copy(update={"content": text, "additional_kwargs": {}})
        if self._reasoning:
            chunk.additional_kwargs["reasoning_content"] = "".join(self._reasoning)
            self._reasoning.clear()
        self._text.clear()
        self._tools.clear()
        self._kind = REASONING
        self._done.append(chunk)

    def _add_blocks(self, blocks: list[dict[str, Any]]) -> None:
        for block in blocks:
            if block.get("type") == "text":
                self._turn(TEXT)
                self._text.append(str(block.get("text") or ""))
            elif block.get("type") == "thinking":
                self._turn(REASONING)
                thoughts = block.get("thinking") or []
                self._reasoning.extend(
                    str(thought.get("text") or "") for thought in thoughts if "text" in thought
                )

    def _add_call(self, call: ToolCall) -> None:
        function = call.function or Function()
        index = self._index(call)
        known = self._tools.get(index)
        if known is None:
            self._tools[index] = tool_call_chunk(
                name=function.name, args=function.arguments, id=call.id, index=index
            )
            return
        known["name"] = known["name"] or function.name
        known["id"] = known["id"] or call.id
        known["args"] = (known["args"] or "") + (function.arguments or "")

    def _index(self, call: ToolCall) -> int:
        """Some servers send whole calls without an index: a new id is then a new call."""
        if call.index is not None:
            return call.index
        if call.id is None and self._indexes:
            return len(self._indexes) - 1
        if call.id is not None and call.id in self._indexes:
            return self._indexes.index(call.id)
        self._indexes.append(call.id)
        return len(self._indexes) - 1
