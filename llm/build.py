"""From a ModelSpec to LangChain's chat model."""

import asyncio
import json
from functools import lru_cache
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec
import structlog
from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr, ValidationError

from llm.demo import DemoChatModel
from llm.errors import ProviderError
from llm.openai import LeanChatOpenAI
from llm.secrets import decrypt, from_environment
from llm.session import library_client
from llm.spec import ModelSpec, default_limits

logger = structlog.get_logger(__name__)

OPENAI_URL = "https://api.openai.com/v1"
ANTHROPIC_URL = "https://api.anthropic.com"
ANTHROPIC_VERSION = "2023-06-01"
# What programs that speak OpenAI's API may ask for, and Anthropic's API refuses.
OPENAI_ONLY = frozenset(
    {"frequency_penalty", "presence_penalty", "seed", "logit_bias", "logprobs", "n", "user"}
    | {"response_format", "verbosity", "extra_body"}
)
# Servers without keys (Ollama, vLLM) ignore it; the client library wants one.
NO_KEY = "none"


async def built(spec: ModelSpec) -> BaseChatModel:
    """`build`, while other answers go on: Anthropic's library takes a second to import."""
    if spec.kind == "anthropic":
        await asyncio.to_thread(import_module, "llm.anthropic")
    return build(spec)


def build(spec: ModelSpec) -> BaseChatModel:
    """A copy of its own for one stream. Raises ProviderError (model_misconfigured)."""
    try:
        key = decrypt(spec.encrypted_key) or from_environment(spec.key_variable)
        # Making one takes half a millisecond, copying it two microseconds.
        # What does not go into it stays out of the key: conversations have prompts of their own.
        bare = msgspec.structs.replace(spec, system_prompt="", tools=(), fallbacks=())
        return _built(msgspec.json.encode(bare), key, library_client()).model_copy()
    except (ValidationError, ValueError, TypeError) as error:
        logger.error("model_misconfigured", model=spec.slug, error=type(error).__name__)
        raise ProviderError("model_misconfigured", detail=_reason(error)) from error


def _reason(error: Exception) -> str:
    """Without what was given: a key may be part of it."""
    if not isinstance(error, ValidationError):
        return str(error)
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found)


@lru_cache(maxsize=64)
def _built(encoded: bytes, key: str, client: httpx2.AsyncClient) -> BaseChatModel:
    made = _made(msgspec.json.decode(encoded, type=ModelSpec), key, client)
    # What LangChain tells its callbacks of the model (without its secrets) takes longer to make
    # than the rest of a request. Made once here, it goes along with every copy.
    _ = made._serialized
    return made


def _made(spec: ModelSpec, key: str, client: httpx2.AsyncClient) -> BaseChatModel:
    if spec.kind == "demo":
        script = {key: value for key, value in spec.parameters.items() if key != "temperature"}
        return DemoChatModel(**script)
    if spec.kind == "openai":
        return _openai(spec, key, client)
    if spec.kind == "anthropic":
        return _anthropic(spec, key)
    raise ValueError(f"expected kind openai, anthropic or demo, got {spec.kind!r}")


def _openai(spec: ModelSpec, key: str, client: httpx2.AsyncClient) -> LeanChatOpenAI:
    if not key and not spec.base_url:
        raise ValueError(_no_key(spec))
    limits = spec.limits or default_limits()
    return LeanChatOpenAI(
        **{
            **_summaries(spec),
            **spec.parameters,
            **_output_limit(spec),
            "model": spec.provider_model,
            # Left out, the library would look for an address in the environment, and another
            # provider's key would go there.
            "base_url": spec.base_url or OPENAI_URL,
            "api_key": SecretStr(key or NO_KEY),
            "stream_usage": True,
            "max_retries": 0,
            # For the library's own way of streaming, which the lean path falls back to.
            "http_async_client": client,
            "timeout": httpx2.Timeout(limits.first_token, connect=limits.connect),
            "stream_chunk_timeout": limits.first_token,
            "limits": limits,
            "streams": spec.streams,
            "prefill": spec.prefill,
            "default_headers": _headers(spec),
        }
    )


def _no_key(spec: ModelSpec) -> str:
    if not spec.key_variable:
        return "The provider has no key: none is stored, and no variable is named."
    return f"The provider has no key: none is stored, and {spec.key_variable} is not set."


def _anthropic(spec: ModelSpec, key: str) -> BaseChatModel:
    from llm.anthropic import LeanChatAnthropic

    if not key and not spec.base_url:
        raise ValueError(_no_key(spec))
    limit = {} if spec.max_output_tokens is None else {"max_tokens": spec.max_output_tokens}
    return LeanChatAnthropic(
        **{
            **_for_anthropic(spec.parameters),
            **limit,
            "model": spec.provider_model,
            # The library's address ends before the version; people write it either way.
            "base_url": (spec.base_url or ANTHROPIC_URL).rstrip("/").removesuffix("/v1"),
            "api_key": SecretStr(key or NO_KEY),
            "max_retries": 0,
            "limits": spec.limits or default_limits(),
            "default_headers": _headers(spec),
        }
    )


def _for_anthropic(parameters: dict[str, Any]) -> dict[str, Any]:
    """Anthropic takes temperatures up to 1, and none while the model thinks; the user's wish, or
    that of a program which speaks OpenAI's API, knows neither."""
    known = {name: value for name, value in parameters.items() if name not in OPENAI_ONLY}
    temperature = known.pop("temperature", None)
    thinking = known.get("thinking")
    thinks = isinstance(thinking, dict) and thinking.get("type") != "disabled"
    if temperature is None or thinks:
        return known
    return {**known, "temperature": min(temperature, 1.0)}


def _headers(spec: ModelSpec) -> dict[str, str] | None:
    found: dict[str, str] = json.loads(decrypt(spec.encrypted_headers) or "{}")
    return found or None


def _is_openai(spec: ModelSpec) -> bool:
    return urlsplit(spec.base_url or OPENAI_URL).hostname == "api.openai.com"


def _summaries(spec: ModelSpec) -> dict[str, Any]:
    """OpenAI tells what its models think by the Responses API alone, and only when it is asked."""
    if (
        not spec.reasons
        or not spec.streams
        or not _is_openai(spec)
        or "use_responses_api" in spec.parameters
    ):
        return {}
    return {"use_responses_api": True, "reasoning": {"summary": "auto"}}


def _output_limit(spec: ModelSpec) -> dict[str, Any]:
    """The library sends `max_completion_tokens`, which most compatible servers do not know."""
    limit = spec.max_output_tokens
    if limit is None:
        return {}
    if _is_openai(spec):
        return {"max_tokens": limit}
    extra = spec.parameters.get("extra_body") or {}
    return {"extra_body": {"max_tokens": limit, **extra}}
