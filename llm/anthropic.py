"""ChatAnthropic, with a lean way to read its stream. Requests, tools and everything else stay the
library's."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import structlog
from langchain_anthropic import ChatAnthropic
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from pydantic import Field, PrivateAttr

from llm.anthropic_wire import MessagesWire
from llm.build import ANTHROPIC_VERSION
from llm.errors import ProviderError
from llm.reading import HangsUp, may_stream, post, read_error, refusal
from llm.spec import TimeLimits, default_limits

logger = structlog.get_logger(__name__)

# With one of them an answer is more than text.
STRUCTURED = ("tools", "thinking", "mcp_servers", "context_management", "output_config")


class LeanChatAnthropic(HangsUp, ChatAnthropic):
    limits: TimeLimits = Field(default_factory=default_limits)
    _response: aiohttp.ClientResponse | None = PrivateAttr(default=None)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        *,
        stream_usage: bool | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        payload = self._payload(messages, stop, kwargs)
        started = asyncio.get_running_loop().time()
        wire = MessagesWire(plain=not any(payload.get(name) for name in STRUCTURED))
        response = await self._post(payload)
        reading = self.start_reading(response, started, self.limits, wire)
        try:
            while not reading.ended:
                for chunk in await reading.next():
                    if run_manager is not None:
                        await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
        finally:
            self.stop_reading(reading)

    def _payload(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        """Raises ProviderError for parameters that the library knows this model not to take."""
        try:
            payload = self._get_request_payload(messages, stop=stop, **kwargs, stream=True)
        except (ValueError, TypeError) as error:
            logger.error("model_misconfigured", model=self.model, error=str(error))
            raise ProviderError("model_misconfigured") from error
        extra = payload.pop("extra_body", None) or {}
        return {**payload, **extra}

    async def _post(self, payload: dict[str, Any]) -> aiohttp.ClientResponse:
        headers = {
            "x-api-key": self.anthropic_api_key.get_secret_value(),
            "anthropic-version": ANTHROPIC_VERSION,
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            **(self.default_headers or {}),
        }
        if betas := payload.pop("betas", None):
            headers["anthropic-beta"] = ",".join(betas)
        url = f"{str(self.anthropic_api_url).rstrip('/')}/v1/messages"
        response = await post(url, payload, headers, self.limits)
        if may_stream(response):
            return response
        raise refusal(response, await read_error(response))
