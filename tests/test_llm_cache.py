"""Answers that are given again: to the same question alone, and to whom they may be."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from msgspec.structs import replace
from pytest_django import Settings

from accounts.models import User
from conversations.models import Conversation, Generation
from llm.cache import Kept, cached, find, keep, key_of, purge
from llm.models import ChatModel
from llm.parts import (
    Answering,
    Finish,
    Part,
    Progress,
    ReasoningDelta,
    TextDelta,
    ToolCallStarted,
    Usage,
)
from llm.spec import ModelSpec, Turn
from tests.client import Tab, text_of
from tests.conftest import OpenTab
from tests.provider import Provider, expected_text
from tests.stack import Process, Web

MODEL = ModelSpec("cached/model", "openai", "", "", "fake", cache_scope="user:1")
USAGE = Usage(3, 4, estimated=False, left_out=2)
STOP = Finish("stop")
HELLO = Kept([("text", "Hello")])


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    yield
    for slug in (MODEL.slug, "fake"):
        purge(slug)


def turns(text: str = "Hi", **block: Any) -> list[Turn]:
    return [Turn("user", [{"type": "text", "text": text, **block}])]


class Said:
    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self.asked = False

    async def stream(self) -> AsyncGenerator[Part, None]:
        self.asked = True
        for part in self.parts:
            yield part


async def ask(model: ModelSpec, *said: Part, question: str = "Hi") -> tuple[list[Part], bool]:
    """What came, and whether the model was asked."""
    source = Said(said)
    came = [part async for part in cached(model, turns(question), source.stream())]
    return came, source.asked


# --- What is given again --------------------------------------------------------------------------
async def test_an_answer_is_given_again_at_once_and_says_so() -> None:
    said: list[Part] = [
        ReasoningDelta("Hm"),
        ReasoningDelta("m"),
        TextDelta("He"),
        TextDelta("y"),
        USAGE,
        STOP,
    ]
    assert await ask(MODEL, Progress("Waiting"), *said) == ([Progress("Waiting"), *said], True)
    again, asked = await ask(MODEL, TextDelta("other"), USAGE, STOP)
    assert not asked
    free = Usage(0, 0, estimated=False, left_out=2, cached=True)
    assert again == [ReasoningDelta("Hmm"), TextDelta("Hey"), free, STOP]


async def test_who_asks_once_more_gets_another_answer_which_is_kept_then() -> None:
    await ask(MODEL, TextDelta("old"), USAGE, STOP)
    assert (await ask(replace(MODEL, cache_reads=False), TextDelta("new"), USAGE, STOP))[1]
    assert TextDelta("new") in (await ask(MODEL))[0]


@pytest.mark.parametrize(
    "said",
    [
        [TextDelta("a"), USAGE, Finish("length")],
        [TextDelta("a"), USAGE, Finish("content_filter")],
        [TextDelta("a"), ToolCallStarted("1", "current_time"), TextDelta("b"), USAGE, STOP],
        [Answering("b", "B", "A"), TextDelta("a"), USAGE, STOP],
        [TextDelta("x" * 2_000), USAGE, STOP],
        [TextDelta('"' * 600), USAGE, STOP],
        [ReasoningDelta("only a thought"), USAGE, STOP],
        [TextDelta("broken off")],
    ],
)
async def test_what_is_of_its_moment_or_too_long_is_not_kept(
    said: list[Part], settings: Settings
) -> None:
    settings.LLM_CACHE_ENTRY_BYTES = 1_000
    await ask(MODEL, *said)
    assert (await ask(MODEL, *said))[1]


@pytest.mark.parametrize(
    "other",
    [
        {"cache_scope": "user:2"},
        {"parameters": {"temperature": 1}},
        {"tools": ("current_time",)},
        {"system_prompt": "Be brief."},
        {"filters": ({"name": "redact"},)},
        {"provider_model": "fake-2"},
        {"base_url": "http://elsewhere/v1"},
    ],
)
def test_another_question_has_another_key(other: dict[str, Any]) -> None:
    assert key_of(replace(MODEL, **other), turns()) != key_of(MODEL, turns())
    assert key_of(MODEL, turns("Hi ")) != key_of(MODEL, turns())


def test_what_changes_no_answer_changes_no_key() -> None:
    same = replace(MODEL, encrypted_key="x", label="New", cache_reads=False, max_concurrency=3)
    assert key_of(same, turns()) == key_of(MODEL, turns())
    shuffled = [
        replace(MODEL, parameters=dict(pairs))
        for pairs in ([("a", 1), ("b", 2)], [("b", 2), ("a", 1)])
    ]
    assert key_of(shuffled[0], turns()) == key_of(shuffled[1], turns())


async def test_questions_about_images_are_always_asked() -> None:
    source = Said([TextDelta("a"), USAGE, STOP])
    seen = [Turn("user", [{"type": "image", "base64": "AAAA"}])]
    parts = source.stream()
    assert cached(MODEL, seen, parts) is parts
    await parts.aclose()


# --- How much, and until when ---------------------------------------------------------------------
def test_the_newest_are_kept(settings: Settings) -> None:
    settings.LLM_CACHE_ENTRIES = 2
    keys = [key_of(MODEL, turns(str(number))) for number in range(4)]
    for key in keys:
        keep(MODEL, key, HELLO)
    assert [find(MODEL, key) is not None for key in keys] == [False, False, True, True]


def test_one_that_was_asked_anew_is_as_new_as_its_last_answer(settings: Settings) -> None:
    settings.LLM_CACHE_ENTRIES = 2
    old, again, new = (key_of(MODEL, turns(words)) for words in ("old", "again", "new"))
    for key in (old, again, again, new):
        keep(MODEL, key, HELLO)
    assert [find(MODEL, key) is not None for key in (old, again, new)] == [False, True, True]


def test_a_purge_takes_all_of_one_model_and_what_is_on_its_way() -> None:
    other = replace(MODEL, slug="other")
    before, of_other = key_of(MODEL, turns()), key_of(other, turns())
    keep(MODEL, before, HELLO)
    keep(other, of_other, HELLO)
    assert purge(MODEL.slug) == 1
    keep(MODEL, before, HELLO)
    assert find(MODEL, key_of(MODEL, turns())) is None
    assert find(other, of_other) == HELLO
    purge("other")


# --- Through the worker and the socket ------------------------------------------------------------
def question(tab: Tab, words: str = "What is a lease?", **more: Any) -> dict[str, Any]:
    ack = tab.submit(words, **more)
    return {**ack, **tab.wait_for_end(ack["generation"])}


@pytest.mark.database
def test_a_user_gets_an_answer_again_and_another_user_does_not(
    owner: User, stranger: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    ChatModel.objects.filter(slug="fake").update(cache="user")
    tab = open_tab(owner, web)
    first, again = question(tab), question(tab)
    assert len(provider.requests) == 1
    assert again["content"] == first["content"]
    assert again["usage"] == {
        "input_tokens": 0, "output_tokens": 0, "estimated": False, "cached": True,
    }  # fmt: skip
    assert Generation.objects.get(pk=again["generation"]).usage["cached"]
    assert "cached" not in first["usage"]

    other = open_tab(stranger, web)
    assert "cached" not in question(other)["usage"]
    ChatModel.objects.filter(slug="fake").update(cache="shared")
    question(tab)
    assert question(other)["usage"]["cached"]
    assert len(provider.requests) == 3


@pytest.mark.database
def test_try_again_asks_the_model_and_a_purge_forgets(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    ChatModel.objects.filter(slug="fake").update(cache="user")
    tab = open_tab(owner, web)
    first = question(tab)
    provider.script({"tokens": 5})
    ack = tab.ask("generation.retry", message=first["reply"])
    newer = tab.wait_for_end(ack["generation"])
    assert text_of(newer["content"]) == expected_text({"tokens": 5})
    again = question(tab)
    assert (again["content"], again["usage"]["cached"]) == (newer["content"], True)

    staff = Client()
    staff.force_login(User.objects.create_superuser("root", "root@example.com"))
    model = ChatModel.objects.get(slug="fake")
    emptied = staff.post(f"/admin/llm/chatmodel/{model.pk}/empty-cache/")
    assert emptied.status_code == 302
    assert "cached" not in question(tab)["usage"]


@pytest.mark.database
def test_of_a_temporary_chat_nothing_is_kept(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    ChatModel.objects.filter(slug="fake").update(cache="user")
    tab = open_tab(owner, web)
    for _ in range(2):
        until = timezone.now() + timedelta(hours=1)
        chat = Conversation.objects.create(owner=owner, expires_at=until)
        assert "cached" not in question(tab, conversation=str(chat.pk))["usage"]
