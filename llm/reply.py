"""What one request to a model has brought so far."""

from collections.abc import Callable, Iterator
from typing import Any, cast
from uuid import uuid4

import msgspec
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, InvalidToolCall
from langchain_core.messages import ToolCall as MessageToolCall
from langchain_core.messages.tool import tool_call_chunk

from llm.parts import (
    FinishReason,
    Part,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from llm.tools import has_side_effects, parse
from llm.usage import estimate_tokens

LENGTH = frozenset(
    {"length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"}
)
FILTERED = frozenset({"content_filter", "safety"})


class Call(msgspec.Struct):
    id: str
    name: str
    args: str = ""
    started: bool = False


class Reply:
    """Turns chunks into parts, and remembers what the next step and the bill need."""

    def __init__(self, acts: Callable[[str], bool] = has_side_effects) -> None:
        """`acts`: whether the tool of a name has side effects."""
        self._acts = acts
        self.started = False
        self.calls: dict[Any, Call] = {}
        self._finish: str | None = None
        self._declined = False
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._signed = SignedThoughts()
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
        if reason in FILTERED:
            return "content_filter"
        return "refusal" if reason == "refusal" or self._declined else "stop"

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
        if isinstance(chunk.content, list):
            self._signed.take(chunk.content)
            self._declined |= any(_kind(block) == "refusal" for block in chunk.content)
        if reason := _reason(chunk.response_metadata):
            self._finish = reason

    def message(self) -> AIMessage:
        """For the model to read, together with the results of its calls."""
        calls, invalid = [], []
        for call in self.calls.values():
            args = parse(call.args)
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
        content: Any = self._signed.blocks() or "".join(self._text)
        return AIMessage(content, tool_calls=calls, invalid_tool_calls=invalid)

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
                # Whoever else reads this chunk must know the call by the same id.
                piece["id"] = call.id = call.id or f"call_{uuid4().hex[:12]}"
                yield ToolCallStarted(call.id, call.name, call.args, self._acts(call.name))
            elif call.started and args:
                yield ToolCallDelta(call.id, args)


class SignedThoughts:
    """Anthropic wants its thoughts back, signed and among the text that they came with, together
    with the results of the calls that they led to."""

    def __init__(self) -> None:
        self._blocks: dict[int, dict[str, Any]] = {}
        self._signed = False

    def take(self, content: list[Any]) -> None:
        for block in content:
            kind = _kind(block)
            index = block.get("index") if kind else None
            if not isinstance(index, int):
                continue
            if kind == "redacted_thinking":
                self._signed = True
                self._blocks[index] = {name: block[name] for name in ("type", "data")}
            elif kind in ("text", "thinking"):
                self._signed = self._signed or "signature" in block
                kept = self._blocks.setdefault(index, {"type": kind})
                for name in block.keys() & {"text", "thinking", "signature"}:
                    kept[name] = kept.get(name, "") + block[name]

    def blocks(self) -> list[dict[str, Any]]:
        """Empty where nothing was signed: the text alone is enough then."""
        return [self._blocks[index] for index in sorted(self._blocks)] if self._signed else []


def _kind(block: Any) -> Any:
    return block.get("type") if isinstance(block, dict) else None


def _reason(about: dict[str, Any]) -> str | None:
    """OpenAI's name for it, Anthropic's, and the one of OpenAI's Responses API."""
    if found := about.get("finish_reason") or about.get("stop_reason"):
        return str(found)
    if details := about.get("incomplete_details"):
        return str(details.get("reason") or "length")
    return "stop" if about.get("status") == "completed" else None


def _texts(chunk: AIMessageChunk) -> tuple[str, str]:
    """Reasoning and text of a chunk."""
    thought = chunk.additional_kwargs.get("reasoning_content") or ""
    if isinstance(chunk.content, str):
        return thought, chunk.content
    thoughts, texts = [thought], []
    for block in cast(list[dict[str, Any]], chunk.content):
        match _kind(block):
            case "text":
                texts.append(block.get("text") or "")
            case "refusal":
                texts.append(block.get("refusal") or "")
            case "thinking":
                thoughts.append(block.get("thinking") or "")
            case "reasoning":
                thoughts.append(block.get("reasoning") or _summary(block))
    return "".join(thoughts), "".join(texts)


def _summary(block: dict[str, Any]) -> str:
    """Its parts are paragraphs: the beginning of each but the first is an empty text."""
    parts = block.get("summary") or ()
    return "".join(part.get("text") or ("\n\n" if part.get("index") else "") for part in parts)


def in_one_piece(message: AIMessage) -> AIMessageChunk:
    """What a model that does not stream said."""
    calls = [
        tool_call_chunk(
            name=call["name"],
            args=msgspec.json.encode(call["args"]).decode(),
            id=call["id"],
            index=index,
        )
        for index, call in enumerate(message.tool_calls)
    ]
    return AIMessageChunk(
        content=message.content,
        additional_kwargs=message.additional_kwargs,
        response_metadata=message.response_metadata,
        usage_metadata=message.usage_metadata,
        tool_call_chunks=calls,
    )
