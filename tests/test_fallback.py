"""A model that cannot answer is replaced by its fallback: through the real worker and socket."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group

from accounts.models import User
from conversations.models import Generation
from conversations.shapes import generation_shape
from llm import health
from llm.models import ChatModel
from llm.models import Provider as ProviderRow
from tests.client import Tab, text_of
from tests.conftest import OpenTab
from tests.environment import free_port
from tests.provider import Provider, expected_text
from tests.stack import Web

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("worker")]


def model(slug: str, base_url: str, **fields: Any) -> ChatModel:
    provider = ProviderRow.objects.create(name=f"Of {slug}", base_url=base_url)
    health.succeeded(provider.pk, provider.name)
    return ChatModel.objects.create(
        slug=slug,
        label=slug.title(),
        provider=provider,
        **{"provider_model": "fake", **fields},
    )


@pytest.fixture
def second(transactional_db: None, provider: Provider) -> ChatModel:
    return model("second", provider.url)


@pytest.fixture
def first(second: ChatModel) -> ChatModel:
    """Nobody listens at its address."""
    return model("first", f"http://127.0.0.1:{free_port()}/v1", fallback=second)


@pytest.fixture
def tab(owner: User, web: Web, open_tab: OpenTab) -> Tab:
    return open_tab(owner, web)


def labels(tab: Tab, generation: str) -> list[str]:
    return [event["label"] for event in tab.of(generation) if event["type"] == "progress"]


def test_the_fallback_answers_and_the_user_sees_which(tab: Tab, first: ChatModel) -> None:
    ack = tab.submit(json.dumps({"tokens": 15}), model="first")
    state = tab.wait_for_end(ack["generation"])

    assert (state["status"], state["model"]) == ("completed", "second")
    assert text_of(state["content"]) == expected_text({"tokens": 15})
    assert labels(tab, ack["generation"]) == ["Second answers in place of First"]
    row = Generation.objects.get(pk=ack["generation"])
    assert (row.model_slug, row.answered_by) == ("first", "second")
    shape = generation_shape(row)
    assert shape is not None
    assert shape["model"] == "second"


def test_a_tab_that_comes_later_sees_it_too(
    tab: Tab, first: ChatModel, owner: User, web: Web, open_tab: OpenTab
) -> None:
    ack = tab.submit(json.dumps({"tokens": 5}), model="first")
    ended = tab.wait_for_end(ack["generation"])
    late = open_tab(owner, web)
    late.send("resume", conversation=ack["conversation"], positions={ack["generation"]: [0, 0]})
    assert late.wait_for_end(ack["generation"])["model"] == ended["model"] == "second"


def test_the_model_that_works_answers_itself(tab: Tab, second: ChatModel) -> None:
    second.fallback = model("third", second.provider.base_url)
    second.save()
    ack = tab.submit(json.dumps({"tokens": 5}), model="second")
    assert tab.wait_for_end(ack["generation"])["model"] == "second"
    assert labels(tab, ack["generation"]) == []
    assert Generation.objects.get(pk=ack["generation"]).answered_by == ""


def test_a_chain_is_followed_to_the_one_that_answers(tab: Tab, first: ChatModel) -> None:
    start = model("start", first.provider.base_url, fallback=first)
    ack = tab.submit(json.dumps({"tokens": 5}), model=start.slug)
    assert tab.wait_for_end(ack["generation"])["model"] == "second"
    assert labels(tab, ack["generation"])[-1] == "Second answers in place of Start"


def test_nothing_follows_what_a_model_has_begun_to_say(
    tab: Tab, second: ChatModel, provider: Provider
) -> None:
    cut = model("cut", provider.url, fallback=second)
    ack = tab.submit(json.dumps({"cut_after": 6, "rate": 500}), model=cut.slug)
    state = tab.wait_for_end(ack["generation"])
    assert (state["status"], state["error"]["code"]) == ("failed", "provider_interrupted")
    assert text_of(state["content"]) == expected_text({"tokens": 6})
    assert len(provider.requests) == 1


def test_what_no_model_would_take_is_not_asked_twice(
    tab: Tab, second: ChatModel, provider: Provider
) -> None:
    full = model("full", provider.url, fallback=second)
    ack = tab.submit(json.dumps({"context_too_long": True}), model=full.slug)
    assert tab.wait_for_end(ack["generation"])["error"]["code"] == "context_too_long"
    assert len(provider.requests) == 1


def test_where_all_fail_the_last_failure_is_told(tab: Tab, first: ChatModel) -> None:
    ack = tab.submit(json.dumps({"error": 401}), model="first")
    state = tab.wait_for_end(ack["generation"])
    assert (state["status"], state["error"]["code"]) == ("failed", "provider_auth")


def test_a_fallback_that_the_user_may_not_use_does_not_answer(
    tab: Tab, first: ChatModel, second: ChatModel
) -> None:
    second.groups.add(Group.objects.create(name="Others"))
    ack = tab.submit(json.dumps({"tokens": 5}), model="first")
    assert tab.wait_for_end(ack["generation"])["error"]["code"] == "provider_unreachable"


def test_a_misconfigured_model_is_stood_in_for_and_counted_to_nobody(
    tab: Tab, second: ChatModel, provider: Provider
) -> None:
    wrong = model("wrong", provider.url, fallback=second, parameters={"temperature": "hot"})
    ack = tab.submit(json.dumps({"tokens": 5}), model=wrong.slug)
    assert tab.wait_for_end(ack["generation"])["model"] == "second"
    assert health.trouble(wrong.provider_id) is None
