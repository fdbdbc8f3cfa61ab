"""A small OpenAI-compatible server that can misbehave in every way that real ones do.

Over real HTTP, for tests and benchmarks: `python -m tests.provider --port 9000`, or in a thread:

    with Provider() as provider:
        provider.url                      # http://127.0.0.1:…/v1
        provider.requests[-1].body        # what arrived

How it behaves is chosen for each request: by `provider.script(...)` for the next requests, by a
model name such as `fake?tokens=200&rate=50`, or by a JSON object in the last user message, such as
`{"tokens": 200, "rate": 50}`. See Directive. Without any of them it echoes the message.
"""

import argparse
import asyncio
import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Self
from urllib.parse import parse_qsl

import uvloop
from aiohttp import web

from tests import anthropic_provider, responses_provider
from tests.anthropic_provider import AnthropicAnswer

DEFAULT_TOKENS = 40
DEFAULT_RATE = 200.0
KEEPALIVE_SECONDS = 0.05
ECHO_TOKENS_AT_LEAST = 8

ERRORS: dict[int, tuple[str, str]] = {
    400: ("invalid_request_error", "The request is not valid."),
    401: ("invalid_api_key", "Incorrect API key provided: sk-secret-secret-secret."),
    404: ("model_not_found", "The model does not exist."),
    429: ("rate_limit_exceeded", "Rate limit reached."),
    500: ("server_error", "The server had an error."),
    503: ("server_error", "The server is overloaded."),
}


@dataclass(frozen=True)
class Directive:
    """Counts are tokens, times seconds, rates tokens per second; rate 0 is as fast as it goes."""

    tokens: int = DEFAULT_TOKENS
    rate: float = DEFAULT_RATE
    header_delay: float = 0.0
    """before the response begins"""
    no_stream: str = ""
    """"refuse": an error for whoever asks for a stream; "ignore": the answer in one piece"""
    delay: float = 0.0
    """between the response's head and its first token"""
    reasoning: int = 0
    reasoning_field: str = "reasoning_content"
    tool: Any = None
    """{"name", "args"}, or a list of them; the answer to their results is text"""
    tool_always: bool = False
    """answers results with the same calls again"""
    error: int = 0
    error_type: str = ""
    retry_after: float | None = None
    fail_times: int | None = None
    """`error` or `cut_after` for this many requests with the same directive; None: for all"""
    context_too_long: bool = False
    takes_messages: int | None = None
    """more than these are too long for it"""
    no_stream_options: bool = False
    no_usage: bool = False
    finish_reason: str = "stop"
    cut_after: int | None = None
    hang_after: int | None = None
    garbage_after: int | None = None
    error_after: int | None = None
    """an error event inside the stream"""
    no_finish: bool = False
    keepalive_only: bool = False
    keepalive_after: int | None = None
    html: bool = False
    split_bytes: int = 0
    crlf: bool = False
    stamp: bool = False
    """tokens are `t=<monotonic ns> `, for benchmarks"""
    text: str | None = None
    """this very answer, in place of the numbered tokens"""
    key: str = ""
    """tells apart requests that are alike, for `fail_times`"""


FIELDS = frozenset(each.name for each in fields(Directive))


@dataclass
class Request:
    """What arrived, and what became of it. `ended` is set when the response is over."""

    body: dict[str, Any]
    headers: dict[str, str]
    arrived: float = field(default_factory=time.monotonic)
    tokens_sent: int = 0
    finished: bool = False
    disconnected_at: float | None = None
    ended: threading.Event = field(default_factory=threading.Event)


def token(number: int) -> str:
    """Each is different, and some are hard: emoji, accents, newlines, markup, quotes, joiners."""
    hard = ("🙂 ", "é", "\n", "<b>&amp; ", '"\\" ', "👩‍👧 ", "| *x* ", "\u2028", "日本 ")
    extra = hard[number // 7 % len(hard)] if number % 7 == 0 else ""
    return f"w{number} {extra}"


def expected_text(directive: dict[str, Any] | str) -> str:
    """The whole text with which this directive, or this message without one, is answered."""
    if isinstance(directive, str):
        return "".join(echo(directive))
    return "".join(_tokens(Directive(**directive)))


def expected_reasoning(directive: dict[str, Any]) -> str:
    return "".join(_thoughts(Directive(**directive)))


def echo(message: str) -> list[str]:
    words = f"You wrote: {message}".split(" ")
    padding = [f"w{number}" for number in range(len(words), ECHO_TOKENS_AT_LEAST)]
    return [f"{word} " for word in [*words, *padding]]


def _tokens(directive: Directive) -> list[str]:
    if directive.text is not None:
        pieces = directive.text.split(" ")
        return [f"{piece} " for piece in pieces[:-1]] + pieces[-1:]
    return [token(number) for number in range(directive.tokens)]


def _thoughts(directive: Directive) -> list[str]:
    return [f"r{number} " for number in range(directive.reasoning)]


class Provider:
    """The server in a thread of its own. `port` 0 takes a free one."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self.port = port
        self.host = host
        self.requests: list[Request] = []
        self.moderated: list[str] = []
        self._scripts: list[dict[str, Any]] = []
        self._failures: dict[str, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="provider", daemon=True)
        self._ready = threading.Event()
        self._arrival = threading.Condition()
        self._stop = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/v1"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> Self:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the provider did not start within 10 s")
        return self

    def stop(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def script(self, *directives: dict[str, Any]) -> None:
        """One directive for each of the next requests, whatever they say."""
        for directive in directives:
            Directive(**directive)
        self._scripts.extend(directives)

    def wait_for(self, number: int = 1, timeout: float = 5) -> Request:
        """The request of this number, counted from 1, as soon as it has arrived."""
        with self._arrival:
            if not self._arrival.wait_for(lambda: len(self.requests) >= number, timeout):
                raise TimeoutError(f"expected request {number}, got {len(self.requests)}")
            return self.requests[number - 1]

    def reset(self) -> None:
        self.requests.clear()
        self.moderated.clear()
        self._scripts.clear()
        self._failures.clear()

    def _run(self) -> None:
        asyncio.run(self.serve())

    async def serve(self) -> None:
        """Until `stop`, on the running loop."""
        self._loop = asyncio.get_running_loop()
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_post("/v1/messages", self._complete)
        app.router.add_post("/v1/responses", self._complete)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/moderations", self._moderate)
        # With cancellation the handler, and so the test, learns of a client that leaves at once.
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await runner.setup()
        site = web.TCPSite(runner, self.host, self.port, backlog=1024)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _models(self, request: web.Request) -> web.Response:
        models = [
            {"id": name, "object": "model", "owned_by": "tests"} for name in ("fake-large", "fake")
        ]
        return web.json_response({"object": "list", "data": models})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        record = Request(body, dict(request.headers))
        with self._arrival:
            self.requests.append(record)
            self._arrival.notify_all()
        try:
            response = await self._answer(request, record)
            record.finished = True
        except (asyncio.CancelledError, ConnectionError):
            record.disconnected_at = time.monotonic()
            raise
        finally:
            record.ended.set()
        return response

    async def _answer(self, request: web.Request, record: Request) -> web.StreamResponse:
        directive, tokens = self._choose(record.body)
        await asyncio.sleep(directive.header_delay)
        if request.path == "/v1/messages":
            return await self._answer_as_anthropic(request, record, directive, tokens)
        refusal = self._refusal(directive, record.body)
        if refusal is not None:
            return refusal
        if request.path == "/v1/responses":
            return await responses_provider.stream(request, directive, tokens)
        answer = Answer(directive, tokens, record)
        if not record.body.get("stream") or directive.no_stream:
            return web.json_response(answer.whole())
        return await answer.stream(request, cut=self._still_fails(directive))

    async def _answer_as_anthropic(
        self, request: web.Request, record: Request, directive: Directive, tokens: list[str]
    ) -> web.StreamResponse:
        refusal = anthropic_provider.refusal(record.body, record.headers)
        if refusal is not None:
            return refusal
        if directive.context_too_long:
            return anthropic_provider.error(400, "prompt is too long: 9000 tokens > 8192 maximum")
        if directive.error and self._still_fails(directive):
            retry = {} if directive.retry_after is None else {"Retry-After": "60"}
            return anthropic_provider.error(directive.error, "sk-ant-secret refused", retry)
        answer = AnthropicAnswer(directive, tokens, record)
        return await answer.stream(request, cut=self._still_fails(directive))

    def _choose(self, body: dict[str, Any]) -> tuple[Directive, list[str]]:
        given = self._scripts.pop(0) if self._scripts else None
        if given is None and "?" in body.get("model", ""):
            given = _from_name(body["model"])
        message = _last_user_text(body.get("messages") or body["input"])
        if given is None:
            given = _from_text(message)
        if given is None:
            return Directive(), echo(message)
        directive = Directive(**given)
        return directive, _tokens(directive)

    async def _moderate(self, request: web.Request) -> web.Response:
        """Flags what holds "forbidden", and breaks at what holds "broken"."""
        text = (await request.json())["input"]
        self.moderated.append(text)
        if "broken" in text:
            return _error(500, *ERRORS[500])
        return web.json_response({"results": [{"flagged": "forbidden" in text}]})

    def _still_fails(self, directive: Directive) -> bool:
        if directive.fail_times is None:
            return True
        key = repr(directive)
        failed = self._failures.get(key, 0)
        self._failures[key] = failed + 1
        return failed < directive.fail_times

    def _refusal(self, directive: Directive, body: dict[str, Any]) -> web.Response | None:
        if directive.no_stream_options and "stream_options" in body:
            return _error(400, "unknown_parameter", "Unrecognized argument: stream_options")
        if directive.no_stream == "refuse" and body.get("stream"):
            return _error(400, "unsupported_value", "Streaming is not supported by this server.")
        most = directive.takes_messages
        if directive.context_too_long or (most is not None and len(body["messages"]) > most):
            text = "This model's maximum context length is 8192 tokens."
            return _error(400, "context_length_exceeded", text)
        if directive.html:
            return web.Response(text="<html>A proxy's page</html>", content_type="text/html")
        if directive.error and self._still_fails(directive):
            code, text = ERRORS.get(directive.error, ("error", "An error."))
            headers = {}
            if directive.retry_after is not None:
                headers["Retry-After"] = f"{directive.retry_after:g}"
            return _error(directive.error, directive.error_type or code, text, headers)
        return None


class Answer:
    """One answer to one request."""

    def __init__(self, directive: Directive, tokens: list[str], record: Request) -> None:
        self.directive = directive
        self.record = record
        self.tokens = tokens
        self.calls = self._calls()
        self.usage = {
            "prompt_tokens": sum(len(str(m).split()) for m in record.body["messages"]),
            "completion_tokens": len(tokens) + directive.reasoning,
        }
        self.usage["total_tokens"] = sum(self.usage.values())

    def whole(self) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self.tokens)}
        if self.calls:
            message = {"role": "assistant", "content": None, "tool_calls": self.calls}
        if thoughts := "".join(_thoughts(self.directive)):
            message[self.directive.reasoning_field] = thoughts
        choice = {"index": 0, "message": message, "finish_reason": self._reason()}
        return {
            "id": "chatcmpl-fake",
            "object": "chat.completion",
            "model": self.record.body.get("model"),
            "choices": [choice],
            "usage": self.usage,
        }

    async def stream(self, request: web.Request, *, cut: bool) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        async for piece in self._frames(cut):
            if piece is None:
                _cut(request)
                return response
            if self.directive.crlf:
                piece = piece.replace(b"\n", b"\r\n")
            await self._write(response, piece)
        await response.write_eof()
        return response

    async def _write(self, response: web.StreamResponse, piece: bytes) -> None:
        size = self.directive.split_bytes
        if not size:
            await response.write(piece)
            return
        for start in range(0, len(piece), size):
            await response.write(piece[start : start + size])
            await asyncio.sleep(0)

    async def _frames(self, cut: bool) -> AsyncIterator[bytes | None]:
        """None: cut the line here."""
        directive = self.directive
        yield _frame({"role": "assistant", "content": ""})
        await asyncio.sleep(directive.delay)
        if directive.keepalive_only:
            async for comment in _keepalive():
                yield comment
        for thought in _thoughts(directive):
            yield _frame({directive.reasoning_field: thought})
        if self.calls:
            for delta in self._call_deltas():
                yield _frame(delta)
        else:
            async for piece in self._text_frames(cut):
                yield piece
        if not directive.no_finish:
            yield _frame({}, self._reason())
        options = self.record.body.get("stream_options") or {}
        if options.get("include_usage") and not directive.no_usage:
            yield b"data: %s\n\n" % json.dumps({"choices": [], "usage": self.usage}).encode()
        if not directive.no_finish:
            yield b"data: [DONE]\n\n"

    async def _text_frames(self, cut: bool) -> AsyncIterator[bytes | None]:
        directive = self.directive
        loop = asyncio.get_running_loop()
        due = loop.time()
        for number, text in enumerate([*self.tokens, ""]):
            if cut and number == directive.cut_after:
                yield None
                return
            async for piece in self._fault(number):
                yield piece
            if not text:
                return
            yield _stamped() if directive.stamp else _text_frame(text)
            self.record.tokens_sent += 1
            if directive.rate:
                due += 1 / directive.rate
                if (pause := due - loop.time()) > 0:
                    await asyncio.sleep(pause)

    async def _fault(self, number: int) -> AsyncIterator[bytes]:
        directive = self.directive
        if number == directive.hang_after:
            await asyncio.Event().wait()
        if number == directive.garbage_after:
            yield b"data: {not json\n\n"
        if number == directive.error_after:
            error = {"message": "The engine crashed.", "type": "server_error", "code": 500}
            yield b"data: %s\n\n" % json.dumps({"error": error}).encode()
        if number == directive.keepalive_after:
            async for comment in _keepalive():
                yield comment

    def _reason(self) -> str:
        return "tool_calls" if self.calls else self.directive.finish_reason

    def _calls(self) -> list[dict[str, Any]]:
        wanted = self.directive.tool
        answered = self.record.body["messages"][-1]["role"] == "tool"
        if not wanted or (answered and not self.directive.tool_always):
            return []
        step = len(self.record.body["messages"])
        return [
            {
                "id": f"call_{step}_{number}",
                "type": "function",
                "function": {"name": each["name"], "arguments": _arguments(each)},
            }
            for number, each in enumerate(wanted if isinstance(wanted, list) else [wanted])
        ]

    def _call_deltas(self) -> Iterator[dict[str, Any]]:
        for index, call in enumerate(self.calls):
            function = {"name": call["function"]["name"], "arguments": ""}
            first = {"index": index, "id": call["id"], "type": "function", "function": function}
            yield {"tool_calls": [first]}
        for index, call in enumerate(self.calls):
            arguments = call["function"]["arguments"]
            for start in range(0, len(arguments), 5):
                piece = {"arguments": arguments[start : start + 5]}
                yield {"tool_calls": [{"index": index, "function": piece}]}


def _arguments(tool: dict[str, Any]) -> str:
    args = tool.get("args", {})
    return args if isinstance(args, str) else json.dumps(args)


def _frame(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    chunk = {
        "id": "chatcmpl-fake",
        "object": "chat.completion.chunk",
        "model": "fake",
        "choices": [choice],
    }
    return b"data: %s\n\n" % json.dumps(chunk).encode()


@lru_cache(maxsize=4096)
def _text_frame(text: str) -> bytes:
    """Made once for each text: a hundred streams send the same tokens."""
    return _frame({"content": text})


STAMP_HEAD, STAMP_TAIL = _frame({"content": "t=@ "}).split(b"@")


def _stamped() -> bytes:
    return b"%s%d%s" % (STAMP_HEAD, time.monotonic_ns(), STAMP_TAIL)


async def _keepalive() -> AsyncIterator[bytes]:
    while True:
        yield b": keep-alive\n\n"
        await asyncio.sleep(KEEPALIVE_SECONDS)


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _error(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> web.Response:
    body = {"error": {"message": message, "type": code, "code": code}}
    return web.json_response(body, status=status, headers=headers)


def _last_user_text(messages: list[dict[str, Any]]) -> str:
    return next(anthropic_provider.texts_of_user({"messages": messages}), "")


def _from_text(text: str) -> dict[str, Any] | None:
    """The first JSON object in the text, if it is one of a Directive's fields alone."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        found, _ = json.JSONDecoder().raw_decode(text[start:])
    except ValueError:
        return None
    return found if found and found.keys() <= FIELDS else None


def _from_name(model: str) -> dict[str, Any] | None:
    """`fake?tokens=200&rate=50`"""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(model.partition("?")[2]):
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found if found and found.keys() <= FIELDS else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(Provider(options.port, options.host).serve())


if __name__ == "__main__":
    main()
