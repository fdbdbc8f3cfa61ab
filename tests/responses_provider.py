"""The third wire format of the fake provider: OpenAI's `/v1/responses`, with reasoning summaries.

Of a Directive: `error`, `tokens`, `text`, `reasoning` (one summary of two parts), `finish_reason`
and `error_after`.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from tests.provider import Directive

USAGE = {
    "input_tokens": 9,
    "output_tokens": 12,
    "total_tokens": 21,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens_details": {"reasoning_tokens": 4},
}


async def stream(
    request: web.Request, directive: "Directive", tokens: list[str]
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for number, event in enumerate(_events(directive, tokens)):
        data = json.dumps({**event, "sequence_number": number})
        await response.write(f"event: {event['type']}\ndata: {data}\n\n".encode())
    await response.write_eof()
    return response


def _events(directive: "Directive", tokens: list[str]) -> Iterator[dict[str, Any]]:
    yield {"type": "response.created", "response": _response("in_progress", [])}
    yield from _summary(directive)
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress"}
    yield {"type": "response.output_item.added", "output_index": 1, "item": {**item, "content": []}}
    at = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
    for number, text in enumerate(tokens):
        if number == directive.error_after:
            yield {"type": "error", "code": "server_error", "message": "Broken.", "param": None}
            return
        yield {"type": "response.output_text.delta", **at, "delta": text, "logprobs": []}
    if directive.finish_reason == "refusal":
        yield {"type": "response.refusal.done", **at, "refusal": "I cannot."}
    part = {"type": "output_text", "text": "".join(tokens), "annotations": [], "logprobs": []}
    whole = {**item, "status": "completed", "content": [part]}
    if directive.finish_reason == "length":
        cut = {"incomplete_details": {"reason": "max_output_tokens"}}
        yield {"type": "response.incomplete", "response": _response("incomplete", [whole], **cut)}
    else:
        yield {"type": "response.completed", "response": _response("completed", [whole])}


def _summary(directive: "Directive") -> Iterator[dict[str, Any]]:
    if not directive.reasoning:
        return
    item = {"id": "rs_1", "type": "reasoning", "summary": []}
    yield {"type": "response.output_item.added", "output_index": 0, "item": item}
    for part in (0, 1):
        at = {"item_id": "rs_1", "output_index": 0, "summary_index": part}
        empty = {"type": "summary_text", "text": ""}
        yield {"type": "response.reasoning_summary_part.added", **at, "part": empty}
        for number in range(directive.reasoning):
            text = f"r{number} "
            yield {"type": "response.reasoning_summary_text.delta", **at, "delta": text}


def _response(status: str, output: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "fake",
        "status": status,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
        "incomplete_details": None,
        "usage": USAGE,
        **more,
    }
