"""Stop: from any tab, in every phase. The provider's connection is closed, and what is stored is
what was published."""

import json
import time
from collections.abc import Callable

import pytest

from accounts.models import User
from conversations.models import Generation, Message
from llm.models import ChatModel
from tests.client import Tab, text_of
from tests.conftest import OpenTab
from tests.provider import Provider, expected_text
from tests.stack import Process, Stack, Web

pytestmark = pytest.mark.database
ENDLESS = {"tokens": 2000, "rate": 50}


def cancel(tab: Tab, ack: dict[str, str]) -> None:
    answer = tab.ask("generation.cancel", generation=ack["generation"])
    assert (answer["type"], answer["generation"]) == ("ack", ack["generation"])


def assert_stopped(tab: Tab, ack: dict[str, str], text: str) -> None:
    state = tab.wait_for_end(ack["generation"], 10)
    assert state["status"] == "cancelled"
    assert text_of(state["content"]) == text
    stored = Message.objects.get(pk=ack["reply"])
    assert stored.content == state["content"]
    assert stored.generation.status == "cancelled"
    kinds = [event["type"] for event in tab.of(ack["generation"])]
    assert kinds.count("generation.cancelled") == 1
    assert kinds[-1] == "generation.cancelled"


def test_stop_while_tokens_arrive_from_another_tab(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    tab, other = open_tab(owner, web), open_tab(owner, web)
    ack = tab.submit(json.dumps(ENDLESS))
    tab.wait_for_text(ack["generation"], 60)

    cancel(other, ack)

    state = tab.wait_for_end(ack["generation"], 10)
    assert expected_text(ENDLESS).startswith(text_of(state["content"]))
    assert_stopped(tab, ack, text_of(state["content"]))
    request = provider.wait_for(1)
    wait_until(lambda: request.disconnected_at is not None, 2)
    assert Generation.objects.get(pk=ack["generation"]).usage["estimated"] is True


def test_stop_before_the_first_token(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps({**ENDLESS, "delay": 60}))
    tab.wait_for_type("generation.started")
    request = provider.wait_for(1)

    cancel(tab, ack)

    assert_stopped(tab, ack, "")
    wait_until(lambda: request.disconnected_at is not None, 2)


def test_stop_while_queued(owner: User, stack: Stack, open_tab: OpenTab) -> None:
    """No worker is there to do it."""
    tab = open_tab(owner, stack.web())
    ack = tab.submit(json.dumps(ENDLESS))

    cancel(tab, ack)

    assert_stopped(tab, ack, "")
    worker = stack.worker()
    after = tab.submit(json.dumps({"tokens": 5}))
    assert tab.wait_for_end(after["generation"])["status"] == "completed"
    assert Generation.objects.get(pk=ack["generation"]).status == "cancelled"
    assert worker.running


def test_stop_during_a_tool(owner: User, stack: Stack, open_tab: OpenTab) -> None:
    tab = open_tab(owner, stack.web())
    stack.worker(LLM_TOOLS="tests.tools.wait_long")
    allow_tools("fake", ["wait_long"])
    ack = tab.submit(json.dumps({"tokens": 10, "tool": {"name": "wait_long", "args": {}}}))
    tab.wait_for_type("tool_call.started")

    cancel(tab, ack)

    state = tab.wait_for_end(ack["generation"], 5)
    assert state["status"] == "cancelled"
    assert Message.objects.get(pk=ack["reply"]).content == state["content"]


def test_stopping_twice_or_too_late_changes_nothing(
    owner: User, web: Web, worker: Process, open_tab: OpenTab
) -> None:
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps({"tokens": 10, "rate": 500}))
    state = tab.wait_for_end(ack["generation"])

    cancel(tab, ack)
    cancel(tab, ack)

    assert Generation.objects.get(pk=ack["generation"]).status == "completed"
    assert Message.objects.get(pk=ack["reply"]).content == state["content"]


def test_a_stopped_answer_can_be_tried_again(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps({"tokens": 50, "rate": 50}))
    tab.wait_for_text(ack["generation"], 20)
    cancel(tab, ack)
    tab.wait_for_end(ack["generation"])

    again = tab.ask("generation.retry", message=ack["reply"])

    state = tab.wait_for_end(again["generation"])
    assert text_of(state["content"]) == expected_text({"tokens": 50})


def allow_tools(slug: str, names: list[str]) -> None:
    ChatModel.objects.filter(slug=slug).update(tools=names)


def wait_until(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
