"""From turns to LangChain messages."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)

from llm.spec import Block, Turn

UNANSWERED = "The call was stopped before it had a result."


def messages(turns: Sequence[Turn], system_prompt: str) -> list[BaseMessage]:
    """Turns that hold nothing for a model, such as a reply that failed at once, are left out."""
    found: list[BaseMessage] = [SystemMessage(system_prompt)] if system_prompt.strip() else []
    for turn in turns:
        if turn.role == "assistant":
            found.extend(_assistant(turn.content))
        elif content := _content(turn.content):
            found.append(SystemMessage(content) if turn.role == "system" else HumanMessage(content))
    return found


def _content(blocks: Sequence[Block]) -> Any:
    """A text where all is text, because not every compatible server understands lists."""
    if all(block.get("type") == "text" for block in blocks):
        return _text(blocks)
    return [dict(block) for block in blocks]


def _text(blocks: Sequence[Block]) -> str:
    return "".join(str(block.get("text") or "") for block in blocks if block["type"] == "text")


def _assistant(blocks: Sequence[Block]) -> Iterator[BaseMessage]:
    """Text after a tool call was written in answer to its result: a message of its own.

    Every call gets a result, if only to say that there is none: providers refuse a history with
    an unanswered call.
    """
    step: list[Block] = []
    for block in blocks:
        if block.get("type") == "text" and any(b["type"] == "tool_call" for b in step):
            yield from _step(step)
            step = []
        if block.get("type") in ("text", "tool_call"):
            step.append(block)
    yield from _step(step)


def _step(blocks: Sequence[Block]) -> Iterator[BaseMessage]:
    calls = [block for block in blocks if block["type"] == "tool_call"]
    text = _text(blocks)
    if not text and not calls:
        return
    yield AIMessage(
        text,
        tool_calls=[
            ToolCall(type="tool_call", id=call["id"], name=call["name"], args=_args(call))
            for call in calls
        ],
    )
    for call in calls:
        extras = call.get("extras") or {}
        yield tool_message(call["id"], extras.get("result"), extras.get("error"))


def tool_message(call_id: str, result: Any, error: str | None) -> ToolMessage:
    if error is not None:
        return ToolMessage(error, tool_call_id=call_id, status="error")
    if result is None:
        return ToolMessage(UNANSWERED, tool_call_id=call_id, status="error")
    return ToolMessage(as_text(result), tool_call_id=call_id)


def as_text(result: Any) -> str:
    return result if isinstance(result, str) else msgspec.json.encode(result, enc_hook=str).decode()


def _args(call: Block) -> dict[str, Any]:
    args = call.get("args") or {}
    if isinstance(args, dict):
        return args
    try:
        parsed = json.loads(args)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
