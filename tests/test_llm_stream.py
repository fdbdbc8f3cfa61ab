"""Answers over real HTTP: whole, or with one clear reason why not."""

import asyncio
import json
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.tools import BaseTool, tool
from langchain_openai import ChatOpenAI
from pytest_django import Settings

from llm import ask as asking
from llm import build as building
from llm.agent.graph import STEP_LIMIT
from llm.build import build
from llm.errors import MESSAGES, ProviderError
from llm.parts import (
    Finish,
    Part,
    Progress,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallFinished,
    ToolCallStarted,
    Usage,
)
from llm.secrets import encrypt
from llm.session import close_session, library_client, session
from llm.spec import ModelSpec, TimeLimits, Turn
from llm.stream import stream
from llm.tools import progress
from tests.provider import Provider, expected_reasoning, expected_text

CLOCK = {"name": "current_time", "args": {"timezone": "Europe/Berlin"}}
OWN_TOOLS = [f"tests.test_llm_stream.{name}" for name in ("count", "hang", "explode")]
gone: list[str] = []


@tool(extras={"side_effects": True})
async def count(upto: int) -> dict[str, int]:
    """Count."""
    for number in range(upto):
        progress("counting", {"number": number})
    return {"counted": upto}


@tool
async def hang() -> str:
    """Never come back."""
    try:
        await asyncio.Event().wait()
    finally:
        gone.append("hang")
    return "never"


@tool
async def explode() -> str:
    """Fail."""
    raise RuntimeError("the secret is 1234")


@pytest.fixture(autouse=True)
async def _session(
    provider: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    provider.reset()
    # A built model remembers what its server refused.
    building._built.cache_clear()
    gone.clear()
    settings.LLM_TOOLS = OWN_TOOLS
    monkeypatch.setattr(asking, "FIRST_PAUSE_SECONDS", 0.01)
    yield
    await close_session()


def fake(provider: Provider, **changes: Any) -> ModelSpec:
    values: dict[str, Any] = {
        "slug": "fake",
        "kind": "openai",
        "base_url": provider.url,
        "key_variable": "",
        "provider_model": "fake",
    }
    return ModelSpec(**{**values, **changes})


def turns(directive: dict[str, Any] | str) -> list[Turn]:
    said = directive if isinstance(directive, str) else json.dumps(directive)
    return [Turn("user", [{"type": "text", "text": said}])]


async def ask(provider: Provider, directive: dict[str, Any] | str, **changes: Any) -> list[Part]:
    return [part async for part in stream(fake(provider, **changes), turns(directive))]


async def fail(
    provider: Provider, directive: dict[str, Any], **changes: Any
) -> tuple[str, ProviderError]:
    """The text up to the failure, and the failure."""
    text = ""
    try:
        async for part in stream(fake(provider, **changes), turns(directive)):
            text += part.text if isinstance(part, TextDelta) else ""
    except ProviderError as error:
        return text, error
    raise AssertionError(f"expected a failure, got {text!r}")


def text_of(parts: list[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextDelta))


# --- Whole answers -----------------------------------------------------------------------------


async def test_an_answer_arrives_whole_then_usage_then_finish(provider: Provider) -> None:
    *parts, usage, finish = await ask(provider, {"tokens": 100, "rate": 0})
    assert text_of(parts) == expected_text({"tokens": 100})
    assert {type(part) for part in parts} == {TextDelta}
    assert usage == Usage(input_tokens=7, output_tokens=100, estimated=False)
    assert finish == Finish("stop")


async def test_a_message_without_a_directive_is_echoed(provider: Provider) -> None:
    assert text_of(await ask(provider, "good morning")) == expected_text("good morning")


async def test_tokens_come_one_by_one_and_not_at_the_end(provider: Provider) -> None:
    parts = stream(fake(provider), turns({"tokens": 10, "rate": 50}))
    stamps = [time.monotonic() async for part in parts if isinstance(part, TextDelta)]
    assert len(stamps) >= 5
    assert stamps[-1] - stamps[0] > 0.1


@pytest.mark.parametrize("size", [1, 7, 64])
@pytest.mark.parametrize("crlf", [False, True])
async def test_any_split_gives_the_same_text(provider: Provider, size: int, crlf: bool) -> None:
    directive = {"tokens": 30, "rate": 0, "split_bytes": size, "crlf": crlf}
    assert text_of(await ask(provider, directive)) == expected_text({"tokens": 30})


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_reasoning_comes_before_the_text(provider: Provider, field: str) -> None:
    directive = {"tokens": 5, "reasoning": 6, "reasoning_field": field}
    parts = await ask(provider, directive)
    thoughts = [part.text for part in parts if isinstance(part, ReasoningDelta)]
    assert "".join(thoughts) == expected_reasoning(directive)
    kinds = [type(part) for part in parts]
    assert kinds.index(TextDelta) == len(thoughts)


async def test_the_system_prompt_and_the_limit_reach_the_provider(provider: Provider) -> None:
    await ask(
        provider,
        {"tokens": 1},
        system_prompt="Be brief.",
        max_output_tokens=77,
        parameters={"temperature": 0.5},
    )
    body = provider.requests[-1].body
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (body["max_tokens"], body["temperature"]) == (77, 0.5)
    assert "max_completion_tokens" not in body
    assert "extra_body" not in body


async def test_the_key_comes_from_its_variable(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "sk-from-the-environment")
    await ask(provider, {"tokens": 1}, key_variable="A_KEY")
    headers = {name.lower(): value for name, value in provider.requests[-1].headers.items()}
    assert headers["authorization"] == "Bearer sk-from-the-environment"


@pytest.mark.parametrize(
    ("given", "reason"),
    [("length", "length"), ("content_filter", "content_filter"), ("eos", "stop")],
)
async def test_why_it_ended_is_said(provider: Provider, given: str, reason: str) -> None:
    parts = await ask(provider, {"tokens": 2, "finish_reason": given})
    assert parts[-1] == Finish(reason)  # type: ignore[arg-type]


async def test_without_a_count_usage_is_estimated(provider: Provider) -> None:
    usage = (await ask(provider, {"tokens": 40, "no_usage": True}))[-2]
    assert isinstance(usage, Usage)
    assert usage.estimated
    assert usage.input_tokens > 0
    assert 20 < usage.output_tokens < 80


async def test_a_server_that_refuses_stream_options_is_asked_without_them_from_then_on(
    provider: Provider,
) -> None:
    directive = {"tokens": 3, "no_stream_options": True}
    assert text_of(await ask(provider, directive)) == expected_text(directive)
    assert ["stream_options" in each.body for each in provider.requests] == [True, False]
    await ask(provider, directive)
    assert "stream_options" not in provider.requests[-1].body
    assert len(provider.requests) == 3


# --- The lean way and the library's ------------------------------------------------------------


@pytest.mark.parametrize(
    "directive",
    [
        {"tokens": 60, "rate": 0},
        {"tokens": 60, "rate": 0, "split_bytes": 11},
        {"tokens": 3, "finish_reason": "length"},
        {"tool": CLOCK},
        {"tool": [CLOCK, {"name": "other", "args": {"a": [1, {"b": "🙂"}]}}], "split_bytes": 5},
        {"tool": {"name": "broken", "args": '{"a": '}},
        {"tokens": 4, "reasoning": 4},
        {"tokens": 4, "no_usage": True},
    ],
)
async def test_the_lean_way_gives_the_same_message_as_the_library(
    provider: Provider, directive: dict[str, Any]
) -> None:
    asked = [HumanMessage(json.dumps(directive))]
    lean = await _whole(build(fake(provider)), asked)
    library = await _whole(_library(provider), asked)

    # The library drops this one, in all its forms.
    lean.additional_kwargs.pop("reasoning_content", None)
    assert _comparable(lean) == _comparable(library)
    ours, theirs = (each.body for each in provider.requests)
    assert ours == theirs


def _library(provider: Provider) -> ChatOpenAI:
    return ChatOpenAI(
        model="fake",
        base_url=provider.url,
        api_key="none",  # type: ignore[arg-type]
        stream_usage=True,
        max_retries=0,
        http_async_client=library_client(),
    )


async def _whole(model: Any, asked: list[HumanMessage]) -> AIMessageChunk:
    first, *rest = [chunk async for chunk in model.astream(asked)]
    whole: AIMessageChunk = first + rest
    return whole


def _comparable(message: AIMessage) -> dict[str, Any]:
    return {**message.model_dump(exclude={"id"}), "blocks": message.content_blocks}


async def test_what_the_lean_way_does_not_know_goes_the_librarys(provider: Provider) -> None:
    parts = await ask(provider, {"tokens": 5}, parameters={"logprobs": True})
    assert text_of(parts) == expected_text({"tokens": 5})
    headers = {name.lower() for name in provider.requests[-1].headers}
    assert "x-stainless-lang" in headers


async def test_the_librarys_errors_have_the_same_codes(provider: Provider) -> None:
    for directive, code in (
        ({"error": 401}, "provider_auth"),
        ({"error": 500}, "provider_error"),
        ({"error": 429}, "provider_rate_limited"),
        ({"error": 404}, "model_misconfigured"),
        ({"error": 400}, "provider_bad_request"),
        ({"context_too_long": True}, "context_too_long"),
        ({"cut_after": 2}, "provider_interrupted"),
        ({"no_finish": True}, "provider_interrupted"),
        ({"garbage_after": 2}, "provider_invalid_response"),
    ):
        _, error = await fail(provider, directive, parameters={"logprobs": True})
        assert (directive, error.code) == (directive, code)


# --- Tools -------------------------------------------------------------------------------------


async def test_a_tool_is_called_and_its_result_goes_back_to_the_model(provider: Provider) -> None:
    parts = await ask(provider, {"tool": CLOCK, "tokens": 5}, tools=("current_time",))

    started = next(part for part in parts if isinstance(part, ToolCallStarted))
    deltas = [part for part in parts if isinstance(part, ToolCallDelta)]
    finished = next(part for part in parts if isinstance(part, ToolCallFinished))
    assert {started.id, *(part.id for part in deltas)} == {finished.id}
    assert started.args + "".join(part.args for part in deltas) == finished.args
    assert json.loads(finished.args) == CLOCK["args"]
    assert finished.result is not None
    assert "CE" in finished.result
    assert text_of(parts) == expected_text({"tokens": 5})
    call, result = provider.requests[-1].body["messages"][-2:]
    assert call["tool_calls"][0]["id"] == result["tool_call_id"] == finished.id
    assert result["content"] == finished.result
    usage = parts[-2]
    assert isinstance(usage, Usage)
    assert usage.output_tokens == 5 + 5
    assert parts[-1] == Finish("stop")


async def test_tools_run_side_by_side_and_report(provider: Provider) -> None:
    wanted = [{"name": "count", "args": {"upto": 2}}, CLOCK]
    parts = await ask(provider, {"tool": wanted, "tokens": 1}, tools=("count", "current_time"))

    started = {part.name: part for part in parts if isinstance(part, ToolCallStarted)}
    finished = {part.name: part for part in parts if isinstance(part, ToolCallFinished)}
    assert [part for part in parts if isinstance(part, Progress)] == [
        Progress("counting", {"number": 0}, started["count"].id),
        Progress("counting", {"number": 1}, started["count"].id),
        Progress("Thinking", {"kind": "thinking"}),
    ]
    assert finished["count"].result == '{"counted":2}'
    assert (started["count"].side_effects, finished["count"].side_effects) == (True, True)
    assert (started["current_time"].side_effects, finished["current_time"].side_effects) == (
        False,
        False,
    )


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"name": "explode"}, "explode failed."),
        ({"name": "nothing"}, "There is no tool called 'nothing'."),
        ({"name": "hang", "args": "[1"}, "The arguments are not a JSON object."),
        ({"name": "count", "args": {"upto": "many"}}, "The arguments do not fit: upto: "),
        (
            {"name": "current_time", "args": {"timezone": "Mars/Base"}},
            "There is no time zone called 'Mars/Base'.",
        ),
    ],
)
async def test_a_tool_that_fails_tells_the_model_and_the_answer_goes_on(
    provider: Provider, wanted: dict[str, Any], said: str
) -> None:
    tools = ("explode", "hang", "count", "current_time")
    parts = await ask(provider, {"tool": wanted, "tokens": 3}, tools=tools)

    finished = next(part for part in parts if isinstance(part, ToolCallFinished))
    assert finished.result is None
    assert finished.error is not None
    assert finished.error.startswith(said)
    assert provider.requests[-1].body["messages"][-1]["content"] == finished.error
    assert text_of(parts) == expected_text({"tokens": 3})


async def test_a_model_that_only_calls_tools_is_stopped(provider: Provider) -> None:
    directive = {"tool": CLOCK, "tool_always": True}
    parts = await ask(provider, directive, tools=("current_time",))

    assert parts[-1] == Finish("tool_limit")
    assert len(provider.requests) == STEP_LIMIT
    finished = [part for part in parts if isinstance(part, ToolCallFinished)]
    assert len(finished) == STEP_LIMIT
    assert [part.error is None for part in finished] == [True] * (STEP_LIMIT - 1) + [False]


async def test_an_unknown_tool_of_the_model_is_a_misconfiguration(provider: Provider) -> None:
    _, error = await fail(provider, {"tokens": 1}, tools=("no_such_tool",))
    assert error.code == "model_misconfigured"
    assert provider.requests == []


async def test_our_tools_are_tools() -> None:
    assert all(isinstance(each, BaseTool) for each in (count, hang, explode))


# --- Failures ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("directive", "code", "retryable"),
    [
        ({"error": 401}, "provider_auth", False),
        ({"error": 400}, "provider_bad_request", False),
        ({"error": 404}, "model_misconfigured", False),
        ({"error": 429}, "provider_rate_limited", True),
        ({"error": 429, "error_type": "insufficient_quota"}, "provider_rate_limited", False),
        ({"error": 500}, "provider_error", True),
        ({"error": 503}, "provider_error", True),
        ({"context_too_long": True}, "context_too_long", False),
        ({"html": True}, "provider_invalid_response", True),
    ],
)
async def test_a_refusal_has_its_code_and_a_sentence(
    provider: Provider, directive: dict[str, Any], code: str, retryable: bool
) -> None:
    text, error = await fail(provider, directive)
    assert text == ""
    assert (error.code, error.retryable) == (code, retryable)
    assert error.message == MESSAGES[error.code]
    assert len(provider.requests) == (3 if retryable else 1)


@pytest.mark.parametrize(
    ("directive", "code"),
    [
        ({"cut_after": 30}, "provider_interrupted"),
        ({"garbage_after": 30}, "provider_invalid_response"),
        ({"error_after": 30}, "provider_error"),
        ({"tokens": 30, "no_finish": True}, "provider_interrupted"),
    ],
)
@pytest.mark.parametrize("rate", [0, 500])
async def test_what_came_before_the_failure_is_kept_and_not_asked_for_again(
    provider: Provider, directive: dict[str, Any], code: str, rate: int
) -> None:
    text, error = await fail(provider, {"rate": rate, **directive})
    assert error.code == code
    assert error.retryable
    assert text == expected_text({"tokens": 30})
    assert len(provider.requests) == 1


async def test_a_cut_before_the_first_token_is_asked_for_again(provider: Provider) -> None:
    directive = {"cut_after": 0, "fail_times": 2, "tokens": 9}
    assert text_of(await ask(provider, directive)) == expected_text(directive)
    assert len(provider.requests) == 3


async def test_a_busy_provider_is_asked_again_when_it_says(provider: Provider) -> None:
    directive = {"error": 429, "retry_after": 0.4, "fail_times": 1, "tokens": 9}
    assert text_of(await ask(provider, directive)) == expected_text(directive)
    first, second = provider.requests
    assert second.arrived - first.arrived >= 0.4


async def test_a_provider_that_is_busy_for_long_is_not_waited_for(provider: Provider) -> None:
    _, error = await fail(provider, {"error": 429, "retry_after": 300})
    assert error.retry_after == 300
    assert len(provider.requests) == 1


async def test_how_often_it_is_asked_again_is_a_setting(
    provider: Provider, settings: Settings
) -> None:
    settings.LLM_MAX_RETRIES = 0
    await fail(provider, {"error": 500})
    assert len(provider.requests) == 1


async def test_a_server_that_is_not_there_is_unreachable(provider: Provider) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        _, error = await fail(provider, {}, base_url=url)
    assert error.code == "provider_unreachable"


async def test_a_name_that_does_not_exist_is_unreachable(provider: Provider) -> None:
    _, error = await fail(provider, {}, base_url="http://no-such-host.invalid/v1")
    assert error.code == "provider_unreachable"


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "", "key_variable": "A_KEY_THAT_IS_NOT_SET"},
        {"kind": "unheard-of"},
        {"parameters": {"temperature": "hot"}},
        {"parameters": {"tools": [1]}},
        {"parameters": {"use_responses_api": True, "unheard_of": 1}},
    ],
)
async def test_a_model_that_cannot_be_built_is_misconfigured(
    provider: Provider, changes: dict[str, Any]
) -> None:
    assert "A_KEY_THAT_IS_NOT_SET" not in os.environ
    _, error = await fail(provider, {}, **changes)
    assert (error.code, error.retryable) == ("model_misconfigured", False)


async def test_neither_the_key_nor_the_providers_words_reach_user_or_log(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("A_KEY", "Incorrect")
    _, error = await fail(provider, {"error": 401}, key_variable="A_KEY")
    captured = capsys.readouterr()
    logged = captured.out + captured.err
    assert "sk-secret" not in str(error)
    assert "sk-secret" not in logged
    assert "Incorrect" not in logged


# --- Silence -----------------------------------------------------------------------------------


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


@pytest.mark.parametrize(
    "directive",
    [{"keepalive_only": True}, {"hang_after": 0}, {"header_delay": 30}, {"delay": 30}],
)
async def test_a_provider_that_never_begins_is_given_up_once(
    provider: Provider, settings: Settings, directive: dict[str, Any]
) -> None:
    settings.LLM_FIRST_TOKEN_TIMEOUT = 0.4
    with within(1.5):
        text, error = await fail(provider, directive)
    assert (text, error.code, error.retryable) == ("", "provider_timeout", True)
    assert len(provider.requests) == 1
    assert await asyncio.to_thread(provider.requests[0].ended.wait, 2)
    assert provider.requests[0].disconnected_at is not None


@pytest.mark.parametrize("fault", ["hang_after", "keepalive_after"])
async def test_a_provider_that_stops_in_the_middle_is_given_up(
    provider: Provider, settings: Settings, fault: str
) -> None:
    settings.LLM_TOKEN_TIMEOUT = 0.4
    with within(1.5):
        text, error = await fail(provider, {fault: 12, "rate": 0})
    assert error.code == "provider_timeout"
    assert text == expected_text({"tokens": 12})


async def test_a_slow_provider_is_not_a_silent_one(provider: Provider, settings: Settings) -> None:
    settings.LLM_FIRST_TOKEN_TIMEOUT = settings.LLM_TOKEN_TIMEOUT = 0.3
    directive = {"tokens": 12, "rate": 12}
    assert text_of(await ask(provider, directive)) == expected_text(directive)


async def test_a_slow_reader_is_not_a_silent_provider(
    provider: Provider, settings: Settings
) -> None:
    settings.LLM_FIRST_TOKEN_TIMEOUT = settings.LLM_TOKEN_TIMEOUT = 0.2
    text = ""
    async for part in stream(fake(provider), turns({"tokens": 40, "rate": 400})):
        if isinstance(part, TextDelta):
            if not text:
                await asyncio.sleep(0.5)
            text += part.text
    assert text == expected_text({"tokens": 40})


# --- Stopping ----------------------------------------------------------------------------------


async def disconnected(provider: Provider, since: float) -> float:
    """Seconds from `since` until the provider saw that nobody listens any more."""
    request = provider.requests[-1]
    assert await asyncio.to_thread(request.ended.wait, 2)
    assert request.disconnected_at is not None
    return request.disconnected_at - since


async def test_closing_the_stream_closes_the_providers_connection(provider: Provider) -> None:
    parts = stream(fake(provider), turns({"tokens": 10_000, "rate": 100}))
    async with aclosing(parts):
        async for part in parts:
            if isinstance(part, TextDelta):
                break
    since = time.monotonic()
    assert await disconnected(provider, since) < 0.2


@pytest.mark.parametrize(
    "directive",
    [{"header_delay": 30}, {"delay": 30}, {"tokens": 10_000, "rate": 100}, {"hang_after": 5}],
)
async def test_cancelling_closes_the_providers_connection_in_every_phase(
    provider: Provider, directive: dict[str, Any]
) -> None:
    task = asyncio.create_task(ask(provider, directive))
    await asyncio.to_thread(provider.wait_for)
    await asyncio.sleep(0.15)
    since = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - since < 0.2
    assert await disconnected(provider, since) < 0.5


async def test_the_librarys_way_is_closed_too(provider: Provider) -> None:
    model = fake(provider, parameters={"logprobs": True})
    parts = stream(model, turns({"tokens": 10_000, "rate": 100}))
    async with aclosing(parts):
        async for _ in parts:
            break
    since = time.monotonic()
    assert await disconnected(provider, since) < 0.5


@pytest.mark.parametrize("way", ["close", "cancel"])
async def test_stopping_stops_a_tool(provider: Provider, way: str) -> None:
    wanted = [{"name": "hang"}, CLOCK]
    running = asyncio.Event()

    async def read() -> None:
        model = fake(provider, tools=("hang", "current_time"))
        async with aclosing(stream(model, turns({"tool": wanted}))) as parts:
            async for part in parts:
                if isinstance(part, ToolCallFinished):
                    running.set()
                    if way == "close":
                        return

    task = asyncio.create_task(read())
    await asyncio.wait_for(running.wait(), 5)
    with within(0.3):
        if way == "cancel":
            task.cancel()
        await asyncio.wait([task])
    assert gone == ["hang"]
    assert len(provider.requests) == 1


async def test_stopping_ends_the_wait_for_another_try(provider: Provider) -> None:
    task = asyncio.create_task(ask(provider, {"error": 429, "retry_after": 8}))
    request = await asyncio.to_thread(provider.wait_for)
    assert await asyncio.to_thread(request.ended.wait, 2)
    await asyncio.sleep(0.1)
    with within(0.2):
        task.cancel()
        await asyncio.wait([task])
    assert len(provider.requests) == 1


async def test_connections_are_used_again(provider: Provider) -> None:
    seen: set[Any] = set()
    for _ in range(5):
        await ask(provider, {"tokens": 2, "rate": 0})
        # The end of the body follows the last event; the next message is never this fast.
        await asyncio.sleep(0.05)
        connector = session().connector
        assert connector is not None
        seen.update(kept[0] for idle in connector._conns.values() for kept in idle)
    assert len(seen) == 1


async def test_a_stored_key_and_headers_go_along(provider: Provider) -> None:
    headers = encrypt(json.dumps({"X-Team": "blue"}))
    key = encrypt("sk-stored")
    await ask(provider, {"tokens": 1}, encrypted_key=key, encrypted_headers=headers)
    sent = {name.lower(): value for name, value in provider.requests[-1].headers.items()}
    assert (sent["authorization"], sent["x-team"]) == ("Bearer sk-stored", "blue")


async def test_a_provider_has_time_limits_of_its_own(provider: Provider) -> None:
    limits = TimeLimits(connect=1, first_token=0.2, token=1)
    _, error = await fail(provider, {"header_delay": 30}, limits=limits)
    assert error.code == "provider_timeout"


async def test_what_callbacks_are_told_of_a_model_is_made_once_and_without_its_key(
    provider: Provider,
) -> None:
    model = fake(provider, encrypted_key=encrypt("sk-stored"))
    first, second = build(model), build(model)
    assert first is not second
    assert first._serialized is second._serialized
    assert "sk-stored" not in json.dumps(first._serialized, default=str)
