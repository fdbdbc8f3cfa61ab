"""Answers over HTTP: server-sent events that can be resumed at every position."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import User
from conversations.models import Conversation, Generation, Message
from tests.api_client import ApiClient, Event, client_of, events_of, lines_of, replay
from tests.client import text_of
from tests.conftest import OpenTab
from tests.provider import Provider, expected_text
from tests.stack import Process, Stack, Web

SHORT = {"tokens": 30, "rate": 200}
LONG = {"tokens": 150, "rate": 50}
DIRECTIVE = json.dumps({"text": " ".join(["\x85\u2028\u2029"] * 3)})
USER = {"id": "1", "role": "user", "content": DIRECTIVE}
NOTHING_ELSE: Any = {"tools": [], "context": [], "state": {}, "forwardedProps": {}}


@pytest.fixture
def client(owner: User, web: Web, worker: Process) -> Iterator[ApiClient]:
    made = client_of(owner, web.url)
    yield made
    made.close()


def ask(client: ApiClient, directive: dict[str, Any], **options: Any) -> dict[str, str]:
    asked: dict[str, str] = client.call(
        "POST", "/messages", 201, json={"text": json.dumps(directive)}, **options
    )
    return asked


def numbered(events: list[Event]) -> list[Event]:
    return [event for event in events if event.id]


def test_a_message_is_answered_as_a_stream(client: ApiClient) -> None:
    message = {"text": json.dumps(SHORT)}
    with client.stream("POST", "/messages", json=message) as (response, events):
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["X-Accel-Buffering"] == "no"
        assert "no-cache" in response.headers["Cache-Control"]
        seen = list(events)
    state = replay(seen)
    assert state["status"] == "completed"
    assert text_of(state["content"]) == expected_text(SHORT)
    assert seen[-1].kind == "done"
    conversation = response.headers["X-Conversation-ID"]
    assert Conversation.objects.filter(pk=conversation).exists()
    assert [event.id for event in numbered(seen)][-1] == f"1-{state['seq']}"


def test_a_generation_is_read_and_resumed_at_every_position(client: ApiClient) -> None:
    asked = ask(client, SHORT)
    whole = numbered(client.events(asked["generation"]))
    states = [replay(whole[:count]) for count in range(1, len(whole) + 1)]
    for event, state in zip(whole, states, strict=True):
        rest = client.events(asked["generation"], after=event.id)
        final = replay(numbered(rest), state)
        assert text_of(final["content"]) == expected_text(SHORT)
        assert final["status"] == "completed"
        assert rest[-1].kind == "done"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/messages", {"text": DIRECTIVE}),
        ("/api/v1/ag-ui", {"threadId": "a", "runId": "b", "messages": [USER], **NOTHING_ELSE}),
        ("/v1/chat/completions", {"model": "fake", "messages": [USER], "stream": True}),
    ],
)
def test_a_client_may_split_lines_as_python_does(
    client: ApiClient, path: str, body: dict[str, Any]
) -> None:
    assert len(expected_text(json.loads(DIRECTIVE)).splitlines()) > 8
    headers = {"Accept": "text/event-stream"}
    with client.http.stream("POST", path, json=body, headers=headers) as response:
        lines = [line for line in response.iter_lines() if line and line != "data: [DONE]"]
    assert {line.partition(":")[0] for line in lines} <= {"", "id", "event", "data"}
    assert all(json.loads(line[6:]) is not None for line in lines if line.startswith("data: "))


def test_a_second_reader_gets_the_same_while_it_is_written(client: ApiClient) -> None:
    asked = ask(client, LONG)
    path = f"/generations/{asked['generation']}/events"
    with client.stream("GET", path) as (_, first):
        begun = [next(first) for _ in range(10)]
        with client.stream("GET", path) as (_, second):
            late = list(second)
        early = begun + list(first)
    for seen in (early, late):
        assert text_of(replay(numbered(seen))["content"]) == expected_text(LONG)


def test_sending_twice_with_one_key_is_sending_once(client: ApiClient) -> None:
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    assert ask(client, SHORT, headers=headers) == ask(client, SHORT, headers=headers)


def test_a_message_follows_the_newest_answer(client: ApiClient) -> None:
    first = ask(client, SHORT)
    client.events(first["generation"])
    second = client.call(
        "POST", f"/conversations/{first['conversation']}/messages", 201, json={"text": "And now?"}
    )
    assert str(Message.objects.get(pk=second["message"]).parent_id) == first["reply"]
    client.events(second["generation"])


def test_a_follow_up_that_is_sent_again_is_the_same(client: ApiClient) -> None:
    first = ask(client, SHORT)
    client.events(first["generation"])
    path = f"/conversations/{first['conversation']}/messages"
    options: Any = {"json": {"text": "And?"}, "headers": {"Idempotency-Key": str(uuid.uuid4())}}
    second = client.call("POST", path, 201, **options)
    client.events(second["generation"])
    assert client.call("POST", path, 201, **options) == second


def test_a_generation_can_be_stopped_and_looked_at(client: ApiClient) -> None:
    asked = ask(client, LONG)
    path = f"/generations/{asked['generation']}"
    with client.stream("GET", f"{path}/events") as (_, events):
        for event in events:
            if event.kind == "text.delta":
                break
        client.call("POST", f"{path}/cancel", 202)
        client.call("POST", f"{path}/cancel", 202)
        rest = list(events)
    assert numbered(rest)[-1].kind == "generation.cancelled"
    found = client.call("GET", path)
    assert found["status"] == "cancelled"
    assert expected_text(LONG).startswith(text_of(found["content"]))


def test_an_answer_is_tried_again(client: ApiClient) -> None:
    asked = ask(client, SHORT)
    client.events(asked["generation"])
    again = client.call("POST", f"/messages/{asked['reply']}/retry", 201, json={})
    assert again["reply"] != asked["reply"]
    assert again["message"] == asked["message"]
    assert replay(numbered(client.events(again["generation"])))["status"] == "completed"


def test_what_fails_ends_the_stream_with_the_reason(client: ApiClient) -> None:
    asked = ask(client, {"error": 400})
    events = client.events(asked["generation"])
    # Whoever comes between storing and telling the end gets it as a snapshot.
    state = replay(numbered(events))
    assert (state["status"], state["error"]["code"]) == ("failed", "provider_bad_request")
    assert events[-1].kind == "done"


def test_a_stranger_cannot_read_a_generation(client: ApiClient, stranger: User, web: Web) -> None:
    asked = ask(client, SHORT)
    other = client_of(stranger, web.url)
    for method, path, status in (
        ("GET", "", 404),
        ("GET", "/events", 404),
        ("POST", "/cancel", 404),
    ):
        error = other.call(method, f"/generations/{asked['generation']}{path}", status)
        assert error["code"] == "not_found"
    other.close()
    client.events(asked["generation"])


def test_a_position_that_is_none_is_refused(client: ApiClient) -> None:
    asked = ask(client, SHORT)
    path = f"/generations/{asked['generation']}/events"
    error = client.call("GET", path, 422, headers={"Last-Event-ID": "seven"})
    assert error["message"] == "Last-Event-ID: expected <attempt>-<seq>, got 'seven'"
    client.events(asked["generation"])


def test_a_position_beyond_the_end_gets_the_whole(client: ApiClient) -> None:
    asked = ask(client, SHORT)
    client.events(asked["generation"])
    state = replay(numbered(client.events(asked["generation"], after="9-9")))
    assert text_of(state["content"]) == expected_text(SHORT)


def test_a_position_of_another_answer_gets_the_whole_at_once(client: ApiClient) -> None:
    asked = ask(client, LONG)
    path = f"/generations/{asked['generation']}/events"
    with client.stream("GET", path) as (_, events):
        next(event for event in events if event.kind == "text.delta")
    with client.stream("GET", path, after="1-999") as (_, events):
        seen = list(events)
    first = numbered(seen)[0]
    assert (first.kind, first.data["status"]) == ("snapshot", "in_progress")
    assert text_of(replay(numbered(seen))["content"]) == expected_text(LONG)


def test_another_web_node_goes_on_where_a_killed_one_stopped(owner: User, stack: Stack) -> None:
    first, second = stack.web(), stack.web()
    stack.worker()
    client, other = client_of(owner, first.url), client_of(owner, second.url)
    asked = ask(client, LONG)
    seen: list[Event] = []
    with client.http.stream("GET", f"/api/v1/generations/{asked['generation']}/events") as response:
        events = events_of(lines_of(response.iter_bytes()))
        while len(numbered(seen)) < 12:
            seen.append(next(events))
        first.kill()
    rest = other.events(asked["generation"], after=numbered(seen)[-1].id)
    state = replay(numbered(rest), replay(numbered(seen)))
    assert text_of(state["content"]) == expected_text(LONG)
    assert Generation.objects.get(pk=asked["generation"]).attempt == 1


def test_a_deployed_web_node_ends_its_streams(owner: User, stack: Stack) -> None:
    first, second = stack.web(), stack.web()
    stack.worker()
    client, other = client_of(owner, first.url), client_of(owner, second.url)
    asked = ask(client, LONG)
    with client.stream("GET", f"/generations/{asked['generation']}/events") as (_, events):
        seen = [next(events) for _ in range(12)]
        assert first.stop(20) == 0
        seen += list(events)
    assert seen[-1].kind != "done"
    rest = other.events(asked["generation"], after=numbered(seen)[-1].id)
    assert text_of(replay(numbered(rest), replay(numbered(seen)))["content"]) == expected_text(LONG)


def test_the_page_sees_what_a_program_asks(
    owner: User, client: ApiClient, open_tab: OpenTab, web: Web, provider: Provider
) -> None:
    tab = open_tab(owner, web)
    asked = ask(client, SHORT)
    created = tab.wait_for_type("message.created")
    assert created["conversation"] == asked["conversation"]
    client.events(asked["generation"])


def test_what_is_too_large_or_unreadable_is_refused(client: ApiClient) -> None:
    error = client.call("POST", "/messages", 413, json={"text": "a" * 3_000_000})
    assert error["code"] == "too_large"
    headers = {"Content-Type": "multipart/form-data"}
    error = client.call("POST", "/attachments", 400, content=b"a", headers=headers)
    assert error["code"] == "bad_request"


@pytest.mark.parametrize(
    ("path", "keys"), [("/api/v1/nowhere", {"code", "message"}), ("/v1/nowhere", {"error"})]
)
def test_what_is_nowhere_is_said_in_the_apis_own_words(
    client: ApiClient, path: str, keys: set[str]
) -> None:
    for answer in (client.http.get(path), client.http.post(path, json={})):
        assert answer.status_code == 404
        assert set(answer.json()) == keys


def test_a_developers_own_node_speaks_as_any_other(owner: User, stack: Stack) -> None:
    program = client_of(owner, stack.web(DEBUG="1").url)
    assert program.http.get("/v1/embeddings").json()["error"]["code"] == "not_found"
    assert program.call("GET", "/nowhere", 404)["code"] == "not_found"
    assert program.call("POST", "/messages", 413, json={"text": "a" * 3_000_000})
    program.close()
