"""Tools that run only if the user approves: the answer waits, and holds nothing meanwhile."""

import asyncio
import json
from typing import Any

import openai
import pytest

from accounts.keys import create_key
from accounts.models import User
from conversations.models import Message
from llm.calls import NOBODY_TO_ASK, REFUSED
from llm.models import ChatModel
from llm.surroundings import Decision
from streaming.decision import write
from streaming.redis import connect
from tests.api_client import ApiClient, client_of
from tests.approvals import (
    CLOCK,
    Event,
    call_in,
    decide,
    question_of,
    submit,
    wait_for_question,
)
from tests.client import text_of
from tests.conftest import OpenTab
from tests.provider import Provider, expected_text
from tests.stack import Web


@pytest.fixture
def asks(transactional_db: None) -> None:
    """The clock is there for every worker; here it asks first."""
    names = ["current_time"]
    ChatModel.objects.filter(slug="fake").update(tools=names, tools_to_approve=names)


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
    decide(ApiClient(web.url, "sk-nobody"), asked, "approve", 401)
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


@pytest.mark.usefixtures("asks", "worker")
def test_of_two_questions_in_one_step_each_has_its_own_decision(
    owner: User, web: Web, open_tab: OpenTab
) -> None:
    tab, client = open_tab(owner, web), client_of(owner, web.url)
    ack = submit(tab, [CLOCK, {"name": "current_time", "args": {"timezone": "Asia/Tokyo"}}])
    first, second = wait_for_question(tab), wait_for_question(tab)
    assert first["tool_call"] != second["tool_call"]
    decide(client, second, "approve", 409, question=question_of(first))

    decide(client, second, "approve", question=question_of(second))
    tab.wait_for(lambda event: event["type"] == "tool_call.finished")
    decide(client, first, "refuse", question=question_of(first))

    state = tab.wait_for_end(ack["generation"])
    calls = {block["id"]: block["extras"] for block in state["content"] if "extras" in block}
    assert calls[first["tool_call"]]["error"] == REFUSED
    assert "JST" in calls[second["tool_call"]]["result"]


@pytest.mark.usefixtures("asks", "worker")
def test_a_temporary_chat_asks_too(owner: User, web: Web, open_tab: OpenTab) -> None:
    tab, client = open_tab(owner, web), client_of(owner, web.url)
    made = client.call("POST", "/conversations", 201, json={"temporary": True})
    ack = submit(tab, conversation=made["id"])
    decide(client, wait_for_question(tab), "approve")
    assert tab.wait_for_end(ack["generation"])["status"] == "completed"


@pytest.mark.usefixtures("asks", "worker")
def test_a_program_of_the_openai_api_is_not_kept_waiting(
    owner: User, web: Web, provider: Provider
) -> None:
    """Nobody can be asked there. The model is told, and answers without."""
    key = create_key(owner, "tests")[1]
    with openai.OpenAI(base_url=f"{web.url}/v1", api_key=key, max_retries=0) as client:
        directive: Any = {"role": "user", "content": json.dumps({"tool": CLOCK, "tokens": 3})}
        answer = client.chat.completions.create(model="fake", messages=[directive])
    assert answer.choices[0].message.content == expected_text({"tokens": 3})
    assert NOBODY_TO_ASK in json.dumps(provider.requests[-1].body["messages"])
