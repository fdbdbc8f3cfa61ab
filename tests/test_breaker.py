"""A provider that fails again and again is left alone for a while, and comes back by itself."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings

from accounts.models import User
from llm import health
from llm.catalogue import default_model
from llm.errors import ProviderError
from llm.models import ChatModel
from llm.models import Provider as ProviderRow
from tests.client import Tab
from tests.conftest import OpenTab
from tests.environment import free_port
from tests.provider import Provider
from tests.stack import Web

pytestmark = pytest.mark.database
DOWN = ProviderError("provider_unreachable", detail="Connection refused")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """`clock(60)`: it is 60 s later."""
    later = 0.0
    real = time.time

    def forward(seconds: float) -> None:
        nonlocal later
        later += seconds

    monkeypatch.setattr(time, "time", lambda: real() + later)
    return forward


@pytest.fixture
def row(transactional_db: None) -> Iterator[ProviderRow]:
    provider = ProviderRow.objects.create(name="Shaky", base_url="http://127.0.0.1/v1")
    health.succeeded(provider.pk, provider.name)
    yield provider
    health.succeeded(provider.pk, provider.name)


def fail(row: ProviderRow, times: int, error: ProviderError = DOWN) -> None:
    for _ in range(times):
        health.failed(row.pk, row.name, error)


def test_failures_in_a_row_take_it_out(row: ProviderRow, settings: Settings) -> None:
    fail(row, settings.LLM_BREAKER_FAILURES - 1)
    known = health.trouble(row.pk)
    assert known is not None
    assert (known.failures, known.is_out) == (settings.LLM_BREAKER_FAILURES - 1, False)
    assert health.admits(row.pk)
    fail(row, 1)
    known = health.trouble(row.pk)
    assert known is not None
    assert known.is_out
    assert (known.code, known.detail) == ("provider_unreachable", "Connection refused")
    assert not health.admits(row.pk)


def test_a_success_in_between_begins_the_count_anew(row: ProviderRow, settings: Settings) -> None:
    fail(row, settings.LLM_BREAKER_FAILURES - 1)
    health.succeeded(row.pk, row.name)
    fail(row, 1)
    known = health.trouble(row.pk)
    assert known is not None
    assert (known.failures, known.is_out) == (1, False)


def test_what_is_wrong_with_one_request_is_not_the_providers(
    row: ProviderRow, settings: Settings
) -> None:
    fail(row, settings.LLM_BREAKER_FAILURES, ProviderError("context_too_long"))
    fail(row, settings.LLM_BREAKER_FAILURES, ProviderError("provider_bad_request"))
    assert health.trouble(row.pk) is None


def test_after_a_while_one_answer_tries_it_and_brings_it_back(
    row: ProviderRow, settings: Settings, clock: Callable[[float], None]
) -> None:
    fail(row, settings.LLM_BREAKER_FAILURES)
    clock(settings.LLM_BREAKER_SECONDS + 1)
    assert [health.admits(row.pk) for _ in range(3)] == [True, False, False]
    health.succeeded(row.pk, row.name)
    assert health.admits(row.pk)
    assert health.trouble(row.pk) is None


def test_a_probe_that_fails_takes_it_out_again(
    row: ProviderRow, settings: Settings, clock: Callable[[float], None]
) -> None:
    fail(row, settings.LLM_BREAKER_FAILURES)
    clock(settings.LLM_BREAKER_SECONDS + 1)
    assert health.admits(row.pk)
    fail(row, 1)
    assert not health.admits(row.pk)
    clock(settings.LLM_BREAKER_SECONDS + 1)
    assert health.admits(row.pk)


def test_what_another_version_has_left_in_the_cache_is_nothing(row: ProviderRow) -> None:
    cache.set(health._key(row.pk), {"state": "open"}, 60)
    assert health.trouble(row.pk) is None
    assert health.admits(row.pk)


def chat_model(slug: str, provider: ProviderRow, **fields: Any) -> ChatModel:
    return ChatModel.objects.create(
        slug=slug, label=slug, provider=provider, **{"provider_model": "fake", **fields}
    )


def test_the_default_is_passed_over_while_its_provider_is_out(
    owner: User, row: ProviderRow, settings: Settings
) -> None:
    ChatModel.objects.all().delete()
    shaky = chat_model("shaky", row, default=True)
    assert default_model(owner) == shaky
    fail(row, settings.LLM_BREAKER_FAILURES)
    assert default_model(owner) == shaky, "there is no other"
    demo = ProviderRow.objects.create(name="D", kind="demo")
    chat_model("a-demo", demo)
    assert default_model(owner) == shaky, "a demo is no other"
    steady = chat_model("steady", ProviderRow.objects.create(name="Steady"))
    assert default_model(owner) == steady
    health.succeeded(row.pk, row.name)
    assert default_model(owner) == shaky


@pytest.mark.usefixtures("worker")
def test_a_provider_that_is_out_is_not_waited_for(
    owner: User,
    web: Web,
    open_tab: OpenTab,
    row: ProviderRow,
    provider: Provider,
    settings: Settings,
) -> None:
    row.base_url = provider.url
    row.save()
    second = chat_model("second", ProviderRow.objects.create(name="S", base_url=provider.url))
    chat_model("first", row, fallback=second, provider_model="of-first")
    fail(row, settings.LLM_BREAKER_FAILURES)

    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps({"tokens": 5}), model="first")
    assert tab.wait_for_end(ack["generation"])["model"] == "second"
    assert [request.body["model"] for request in provider.requests] == ["fake"]


@pytest.mark.usefixtures("worker")
def test_who_chose_it_and_has_no_fallback_is_still_served_and_that_brings_it_back(
    owner: User,
    web: Web,
    open_tab: OpenTab,
    row: ProviderRow,
    provider: Provider,
    settings: Settings,
) -> None:
    row.base_url = provider.url
    row.save()
    chat_model("only", row)
    fail(row, settings.LLM_BREAKER_FAILURES)
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps({"tokens": 5}), model="only")
    assert tab.wait_for_end(ack["generation"])["status"] == "completed"
    assert health.trouble(row.pk) is None


@pytest.mark.usefixtures("worker")
def test_failed_answers_are_counted(
    owner: User, web: Web, open_tab: OpenTab, row: ProviderRow
) -> None:
    row.base_url = f"http://127.0.0.1:{free_port()}/v1"
    row.save()
    chat_model("dead", row)
    tab: Tab = open_tab(owner, web)
    ack = tab.submit("Hello", model="dead")
    assert tab.wait_for_end(ack["generation"])["status"] == "failed"
    known = health.trouble(row.pk)
    assert known is not None
    assert (known.failures, known.code) == (1, "provider_unreachable")
