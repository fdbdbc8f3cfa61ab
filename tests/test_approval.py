"""Tools that run only if the user approves: the answer waits, and holds nothing meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from accounts.models import User
from conversations.models import Generation, Message
from llm.calls import EXPIRED, NOBODY_TO_ASK, REFUSED
from llm.models import ChatModel
from llm.parts import Part, ToolCallFinished, ToolCallStarted
from llm.session import close_session
from llm.spec import ModelSpec, Turn
from llm.stream import stream
from llm.surroundings import Decision, Surroundings
from streaming.clock import Clock
from streaming.decision import write
from streaming.redis import connect
from tests.api_client import ApiClient, client_of
from tests.client import Tab, text_of
from tests.conftest import OpenTab
from tests.provider import Provider, expected_text
from tests.stack import Stack, Web

CLOCK = {"name": "current_time", "args": {"timezone": "UTC"}}
MAIL = {"name": "send_mail", "args": {"to": "ada"}}
Event = dict[str, Any]


@pytest.fixture
def asks(transactional_db: None) -> None:
    """The clock is there for every worker; here it asks first."""
    names = ["current_time"]
    ChatModel.objects.filter(slug="fake").update(tools=names, tools_to_approve=names)


def submit(tab: Tab, tool: Any = CLOCK) -> dict[str, Any]:
    return tab.submit(json.dumps({"tool": tool, "tokens": 3}))


def wait_for_question(tab: Tab) -> Event:
    return tab.wait_for(lambda event: event.get("approval") == "asked")


def decide(client: ApiClient, asked: Event, what: str, status: int = 202, **more: Any) -> Any:
    path = f"/generations/{asked['generation']}/tool-calls/{asked['tool_call']}/decision"
    return client.call("POST", path, status, json={"decision": what, **more})


def call_in(state: dict[str, Any]) -> dict[str, Any]:
    calls = (block for block in state["content"] if block["type"].startswith("tool_call"))
    call: dict[str, Any] = next(calls)
    return call


def question_of(event: Event) -> str:
    return f"{event['attempt']}-{event['seq']}"


# --- Through a worker and a socket ---------------------------------------------------------------
@pytest.mark.database
@pytest.mark.usefixtures("asks", "worker")
def test_a_call_runs_once_its_user_has_approved(owner: User, web: Web, open_tab: OpenTab) -> None:
    tab, client = open_tab(owner, web), client_of(owner, web.url)
    ack = submit(tab)
    asked = wait_for_question(tab)
    assert call_in(tab.states[ack["generation"]])["extras"] == {
        "approval": "asked",
        "question": question_of(asked),
    }

    decide(client, asked, "approve")

    state = tab.wait_for_end(ack["generation"])
    call = call_in(state)
    assert (state["status"], call["type"], call["extras"]["approval"]) == (
        "completed",
        "tool_call",
        "approved",
    )
    assert "UTC" in call["extras"]["result"]
    assert text_of(state["content"]) == expected_text({"tokens": 3})
    assert Message.objects.get(pk=ack["reply"]).content == state["content"]
    assert tab.gaps == 0


@pytest.mark.database
@pytest.mark.usefixtures("asks", "worker")
def test_a_refused_call_is_not_made_and_the_answer_goes_on(
    owner: User, web: Web, open_tab: OpenTab, provider: Provider
) -> None:
    tab = open_tab(owner, web)
    ack = submit(tab)

    decide(client_of(owner, web.url), wait_for_question(tab), "refuse")

    state = tab.wait_for_end(ack["generation"])
    extras = call_in(state)["extras"]
    assert (extras["approval"], extras["error"]) == ("refused", REFUSED)
    assert text_of(state["content"]) == expected_text({"tokens": 3})
    assert REFUSED in json.dumps(provider.requests[-1].body["messages"])


@pytest.mark.database
@pytest.mark.usefixtures("asks", "worker")
def test_a_page_that_is_loaded_meanwhile_shows_the_question(
    owner: User, web: Web, open_tab: OpenTab
) -> None:
    tab, client = open_tab(owner, web), client_of(owner, web.url)
    ack = submit(tab)
    asked = wait_for_question(tab)

    other = open_tab(owner, web)
    other.resume(ack["conversation"], keep=False)
    snapshot = other.wait_for_type("snapshot")

    extras = call_in(snapshot)["extras"]
    assert extras == {"approval": "asked", "question": question_of(asked)}
    decide(client, asked, "approve", question=extras["question"])
    assert other.wait_for_end(ack["generation"]) == tab.wait_for_end(ack["generation"])


@pytest.mark.database
@pytest.mark.usefixtures("asks", "worker")
def test_deciding_twice_is_once_and_otherwise_is_a_conflict(
    owner: User, web: Web, open_tab: OpenTab
) -> None:
    tab, client = open_tab(owner, web), client_of(owner, web.url)
    ack = submit(tab)
    asked = wait_for_question(tab)
    decide(client, asked, "approve")

    decide(client, asked, "approve")
    assert decide(client, asked, "refuse", 409)["code"] == "conflict"
    tab.wait_for_end(ack["generation"])
    decide(client, asked, "approve")
    assert decide(client, asked, "refuse", 409)["code"] == "conflict"

    said = [e["approval"] for e in tab.of(ack["generation"]) if "approval" in e]
    assert said == ["asked", "approved"]


@pytest.mark.database
@pytest.mark.usefixtures("asks", "worker")
def test_nobody_else_decides_and_nothing_else_is_decided(
    owner: User, stranger: User, web: Web, open_tab: OpenTab
) -> None:
    tab, client = open_tab(owner, web), client_of(owner, web.url)
    ack = submit(tab)
    asked = wait_for_question(tab)

    assert decide(client_of(stranger, web.url), asked, "approve", 404)["code"] == "not_found"
    decide(client_of(owner, web.url, "read", "write"), asked, "approve", 403)
    assert "decision" in decide(client, asked, "perhaps", 422)["message"]
    for other in ({**asked, "tool_call": "call/of nobody"}, {**asked, "tool_call": "call_9"}):
        assert decide(client, other, "approve", 409)["code"] == "conflict"
    assert decide(client, asked, "approve", 409, question="1-1")["code"] == "conflict"

    decide(client, asked, "refuse")
    assert call_in(tab.wait_for_end(ack["generation"]))["extras"]["approval"] == "refused"


@pytest.mark.database
@pytest.mark.usefixtures("asks", "worker")
def test_stop_ends_the_wait(owner: User, web: Web, open_tab: OpenTab) -> None:
    tab, client = open_tab(owner, web), client_of(owner, web.url)
    ack = submit(tab)
    asked = wait_for_question(tab)

    tab.ask("generation.cancel", generation=ack["generation"])

    state = tab.wait_for_end(ack["generation"], 5)
    assert (state["status"], call_in(state)["type"]) == ("cancelled", "tool_call_chunk")
    assert decide(client, asked, "approve", 409)["code"] == "conflict"


@pytest.mark.usefixtures("asks", "worker")
def test_a_decision_whose_ring_is_lost_is_found(owner: User, web: Web, open_tab: OpenTab) -> None:
    tab = open_tab(owner, web)
    ack = submit(tab)
    asked = wait_for_question(tab)

    assert write_only(asked, "approved") == "approved"

    assert call_in(tab.wait_for_end(ack["generation"]))["extras"]["approval"] == "approved"


def write_only(asked: Event, decision: Decision) -> Decision:
    async def work() -> Decision:
        redis = connect()
        try:
            return await write(redis, asked["generation"], question_of(asked), decision)
        finally:
            await redis.aclose()

    return asyncio.run(work())


# --- What breaks ---------------------------------------------------------------------------------
def test_a_worker_that_dies_while_it_waits_leaves_it_to_the_next_to_ask_again(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    """A tool with side effects has not acted while its user is asked. What was asked before is no
    question any more, although the provider gives the call the same id."""
    tools = "tests.tools.send_mail"
    web, worker = stack.web(), stack.worker(LLM_TOOLS=tools)
    ChatModel.objects.filter(slug="fake").update(tools=["send_mail"])
    tab, client = open_tab(owner, web), client_of(owner, web.url)
    ack = submit(tab, MAIL)
    first = wait_for_question(tab)
    assert not acted(ack)

    worker.kill()
    stack.worker(LLM_TOOLS=tools)
    second = wait_for_question(tab)

    assert (second["attempt"], second["tool_call"]) == (2, first["tool_call"])
    decide(client, second, "approve", 409, question=question_of(first))
    assert not acted(ack)
    decide(client, second, "approve", question=question_of(second))
    state = tab.wait_for_end(ack["generation"])
    assert call_in(state)["extras"]["result"] == "sent to ada"
    assert acted(ack)


def acted(ack: dict[str, Any]) -> bool:
    return Generation.objects.get(pk=ack["generation"]).side_effects


def test_no_answer_is_a_refusal_and_the_wait_is_not_the_models_time(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    """Waiting takes longer than the whole attempt may."""
    web = stack.web()
    stack.worker(LLM_TOOLS="tests.tools.send_mail", GENERATION_SECONDS="4", APPROVAL_SECONDS="5")
    ChatModel.objects.filter(slug="fake").update(tools=["send_mail", "current_time"])
    tab = open_tab(owner, web)
    # The first answer with tools waits for LangGraph to be imported.
    tab.wait_for_end(submit(tab)["generation"])
    ack = submit(tab, MAIL)

    state = tab.wait_for_end(ack["generation"])

    extras = call_in(state)["extras"]
    assert (state["status"], extras["approval"], extras["error"]) == (
        "completed",
        "expired",
        EXPIRED,
    )
    assert not acted(ack)


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


# --- In the agent itself -------------------------------------------------------------------------
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
