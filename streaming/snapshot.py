"""The state of a generation as a pure function of its events. static/js/snapshot.js is its twin;
both run over tests/cases/apply.json."""

import json
import math
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

Block = dict[str, Any]
Event = dict[str, Any]
State = dict[str, Any]

STATUS = {
    "generation.completed": "completed",
    "generation.failed": "failed",
    "generation.cancelled": "cancelled",
}


class StreamPosition(NamedTuple):
    """ "I have everything up to here". (0, 0) is the position of a client that has nothing."""

    attempt: int
    seq: int


START = StreamPosition(0, 0)


class Gap(ValueError):
    """The event is not the next one: something between was not received."""


def fresh(generation: str, message: str) -> State:
    return {
        "generation": generation,
        "message": message,
        "attempt": 0,
        "seq": 0,
        "status": "queued",
        "content": [],
        "model": None,
        "error": None,
        "usage": {},
        "timings": {},
        "finish_reason": None,
    }


def follows(position: StreamPosition, event: StreamPosition, kind: str) -> str:
    """`next`, `old` or `gap`. A snapshot is whole, so a newer one is always next; a new attempt
    begins with `generation.started`, which makes what came before it irrelevant."""
    if event <= position:
        return "old"
    if kind == "snapshot":
        return "next"
    if event.attempt == position.attempt:
        return "next" if event.seq == position.seq + 1 else "gap"
    return "next" if kind == "generation.started" and event.seq == 1 else "gap"


def position_of(thing: dict[str, Any]) -> StreamPosition:
    return StreamPosition(thing["attempt"], thing["seq"])


def apply(state: State, event: Event) -> State:
    """The state after `event`; an event at or below its position changes nothing.

    Raises Gap where the event is not the next one.
    """
    kind = event["type"]
    if kind == "generation.queued":
        return state
    verdict = follows(position_of(state), position_of(event), kind)
    if verdict == "old":
        return state
    if verdict == "gap":
        raise Gap(f"expected what follows {position_of(state)}, got {position_of(event)}")
    after = {**state, "attempt": event["attempt"], "seq": event["seq"]}
    if kind == "snapshot":
        return {**after, **_whole(event)}
    if kind == "generation.started":
        begun = {"status": "in_progress", "model": event["model"], "error": None}
        return {**after, **begun, "content": []}
    if kind in STATUS:
        return {**after, **_end(event)}
    if not changes_content(event):
        return after
    return {**after, "content": change(state["content"], event)}


def replay(state: State, events: Iterable[Event]) -> State:
    for event in events:
        state = apply(state, event)
    return state


def changes_content(event: Event) -> bool:
    """Of a progress only that which asks the user about a call, or tells what was decided."""
    return event["type"] != "progress" or "approval" in event


def change(content: list[Block], event: Event) -> list[Block]:
    """The content blocks after a delta, a tool call's event or a question about one. The list given
    is left alone."""
    match event["type"]:
        case "text.delta":
            return _append(content, "text", event["text"])
        case "reasoning.delta":
            return _append(content, "reasoning", event["text"])
        case "tool_call.started":
            call = {"type": "tool_call_chunk", "id": event["tool_call"], "name": event["name"]}
            return [*content, {**call, "args": event.get("args", "")}]
        case "tool_call.delta":
            return [_grow(block, event) for block in content]
        case "progress":
            return [_asked(block, event) for block in content]
        case "tool_call.finished":
            if any(_is_call(block, event) for block in content):
                return [
                    _finished(event, block) if _is_call(block, event) else block
                    for block in content
                ]
            return [*content, _finished(event, {"args": ""})]
        case unknown:
            raise ValueError(f"expected the type of a stream event, got {unknown!r}")


def _append(content: list[Block], kind: Literal["text", "reasoning"], text: str) -> list[Block]:
    if content and content[-1]["type"] == kind:
        return [*content[:-1], {**content[-1], kind: content[-1][kind] + text}]
    return [*content, {"type": kind, kind: text}]


def _is_call(block: Block, event: Event) -> bool:
    return bool(block["type"] == "tool_call_chunk" and block["id"] == event.get("tool_call"))


def _grow(block: Block, event: Event) -> Block:
    return {**block, "args": block["args"] + event["args"]} if _is_call(block, event) else block


def _asked(block: Block, event: Event) -> Block:
    """The question is known by its position: a call of a later attempt, or of a later step, may
    have the same id."""
    if not _is_call(block, event):
        return block
    said = {"approval": event["approval"]}
    if event["approval"] == "asked":
        said["question"] = f"{event['attempt']}-{event['seq']}"
    return {**block, "extras": {**block.get("extras", {}), **said}}


def _finished(event: Event, begun: Block) -> Block:
    end = {"error": event["error"]} if "error" in event else {"result": event.get("result", "")}
    call = {"type": "tool_call", "id": event["tool_call"], "name": event["name"]}
    args = parse_args(event["args"] if "args" in event else begun["args"])
    return {**call, "args": args, "extras": {**begun.get("extras", {}), **end}}


def parse_args(text: str) -> dict[str, Any]:
    """A model may write arguments that are no JSON object, or one that no database keeps (NUL, half
    a surrogate pair, a number beyond all bounds); they count as none."""
    try:
        args = json.loads(text)
        return args if isinstance(args, dict) and is_storable(args) else {}
    except (ValueError, RecursionError):
        return {}


def is_storable(value: Any) -> bool:
    match value:
        case str():
            return "\0" not in value and is_text(value)
        case float():
            return math.isfinite(value)
        case list():
            return all(map(is_storable, value))
        case dict():
            return all(is_storable(key) and is_storable(each) for key, each in value.items())
    return True


def is_text(value: str) -> bool:
    """Whether it holds no half of a surrogate pair. At the encoder's pace: a request brings
    megabytes of an image, and a web node has other readers meanwhile."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _end(event: Event) -> State:
    failed = event["type"] == "generation.failed"
    return {
        **({"model": event["model"]} if event.get("model") else {}),
        "status": STATUS[event["type"]],
        "usage": event["usage"],
        "timings": event["timings"],
        "finish_reason": event.get("finish_reason"),
        "error": {key: event[key] for key in ("code", "message", "retryable")} if failed else None,
    }


def _whole(event: Event) -> State:
    return {
        "message": event["message"],
        "status": event["status"],
        "content": event["content"],
        "model": event.get("model"),
        "error": event.get("error"),
        "usage": event.get("usage", {}),
        "timings": event.get("timings", {}),
        "finish_reason": event.get("finish_reason"),
    }
