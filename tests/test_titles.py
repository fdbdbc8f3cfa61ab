"""Titles by a model: a real worker, a real provider over HTTP."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from unittest.mock import ANY

import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from pytest_django.fixtures import Settings

from accounts.models import User
from conversations.models import Conversation, SearchText
from conversations.removal import hide
from llm import titles
from llm.demo import DemoChatModel
from llm.models import ChatModel
from llm.models import Provider as ModelProvider
from streaming.titles import Job, ask, read, store
from tests.client import Tab
from tests.conftest import OpenTab
from tests.provider import Provider
from tests.rows import answered
from tests.stack import Stack

QUESTION = json.dumps({"text": "A lamp turns behind a Fresnel lens.", "key": "lighthouse"})
Ask = Callable[[str], tuple[Tab, str]]


def small_model(directive: str) -> None:
    """A model that behaves like this, whatever it is asked."""
    ChatModel.objects.create(
        slug="small",
        label="Small",
        provider=ModelProvider.objects.get(name="Environment"),
        provider_model=f"fake?{directive}",
    )


@pytest.fixture
def ask_first(owner: User, stack: Stack, open_tab: OpenTab) -> Ask:
    """The first question of a conversation, on a stack whose worker writes titles."""

    def ask(model: str = "small") -> tuple[Tab, str]:
        web = stack.web()
        stack.worker(TITLE_MODEL=model)
        tab = open_tab(owner, web)
        sent = tab.submit(QUESTION)
        tab.wait_for(lambda event: event["type"] == "generation.completed")
        return tab, sent["conversation"]

    return ask


def titled(tab: Tab, title: str) -> dict[str, Any]:
    return tab.wait_for(lambda event: event.get("title") == title)


def test_the_first_answer_brings_a_better_title_to_every_tab(
    ask_first: Ask, provider: Provider
) -> None:
    small_model('text="**Lighthouse lamps.**"')
    tab, conversation = ask_first("small")
    titled(tab, "Lighthouse lamps")
    row = Conversation.objects.get(pk=conversation)
    assert (row.title, row.title_source) == ("Lighthouse lamps", "model")
    assert SearchText.objects.filter(message=None, text="Lighthouse lamps").exists()
    request = provider.requests[-1].body
    assert (request["temperature"], request["max_tokens"]) == (0, titles.TITLE_TOKENS)
    assert "Fresnel lens" in request["messages"][-1]["content"]
    assert "tools" not in request

    reply = row.messages.get(role="assistant").pk
    tab.submit(QUESTION, conversation=conversation, parent=str(reply))
    tab.wait_for(lambda event: event["type"] == "generation.completed")
    assert len(provider.requests) == 3


def test_without_a_model_of_its_own_the_one_that_answered_is_asked(
    ask_first: Ask, provider: Provider
) -> None:
    # The title's request quotes the question, and so is answered alike.
    tab, _ = ask_first("")
    titled(tab, "A lamp turns behind a Fresnel lens")
    assert [request.body["model"] for request in provider.requests] == ["fake", "fake"]


def test_a_provider_that_fails_leaves_the_words(
    ask_first: Ask, provider: Provider, stack: Stack
) -> None:
    small_model("error=401")
    _, conversation = ask_first("small")
    stack.processes[-1].wait_for_line("title_not_made")
    row = Conversation.objects.get(pk=conversation)
    assert (row.title_source, row.title) == ("words", ANY)
    assert row.title.startswith('{"text": "A lamp')


@pytest.mark.database
def test_a_title_of_the_users_own_is_not_overwritten(owner: User, settings: Settings) -> None:
    settings.TITLE_MODEL = ""
    row = answered(owner, "Hello").conversation
    assert read(str(row.pk)) is not None
    Conversation.objects.filter(pk=row.pk).update(title="Mine", title_source="user")
    assert store(str(row.pk), "Theirs") is None
    assert read(str(row.pk)) is None
    row.refresh_from_db()
    assert row.title == "Mine"


@pytest.mark.database
def test_the_task_may_come_twice_or_after_the_deletion(owner: User, settings: Settings) -> None:
    settings.TITLE_MODEL = ""
    row, gone = (answered(owner, "Hello").conversation for _ in range(2))
    hide(gone)
    assert store(str(row.pk), "Better") is not None
    assert (store(str(row.pk), "Other"), read(str(row.pk))) == (None, None)
    assert (store(str(gone.pk), "Other"), read(str(gone.pk))) == (None, None)
    row.refresh_from_db()
    assert row.title == "Better"


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Lighthouse lamps", "Lighthouse lamps"),
        ('"Lighthouse lamps."\n', "Lighthouse lamps"),
        ("Title: **Lighthouse lamps**", "Lighthouse lamps"),
        ("\n\n# «Lampes de phare»\nBecause it is about lamps.", "Lampes de phare"),
        ("<think>The user asks\nof lamps</think>\nLighthouse lamps", "Lighthouse lamps"),
        ("<think>never ends", ""),
        ("a\x00b\u200bc\td", "abc d"),
        ("「灯台の灯り」。", "灯台の灯り"),
        ("x" * 200, "x" * 79 + "…"),
        ("", ""),
        (' "" ', ""),
    ],
)
def test_what_a_model_says_becomes_one_clean_line(said: str, title: str) -> None:
    assert titles.cleaned(said, 80) == title


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Can you please explain how to bake a sourdough bread?", "Bake a sourdough bread"),
        ("What is the capital of France? I forgot.", "Capital of France"),
        ("hello", ""),
        ("Wie funktioniert TLS?", "Wie funktioniert TLS"),
    ],
)  # fmt: skip
def test_the_demo_model_writes_titles_too(question: str, title: str) -> None:
    asked = [SystemMessage(titles.PROMPT), HumanMessage(titles.request(question, "An answer"))]
    said = DemoChatModel().invoke(asked).text
    assert titles.cleaned(said, 80) == title


def test_the_demo_model_is_asked_as_any_other(owner: User, settings: Settings) -> None:
    settings.TITLE_MODEL = ""
    row = answered(owner, "Explain lighthouses", model="demo").conversation
    job = read(str(row.pk))
    assert isinstance(job, Job)
    assert asyncio.run(ask(job)) == "Lighthouses"
