"""Chains and graphs of one's own as models."""

import asyncio
from contextlib import aclosing

import pytest
from pytest_django import Settings

from accounts.models import User
from llm.catalogue import sync_environment
from llm.errors import ProviderError
from llm.models import ChatModel
from llm.parts import Finish, Part, Progress, TextDelta, ToolCallFinished, ToolCallStarted, Usage
from llm.spec import ModelSpec, Turn
from llm.stream import stream
from tests.client import text_of
from tests.conftest import OpenTab
from tests.stack import Stack

OFFERED = (
    "chain",
    "shout",
    "model",
    "graph",
    "waiting",
    "failing",
    "leaving",
    "saying",
    "with_tools",
)


@pytest.fixture(autouse=True)
def _offered(settings: Settings) -> None:
    settings.LLM_RUNNABLES = {name: f"tests.runnables.{name}" for name in OFFERED}


def turn(text: str) -> list[Turn]:
    return [Turn("user", [{"type": "text", "text": text}])]


async def ask(slug: str, text: str = "hello") -> list[Part]:
    model = ModelSpec(slug, "runnable", "", "", slug)
    async with aclosing(stream(model, turn(text))) as parts:
        return [part async for part in parts]


def said(parts: list[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextDelta))


def told(parts: list[Part]) -> list[Progress]:
    return [part for part in parts if isinstance(part, Progress)]


# --- What is streamed ----------------------------------------------------------------------------
@pytest.mark.parametrize("slug", ["chain", "model", "graph"])
async def test_tokens_come_one_by_one(slug: str) -> None:
    parts = await ask(slug)
    assert "demo model" in said(parts)
    assert len([part for part in parts if isinstance(part, TextDelta)]) > 5
    usage, finish = parts[-2:]
    assert isinstance(usage, Usage)
    assert usage.output_tokens > 5
    assert finish == Finish("stop")


async def test_a_chain_reports_by_custom_events() -> None:
    assert told(await ask("chain")) == [Progress("Looking around", {"where": "the cellar"})]


async def test_a_graph_reports_by_its_stream_writer() -> None:
    assert told(await ask("graph")) == [Progress("Pondering", {"depth": 3})]


async def test_what_is_no_model_can_answer_too() -> None:
    assert said(await ask("shout")) == "HELLO"
    assert said(await ask("saying")) == "Said by no model."


async def test_tools_of_a_graph_are_shown() -> None:
    parts = await ask("with_tools")
    started = [part for part in parts if isinstance(part, ToolCallStarted)]
    finished = [part for part in parts if isinstance(part, ToolCallFinished)]
    assert [(part.id, part.name) for part in started] == [("c1", "current_time")]
    assert [part.id for part in finished] == ["c1"]
    assert finished[0].result is not None
    assert finished[0].result.endswith("UTC")
    assert finished[0].args == '{"timezone":"UTC"}'
    assert said(parts) == "Said by no model."


# --- What goes wrong -----------------------------------------------------------------------------
async def test_what_the_setting_does_not_name_is_not_imported(settings: Settings) -> None:
    settings.LLM_RUNNABLES = {"odd": "tests.runnables.not_a_runnable", "none": "no.such.module"}
    for slug in ("odd", "none", "os.system"):
        with pytest.raises(ProviderError) as raised:
            await ask(slug)
        assert raised.value.code == "model_misconfigured"


async def test_a_stopped_graph_stops() -> None:
    model = ModelSpec("waiting", "runnable", "", "", "waiting")
    before = asyncio.all_tasks()
    async with aclosing(stream(model, turn("hello"))) as parts:
        async for part in parts:
            assert part == Progress("Waiting")
            break
    left = asyncio.all_tasks() - before
    if left:
        await asyncio.wait(left, timeout=5)
    assert asyncio.all_tasks() <= before


# --- All of it -----------------------------------------------------------------------------------
def test_the_setting_makes_models_and_takes_them_back(
    settings: Settings, transactional_db: None
) -> None:
    sync_environment()
    made = ChatModel.objects.get(slug="graph")
    assert (made.provider.kind, made.enabled, made.default) == ("runnable", True, False)
    ChatModel.objects.filter(pk=made.pk).update(label="My graph")

    settings.LLM_RUNNABLES = {}
    sync_environment()
    made.refresh_from_db()
    assert (made.enabled, made.label) == (False, "My graph")


def test_a_graph_answers_through_a_worker_and_its_failure_is_told(
    owner: User, stack: Stack, open_tab: OpenTab, settings: Settings
) -> None:
    sync_environment()
    named = ",".join(f"{name}=tests.runnables.{name}" for name in ("graph", "failing", "leaving"))
    web, _ = stack.web(), stack.worker(LLM_RUNNABLES=named)
    tab = open_tab(owner, web)

    ack = tab.submit("hello", model="graph")
    state = tab.wait_for_end(ack["generation"])
    assert "demo model" in text_of(state["content"])
    labels = [e["label"] for e in tab.of(ack["generation"]) if e["type"] == "progress"]
    assert labels == ["Pondering"]

    # The second wants to end the whole process.
    for name in ("failing", "leaving"):
        ack = tab.submit("hello", model=name)
        state = tab.wait_for_end(ack["generation"])
        assert (state["status"], state["error"]["code"]) == ("failed", "runnable_failed")
        assert "sk-secret" not in str(tab.of(ack["generation"]))


def test_a_tab_that_is_loaded_during_a_step_is_told_of_it(
    owner: User, stack: Stack, open_tab: OpenTab, settings: Settings
) -> None:
    """A snapshot tells of no progress, and this step reports nothing else."""
    sync_environment()
    web, _ = stack.web(), stack.worker(LLM_RUNNABLES="waiting=tests.runnables.waiting")
    tab, late = open_tab(owner, web), open_tab(owner, web)
    ack = tab.submit("hello", model="waiting")
    tab.wait_for_type("progress")

    late.resume(ack["conversation"])
    assert late.wait_for_type("progress")["label"] == "Waiting"
    assert [event["type"] for event in late.of(ack["generation"])] == ["snapshot", "progress"]
    assert late.states == tab.states
    late.ask("generation.cancel", generation=ack["generation"])
    assert late.wait_for_end(ack["generation"])["status"] == "cancelled"
    assert late.gaps == 0
