"""A conversation that is longer than its model can read, and a model that is told of the rest."""

import json
from itertools import pairwise
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from accounts.models import User
from conversations import summaries
from conversations.models import Conversation, Generation, HistorySummary, Message
from conversations.submit import Submitted
from llm.models import ChatModel
from llm.summary import cut, digests_of, parts_of
from tests.client import Tab
from tests.conftest import OpenTab
from tests.provider import Provider, expected_text
from tests.rows import answered
from tests.stack import Process, Web

SHORT = {"tokens": 5, "rate": 0}
QUESTION = json.dumps(SHORT)
BOATS = {"text": "They spoke of boats.", "rate": 0}
TREES = {"text": "They spoke of boats, then of trees.", "rate": 0}

through_the_worker = pytest.mark.database


@pytest.fixture
def long_ago(owner: User, worker: Process) -> Submitted:
    """What takes all the room that the model has: of 2,500 tokens, and of 1,300."""
    ChatModel.objects.filter(slug="fake").update(
        context_window=4_000, max_output_tokens=100, summarises=True
    )
    boats = answered(owner, "About boats " * 417, "A boat " * 714)
    there = {"conversation": boats.conversation.pk, "parent": boats.reply.pk}
    return answered(owner, "About sails " * 217, "A sail " * 371, **there)


def ask(tab: Tab, after: str, text: str = QUESTION) -> dict[str, Any]:
    conversation = Message.objects.get(pk=after).conversation_id
    ack = tab.submit(text, conversation=str(conversation), parent=after)
    state = tab.wait_for_end(ack["generation"])
    assert state["status"] == "completed", state["error"]
    return state


def end_of(made: Submitted) -> str:
    return str(made.reply.pk)


def told(provider: Provider, number: int) -> str:
    """The first question of this request."""
    sent = provider.wait_for(number).body["messages"]
    # Questions and answers in turn.
    assert all(one["role"] != next_one["role"] for one, next_one in pairwise(sent))
    return str(next(each["content"] for each in sent if each["role"] == "user"))


@through_the_worker
def test_what_does_not_fit_is_told_in_short(
    owner: User, web: Web, long_ago: Submitted, open_tab: OpenTab, provider: Provider
) -> None:
    provider.script(BOATS)
    tab = open_tab(owner, web)
    state = ask(tab, end_of(long_ago))

    asked = provider.wait_for(1).body
    assert asked["messages"][0]["role"] == "system"
    assert asked["messages"][1]["content"].count("human: About boats") == 1
    assert "They spoke of boats." in told(provider, 2)
    assert "About sails" in told(provider, 2)
    assert "A boat" not in str(provider.requests[1].body)
    assert state["content"] == [{"type": "text", "text": expected_text(SHORT)}]
    assert state["usage"]["left_out"] == 2
    assert state["usage"]["summarised"] is True
    assert Generation.objects.get(pk=state["generation"]).usage == state["usage"]
    assert HistorySummary.objects.get().text == "They spoke of boats."
    [busy] = [e for e in tab.of(state["generation"]) if e["type"] == "progress"]
    assert (busy["label"], busy["data"]) == ("Summarising earlier messages", {"kind": "summary"})
    assert tab.gaps == 0


@through_the_worker
def test_the_next_question_finds_it_made(
    owner: User, web: Web, long_ago: Submitted, open_tab: OpenTab, provider: Provider
) -> None:
    provider.script(BOATS)
    tab = open_tab(owner, web)
    first = ask(tab, end_of(long_ago))
    second = ask(tab, first["message"])

    assert len(provider.requests) == 3
    assert "They spoke of boats." in told(provider, 3)
    assert second["usage"]["left_out"] == 2
    assert second["usage"]["input_tokens"] < first["usage"]["input_tokens"]


@through_the_worker
def test_one_that_is_too_long_is_cut_and_not_made_again(
    owner: User, web: Web, long_ago: Submitted, open_tab: OpenTab, provider: Provider
) -> None:
    provider.script({"text": "They spoke of boats at length. " * 800, "rate": 0})
    tab = open_tab(owner, web)
    first = ask(tab, end_of(long_ago))
    second = ask(tab, first["message"])

    assert len(provider.requests) == 3
    assert "They spoke of boats at length.\n\n---" in told(provider, 3)
    assert second["usage"]["summarised"]


@through_the_worker
def test_a_later_one_tells_what_the_one_before_it_told(
    owner: User, web: Web, long_ago: Submitted, open_tab: OpenTab, provider: Provider
) -> None:
    tab = open_tab(owner, web)
    provider.script(BOATS)
    first = ask(tab, end_of(long_ago))
    provider.script({"text": "A tree " * 1_400, "rate": 0})
    second = ask(tab, first["message"], "About trees")
    provider.script(TREES)
    third = ask(tab, second["message"])

    again = provider.wait_for(4).body["messages"][1]["content"]
    assert "<summary>\nThey spoke of boats.\n</summary>" in again
    assert "About trees" in again
    assert "About boats" not in again
    assert "then of trees." in told(provider, 5)
    assert third["usage"]["left_out"] == 8
    assert HistorySummary.objects.count() == 2


@through_the_worker
def test_an_edited_question_has_its_own(
    owner: User, web: Web, long_ago: Submitted, open_tab: OpenTab, provider: Provider
) -> None:
    tab = open_tab(owner, web)
    provider.script(BOATS)
    ask(tab, end_of(long_ago))

    conversation = str(long_ago.conversation.pk)
    provider.script({"text": "A plane " * 200, "rate": 0})
    ack = tab.submit("About planes " * 400, conversation=conversation, parent=None)
    edited = tab.wait_for_end(ack["generation"])
    provider.script({"text": "A wing " * 400, "rate": 0})
    wings = ask(tab, edited["message"], "About wings")
    provider.script({"text": "They spoke of planes.", "rate": 0})
    ask(tab, wings["message"], "x" * 9_000)
    assert "They spoke of planes." in str(provider.wait_for(6).body)
    assert "boats" not in str(provider.requests[-1].body)


@through_the_worker
def test_without_it_the_question_is_answered_all_the_same(
    owner: User, web: Web, long_ago: Submitted, open_tab: OpenTab, provider: Provider
) -> None:
    provider.script({"error": 400})
    state = ask(open_tab(owner, web), end_of(long_ago))

    assert told(provider, 2).startswith("About sails")
    assert state["usage"]["left_out"] == 2
    assert "summarised" not in state["usage"]
    assert not HistorySummary.objects.exists()


@through_the_worker
def test_it_can_be_stopped_while_it_summarises(
    owner: User, web: Web, long_ago: Submitted, open_tab: OpenTab, provider: Provider
) -> None:
    provider.script({"hang_after": 1})
    tab = open_tab(owner, web)
    ack = tab.submit(QUESTION, conversation=str(long_ago.conversation.pk), parent=end_of(long_ago))
    asked = provider.wait_for(1)
    tab.ask("generation.cancel", generation=ack["generation"])

    assert tab.wait_for_end(ack["generation"])["status"] == "cancelled"
    assert asked.ended.wait(5)
    assert len(provider.requests) == 1


@through_the_worker
def test_a_model_that_does_not_is_not_asked_to(
    owner: User, web: Web, long_ago: Submitted, open_tab: OpenTab, provider: Provider
) -> None:
    ChatModel.objects.filter(slug="fake").update(summarises=False)
    state = ask(open_tab(owner, web), end_of(long_ago))
    assert len(provider.requests) == 1
    assert "summarised" not in state["usage"]


@through_the_worker
def test_an_agent_is_told_too(
    owner: User, web: Web, long_ago: Submitted, open_tab: OpenTab, provider: Provider
) -> None:
    ChatModel.objects.filter(slug="fake").update(tools=["calculator"])
    provider.script(BOATS)
    call = {"name": "calculator", "args": {"expression": "6*7"}}
    state = ask(open_tab(owner, web), end_of(long_ago), json.dumps({**SHORT, "tool": call}))

    assert "tools" not in provider.wait_for(1).body
    assert "They spoke of boats." in told(provider, 2)
    assert "They spoke of boats." in str(provider.wait_for(3).body["messages"][0]["content"])
    assert state["content"][-1]["text"] == expected_text(SHORT)
    assert state["usage"]["left_out"] == 2


# --- Its parts -----------------------------------------------------------------------------------
@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_the_newest_that_stands_for_these_messages_is_found(owner: User) -> None:
    conversation = Conversation.objects.create(owner=owner)
    assert summaries.recall(conversation.pk, ["a", "b"]) is None
    summaries.remember(conversation.pk, "a", "one")
    summaries.remember(conversation.pk, "b", "two")
    summaries.remember(conversation.pk, "b", "two again")
    assert summaries.recall(conversation.pk, ["a", "b", "c"]) == ("b", "two again")
    assert summaries.recall(conversation.pk, ["a"]) == ("a", "one")
    assert summaries.recall(conversation.pk, []) is None

    for number in range(summaries.KEPT + 5):
        summaries.remember(conversation.pk, str(number), "more")
    assert HistorySummary.objects.count() == summaries.KEPT
    last = str(summaries.KEPT + 4)
    assert summaries.recall(conversation.pk, ["a", last]) == (last, "more")

    conversation.delete()
    summaries.remember(conversation.pk, "a", "of nothing")
    assert not HistorySummary.objects.exists()


def test_a_digest_stands_for_all_messages_before_it() -> None:
    one, two, other = HumanMessage("One"), AIMessage("Two"), AIMessage("Other")
    first, second = digests_of([one, two])
    assert list(digests_of([one])) == [first]
    assert list(digests_of([one, other])) != [first, second]
    assert next(digests_of([AIMessage("One")])) != first


def test_a_conversation_is_parted_between_its_messages() -> None:
    messages = [HumanMessage("a" * 400), AIMessage("b" * 400), HumanMessage("c" * 100_000)]
    assert next(parts_of(messages, 10_000)).startswith("human: aaa")
    parts = list(parts_of(messages, 150))
    assert [part[:7] for part in parts] == ["human: ", "ai: bbb", "human: "]
    assert len(parts[-1]) < 8_100
    assert list(parts_of([], 100)) == []


def test_a_summary_ends_with_a_sentence() -> None:
    assert cut("One. Two. Three.", 100) == "One. Two. Three."
    assert cut("One is short. Two is short. Three is longer.", 8) == "One is short. Two is short."
    assert cut("word " * 100, 5) == ("word " * 100)[:20]
    assert cut("了解。" * 10, 5) == "了解。" * 2
    assert cut("é" * 10, 1) == "éé"
