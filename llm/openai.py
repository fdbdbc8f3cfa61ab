"""ChatOpenAI, with a lean way to read its stream.

The library's own costs several times as much for each token, most of it in two layers of
typed responses and in an HTTP client that sets a timer for every read. Here requests, tools and
everything else stay the library's, and only the reading is ours. Whatever this reading does not
know goes the library's way.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from json import JSONDecodeError
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
from llm.reading import HangsUp, may_stream, post, read_error, refusal, unreadable
from llm.spec import TimeLimits, default_limits

UNKNOWN = frozenset(
    {"response_format", "logprobs", "modalities", "audio", "functions", "function_call"}
    | {"extra_headers", "extra_query", "timeout", "web_search_options", "prediction"}
)


class LeanChatOpenAI(HangsUp, ChatOpenAI):
    limits: TimeLimits = Field(default_factory=default_limits)
    _response: aiohttp.ClientResponse | None = PrivateAttr(default=None)
    # Shared by all copies, so that one refusal of the option teaches them all.
    _refused: set[str] = PrivateAttr(default_factory=set)

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
            # The Responses API has no such option, and always counts.
            asked = {} if stream_usage is None else {"stream_usage": stream_usage}
            library = super()._astream(messages, stop, run_manager, **asked, **kwargs)
            async with aclosing(cast(Any, library)) as chunks, named():
                async for chunk in chunks:
                    yield chunk
            return
        started = asyncio.get_running_loop().time()
        response = await self._post(payload)
        reading = self.start_reading(response, started, self.limits, ChatWire())
        try:
            while not reading.ended:
                for chunk in await reading.next():
                    if run_manager is not None:
                        await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
        finally:
            self.stop_reading(reading)

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
        response = await self._send(payload)
        if may_stream(response):
            return response
        key = cast(SecretStr, self.openai_api_key).get_secret_value()
        body = await read_error(response, key)
        if response.status in (400, 422) and "stream_options" in payload and "stream_op" in body:
            self._refused.add("stream_options")
            payload.pop("stream_options")
            return await self._post(payload)
        raise refusal(response, body)

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
        url = f"{str(self.root_async_client.base_url).rstrip('/')}/chat/completions"
        return await post(url, payload, headers, self.limits, self.default_query)


@asynccontextmanager
async def named() -> AsyncIterator[None]:
    """Of an error inside a stream of the Responses API the library makes a bare ValueError."""
    try:
        yield
    except JSONDecodeError:
        raise
    except ValueError as error:
        raise failures.from_event(str(error)) from error


class ChatWire:
    """The events of `/chat/completions`."""

    __slots__ = ("_declined", "_finish", "_merger", "_usage", "ended", "finished")

    def __init__(self) -> None:
        self._merger = wire.Merger()
        self._finish: dict[str, Any] = {}
        self._usage: tuple[dict[str, Any], str | None] | None = None
        self.finished = self.ended = self._declined = False

    def see(self, data: bytes) -> None:
        if data == b"[DONE]":
            self.ended = True
            return
        try:
            chunk = wire.decode(data)
        except msgspec.MsgspecError as error:
            raise unreadable(error, data) from None
        if chunk.error:
            raise failures.from_event(chunk.error)
        if chunk.usage:
            # Some servers send a running total with every chunk: the last one counts.
            self._usage = (chunk.usage, chunk.service_tier)
        for choice in chunk.choices or ():
            if choice.delta is not None:
                self._merger.add(choice.delta)
                self._declined = self._declined or bool(choice.delta.refusal)
            if choice.finish_reason:
                self._finish_with(choice.finish_reason, chunk)

    def take(self) -> list[ChatGenerationChunk]:
        return [wire.generation(message) for message in self._merger.take()]

    def last(self) -> ChatGenerationChunk:
        message = AIMessageChunk(
            content="",
            usage_metadata=_create_usage_metadata(*self._usage) if self._usage else None,
            response_metadata={"model_provider": "openai"},
            chunk_position="last",
        )
        return ChatGenerationChunk(message=message, generation_info=self._finish or None)

    def _finish_with(self, reason: str, chunk: wire.Chunk) -> None:
        self.finished = True
        self._finish = {"finish_reason": "refusal" if self._declined else reason}
        if chunk.model:
            self._finish["model_name"] = chunk.model
        if chunk.system_fingerprint:
            self._finish["system_fingerprint"] = chunk.system_fingerprint
        if chunk.service_tier:
            self._finish["service_tier"] = chunk.service_tier
