"""Answers as AG-UI's own models read them."""

import json
import signal
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from ag_ui.core import Event, EventType
from pydantic import TypeAdapter

from accounts.models import User
from conversations.models import Conversation, Message
from tests.api_client import ApiClient, client_of, lines_of
from tests.provider import Provider, expected_reasoning, expected_text
from tests.stack import Process, Stack, Web
from tests.test_cancel import allow_tools

SHORT = {"tokens": 20, "rate": 200}
READ: TypeAdapter[Any] = TypeAdapter(Event)


@pytest.fixture
def client(owner: User, web: Web, worker: Process) -> Iterator[ApiClient]:
    made = client_of(owner, web.url)
    yield made
    made.close()


def told(lines: Iterator[str]) -> list[Any]:
    return [READ.validate_json(line[6:]) for line in lines if line.startswith("data: ")]


def run(client: ApiClient, text: str, thread: str, run_id: str = "") -> list[Any]:
    body = {
        "threadId": thread,
        "runId": run_id or uuid.uuid4().hex,
        "messages": [{"id": "m1", "role": "user", "content": text}],
        "tools": [],
        "context": [],
        "state": {},
        "forwardedProps": {},
    }
    with client.http.stream("POST", "/api/v1/ag-ui", json=body) as response:
        assert response.status_code == 200, response.read()
        return told(lines_of(response.iter_bytes()))


def text_of(events: list[Any], kind: EventType = EventType.TEXT_MESSAGE_CONTENT) -> str:
    return "".join(event.delta for event in events if event.type == kind)


def kinds(events: list[Any]) -> list[str]:
    return [event.type.value for event in events]


def test_a_thread_is_a_conversation_and_a_run_an_answer(client: ApiClient, owner: User) -> None:
    directive = {**SHORT, "reasoning": 5}
    events = run(client, json.dumps(directive), "my thread")
    assert kinds(events)[0] == "RUN_STARTED"
    assert kinds(events)[-1] == "RUN_FINISHED"
    assert text_of(events) == expected_text(directive)
    thought = text_of(events, EventType.REASONING_MESSAGE_CONTENT)
    assert thought == expected_reasoning(directive)
    for begin, end in (
        ("TEXT_MESSAGE_START", "TEXT_MESSAGE_END"),
        ("REASONING_START", "REASONING_END"),
    ):
        assert kinds(events).count(begin) == kinds(events).count(end) == 1
    assert events[-1].usage[0].output_tokens > 0

    run(client, json.dumps(SHORT), "my thread")
    conversation = Conversation.objects.get(owner=owner)
    assert conversation.messages.count() == 4
    second = conversation.messages.filter(role="user").latest("created_at")
    assert second.parent is not None


def test_the_same_run_twice_is_one_answer(client: ApiClient, owner: User) -> None:
    first = run(client, json.dumps(SHORT), "thread", "run-1")
    again = run(client, json.dumps(SHORT), "thread", "run-1")
    assert text_of(first) == text_of(again) == expected_text(SHORT)
    assert Message.objects.filter(conversation__owner=owner).count() == 2


def test_a_tool_is_shown_with_its_arguments_and_its_result(
    client: ApiClient, provider: Provider
) -> None:
    provider.script({"tool": {"name": "current_time", "args": {}}}, {"text": "Late."})
    events = run(client, "What time is it?", "thread")
    names = [kind for kind in kinds(events) if kind.startswith("TOOL_CALL")]
    assert names[0] == "TOOL_CALL_START"
    assert names[-2:] == ["TOOL_CALL_END", "TOOL_CALL_RESULT"]
    assert text_of(events) == "Late."


def test_a_failure_is_the_runs_error(client: ApiClient) -> None:
    events = run(client, json.dumps({"error": 400}), "thread")
    assert kinds(events)[-1] == "RUN_ERROR"
    assert events[-1].code == "provider_bad_request"


def test_an_answer_that_is_there_already_can_be_read(client: ApiClient) -> None:
    asked = client.call("POST", "/messages", 201, json={"text": json.dumps(SHORT)})
    client.events(asked["generation"])
    path = f"/api/v1/generations/{asked['generation']}/events?format=ag-ui"
    with client.http.stream("GET", path) as response:
        events = told(lines_of(response.iter_bytes()))
    assert text_of(events) == expected_text(SHORT)
    assert kinds(events)[-1] == "RUN_FINISHED"


def test_an_answer_that_starts_again_takes_the_old_text_back(owner: User, stack: Stack) -> None:
    web, first = stack.web(), stack.worker()
    client = client_of(owner, web.url)
    directive = {"tokens": 150, "rate": 50}
    asked = client.call("POST", "/messages", 201, json={"text": json.dumps(directive)})
    path = f"/api/v1/generations/{asked['generation']}/events?format=ag-ui"
    events: list[Any] = []
    with client.http.stream("GET", path) as response:
        for line in lines_of(response.iter_bytes()):
            events += told(iter([line]))
            if len(text_of(events)) > 50 and first.running:
                first.kill()
                stack.worker()
    again = kinds(events).index("MESSAGES_SNAPSHOT")
    assert [message.role for message in events[again].messages] == ["user"]
    assert text_of(events[again:]) == expected_text(directive)
    assert kinds(events)[-1] == "RUN_FINISHED"
    client.close()


def test_a_call_that_is_stopped_is_closed_before_its_run(owner: User, stack: Stack) -> None:
    """A client refuses the end of a run with an open call."""
    client = client_of(owner, stack.web().url)
    stack.worker(LLM_TOOLS="tests.tools.wait_long")
    allow_tools("fake", ["wait_long"])
    text = json.dumps({"tool": {"name": "wait_long", "args": {}}})
    asked = client.call("POST", "/messages", 201, json={"text": text})
    path = f"/generations/{asked['generation']}"
    events: list[Any] = []
    with client.http.stream("GET", f"/api/v1{path}/events?format=ag-ui") as response:
        for line in lines_of(response.iter_bytes()):
            events += told(iter([line]))
            if line and kinds(events)[-1:] == ["TOOL_CALL_START"]:
                client.call("POST", f"{path}/cancel", 202)
    assert kinds(events)[-2:] == ["TOOL_CALL_END", "RUN_FINISHED"]
    assert events[-1].outcome.type == "cancelled"
    client.close()


def test_a_deployed_web_node_ends_its_runs_with_an_error(owner: User, stack: Stack) -> None:
    web = stack.web()
    stack.worker()
    client = client_of(owner, web.url)
    text = json.dumps({"tokens": 500, "rate": 50})
    asked = client.call("POST", "/messages", 201, json={"text": text})
    path = f"/api/v1/generations/{asked['generation']}/events?format=ag-ui"
    events: list[Any] = []
    with client.http.stream("GET", path) as response:
        for line in lines_of(response.iter_bytes()):
            events += told(iter([line]))
            if len(events) == 10:
                web.signal(signal.SIGTERM)
    assert kinds(events)[-2:] == ["TEXT_MESSAGE_END", "RUN_ERROR"]
    assert events[-1].code == "unavailable"
    client.close()
