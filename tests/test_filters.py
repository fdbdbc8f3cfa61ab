"""What stands between the model and the log: nobody sees what a filter has kept back."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.models import User
from conversations.models import Message
from llm import health
from llm.errors import ProviderError
from llm.filters.base import Filter
from llm.filters.chain import filtered
from llm.filters.registry import make
from llm.models import ChatModel
from llm.models import Provider as ProviderRow
from llm.parts import (
    Finish,
    Part,
    Progress,
    ReasoningDelta,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    Usage,
)
from llm.session import close_session
from llm.spec import ModelSpec, Turn
from llm.stream import stream
from tests.client import text_of
from tests.conftest import OpenTab
from tests.environment import free_port
from tests.provider import Provider
from tests.stack import Process, Web

KEY = "sk-proj-" + "aB3_" * 20
LONG_KEY = "sk-" + "x" * 2_000
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlMTIz"
CARD = "4111 1111 1111 1111"
PEM = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIE\n" * 60 + "-----END RSA PRIVATE KEY-----"
SECRETS = (KEY, LONG_KEY, TOKEN, CARD, CARD.replace(" ", ""), PEM, "AKIAABCDEFGHIJKLMNOP")
PIECES = (
    *SECRETS, "sk-learn", "-----BEGIN CERTIFICATE-----", "-----BEGIN ", "------", "s", "sk", " ",
    "\n", "mask-", "4", "1111 ", "1 2 3 4 5", "2024-05-01", "é", "日本", "a@b.example", "eyJ", ".",
)  # fmt: skip
EVERYTHING: dict[str, Any] = {"name": "redact", "options": {"emails": True}}
REDACT: dict[str, Any] = {"name": "redact"}


class Shout(Filter):
    name = "shout"

    def feed(self, part: Part) -> Iterable[Part]:
        return (TextDelta(part.text.upper()),) if isinstance(part, TextDelta) else (part,)


@pytest.fixture(autouse=True)
async def _session() -> AsyncIterator[None]:
    yield
    await close_session()


class Said:
    """A model's parts. `closed`: whether it was hung up on."""

    def __init__(self, parts: Sequence[Part | Exception]) -> None:
        self.parts = parts
        self.taken = 0
        self.closed = False

    async def stream(self) -> AsyncGenerator[Part, None]:
        try:
            for part in self.parts:
                self.taken += 1
                if isinstance(part, Exception):
                    raise part
                yield part
        finally:
            self.closed = True


END: tuple[Part, ...] = (Usage(1, 1, estimated=False), Finish("stop"))


async def through(filters: list[dict[str, Any]], said: Said) -> list[Part]:
    return [part async for part in filtered(said.stream(), filters, [])]


async def until_failure(filters: list[dict[str, Any]], said: Said) -> list[Part]:
    """What was shown before the model broke off."""
    shown: list[Part] = []

    async def take() -> None:
        async for part in filtered(said.stream(), filters, []):
            shown.append(part)  # noqa: PERF401 - it must stay when the loop breaks off

    with pytest.raises(ProviderError, match="interrupted"):
        await take()
    return shown


def text(parts: Iterable[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextDelta))


def redacted(pieces: Iterable[str], wanted: dict[str, Any] = REDACT) -> str:
    [redact] = make([wanted])
    shown = [part for piece in pieces for part in redact.feed(TextDelta(piece))]
    return text([*shown, *redact.feed(Finish("stop"))])


# --- Redaction -----------------------------------------------------------------------------------
@pytest.mark.parametrize("number", range(len(SECRETS)))
def test_a_secret_is_taken_out(number: int) -> None:
    said = f"It is {SECRETS[number]}, keep it."
    shown = redacted([said])
    assert shown.startswith("It is [")
    assert shown.endswith(" removed], keep it.")
    assert redacted(said) == shown, "one character at a time"


@pytest.mark.parametrize(
    "said",
    [
        "pip install sk-learn", "-----BEGIN CERTIFICATE-----\nMIIE", "4111 1111 1111 1112",
        "It is 2024-05-01 12:30", "mask-" + "a" * 40, "me@example.org", "|-----|-----|", "eyJ",
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(said: str) -> None:
    assert redacted([said]) == redacted(said) == said


def test_addresses_only_where_it_is_wanted() -> None:
    assert redacted(["Write to me@example.org."], EVERYTHING) == (
        "Write to [e-mail address removed]."
    )


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=8), data=st.data())
def test_the_cuts_of_the_stream_make_no_difference(pieces: list[str], data: st.DataObject) -> None:
    said = "".join(pieces)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(said)), max_size=12)))
    cut = [said[a:b] for a, b in zip([0, *cuts], [*cuts, len(said)], strict=True)]
    for wanted in (REDACT, EVERYTHING):
        assert redacted(cut, wanted) == redacted([said], wanted)


def test_plain_words_are_not_held_back() -> None:
    [redact] = make([REDACT])
    for word in ("Hello", " there", ", it", " is", " noon"):
        assert list(redact.feed(TextDelta(word))) == [TextDelta(word)]


async def test_what_is_held_back_comes_before_what_follows_it() -> None:
    call = ToolCallStarted("1", "look_up")
    done = ToolCallFinished("1", "look_up", "{}", f"key {KEY}", None, side_effects=False)
    said = Said([ReasoningDelta("a sk-"), TextDelta("b sk-"), call, done, TextDelta("s"), *END])
    shown = await through([REDACT], said)
    assert [part for part in shown if isinstance(part, ReasoningDelta)] == [
        ReasoningDelta("a "),
        ReasoningDelta("sk-"),
    ]
    assert text(shown) == "b sk-s"
    at = shown.index(call)
    assert shown[at - 1] == TextDelta("sk-")
    result = shown[at + 1]
    assert isinstance(result, ToolCallFinished)
    assert result.result == "key [API key removed]"
    assert shown[-2:] == list(END)


@pytest.mark.parametrize("half", [KEY[:12], CARD[:9], PEM[:14]])
async def test_a_cut_answer_does_not_end_with_half_of_a_secret(half: str) -> None:
    """Its user may ask for the rest, which nobody could tell from other words."""
    said = Said([TextDelta(f"see {half}"), Usage(1, 1, estimated=False), Finish("length")])
    shown = await through([REDACT], said)
    assert text(shown) == "see "
    assert shown[-2:] == said.parts[-2:]
    said = Said([TextDelta(f"see {half}"), ProviderError("provider_interrupted")])
    assert text(await until_failure([REDACT], said)) == "see "


async def test_a_report_in_the_middle_of_a_secret_does_not_let_it_out() -> None:
    half = len(KEY) // 2
    said = Said([TextDelta(KEY[:half]), Progress("Working"), TextDelta(KEY[half:]), *END])
    assert text(await through([REDACT], said)) == "[API key removed]"


# --- Length --------------------------------------------------------------------------------------
@pytest.mark.parametrize("pieces", [["abcdefgh"], ["abc", "def", "gh"], list("abcdefgh")])
async def test_the_answer_ends_at_its_limit_and_the_model_is_hung_up_on(pieces: list[str]) -> None:
    said = Said([*map(TextDelta, pieces), *[TextDelta("more")] * 100, *END])
    shown = await through([{"name": "max_length", "options": {"characters": 5}}], said)
    assert text(shown) == "abcde"
    assert isinstance(shown[-2], Usage)
    assert shown[-2].estimated
    assert shown[-1] == Finish("length")
    assert said.closed
    assert said.taken < 10


async def test_a_call_that_was_shown_comes_to_an_end() -> None:
    said = Said([ToolCallStarted("1", "look_up"), TextDelta("too long"), *END])
    shown = await through([{"name": "max_length", "options": {"characters": 3}}], said)
    assert [type(part) for part in shown[1:]] == [TextDelta, ToolCallFinished, Usage, Finish]


async def test_filters_work_in_their_order(settings: Settings) -> None:
    settings.LLM_FILTERS = ["tests.test_filters.Shout"]
    cut = {"name": "max_length", "options": {"characters": 3}}
    said = Said([TextDelta("straße"), *END])
    assert text(await through([{"name": "shout"}, cut], said)) == "STR"
    said = Said([TextDelta("aß!!"), *END])
    assert text(await through([cut, {"name": "shout"}], said)) == "ASS!"


@given(
    pieces=st.lists(st.sampled_from(PIECES), max_size=8),
    characters=st.integers(1, 400),
    data=st.data(),
)
def test_a_chain_shows_the_same_wherever_the_stream_is_cut(
    pieces: list[str], characters: int, data: st.DataObject
) -> None:
    chain = [REDACT, {"name": "max_length", "options": {"characters": characters}}]
    said = "".join(pieces)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(said)), max_size=12)))
    cut = [said[a:b] for a, b in zip([0, *cuts], [*cuts, len(said)], strict=True)]
    shown, whole = (
        asyncio.run(through(chain, Said([*map(TextDelta, each), *END]))) for each in (cut, [said])
    )
    assert text(shown) == text(whole) == redacted([said])[:characters]
    assert shown[-1] == whole[-1]


# --- Moderation ----------------------------------------------------------------------------------
def moderation(provider: Provider, **options: Any) -> list[dict[str, Any]]:
    return [{"name": "moderation", "options": {"base_url": provider.url, **options}}]


def sentences(*said: str) -> list[Part]:
    return [TextDelta(f"{word} ") for each in said for word in each.split(" ")]


FINE = "This is a sentence of some length that nobody could have anything against."


async def test_what_passes_moderation_arrives_whole_and_in_order(provider: Provider) -> None:
    call = ToolCallStarted("1", "look_up")
    said = Said([*sentences(FINE), call, *sentences(FINE, FINE), *END])
    shown = await through(moderation(provider), said)
    assert shown == list(said.parts)
    assert len(provider.moderated) >= 2


async def test_no_word_of_a_flagged_sentence_is_shown(provider: Provider) -> None:
    said = Said([*sentences(FINE, f"This is forbidden. {FINE}"), *END])
    shown = await through(moderation(provider), said)
    assert "forbidden" not in text(shown)
    assert isinstance(shown[-2], Usage)
    assert shown[-1] == Finish("content_filter")
    assert said.closed


async def test_the_model_waits_while_a_call_has_not_passed(provider: Provider) -> None:
    call = ToolCallStarted("1", "look_up", side_effects=True)
    said = Said([*sentences("forbidden"), call, TextDelta("after"), *END])
    shown = await through(moderation(provider), said)
    assert shown[-1] == Finish("content_filter")
    assert call not in shown
    assert said.taken == 2, "the tool would have run"


async def test_a_tab_that_stops_the_answer_leaves_no_request_behind(provider: Provider) -> None:
    said = Said([*sentences(FINE, FINE, FINE), *END])
    parts = filtered(said.stream(), moderation(provider), [])
    await anext(parts)
    await parts.aclose()
    assert said.closed
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_answer_that_cannot_be_moderated_fails(provider: Provider) -> None:
    with pytest.raises(ProviderError) as failed:
        await through(moderation(provider), Said([TextDelta("broken"), *END]))
    assert failed.value.code == "moderation_unavailable"


async def test_unless_it_is_to_pass(provider: Provider) -> None:
    said = Said([TextDelta("broken"), *END])
    assert await through(moderation(provider, if_away="pass"), said) == list(said.parts)


async def test_a_failure_of_the_model_comes_after_what_it_said(provider: Provider) -> None:
    said = Said([*sentences(FINE), ProviderError("provider_interrupted")])
    assert text(await until_failure(moderation(provider), said)).strip() == FINE


# --- Around an agent ---
async def test_an_answer_with_tools_goes_through_them_too(provider: Provider) -> None:
    filters = (REDACT, {"name": "max_length", "options": {"characters": 10}})
    model = ModelSpec(
        "m", "openai", provider.url, "", "fake", tools=("current_time",), filters=filters
    )
    asked = json.dumps({"tool": {"name": "current_time"}, "tokens": 5_000, "rate": 100})
    turns = [Turn("user", [{"type": "text", "text": asked}])]
    shown = [part async for part in stream(model, turns)]
    assert len(text(shown)) == 10
    assert [type(part) for part in shown[-2:]] == [Usage, Finish]
    assert shown[-1] == Finish("length")
    assert any(isinstance(part, ToolCallFinished) and part.result for part in shown)
    assert provider.requests[-1].ended.wait(5)
    assert provider.requests[-1].disconnected_at, "the model was hung up on"


# --- What an admin may set -----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({}, "Expected `array`"),
        (["redact"], "Expected `object`"),
        ([{"name": "unheard"}], "got 'unheard'"),
        ([{"name": "redact", "extra": 1}], "unknown field `extra`"),
        ([{"name": "max_length"}], "max_length: Object missing required field `characters`"),
        ([{"name": "max_length", "options": {"characters": 0}}], ">= 1"),
        ([{"name": "redact", "options": {"phones": True}}], "unknown field `phones`"),
        ([{"name": "redact"}] * 11, "at most 10 filters"),
    ],
)
def test_a_wrong_filter_is_refused_with_a_sentence(filters: Any, words: str) -> None:
    model = ChatModel(slug="m", label="M", provider_model="m", filters=filters)
    with pytest.raises(ValidationError) as refused:
        model.clean_fields(exclude={"provider"})
    assert words in str(refused.value.message_dict["filters"])


async def test_a_worker_that_lacks_a_filter_shows_nothing() -> None:
    said = Said([TextDelta("secret"), *END])
    with pytest.raises(ProviderError) as failed:
        await through([{"name": "shout"}], said)
    assert failed.value.code == "model_misconfigured"


# --- Through the worker and the socket -----------------------------------------------------------
@pytest.mark.database
def test_nobody_gets_what_was_filtered(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    limit = {"name": "max_length", "options": {"characters": 60}}
    ChatModel.objects.filter(slug="fake").update(filters=[REDACT, limit])
    tab = open_tab(owner, web)
    words = f"Your key is {KEY} and here is a long explanation of what to do with it."
    ack = tab.submit(json.dumps({"text": words, "split_bytes": 3}))
    state = tab.wait_for_end(ack["generation"])

    expected = words.replace(KEY, "[API key removed]")[:60]
    assert (state["status"], state["finish_reason"]) == ("completed", "length")
    assert text_of(state["content"]) == expected
    assert Message.objects.get(pk=ack["reply"]).content == state["content"]
    assert KEY[:12] not in json.dumps(tab.of(ack["generation"]))
    assert state["usage"]["estimated"]
    assert tab.gaps == 0


@pytest.mark.database
def test_a_fallback_keeps_back_what_the_asked_model_would(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    away = ProviderRow.objects.create(name="Away", base_url=f"http://127.0.0.1:{free_port()}/v1")
    health.succeeded(away.pk, away.name)
    second = ChatModel.objects.get(slug="fake")
    limit = {"name": "max_length", "options": {"characters": 60}}
    ChatModel.objects.filter(pk=second.pk).update(filters=[limit])
    ChatModel.objects.create(
        slug="first", label="First", provider=away, fallback=second, filters=[REDACT]
    )
    tab = open_tab(owner, web)
    words = f"Your key is {KEY} and here is a long explanation of what to do with it."
    ack = tab.submit(json.dumps({"text": words, "split_bytes": 3}), model="first")
    state = tab.wait_for_end(ack["generation"])

    assert (state["model"], state["finish_reason"]) == ("fake", "length")
    assert text_of(state["content"]) == words[: words.index(KEY)]
    assert KEY[:12] not in json.dumps(tab.of(ack["generation"]))


@pytest.mark.database
def test_a_flagged_answer_ends_and_says_so(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    ChatModel.objects.filter(slug="fake").update(filters=moderation(provider))
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps({"text": f"{FINE} This is forbidden. {FINE} {FINE}"}))
    state = tab.wait_for_end(ack["generation"])
    assert (state["status"], state["finish_reason"]) == ("completed", "content_filter")
    assert "forbidden" not in json.dumps(tab.of(ack["generation"]))

    ack = tab.submit(
        json.dumps({"text": "This is broken."}),
        parent=ack["reply"],
        conversation=ack["conversation"],
    )
    state = tab.wait_for_end(ack["generation"])
    assert (state["status"], state["error"]["code"]) == ("failed", "moderation_unavailable")
    assert health.trouble(ChatModel.objects.get(slug="fake").provider_id) is None
