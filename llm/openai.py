"""ChatOpenAI, with a lean way to read its stream.

The library's own costs several times as much for each token, most of it in two layers of
typed responses and in an HTTP client that sets a timer for every read. Here requests, tools and
everything else stay the library's, and only the reading is ours. Whatever this reading does not
know goes the library's way.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, cast

import aiohttp
import msgspec
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI
from langchain_openai.chat_models.base import _create_usage_metadata
from pydantic import Field, PrivateAttr, SecretStr

from llm import failures, wire
from llm.errors import ProviderError
from llm.session import session, timeout
from llm.spec import TimeLimits, default_limits
from llm.sse import EventReader
from llm.watchdog import Watchdog

UNKNOWN = frozenset(
    {"response_format", "logprobs", "modalities", "audio", "functions", "function_call"}
    | {"extra_headers", "extra_query", "timeout", "web_search_options", "prediction"}
)
MAX_ERROR_BYTES = 16 * 1024
ERROR_BODY_SECONDS = 5
LET_GO_SECONDS = 1.0


class LeanChatOpenAI(ChatOpenAI):
    """Copy it (`model_copy`) for each stream: `hang_up` belongs to the stream of one copy."""

    limits: TimeLimits = Field(default_factory=default_limits)
    _response: aiohttp.ClientResponse | None = PrivateAttr(default=None)
    # Shared by all copies, so that one refusal of the option teaches them all.
    _refused: set[str] = PrivateAttr(default_factory=set)

    def hang_up(self) -> None:
        """Close the provider's connection now. After a stream that came to its end: nothing.

        LangChain leaves the closing of `_astream` to the garbage collector, and a provider that
        nobody listens to goes on writing, and charging.
        """
        if self._response is not None:
            self._response.close()
            self._response = None

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        *,
        stream_usage: bool | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        payload = self._payload(messages, stop, stream_usage, kwargs)
        if payload is None:
            library = super()._astream(
                messages, stop, run_manager, stream_usage=stream_usage, **kwargs
            )
            async with aclosing(cast(Any, library)) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        started = asyncio.get_running_loop().time()
        self._response = response = await self._post(payload)
        reading = Reading(response, started, self.limits)
        try:
            while not reading.ended:
                for chunk in await reading.next():
                    if run_manager is not None:
                        await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
        finally:
            reading.stop()
            if reading.whole:
                self._response = None
                _let_go(response)
            self.hang_up()

    def _payload(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        stream_usage: bool | None,
        kwargs: dict[str, Any],
    ) -> dict[str, Any] | None:
        """The body of the request; None where the library has to stream it."""
        if not isinstance(self.openai_api_key, SecretStr) or self._uses_gateway:
            return None
        if self.openai_proxy or self.include_response_headers or self.output_version == "v1":
            return None
        if self._use_responses_api({**kwargs, **self.model_kwargs}):
            return None
        options = {"stream": True}
        if self._should_stream_usage(stream_usage, **kwargs) and not self._refused:
            options["stream_options"] = cast(Any, {"include_usage": True})
        payload = self._get_request_payload(messages, stop=stop, **{**kwargs, **options})
        if UNKNOWN & payload.keys() or (payload.get("n") or 1) > 1:
            return None
        extra = payload.pop("extra_body", None) or {}
        return {**payload, **extra}

    async def _post(self, payload: dict[str, Any]) -> aiohttp.ClientResponse:
        try:
            async with asyncio.timeout(self.limits.first_token):
                response = await self._send(payload)
        except aiohttp.ConnectionTimeoutError:
            raise ProviderError("provider_timeout") from None
        except TimeoutError:
            raise ProviderError("provider_timeout", repeatable=False) from None
        if response.status == 200 and _may_stream(response):
            return response
        key = cast(SecretStr, self.openai_api_key).get_secret_value()
        body = (await _read_error(response)).replace(key, "***")
        if response.status in (400, 422) and "stream_options" in payload and "stream_op" in body:
            self._refused.add("stream_options")
            payload.pop("stream_options")
            return await self._post(payload)
        if response.status == 200:
            raise failures.invalid(f"{response.content_type}: {body}")
        raise failures.from_status(response.status, response.headers, body)

    async def _send(self, payload: dict[str, Any]) -> aiohttp.ClientResponse:
        key = cast(SecretStr, self.openai_api_key).get_secret_value()
        headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            **(self.default_headers or {}),
        }
        if self.openai_organization:
            headers["OpenAI-Organization"] = self.openai_organization
        return await session().post(
            f"{str(self.root_async_client.base_url).rstrip('/')}/chat/completions",
            params=cast(Any, self.default_query),
            data=msgspec.json.encode(payload),
            headers=cast(Any, headers),
            timeout=timeout(self.limits.connect),
            # The key must not follow a redirect to another host.
            allow_redirects=False,
        )


class Reading:
    """One response, read to its end: `next` gives the chunks of one read."""

    __slots__ = ("_content", "_error", "_finish", "_merger", "_sse", "_usage", "_watchdog", "ended")

    def __init__(
        self, response: aiohttp.ClientResponse, started: float, limits: TimeLimits
    ) -> None:
        self._content = response.content
        self._sse = EventReader()
        self._merger = wire.Merger()
        self._watchdog = Watchdog(
            response.content,
            started,
            limits.first_token,
            limits.token,
        )
        self._finish: dict[str, Any] = {}
        self._usage: tuple[dict[str, Any], str | None] | None = None
        self._error: Exception | None = None
        self.ended = False

    @property
    def whole(self) -> bool:
        return self.ended and self._error is None

    def stop(self) -> None:
        self._watchdog.stop()

    async def next(self) -> list[ChatGenerationChunk]:
        if self._error is not None:
            raise self._error
        self._watchdog.waiting = True
        try:
            piece = await self._content.readany()
        except (ProviderError, aiohttp.ClientError, OSError) as error:
            # The usage may be missing then, but the answer is whole.
            self.ended = bool(self._finish)
            self._error = error
            return self._take(self._rest())
        finally:
            self._watchdog.waiting = False
        if piece:
            return self._take(piece)
        self.ended = True
        return self._chunks(self._sse.close())

    def _rest(self) -> bytes:
        """A broken stream raises its error ahead of what had arrived before: no word is lost."""
        self._content.set_exception(cast(Any, None))
        return self._content.read_nowait()

    def _take(self, piece: bytes) -> list[ChatGenerationChunk]:
        try:
            events = self._sse.feed(piece)
        except ValueError as error:
            self._error, events = failures.invalid(str(error)), []
        return self._chunks(events)

    def _chunks(self, events: list[bytes]) -> list[ChatGenerationChunk]:
        for data in events:
            if data == b"[DONE]":
                self.ended = True
                break
            try:
                self._see(data)
            except ProviderError as error:
                # Raised at the next read: what came before it in this one goes out first.
                self._error, self.ended = error, False
                break
        chunks = [wire.generation(message) for message in self._merger.take()]
        if chunks and not self._finish:
            self._watchdog.data_came()
        if self.ended:
            chunks.append(self._last())
        return chunks

    def _see(self, data: bytes) -> None:
        try:
            chunk = wire.decode(data)
        except msgspec.MsgspecError as error:
            # Not the data itself: it is what somebody's model said.
            raise failures.invalid(f"{error}, in an event of {len(data)} bytes") from None
        if chunk.error:
            raise failures.from_event(chunk.error)
        if chunk.usage:
            # Some servers send a running total with every chunk: the last one counts.
            self._usage = (chunk.usage, chunk.service_tier)
        for choice in chunk.choices or ():
            if choice.delta is not None:
                self._merger.add(choice.delta)
            if choice.finish_reason:
                self._finish_with(choice.finish_reason, chunk)

    def _finish_with(self, reason: str, chunk: wire.Chunk) -> None:
        self._finish = {"finish_reason": reason}
        if chunk.model:
            self._finish["model_name"] = chunk.model
        if chunk.system_fingerprint:
            self._finish["system_fingerprint"] = chunk.system_fingerprint
        if chunk.service_tier:
            self._finish["service_tier"] = chunk.service_tier
        self._watchdog.finish_came()

    def _last(self) -> ChatGenerationChunk:
        message = AIMessageChunk(
            content="",
            usage_metadata=_create_usage_metadata(*self._usage) if self._usage else None,
            response_metadata={"model_provider": "openai"},
            chunk_position="last",
        )
        return ChatGenerationChunk(message=message, generation_info=self._finish or None)


def _let_go(response: aiohttp.ClientResponse) -> None:
    """The end of the body often comes just after `[DONE]`. It gives the connection back to the
    session by itself; closing it now would cost the next request a handshake."""
    if not response.content.is_eof():
        asyncio.get_running_loop().call_later(LET_GO_SECONDS, response.close)


def _may_stream(response: aiohttp.ClientResponse) -> bool:
    return response.content_type not in ("text/html", "application/json")


async def _read_error(response: aiohttp.ClientResponse) -> str:
    try:
        async with asyncio.timeout(ERROR_BODY_SECONDS):
            body = await response.content.read(MAX_ERROR_BYTES)
    except (TimeoutError, aiohttp.ClientError):
        body = b""
    finally:
        response.close()
    return body.decode(errors="replace")
