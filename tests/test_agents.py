"""Answers that use tools: what the graph streams, and what it must not do ahead of its reader."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from langchain_core.tools import tool
from pytest_django import Settings

from accounts.models import User
from llm.models import ChatModel
from llm.parts import (
    Finish,
    Part,
    Progress,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
)
from llm.session import close_session
from llm.spec import ModelSpec, Turn
from llm.stream import stream
from llm.tools import progress
from tests.client import text_of
from tests.conftest import OpenTab
from tests.provider import Provider, expected_text
from tests.stack import Stack

TESTED = ("report", "report_often", "say_nothing", "ask_another", "break_off")
ran: list[str] = []
let_go = asyncio.Event()


@tool(extras={"side_effects": True})
async def act() -> str:
    """Change the world."""
    ran.append("act")
    return "done"


@tool
async def hold_on() -> str:
    """Does not end when it is told to."""
    progress("Holding on")
    try:
        await asyncio.Event().wait()
    finally:
        ran.append("hold_on")
        await let_go.wait()
    return "never"


@tool
async def read_name() -> str:
    """Reads a name as Python reads that of a file whose bytes are no UTF-8."""
    return "caf\udce9.txt\0"


@pytest.fixture(autouse=True)
async def _session(settings: Settings) -> AsyncIterator[None]:
    ran.clear()
    own = (f"tests.test_agents.{name}" for name in ("act", "hold_on", "read_name"))
    settings.LLM_TOOLS = [*(f"tests.tools.{name}" for name in TESTED), *own]
    yield
    await close_session()


def fake(provider: Provider, *tools: str) -> ModelSpec:
    return ModelSpec("fake", "openai", provider.url, "", "fake-model", tools=tools)


def turn(text: str) -> list[Turn]:
    return [Turn("user", [{"type": "text", "text": text}])]


async def ask(model: ModelSpec, text: str) -> list[Part]:
    async with aclosing(stream(model, turn(text))) as parts:
        return [part async for part in parts]


async def use(provider: Provider, name: str) -> list[Part]:
    return await ask(fake(provider, name), json.dumps({"tool": {"name": name}, "tokens": 3}))


def finished(parts: list[Part]) -> ToolCallFinished:
    return next(part for part in parts if isinstance(part, ToolCallFinished))


def said(parts: list[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextDelta))


def test_progress_and_steps_reach_the_tab_in_order(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    web = stack.web()
    stack.worker(LLM_TOOLS="tests.tools.report")
    ChatModel.objects.filter(slug="fake").update(tools=["report"])
    tab = open_tab(owner, web)

    ack = tab.submit(json.dumps({"tool": {"name": "report", "args": {}}, "tokens": 4}))

    state = tab.wait_for_end(ack["generation"])
    steps = [event for event in tab.of(ack["generation"]) if event["type"] == "progress"]
    assert [step["label"] for step in steps] == [
        "Opening",
        "Reading",
        "Half way",
        "Closing",
        "All done",
        "Thinking",
    ]
    assert [step.get("data", {}).get("number") for step in steps] == [1, 2, 3, 4, 5, None]
    assert text_of(state["content"]) == expected_text({"tokens": 4})
    call = next(block for block in state["content"] if block["type"] == "tool_call")
    assert call["extras"] == {"result": "reported"}
    assert [step.get("tool_call") for step in steps] == [*[call["id"]] * 5, None]
    assert tab.gaps == 0


def test_a_flood_of_reports_does_not_flow_into_the_log(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    web = stack.web()
    stack.worker(LLM_TOOLS="tests.tools.report_much")
    ChatModel.objects.filter(slug="fake").update(tools=["report_much"])
    tab = open_tab(owner, web)

    call = {"name": "report_much", "args": {"number": 5_000}}
    ack = tab.submit(json.dumps({"tool": call, "tokens": 4}))

    state = tab.wait_for_end(ack["generation"])
    assert 200 < state["seq"] < 2_500
    assert text_of(state["content"]) == expected_text({"tokens": 4})
    assert tab.gaps == 0


async def test_a_tool_that_reports_has_its_time_again(provider: Provider) -> None:
    parts = await use(provider, "report_often")

    assert finished(parts).result == "done"
    assert [part.label for part in parts if isinstance(part, Progress)].count("Working") == 4


async def test_a_silent_tool_has_its_time_and_no_more(provider: Provider) -> None:
    parts = await use(provider, "say_nothing")

    assert finished(parts).error == "say_nothing took longer than 0.1 seconds."
    assert said(parts) == expected_text({"tokens": 3})


async def test_a_result_that_is_no_text_for_a_network_does_not_end_the_answer(
    provider: Provider,
) -> None:
    parts = await use(provider, "read_name")

    assert finished(parts).result == "caf?.txt"
    assert provider.requests[-1].body["messages"][-1]["content"] == "caf?.txt"
    assert said(parts) == expected_text({"tokens": 3})


async def test_what_a_tool_waited_for_may_be_cancelled_and_the_answer_goes_on(
    provider: Provider,
) -> None:
    parts = await use(provider, "break_off")

    assert finished(parts).error == "break_off failed."
    assert said(parts) == expected_text({"tokens": 3})


def test_a_tool_that_wants_to_end_the_process_ends_no_answer(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    web = stack.web()
    stack.worker(LLM_TOOLS="tests.tools.leave")
    ChatModel.objects.filter(slug="fake").update(tools=["leave"])
    tab = open_tab(owner, web)
    other = tab.submit(json.dumps({"tokens": 200, "rate": 40}))
    tab.wait_for_text(other["generation"], 10)

    ack = tab.submit(json.dumps({"tool": {"name": "leave"}, "tokens": 4}))

    state = tab.wait_for_end(ack["generation"])
    call = next(block for block in state["content"] if block["type"] == "tool_call")
    assert call["extras"] == {"error": "leave failed."}
    assert text_of(state["content"]) == expected_text({"tokens": 4})
    state = tab.wait_for_end(other["generation"])
    assert text_of(state["content"]) == expected_text({"tokens": 200})
    assert tab.gaps == 0


async def test_what_a_tool_asks_of_a_model_is_not_the_answer(provider: Provider) -> None:
    parts = await use(provider, "ask_another")

    result = finished(parts).result
    assert result is not None
    assert "demo model" in result
    assert said(parts) == expected_text({"tokens": 3})


async def test_no_tool_runs_before_its_start_has_been_dealt_with(provider: Provider) -> None:
    """The reader notes in the database that a tool is about to act. The graph must wait for it."""
    asked = json.dumps({"tool": {"name": "act"}, "tokens": 1})
    async with aclosing(stream(fake(provider, "act"), turn(asked))) as parts:
        async for part in parts:
            if isinstance(part, ToolCallStarted):
                assert part.side_effects
                break
        request = provider.requests[-1]
        assert await asyncio.to_thread(request.ended.wait, 2)
        for _ in range(200):
            await asyncio.sleep(0)
        assert ran == []

        rest = [part async for part in parts]

    assert ran == ["act"]
    assert finished(rest).result == "done"


@pytest.mark.parametrize("in_one_piece", [False, True])
async def test_a_model_that_cannot_stream_uses_tools_too(in_one_piece: bool) -> None:
    parameters = {"tokens_per_second": 10_000, "disable_streaming": in_one_piece}
    model = ModelSpec(
        "demo", "demo", "", "", "demo", parameters=parameters, tools=("current_time",)
    )

    parts = await ask(model, "what time is it")

    call = finished(parts)
    assert call.result is not None
    assert json.loads(call.args) == {"timezone": "UTC"}
    assert call.result in said(parts)
    assert parts[-1] == Finish("stop")


async def test_a_tool_that_will_not_end_does_not_hold_up_a_stop(provider: Provider) -> None:
    asked = json.dumps({"tool": {"name": "hold_on"}})
    async with (
        asyncio.timeout(10),
        aclosing(stream(fake(provider, "hold_on"), turn(asked))) as parts,
    ):
        async for part in parts:
            if isinstance(part, Progress):
                break
    assert ran == ["hold_on"]
    let_go.set()


def test_no_process_starts_with_langgraph() -> None:
    """It would double the time that a web node needs."""
    code = (
        "import sys, django; django.setup();"
        "import chatsite.asgi, chatsite.celery, streaming.tasks, streaming.generate;"
        "heavy = {'langgraph', 'anthropic', 'mcp', 'langchain_mcp_adapters'} & set(sys.modules);"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
