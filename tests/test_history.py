"""A conversation that is longer than its model can read."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from accounts.models import User
from conversations.by_id import IDS_AT_ONCE, by_id
from conversations.models import Conversation, Generation, Message
from llm.errors import ProviderError
from llm.going_on import GO_ON, going_on
from llm.history import fit, left_out, room, tokens_of, trimmed
from llm.messages import messages
from llm.models import ChatModel
from llm.parts import Finish, Usage
from llm.session import close_session
from llm.spec import Block, ModelSpec, Turn
from llm.stream import stream
from tests.client import Tab
from tests.conftest import OpenTab
from tests.provider import Provider, expected_text
from tests.rows import answered
from tests.stack import Process, Web

SHORT = {"tokens": 5, "rate": 0}


@pytest.fixture(autouse=True)
async def _session() -> AsyncIterator[None]:
    yield
    await close_session()


def said(role: Any, text: str) -> Turn:
    return Turn(role, [{"type": "text", "text": text}])


def called(number: int) -> Block:
    return {
        "type": "tool_call",
        "id": f"call_{number}",
        "name": "current_time",
        "args": {},
        "extras": {"result": "noon " * 20},
    }


def conversation(rounds: int) -> list[Turn]:
    """Questions of 100 tokens, and answers with a tool call."""
    turns = []
    for number in range(rounds):
        turns.append(said("user", f"{number:04}" * 100))
        answer = [called(number), {"type": "text", "text": f"a{number:03}" * 100}]
        turns.append(Turn("assistant", answer))
    return [*turns, said("user", "And now?")]


def fake(provider: Provider, **changes: Any) -> ModelSpec:
    given = {"slug": "fake", "kind": "openai", "key_variable": "", "provider_model": "fake"}
    return ModelSpec(**{"base_url": provider.url, **given, **changes})


def small(window: int, **changes: Any) -> ModelSpec:
    values: dict[str, Any] = {"kind": "openai", "base_url": "", "key_variable": ""}
    return ModelSpec("small", provider_model="small", context_window=window, **values, **changes)


def whole_calls(sent: list[BaseMessage]) -> bool:
    made = [call["id"] for each in sent if isinstance(each, AIMessage) for call in each.tool_calls]
    return made == [each.tool_call_id for each in sent if isinstance(each, ToolMessage)]


# --- What is kept --------------------------------------------------------------------------------
def test_what_fits_is_sent_as_it_is() -> None:
    asked = messages(conversation(3), "Be kind.")
    assert fit(asked, small(100_000)) == asked
    assert left_out(asked, fit(asked, small(100_000))) == 0


def test_a_model_without_a_known_window_gets_everything() -> None:
    asked = messages(conversation(300), "")
    values: dict[str, Any] = {"base_url": "", "key_variable": "", "provider_model": "any"}
    assert fit(asked, ModelSpec("any", "openai", **values)) == asked


def test_the_newest_messages_and_the_system_prompt_are_kept() -> None:
    asked = messages(conversation(50), "Be kind.")
    sent = fit(asked, small(4_000, max_output_tokens=500))

    assert sent[0] == SystemMessage("Be kind.")
    assert sent[1:] == asked[len(asked) - len(sent) + 1 :]
    assert isinstance(sent[1], HumanMessage)
    assert sum(map(tokens_of, sent)) <= room(small(4_000, max_output_tokens=500), 4_000)
    # All that fits is kept: one round more would not have.
    assert sum(map(tokens_of, sent)) > 4_000 - 500 - 200 - 300


@given(rounds=st.integers(0, 12), tokens=st.integers(0, 6_000), prompt=st.sampled_from(["", "Hm."]))
def test_no_call_is_torn_from_its_result(rounds: int, tokens: int, prompt: str) -> None:
    asked = messages(conversation(rounds), prompt)
    sent = trimmed(asked, tokens)
    assert whole_calls(sent)
    assert sent[-1] == asked[-1]
    spoken = [each for each in sent if not isinstance(each, SystemMessage)]
    assert isinstance(spoken[0], HumanMessage)
    assert [each for each in asked if each in sent] == sent


def test_messages_are_counted_as_people_count_them() -> None:
    asked = messages(conversation(3), "")
    # Each of the three answers is four messages of the provider's: two steps, a call, a result.
    assert left_out(asked, asked[-1:]) == 6
    assert left_out(asked, asked[3:]) == 2


def test_the_answer_that_is_to_be_gone_on_with_stays_with_its_question() -> None:
    cut = [{"type": "text", "text": "The beginning " * 50}]
    turns = [*conversation(20)[:-1], said("user", "Tell me."), *going_on(cut)]
    sent = fit(messages(turns, ""), small(1_000, max_output_tokens=100))
    assert [each.content for each in sent[-3:]] == ["Tell me.", cut[0]["text"], GO_ON]

    tight = trimmed(messages(turns, ""), 1)
    assert [each.content for each in tight] == ["Tell me.", cut[0]["text"], GO_ON]


def test_a_question_that_alone_is_too_long_is_refused() -> None:
    asked = messages([*conversation(2), said("user", "long " * 5_000)], "")
    with pytest.raises(ProviderError) as refused:
        fit(asked, small(4_000))
    assert refused.value.code == "context_too_long"


def test_tools_take_room_too() -> None:
    asked = messages(conversation(20), "")
    tools = {"tools": [{"type": "function", "function": {"description": "x" * 4_000}}]}
    assert len(fit(asked, small(4_000), tools)) < len(fit(asked, small(4_000)))


def test_scripts_and_images_are_not_taken_for_latin_letters() -> None:
    assert tokens_of(HumanMessage("a" * 400)) == 104
    assert tokens_of(HumanMessage("日" * 400)) == 304
    picture = HumanMessage([{"type": "image", "base64": "A" * 4_000_000, "mime_type": "image/png"}])
    assert 1_000 <= tokens_of(picture) < 1_100
    assert tokens_of(messages([Turn("assistant", [called(1)])], "")[0]) > 10


# --- What the provider gets ----------------------------------------------------------------------
async def answer(model: ModelSpec, turns: list[Turn]) -> list[Any]:
    return [part async for part in stream(model, turns)]


async def test_the_provider_gets_what_fits(provider: Provider) -> None:
    turns = [*conversation(50)[:-1], said("user", json.dumps(SHORT))]
    model = fake(provider, context_window=3_000, system_prompt="Be kind.")
    *_, usage, finish = await answer(model, turns)

    sent = provider.wait_for(1).body["messages"]
    assert (sent[0]["role"], sent[1]["role"], sent[-1]["role"]) == ("system", "user", "user")
    assert len(sent) < 30
    users = sum(each["role"] == "user" for each in sent)
    assert usage.left_out == 2 * (51 - users)
    assert finish == Finish("stop")


async def test_a_history_that_the_provider_finds_too_long_is_halved(provider: Provider) -> None:
    asked = said("user", json.dumps({**SHORT, "takes_messages": 10}))
    *parts, usage, _ = await answer(fake(provider), [*conversation(16)[:-1], asked])

    assert "".join(part.text for part in parts) == expected_text(SHORT)
    lengths = [len(request.body["messages"]) for request in provider.requests]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] <= 10
    assert usage.left_out > 20


async def test_it_is_too_long_only_where_the_question_alone_is(provider: Provider) -> None:
    asked = said("user", json.dumps({"context_too_long": True}))
    with pytest.raises(ProviderError) as refused:
        await answer(fake(provider), [*conversation(4)[:-1], asked])
    assert refused.value.code == "context_too_long"
    assert len(provider.requests[-1].body["messages"]) == 1


async def test_what_a_program_sends_is_not_trimmed(provider: Provider) -> None:
    asked = said("user", json.dumps({**SHORT, "takes_messages": 10}))
    model = fake(provider, context_window=500, trims_history=False)
    with pytest.raises(ProviderError) as refused:
        await answer(model, [*conversation(16)[:-1], asked])
    assert refused.value.code == "context_too_long"
    assert len(provider.requests) == 1


async def test_nothing_is_said_of_a_history_that_was_sent_whole(provider: Provider) -> None:
    *_, usage, _ = await answer(fake(provider), [said("user", json.dumps(SHORT))])
    assert isinstance(usage, Usage)
    assert usage.left_out == 0


# --- Through the worker and the socket -----------------------------------------------------------
def ask(tab: Tab, made: Any) -> dict[str, Any]:
    ack = tab.submit(
        json.dumps(SHORT),
        conversation=str(made.conversation.pk),
        parent=str(made.generation.message_id),
    )
    state = tab.wait_for_end(ack["generation"])
    assert state["status"] == "completed", state["error"]
    return state


@pytest.mark.database
def test_the_user_is_told_that_earlier_messages_were_left_out(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    made = answered(owner, "The beginning " * 1_000, "Long ago")
    tab = open_tab(owner, web)
    assert "left_out" not in ask(tab, made)["usage"]

    ChatModel.objects.filter(slug="fake").update(context_window=1_000)
    state = ask(tab, made)

    assert state["usage"]["left_out"] == 2
    assert [each["role"] for each in provider.wait_for(2).body["messages"]] == ["user"]
    assert Generation.objects.get(pk=state["generation"]).usage == state["usage"]
    assert tab.gaps == 0


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_more_messages_than_a_statement_can_name_are_found(owner: User) -> None:
    conversation = Conversation.objects.create(owner=owner)
    rows = [Message(conversation=conversation, role="user") for _ in range(IDS_AT_ONCE + 1)]
    Message.objects.bulk_create(rows)
    with CaptureQueriesContext(connection) as asked:
        found = by_id(Message.objects.only("role"), [row.pk for row in rows])
    # SQLite takes fewer at once.
    assert len(asked) >= 2
    assert found.keys() == {row.pk for row in rows}
