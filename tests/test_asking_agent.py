"""Tools that run only if the user approves, in the agent itself."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from msgspec.structs import replace

from llm.calls import NOBODY_TO_ASK
from llm.parts import Part, ToolCallFinished, ToolCallStarted
from llm.session import close_session
from llm.spec import ModelSpec, Turn
from llm.stream import stream
from llm.surroundings import Decision, Surroundings
from streaming.clock import Clock
from tests.approvals import CLOCK
from tests.environment import free_port
from tests.provider import Provider


@pytest.fixture
async def _session() -> AsyncIterator[None]:
    yield
    await close_session()


def fake(provider: Provider, *approved: str) -> ModelSpec:
    tools = ("current_time", "calculator")
    return ModelSpec(
        "fake", "openai", provider.url, "", "fake-model", tools=tools, tools_to_approve=approved
    )


async def ask(model: ModelSpec, around: Surroundings, *tools: Any) -> list[Part]:
    said = json.dumps({"tool": list(tools), "tokens": 3})
    turns = [Turn("user", [{"type": "text", "text": said}])]
    async with aclosing(stream(model, turns, around)) as parts:
        return [part async for part in parts]


def ends(parts: list[Part]) -> dict[str, ToolCallFinished]:
    return {part.name: part for part in parts if isinstance(part, ToolCallFinished)}


@pytest.mark.usefixtures("_session")
async def test_where_nobody_can_be_asked_the_call_is_not_made(provider: Provider) -> None:
    parts = await ask(fake(provider, "current_time"), Surroundings(), CLOCK)
    assert ends(parts)["current_time"].error == NOBODY_TO_ASK


@pytest.mark.usefixtures("_session")
async def test_other_calls_of_the_step_go_on_while_one_waits(provider: Provider) -> None:
    sum_done = asyncio.Event()
    asked: list[str] = []

    async def decide(tool_call: str, acts: bool) -> Decision:
        asked.append(tool_call)
        await asyncio.wait_for(sum_done.wait(), 30)
        return "approved"

    said = json.dumps({"tool": [CLOCK, {"name": "calculator", "args": {"expression": "6*7"}}]})
    turns = [Turn("user", [{"type": "text", "text": said}])]
    model, found = fake(provider, "current_time"), []
    async with aclosing(stream(model, turns, Surroundings(decide=decide))) as parts:
        async for part in parts:
            found.append(part)
            if isinstance(part, ToolCallFinished) and part.name == "calculator":
                sum_done.set()

    done = ends(found)
    assert list(done) == ["calculator", "current_time"]
    assert done["calculator"].result == "42"
    starts = [part.id for part in found if isinstance(part, ToolCallStarted)]
    assert asked == starts[:1]


@pytest.mark.usefixtures("_session")
@pytest.mark.parametrize("args", ['{"timezone": "UT', "[]", '{"timezone": []}'])
async def test_nobody_is_asked_about_a_call_that_cannot_be_made(
    args: str, provider: Provider
) -> None:
    async def decide(tool_call: str, acts: bool) -> Decision:
        raise AssertionError("the user was asked")

    call = {"name": "current_time", "args": args}
    parts = await ask(fake(provider, "current_time"), Surroundings(decide=decide), call)
    assert "arguments" in (ends(parts)["current_time"].error or "")


@pytest.mark.usefixtures("_session")
async def test_a_fallback_asks_about_what_the_model_asks_about(provider: Provider) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/v1"
    careful = replace(fake(provider, "current_time"), base_url=nowhere, fallbacks=(fake(provider),))
    parts = await ask(careful, Surroundings(), CLOCK)
    assert ends(parts)["current_time"].error == NOBODY_TO_ASK


# --- The time of an attempt -----------------------------------------------------------------------
async def test_the_clock_stands_still_until_the_last_question_is_over() -> None:
    clock, later, never = Clock(), asyncio.Event(), asyncio.Event()

    async def attempt() -> None:
        async with clock.within(0.1):
            with clock.stopped():
                with clock.stopped():
                    pass
                asyncio.get_running_loop().call_later(0.3, later.set)
                await later.wait()
            later.clear()
            await never.wait()

    with pytest.raises(TimeoutError):
        await attempt()
    # Had it gone on while it was stopped, nobody would have come here to clear it.
    assert not later.is_set()
