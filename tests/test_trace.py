"""What an answer did and when, as its agent or its runnable tells it."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from conversations.models import Generation, GenerationTrace
from llm.catalogue import sync_environment
from llm.models import ChatModel
from llm.trace import MAX_SPANS, MAX_STEP_CHARS, MAX_STEPS, Spans
from streaming import lease
from tests.conftest import OpenTab
from tests.rows import answered, asked, completed
from tests.stack import Process, Stack, Web


def named(spans: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(span for span in spans if span["name"] == name)


def test_an_agents_steps_are_kept(
    owner: User, web: Web, worker: Process, open_tab: OpenTab
) -> None:
    ChatModel.objects.filter(slug="fake").update(tools=["current_time"])
    tab = open_tab(owner, web)
    call = {"name": "current_time", "args": {"timezone": "UTC"}}
    ack = tab.submit(json.dumps({"tool": call, "tokens": 3}), model="fake")
    tab.wait_for_end(ack["generation"])

    spans = GenerationTrace.objects.get(generation=ack["generation"]).spans
    assert [span["kind"] for span in spans].count("model") == 2
    tool = named(spans, "current_time")
    assert (tool["kind"], tool["error"]) == ("tool", "")
    assert spans[tool["parent"]]["name"] == "tools"
    assert spans[0]["parent"] is None
    steps = [span["name"] for span in spans if span["kind"] == "chain"]
    assert steps == ["agent", "model", "tools", "model"]
    for span in spans:
        assert span["took"] is not None
        assert span["start"] >= (spans[span["parent"]]["start"] if span["parent"] else 0)
    models = [span for span in spans if span["kind"] == "model"]
    assert all(span["output_tokens"] > 0 for span in models)
    assert "UTC" not in json.dumps(spans)
    assert GenerationTrace.objects.get().steps == []


def test_a_plain_answer_has_no_trace_and_a_timeline_all_the_same(
    owner: User,
    web: Web,
    worker: Process,
    open_tab: OpenTab,
    settings: Settings,
    admin_client: Client,
) -> None:
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps({"tokens": 2}), model="fake")
    tab.wait_for_end(ack["generation"])
    assert not GenerationTrace.objects.exists()

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    page = admin_client.get(f"/admin/conversations/generation/{ack['generation']}/change/")
    shown = page.content.decode()
    assert shown.count("<rect ") == 4
    assert "until the first token" in shown


def test_the_steps_of_a_graph_that_failed_are_kept_and_shown(
    owner: User, stack: Stack, open_tab: OpenTab, settings: Settings, admin_client: Client
) -> None:
    settings.LLM_RUNNABLES = {"failing": "tests.runnables.failing"}
    sync_environment()
    web, _ = stack.web(), stack.worker(LLM_RUNNABLES="failing=tests.runnables.failing")
    tab = open_tab(owner, web)
    ack = tab.submit("hello", model="failing")
    tab.wait_for_end(ack["generation"])
    spans = GenerationTrace.objects.get(generation=ack["generation"]).spans
    assert named(spans, "node")["error"] == "ValueError"
    assert "sk-secret" not in json.dumps(spans)

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    page = admin_client.get(f"/admin/conversations/generation/{ack['generation']}/change/")
    shown = page.content.decode()
    assert "chain, ValueError" in shown
    assert shown.count("<rect ") == len(spans)


@pytest.mark.database
def test_a_lost_attempt_keeps_no_trace(owner: User) -> None:
    made = asked(owner).generation
    first = lease.claim(made.pk, "one")
    assert first is not None
    Generation.objects.filter(pk=made.pk).update(attempt=2)
    spans = Spans()
    spans.begin("chain", "late", None)
    outcome = completed()
    late = lease.Outcome("completed", 3, outcome.content, {}, {}, spans=spans.rows())
    assert not lease.finish(made.pk, 1, late)
    assert not GenerationTrace.objects.exists()
    assert lease.finish(made.pk, 2, late)
    assert GenerationTrace.objects.get().spans[0]["name"] == "late"


def test_the_timeline_of_what_never_ended_is_shown(
    owner: User, admin_client: Client, settings: Settings
) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    made = answered(owner).generation
    spans = Spans()
    first = spans.begin("chain", "<b>agent</b>", None)
    spans.begin("tool", "hangs", first)
    GenerationTrace.objects.create(generation=made, spans=spans.rows())
    shown = admin_client.get(f"/admin/conversations/generation/{made.pk}/change/").content.decode()
    assert "&lt;b&gt;agent&lt;/b&gt;" in shown
    assert "no end" in shown
    assert shown.count('x="0"') == shown.count("<rect ") == 2


def test_there_are_only_so_many_spans() -> None:
    spans = Spans()
    numbers = [spans.begin("tool", "again" * 100, None) for _ in range(MAX_SPANS + 5)]
    assert numbers.count(None) == 5
    assert len(spans.rows()) == MAX_SPANS
    assert len(spans.rows()[0]["name"]) == 100


# --- For admins who debug a model ----------------------------------------------------------------
def test_what_goes_into_the_steps_of_a_debugged_agent_is_kept(
    owner: User,
    web: Web,
    worker: Process,
    open_tab: OpenTab,
    admin_client: Client,
    settings: Settings,
) -> None:
    ChatModel.objects.filter(slug="fake").update(tools=["current_time"], debug=True)
    tab = open_tab(owner, web)
    call = {"name": "current_time", "args": {"timezone": "Europe/Oslo"}}
    ack = tab.submit(json.dumps({"tool": call, "tokens": 3}), model="fake")
    state = tab.wait_for_end(ack["generation"])
    assert state["status"] == "completed"

    steps = GenerationTrace.objects.get(generation=ack["generation"]).steps
    assert [(step["name"], step["kind"]) for step in steps] == [
        (name, kind) for name in ("model", "tools", "model") for kind in ("task", "task_result")
    ]
    assert "Europe/Oslo" in steps[2]["said"]
    assert [step["at"] for step in steps] == sorted(step["at"] for step in steps)

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    page = admin_client.get(f"/admin/conversations/generation/{ack['generation']}/change/")
    assert page.content.decode().count("<details") >= len(steps)
    assert "Europe/Oslo" in page.content.decode()


def test_what_goes_into_the_steps_of_a_debugged_graph_is_kept(
    owner: User, stack: Stack, open_tab: OpenTab, settings: Settings
) -> None:
    settings.LLM_RUNNABLES = {"failing": "tests.runnables.failing"}
    sync_environment()
    ChatModel.objects.filter(slug="failing").update(debug=True)
    web, _ = stack.web(), stack.worker(LLM_RUNNABLES="failing=tests.runnables.failing")
    tab = open_tab(owner, web)
    ack = tab.submit("hello there", model="failing")
    tab.wait_for_end(ack["generation"])
    [given, *_] = GenerationTrace.objects.get(generation=ack["generation"]).steps
    assert (given["kind"], given["name"]) == ("task", "node")
    assert "hello there" in given["said"]


def test_steps_are_bounded() -> None:
    spans = Spans()
    said = {"type": "task", "step": 1, "payload": {"name": "n" * 1_000, "input": "x" * 100_000}}
    for _ in range(MAX_STEPS + 10):
        spans.debug(said)
    spans.debug({"type": "checkpoint", "payload": None})
    steps = spans.steps()
    assert len(steps) == MAX_STEPS
    assert len(steps[0]["said"]) == MAX_STEP_CHARS
    assert len(steps[0]["name"]) == 100
