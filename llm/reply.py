"""What one request to a model has brought so far."""

from collections.abc import Iterator
from typing import Any, cast
from uuid import uuid4

import msgspec
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, InvalidToolCall
from langchain_core.messages import ToolCall as MessageToolCall

from llm.parts import (
    FinishReason,
    Part,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from llm.tools import has_side_effects
from llm.usage import estimate_tokens

LENGTH = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})
FILTERED = frozenset({"content_filter", "refusal", "safety"})


class Call(msgspec.Struct):
    id: str
    name: str
    args: str = ""
    started: bool = False


class Reply:
    """Turns chunks into parts, and remembers what the next step and the bill need."""

    def __init__(self) -> None:
        self.started = False
        self.calls: dict[Any, Call] = {}
        self._finish: str | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._input_tokens = 0
        self._output_tokens = 0

    @property
    def finish(self) -> FinishReason | None:
        """None: the stream ended without a word about why, so it was cut off."""
        if self._finish is None:
            return None
        reason = self._finish.lower()
        if reason in LENGTH:
            return "length"
        return "content_filter" if reason in FILTERED else "stop"

    def take(self, chunk: AIMessageChunk) -> Iterator[Part]:
        thought, text = _texts(chunk)
        if thought:
            self.started = True
            self._reasoning.append(thought)
            yield ReasoningDelta(thought)
        if text:
            self.started = True
            self._text.append(text)
            yield TextDelta(text)
        if chunk.tool_call_chunks:
            self.started = True
            yield from self._take_calls(chunk)
        if chunk.usage_metadata:
            self._input_tokens += chunk.usage_metadata["input_tokens"]
            self._output_tokens += chunk.usage_metadata["output_tokens"]
        if reason := chunk.response_metadata.get("finish_reason"):
            self._finish = reason

    def message(self) -> AIMessage:
        """For the model to read, together with the results of its calls."""
        calls, invalid = [], []
        for call in self.calls.values():
            args = _parsed(call.args)
            if args is None:
                invalid.append(
                    InvalidToolCall(
                        type="invalid_tool_call",
                        id=call.id,
                        name=call.name,
                        args=call.args,
                        error=None,
                    )
                )
            else:
                calls.append(
                    MessageToolCall(type="tool_call", id=call.id, name=call.name, args=args)
                )
        return AIMessage("".join(self._text), tool_calls=calls, invalid_tool_calls=invalid)

    def usage(self, asked: list[BaseMessage]) -> Usage:
        if self._input_tokens or self._output_tokens:
            return Usage(self._input_tokens, self._output_tokens, estimated=False)
        written = [*self._reasoning, *self._text, *(call.args for call in self.calls.values())]
        return Usage(
            sum(estimate_tokens(message.text) for message in asked),
            estimate_tokens("".join(written)),
            estimated=True,
        )

    def _take_calls(self, chunk: AIMessageChunk) -> Iterator[Part]:
        for piece in chunk.tool_call_chunks:
            key = piece.get("index")
            call = self.calls.setdefault(len(self.calls) if key is None else key, Call("", ""))
            args = piece.get("args") or ""
            call.id = call.id or piece.get("id") or ""
            call.name = call.name or piece.get("name") or ""
            call.args += args
            if not call.started and call.name:
                call.started = True
                call.id = call.id or f"call_{uuid4().hex[:12]}"
                yield ToolCallStarted(call.id, call.name, call.args, has_side_effects(call.name))
            elif call.started and args:
                yield ToolCallDelta(call.id, args)


def _texts(chunk: AIMessageChunk) -> tuple[str, str]:
    """Reasoning and text of a chunk."""
    thought = chunk.additional_kwargs.get("reasoning_content") or ""
    content = chunk.content
    if isinstance(content, str):
        return thought, content
    blocks = [cast(dict[str, Any], block) for block in chunk.content_blocks]
    texts = [block["text"] for block in blocks if block["type"] == "text"]
    thoughts = [block.get("reasoning") or "" for block in blocks if block["type"] == "reasoning"]
    return thought or "".join(thoughts), "".join(texts)


def _parsed(args: str) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(args or "{}", type=dict[str, Any])
    except msgspec.MsgspecError:
        return None
