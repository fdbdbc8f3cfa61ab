"""The path of one message, through the outside: a real web node, worker, Redis and provider."""

import json
import uuid

import pytest

from accounts.models import User
from conversations.models import Generation, Message
from tests.client import text_of
from tests.conftest import OpenTab
from tests.provider import expected_text
from tests.stack import Process, Web

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("worker")]
SHORT = {"tokens": 30, "rate": 300}
LONG = {"tokens": 120, "rate": 60}


def test_an_answer_arrives_whole_and_is_kept(owner: User, web: Web, open_tab: OpenTab) -> None:
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(SHORT))

    state = tab.wait_for_end(ack["generation"])

    assert state["status"] == "completed"
    assert text_of(state["content"]) == expected_text(SHORT)
    assert tab.gaps == 0
    stored = Message.objects.get(pk=ack["reply"])
    assert stored.content == state["content"]
    assert stored.generation.status == "completed"
    assert (stored.generation.attempt, stored.generation.seq) == (1, state["seq"])


def test_the_ack_comes_before_what_the_command_causes(
    owner: User, web: Web, open_tab: OpenTab
) -> None:
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(SHORT))
    tab.wait_for_end(ack["generation"])

    kinds = [event["type"] for event in tab.events]
    assert kinds[:4] == ["ack", "message.created", "message.created", "generation.queued"]
    numbered = tab.of(ack["generation"])
    assert [event["seq"] for event in numbered] == list(range(1, len(numbered) + 1))
    assert numbered[0]["type"] == "generation.started"
    assert sum(event["type"].startswith("generation.comp") for event in numbered) == 1


def test_a_second_tab_and_a_late_one_show_the_same(
    owner: User, web: Web, open_tab: OpenTab
) -> None:
    first = open_tab(owner, web)
    second = open_tab(owner, web)
    ack = first.submit(json.dumps(LONG))
    second.wait_for_type("message.created")
    second.resume(ack["conversation"])
    first.wait_for_text(ack["generation"], 100)
    late = open_tab(owner, web)
    answer = late.resume(ack["conversation"])
    assert answer["active"] == [ack["generation"]]

    for tab in (first, second, late):
        state = tab.wait_for_end(ack["generation"])
        assert text_of(state["content"]) == expected_text(LONG)
        assert tab.gaps == 0


def test_the_model_is_sent_the_path_of_the_conversation(
    owner: User, web: Web, open_tab: OpenTab, provider: object
) -> None:
    tab = open_tab(owner, web)
    ack = tab.submit("first question")
    answer = text_of(tab.wait_for_end(ack["generation"])["content"])
    again = tab.submit("second one", conversation=ack["conversation"], parent=ack["reply"])
    tab.wait_for_end(again["generation"])

    sent = provider.requests[-1].body["messages"]  # type: ignore[attr-defined]
    assert [(turn["role"], turn["content"]) for turn in sent[-3:]] == [
        ("user", "first question"),
        ("assistant", answer),
        ("user", "second one"),
    ]


def test_sending_twice_is_sending_once(owner: User, web: Web, open_tab: OpenTab) -> None:
    tab = open_tab(owner, web)
    same = str(uuid.uuid4())
    first = tab.submit(json.dumps(SHORT), client_message_id=same)
    second = tab.submit(json.dumps(SHORT), client_message_id=same)

    for key in ("conversation", "message", "reply", "generation"):
        assert first[key] == second[key]
    state = tab.wait_for_end(first["generation"])
    assert text_of(state["content"]) == expected_text(SHORT)
    assert Generation.objects.count() == 1


def test_two_conversations_stream_at_the_same_time(
    owner: User, web: Web, open_tab: OpenTab
) -> None:
    tab = open_tab(owner, web)
    first = tab.submit(json.dumps(LONG))
    second = tab.submit(json.dumps(SHORT))

    assert text_of(tab.wait_for_end(second["generation"])["content"]) == expected_text(SHORT)
    assert text_of(tab.wait_for_end(first["generation"])["content"]) == expected_text(LONG)


def test_a_retry_makes_a_sibling(owner: User, web: Web, open_tab: OpenTab) -> None:
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(SHORT))
    tab.wait_for_end(ack["generation"])

    again = tab.ask("generation.retry", message=ack["reply"])

    tab.wait_for_end(again["generation"])
    old, new = Message.objects.get(pk=ack["reply"]), Message.objects.get(pk=again["reply"])
    assert old.parent_id == new.parent_id
    assert new.text == expected_text(SHORT)


def test_one_active_answer_for_each_branch(owner: User, web: Web, open_tab: OpenTab) -> None:
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(LONG))

    refused = tab.ask("generation.retry", message=ack["reply"])
    assert (refused["type"], refused["code"], refused["retryable"]) == ("error", "busy", True)
    follow_up = {"conversation": ack["conversation"], "parent": ack["reply"], "text": "more"}
    refused = tab.ask("message.submit", client_message_id=str(uuid.uuid4()), **follow_up)
    assert refused["code"] == "busy"

    assert text_of(tab.wait_for_end(ack["generation"])["content"]) == expected_text(LONG)


def test_a_tool_call_is_shown_and_kept(
    owner: User, web: Web, open_tab: OpenTab, worker: Process
) -> None:
    tab = open_tab(owner, web)
    ack = tab.submit("What time is it?", model="demo")
    state = tab.wait_for_end(ack["generation"], 60)

    kinds = [block["type"] for block in state["content"]]
    assert kinds[0] == "reasoning"
    assert "tool_call" in kinds
    call = state["content"][kinds.index("tool_call")]
    assert call["extras"]["result"]
    assert 0 < state["timings"]["reasoning_ms"] < state["timings"]["total_ms"]
    assert Message.objects.get(pk=ack["reply"]).content == state["content"]
