"""Anthropic's wire format over real HTTP, and once through the real worker and socket."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage
from pytest_django import Settings

from accounts.models import User
from conversations.models import Generation, Message
from llm import ask as asking
from llm.build import build
from llm.errors import ProviderError
from llm.models import ChatModel
from llm.models import Provider as ProviderRow
from llm.parts import (
    Finish,
    Part,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallFinished,
    ToolCallStarted,
    Usage,
)
from llm.session import close_session
from llm.spec import ModelSpec, TimeLimits, Turn
from llm.stream import stream
from tests.client import text_of
from tests.conftest import OpenTab
from tests.provider import Provider, expected_reasoning, expected_text
from tests.stack import Web

CLOCK = {"name": "current_time", "args": {"timezone": "Europe/Berlin"}}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}


@pytest.fixture(autouse=True)
async def _session(
    provider: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    monkeypatch.setattr(asking, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setenv("FAKE_KEY", "sk-ant-1")
    yield
    await close_session()


def claude(provider: Provider, **changes: Any) -> ModelSpec:
    values: dict[str, Any] = {
        "slug": "claude",
        "kind": "anthropic",
        "base_url": provider.url,
        "key_variable": "FAKE_KEY",
        "provider_model": "claude-test",
    }
    return ModelSpec(**{**values, **changes})


def turns(directive: dict[str, Any] | str) -> list[Turn]:
    said = directive if isinstance(directive, str) else json.dumps(directive)
    return [Turn("user", [{"type": "text", "text": said}])]


async def ask(provider: Provider, directive: dict[str, Any] | str, **changes: Any) -> list[Part]:
    return [part async for part in stream(claude(provider, **changes), turns(directive))]


async def fail(
    provider: Provider, directive: dict[str, Any], **changes: Any
) -> tuple[str, ProviderError]:
    text = ""
    try:
        async for part in stream(claude(provider, **changes), turns(directive)):
            text += part.text if isinstance(part, TextDelta) else ""
    except ProviderError as error:
        return text, error
    raise AssertionError(f"expected a failure, got {text!r}")


def joined(parts: list[Part], kind: type[TextDelta | ReasoningDelta]) -> str:
    return "".join(part.text for part in parts if isinstance(part, kind))


async def test_text_usage_and_the_end_arrive(provider: Provider) -> None:
    parts = await ask(provider, {"tokens": 30, "rate": 0}, system_prompt="Be brief.")
    assert joined(parts, TextDelta) == expected_text({"tokens": 30})
    # What came from Anthropic's cache was read too.
    assert parts[-2:] == [Usage(15, 30, estimated=False), Finish("stop")]
    asked = provider.requests[0]
    assert asked.headers["x-api-key"] == "sk-ant-1"
    assert asked.headers["anthropic-version"]
    assert "Authorization" not in asked.headers
    assert (asked.body["system"], asked.body["model"]) == ("Be brief.", "claude-test")


@pytest.mark.parametrize(("said", "told"), [("length", "length"), ("content_filter", "refusal")])
async def test_why_the_answer_ended_is_told(provider: Provider, said: str, told: str) -> None:
    parts = await ask(provider, {"tokens": 3, "finish_reason": said})
    assert parts[-1] == Finish(told)  # type: ignore[arg-type]


async def test_thoughts_come_before_the_text(provider: Provider) -> None:
    directive = {"tokens": 5, "reasoning": 7, "rate": 0}
    parts = await ask(provider, directive, parameters=THINKING)
    assert joined(parts, ReasoningDelta) == expected_reasoning(directive)
    assert joined(parts, TextDelta) == expected_text(directive)
    kinds = [type(part) for part in parts]
    assert kinds.index(TextDelta) > max(n for n, kind in enumerate(kinds) if kind is ReasoningDelta)


async def test_signed_thoughts_go_back_with_the_results_of_tools(provider: Provider) -> None:
    directive = {"tokens": 5, "reasoning": 3, "tool": [CLOCK, CLOCK]}
    parts = await ask(provider, directive, tools=("current_time",), parameters=THINKING)
    started = [part for part in parts if isinstance(part, ToolCallStarted)]
    ended = [part for part in parts if isinstance(part, ToolCallFinished)]
    assert [part.name for part in started] == ["current_time", "current_time"]
    assert len({part.id for part in started}) == 2
    assert any(isinstance(part, ToolCallDelta) for part in parts)
    assert all("20" in (part.result or "") for part in ended)
    assert all(json.loads(part.args) == CLOCK["args"] for part in ended)
    assert joined(parts, TextDelta) == expected_text(directive)
    said = provider.requests[1].body["messages"][-2]["content"]
    assert [block["type"] for block in said] == ["thinking", "tool_use", "tool_use"]
    assert said[0]["thinking"] == "r0 r1 r2 "


async def test_what_is_not_for_anthropic_stays_away(provider: Provider) -> None:
    parts = await ask(provider, {"tokens": 3}, parameters={"temperature": 1.7, "seed": 3})
    assert parts[-1] == Finish("stop")
    body = provider.requests[0].body
    assert body["temperature"] == 1.0
    assert "seed" not in body
    thinking = {**THINKING, "temperature": 0.3}
    assert (await ask(provider, {"tokens": 3}, parameters=thinking))[-1] == Finish("stop")


@pytest.mark.parametrize(
    ("fault", "code", "retryable", "kept"),
    [
        ({"error": 529}, "provider_error", True, 0),
        ({"error": 401}, "provider_auth", False, 0),
        ({"error": 429, "retry_after": 60}, "provider_rate_limited", True, 0),
        ({"error": 404}, "model_misconfigured", False, 0),
        ({"context_too_long": True}, "context_too_long", False, 0),
        ({"error_after": 5}, "provider_error", True, 5),
        ({"cut_after": 5}, "provider_interrupted", True, 5),
        ({"no_finish": True}, "provider_interrupted", True, 40),
    ],
    ids=str,
)
async def test_a_fault_has_its_code_and_what_came_is_kept(
    provider: Provider, fault: dict[str, Any], code: str, retryable: bool, kept: int
) -> None:
    text, error = await fail(provider, {"rate": 0, **fault})
    assert (error.code, error.retryable) == (code, retryable)
    assert text == (expected_text({"tokens": kept}) if kept else "")
    assert "sk-" not in error.message


async def test_pings_are_no_sign_of_life(provider: Provider) -> None:
    limits = TimeLimits(connect=1, first_token=1, token=0.3)
    text, error = await fail(provider, {"hang_after": 4}, limits=limits)
    assert (text, error.code) == (expected_text({"tokens": 4}), "provider_timeout")


async def test_a_wrong_parameter_is_a_misconfiguration(provider: Provider) -> None:
    _, error = await fail(provider, {}, parameters={"thinking": "yes"})
    assert error.code == "model_misconfigured"
    assert not provider.requests


async def test_leaving_closes_the_providers_connection(provider: Provider) -> None:
    began = time.monotonic()
    async with aclosing(stream(claude(provider), turns({"tokens": 10_000}))) as parts:
        async for part in parts:
            assert isinstance(part, TextDelta)
            break
    request = provider.wait_for(1)
    assert request.ended.wait(2)
    assert request.disconnected_at is not None
    assert request.disconnected_at - began < 2


async def test_the_chunks_add_up_to_the_message_that_the_library_would_make(
    provider: Provider,
) -> None:
    chat = build(claude(provider, parameters=THINKING))
    said = json.dumps({"tokens": 4, "reasoning": 2, "rate": 0})
    whole: AIMessageChunk | None = None
    async for chunk in chat.astream([HumanMessage(said)]):
        assert isinstance(chunk, AIMessageChunk)
        whole = chunk if whole is None else whole + chunk
    assert whole is not None
    assert isinstance(whole.content, list)
    thought, text = whole.content
    assert isinstance(thought, dict)
    assert (thought["thinking"], thought["signature"]) == ("r0 r1 ", "signed-by-the-provider")
    assert isinstance(text, dict)
    assert text["text"] == expected_text({"tokens": 4})
    assert whole.response_metadata["stop_reason"] == "end_turn"


@pytest.mark.database
@pytest.mark.usefixtures("worker")
def test_an_answer_with_thoughts_reaches_the_tab(
    owner: User, web: Web, open_tab: OpenTab, provider: Provider
) -> None:
    row = ProviderRow.objects.create(name="Claude's", kind="anthropic", base_url=provider.url)
    row.set_key("sk-ant-2")
    row.save()
    ChatModel.objects.create(
        slug="claude", label="Claude", provider=row, provider_model="c", parameters=THINKING
    )
    directive = {"tokens": 20, "reasoning": 5}
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(directive), model="claude")
    state = tab.wait_for_end(ack["generation"])
    assert state["status"] == "completed"
    assert text_of(state["content"]) == expected_text(directive)
    assert state["content"][0] == {"type": "reasoning", "reasoning": expected_reasoning(directive)}
    assert Generation.objects.get(pk=ack["generation"]).usage["input_tokens"] == 15
    assert Message.objects.get(pk=ack["reply"]).content == state["content"]
    assert provider.requests[-1].headers["x-api-key"] == "sk-ant-2"
