"""The other wire format of the fake provider: Anthropic's `/v1/messages`, with the same Directives.

Thoughts are signed, a history with calls but without the signed thoughts that led to them is
refused where the request thinks, and errors have Anthropic's shape: all as the real one does it.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from tests.provider import Directive, Request

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
REASONS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
SIGNATURE = "signed-by-the-provider"


def error(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(error_body(status, message), status=status, headers=headers)


def error_body(status: int, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": TYPES.get(status, "api_error"), "message": message}}


def texts_of_user(body: dict[str, Any]) -> Iterator[str]:
    """Newest first; a message that holds only the results of tools is none of the user's."""
    for message in reversed(body["messages"]):
        if message.get("role") != "user":
            continue
        content = message["content"]
        if isinstance(content, str):
            yield content
        elif not all(block["type"] == "tool_result" for block in content):
            yield "".join(block.get("text", "") for block in content)


def refusal(body: dict[str, Any], headers: dict[str, str]) -> web.Response | None:
    if "x-api-key" not in {name.lower() for name in headers}:
        return error(401, "x-api-key header is required")
    if "max_tokens" not in body:
        return error(400, "max_tokens: Field required")
    if (body.get("thinking") or {}).get("type") == "enabled" and "temperature" in body:
        return error(400, "`temperature` may only be set to 1 when thinking is enabled.")
    if has_unsigned_calls(body):
        return error(400, "Expected `thinking` or `redacted_thinking`, but found `tool_use`.")
    return None


def has_unsigned_calls(body: dict[str, Any]) -> bool:
    if not body.get("thinking") or is_answered(body) is False:
        return False
    said = body["messages"][-2]["content"]
    return not (said[0]["type"] == "thinking" and said[0].get("signature") == SIGNATURE)


def is_answered(body: dict[str, Any]) -> bool:
    content = body["messages"][-1]["content"]
    return isinstance(content, list) and any(block["type"] == "tool_result" for block in content)


class AnthropicAnswer:
    """One answer to one request, as a stream of named events."""

    def __init__(self, directive: "Directive", tokens: list[str], record: "Request") -> None:
        self.directive = directive
        self.tokens = tokens
        self.record = record
        wanted = directive.tool
        if not wanted or (is_answered(record.body) and not directive.tool_always):
            wanted = []
        self.calls: list[dict[str, Any]] = wanted if isinstance(wanted, list) else [wanted]

    async def stream(self, request: web.Request, *, cut: bool) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        async for event in self._events(cut):
            if event is None:
                if request.transport is not None:
                    request.transport.abort()
                return response
            await response.write(frame(event))
        await response.write_eof()
        return response

    async def _events(self, cut: bool) -> AsyncIterator[dict[str, Any] | None]:
        """None: cut the line here."""
        usage = {"input_tokens": 11, "cache_read_input_tokens": 4, "output_tokens": 1}
        message = {"id": "msg_fake", "type": "message", "role": "assistant", "content": []}
        yield {"type": "message_start", "message": {**message, "model": "fake", "usage": usage}}
        yield {"type": "ping"}
        await asyncio.sleep(self.directive.delay)
        index = 0
        for event in self._thinking():
            yield event
            index = 1
        if self.calls:
            for call in self._calls(index):
                yield call
        else:
            async for piece in self._text(index, cut):
                yield piece
        if self.directive.no_finish:
            return
        reason = "tool_use" if self.calls else self._reason()
        delta = {"stop_reason": reason, "stop_sequence": None}
        counted = {"output_tokens": len(self.tokens) + self.directive.reasoning}
        yield {"type": "message_delta", "delta": delta, "usage": counted}
        yield {"type": "message_stop"}

    def _reason(self) -> str:
        return REASONS.get(self.directive.finish_reason, self.directive.finish_reason)

    def _thinking(self) -> Iterator[dict[str, Any]]:
        if not self.directive.reasoning:
            return
        yield start(0, {"type": "thinking", "thinking": "", "signature": ""})
        for number in range(self.directive.reasoning):
            yield delta(0, {"type": "thinking_delta", "thinking": f"r{number} "})
        yield delta(0, {"type": "signature_delta", "signature": SIGNATURE})
        yield {"type": "content_block_stop", "index": 0}

    def _calls(self, first: int) -> Iterator[dict[str, Any]]:
        for index, call in enumerate(self.calls, first):
            name = f"toolu_{len(self.record.body['messages'])}_{index}"
            yield start(index, {"type": "tool_use", "id": name, "name": call["name"], "input": {}})
            given = call.get("args", {})
            args = given if isinstance(given, str) else json.dumps(given)
            for begin in range(0, len(args), 5):
                piece = {"type": "input_json_delta", "partial_json": args[begin : begin + 5]}
                yield delta(index, piece)
            yield {"type": "content_block_stop", "index": index}

    async def _text(self, index: int, cut: bool) -> AsyncIterator[dict[str, Any] | None]:
        directive = self.directive
        yield start(index, {"type": "text", "text": ""})
        for number, text in enumerate([*self.tokens, ""]):
            if cut and number == directive.cut_after:
                yield None
                return
            if number == directive.hang_after:
                while True:
                    # Pings are no sign of life of the model.
                    yield {"type": "ping"}
                    await asyncio.sleep(0.05)
            if number == directive.error_after:
                yield error_body(529, "Overloaded")
                return
            if text:
                yield delta(index, {"type": "text_delta", "text": text})
                self.record.tokens_sent += 1
                await asyncio.sleep(1 / directive.rate if directive.rate else 0)
        yield {"type": "content_block_stop", "index": index}


def start(index: int, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, piece: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": piece}


def frame(event: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode())
