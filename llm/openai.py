"""ChatOpenAI, with a lean way to read its stream.

The library's own costs several times as much for each token, most of it in two layers of
typed responses and in an HTTP client that sets a timer for every read. Here requests, tools and
everything else stay the library's, and only the reading is ours. Whatever this reading does not
know goes the library's way.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from json import JSONDecodeError
from typing import Any, cast

import aiohttp
import structlog
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI
from pydantic import Field, PrivateAttr, SecretStr

from llm import failures
from llm.errors import ProviderError
from llm.going_on import mark
from llm.openai_wire import ChatWire
from llm.reading import (
    MAX_ERROR_BYTES,
    HangsUp,
    is_whole,
    may_stream,
    post,
    read_body,
    read_error,
    refusal,
)
from llm.reply import in_one_piece
from llm.spec import TimeLimits, default_limits

logger = structlog.get_logger(__name__)

UNKNOWN = frozenset(
    {"response_format", "logprobs", "modalities", "audio", "functions", "function_call"}
    | {"extra_headers", "extra_query", "timeout", "web_search_options", "prediction"}
)
# What servers say of `"stream": true` where they, or the account, have none.
NO_STREAM = re.compile(
    r"""stream(ing)?\W+(is\s+)?(not|un)\s?supported|(not|n't) support\W+stream|verified to stream"""
    r"""|"param"\s*:\s*"stream\"""",
    re.IGNORECASE,
)


class LeanChatOpenAI(HangsUp, ChatOpenAI):
    limits: TimeLimits = Field(default_factory=default_limits)
    # False: its server cannot, and is asked for answers in one piece.
    streams: bool = True
    prefill: str = ""
    _response: aiohttp.ClientResponse | None = PrivateAttr(default=None)
    # Shared by all copies, so that one refusal of an option teaches them all.
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
        try:
            payload = self._payload(messages, stop, stream_usage, kwargs)
        except (ValueError, TypeError) as error:
            raise misconfigured(self, error) from error
        if payload is None and not self.streams:
            made = await super()._agenerate(messages, stop, run_manager, **kwargs)
            [whole, *_] = made.generations
            message = in_one_piece(cast(AIMessage, whole.message))
            chunks = [ChatGenerationChunk(message=message, generation_info=whole.generation_info)]
            async for chunk in told(chunks, run_manager):
                yield chunk
            return
        if payload is None:
            # The Responses API has no such option, and always counts.
            asked = {} if stream_usage is None else {"stream_usage": stream_usage}
            library = super()._astream(messages, stop, run_manager, **asked, **kwargs)
            async with aclosing(cast(Any, library)) as parts, named(self):
                async for chunk in parts:
                    yield chunk
            return
        started = asyncio.get_running_loop().time()
        response = await self._post(payload)
        if is_whole(response):
            async for chunk in told(await self._read_whole(response), run_manager):
                yield chunk
            return
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
        options = {} if self._cannot_stream else {"stream": True}
        if options and self._should_stream_usage(stream_usage, **kwargs) and not self._refused:
            options["stream_options"] = cast(Any, {"include_usage": True})
        payload = self._get_request_payload(messages, stop=stop, **{**kwargs, **options})
        if not options:
            payload.pop("stream", None)
        if UNKNOWN & payload.keys() or (payload.get("n") or 1) > 1:
            return None
        mark(payload, self.prefill)
        extra = payload.pop("extra_body", None) or {}
        return {**payload, **extra}

    @property
    def _cannot_stream(self) -> bool:
        return not self.streams or "stream" in self._refused

    async def _read_whole(self, response: aiohttp.ClientResponse) -> list[ChatGenerationChunk]:
        """An answer in one piece, as if it was a stream of one event. A server may send it without
        being asked for it, today or always: that costs nothing, so it is asked to stream again."""
        self._response = response
        try:
            body = await read_body(response, self.limits.first_token)
        finally:
            self.hang_up()
        wire = ChatWire()
        wire.see(body)
        if not wire.finished:
            raise refusal(response, body[:MAX_ERROR_BYTES].decode(errors="replace"))
        return [*wire.take(), wire.last()]

    async def _post(self, payload: dict[str, Any]) -> aiohttp.ClientResponse:
        response = await self._send(payload)
        if may_stream(response) or is_whole(response):
            return response
        body = await read_error(response)
        if response.status in (400, 422) and "stream_options" in payload and "stream_op" in body:
            self._refused.add("stream_options")
            payload.pop("stream_options")
            return await self._post(payload)
        if response.status in (400, 422) and "stream" in payload and NO_STREAM.search(body):
            self._refused.add("stream")
            for option in ("stream", "stream_options"):
                payload.pop(option, None)
            return await self._post(payload)
        raise refusal(response, body)

    async def _send(self, payload: dict[str, Any]) -> aiohttp.ClientResponse:
        key = cast(SecretStr, self.openai_api_key).get_secret_value()
        headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Accept": "text/event-stream" if payload.get("stream") else "application/json",
            **(self.default_headers or {}),
        }
        if self.openai_organization:
            headers["OpenAI-Organization"] = self.openai_organization
        url = f"{str(self.root_async_client.base_url).rstrip('/')}/chat/completions"
        return await post(url, payload, headers, self.limits, self.default_query)


async def told(
    chunks: list[ChatGenerationChunk], run_manager: AsyncCallbackManagerForLLMRun | None
) -> AsyncIterator[ChatGenerationChunk]:
    """Whoever listens hears of each, as of those of a stream."""
    for chunk in chunks:
        if run_manager is not None:
            await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
        yield chunk


@asynccontextmanager
async def named(model: LeanChatOpenAI) -> AsyncIterator[None]:
    """Of an error inside a stream of the Responses API the library makes a bare ValueError, and of
    a parameter that it does not know a TypeError."""
    try:
        yield
    except JSONDecodeError:
        raise
    except TypeError as error:
        raise misconfigured(model, error) from error
    except ValueError as error:
        raise failures.from_event(str(error)) from error


def misconfigured(model: LeanChatOpenAI, error: Exception) -> ProviderError:
    """The admin's parameters are none that a request can be made of."""
    logger.error("model_misconfigured", model=model.model_name, error=str(error))
    return ProviderError("model_misconfigured")
