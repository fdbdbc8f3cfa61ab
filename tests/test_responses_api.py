"""OpenAI's Responses API, which alone tells what a reasoning model thinks."""

import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from llm.build import build
from llm.errors import ProviderError
from llm.openai import LeanChatOpenAI
from llm.parts import Finish, Part, ReasoningDelta, TextDelta, Usage
from llm.session import close_session
from llm.spec import ModelSpec, Turn
from llm.stream import stream
from tests.provider import Provider, expected_text

SUMMARIES = {"reasoning": {"summary": "auto"}, "use_responses_api": True}


@pytest.fixture(autouse=True)
async def _session() -> AsyncIterator[None]:
    yield
    await close_session()


def thinker(provider: Provider, **changes: Any) -> ModelSpec:
    values: dict[str, Any] = {
        "slug": "thinker",
        "kind": "openai",
        "base_url": provider.url,
        "key_variable": "",
        "provider_model": "thinker",
        "parameters": SUMMARIES,
    }
    return ModelSpec(**{**values, **changes})


async def ask(provider: Provider, **directive: Any) -> list[Part]:
    said = [Turn("user", [{"type": "text", "text": json.dumps(directive)}])]
    return [part async for part in stream(thinker(provider), said)]


def joined(parts: list[Part], kind: type[TextDelta | ReasoningDelta]) -> str:
    return "".join(part.text for part in parts if isinstance(part, kind))


async def test_summaries_of_thoughts_come_before_the_text(provider: Provider) -> None:
    parts = await ask(provider, tokens=8, reasoning=3)
    assert joined(parts, ReasoningDelta) == "r0 r1 r2 \n\nr0 r1 r2 "
    assert joined(parts, TextDelta) == expected_text({"tokens": 8})
    assert parts[-2:] == [Usage(9, 12, estimated=False), Finish("stop")]
    assert provider.requests[0].body["reasoning"] == {"summary": "auto"}


@pytest.mark.parametrize("reason", ["length", "refusal"])
async def test_why_the_answer_ended_is_told(provider: Provider, reason: Any) -> None:
    parts = await ask(provider, tokens=2, finish_reason=reason)
    assert parts[-1] == Finish(reason)


async def test_a_key_that_the_server_quotes_is_not_told(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "Incorrect API key")
    spec = thinker(provider, key_variable="A_KEY")
    with pytest.raises(ProviderError) as caught:
        async for _ in stream(spec, [Turn("user", [{"type": "text", "text": '{"error": 401}'}])]):
            pass
    assert caught.value.code == "provider_auth"
    assert "***" in caught.value.detail
    assert "Incorrect API key" not in caught.value.detail


async def test_an_error_inside_the_stream_has_a_code(provider: Provider) -> None:
    with pytest.raises(ProviderError) as caught:
        await ask(provider, tokens=9, error_after=4)
    assert (caught.value.code, caught.value.retryable) == ("provider_error", True)


async def test_a_model_of_openai_that_shows_reasoning_is_asked_this_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    own = thinker(Provider(), base_url="", key_variable="OPENAI_API_KEY", parameters={})
    assert lean(own).use_responses_api is None
    assert lean(own, reasons=True).use_responses_api is True
    assert lean(own, reasons=True).reasoning == {"summary": "auto"}
    elsewhere = thinker(Provider(), base_url="http://127.0.0.1/v1", parameters={})
    assert lean(elsewhere, reasons=True).use_responses_api is None
    chosen = {"use_responses_api": False}
    assert lean(own, reasons=True, parameters=chosen).use_responses_api is False


def lean(spec: ModelSpec, **changes: Any) -> LeanChatOpenAI:
    built = build(msgspec.structs.replace(spec, **changes))
    assert isinstance(built, LeanChatOpenAI)
    return built
