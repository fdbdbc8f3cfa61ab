"""A provider takes so many requests at once, over all workers. The others wait."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from accounts.models import User
from llm import places
from llm.models import ChatModel
from llm.models import Provider as ProviderRow
from tests.client import Tab, text_of
from tests.conftest import OpenTab
from tests.provider import Provider, expected_text
from tests.stack import Process, Stack, Web

pytestmark = pytest.mark.database
ENDLESS = {"tokens": 5000, "rate": 50}
SHORT = {"tokens": 5}
WAITING = "Waiting for a free place at the model"


@pytest.fixture
def row(transactional_db: None) -> Iterator[ProviderRow]:
    narrow = ProviderRow.objects.create(name="Narrow", max_concurrency=2)
    yield narrow
    cache.delete_many([f"llm:provider:{narrow.pk}:place:{number}" for number in range(9)])


def eventually(happens: Any) -> None:
    deadline = time.monotonic() + 30
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# --- Places ---------------------------------------------------------------------------------------
def test_there_are_so_many_and_each_is_given_back(row: ProviderRow) -> None:
    one, two = (places.take(row.pk, 2, holder) for holder in ("a", "b"))
    assert {one, two} == {f"llm:provider:{row.pk}:place:{number}" for number in (0, 1)}
    assert places.take(row.pk, 2, "c") is None
    assert places.taken(row.pk, 2) == 2
    places.give_back(row.pk, 2, "a")
    assert places.take(row.pk, 2, "c") == one


def test_who_holds_none_gives_none_back(row: ProviderRow) -> None:
    places.take(row.pk, 1, "a")
    places.give_back(row.pk, 1, "stranger")
    assert places.taken(row.pk, 1) == 1


def test_a_place_that_nobody_renews_comes_back(
    row: ProviderRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "LEASE_SECONDS", 1)
    places.take(row.pk, 1, "dead")
    eventually(lambda: places.take(row.pk, 1, "b"))


def test_a_place_is_renewed_by_its_holder_alone(row: ProviderRow) -> None:
    place = places.take(row.pk, 1, "a")
    assert place is not None
    cache.touch(place, 2)
    places.renew(place, "stranger")
    assert seconds_left(place) <= 2
    places.renew(place, "a")
    assert seconds_left(place) > 2


def test_a_place_that_redis_forgot_is_taken_again(row: ProviderRow) -> None:
    place = places.take(row.pk, 1, "a")
    assert place is not None
    cache.delete(place)
    places.renew(place, "a")
    assert places.take(row.pk, 1, "b") is None


def seconds_left(place: str) -> int:
    client: Any = cache._cache.get_client()  # type: ignore[attr-defined]
    return int(client.ttl(cache.make_key(place)))


# --- Through the worker and the socket ------------------------------------------------------------
def narrow_model(provider: Provider, row: ProviderRow, most: int = 1) -> None:
    ProviderRow.objects.filter(pk=row.pk).update(base_url=provider.url, max_concurrency=most)
    ChatModel.objects.create(slug="narrow", label="N", provider=row, provider_model="fake")


def say(tab: Tab, directive: dict[str, Any]) -> dict[str, Any]:
    return tab.submit(json.dumps(directive), model="narrow")


def wait_for(tab: Tab, ack: dict[str, Any], kind: str, label: str = "") -> None:
    tab.wait_for(
        lambda event: (
            event["type"] == kind
            and event["generation"] == ack["generation"]
            and event.get("label", "") == label
        )
    )


def stop(tab: Tab, ack: dict[str, Any]) -> str:
    tab.ask("generation.cancel", generation=ack["generation"])
    return str(tab.wait_for_end(ack["generation"])["status"])


def test_who_finds_no_place_says_so_can_be_stopped_and_goes_on_when_there_is_one(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider, row: ProviderRow
) -> None:
    narrow_model(provider, row)
    tab = open_tab(owner, web)
    first = say(tab, ENDLESS)
    wait_for(tab, first, "text.delta")
    second = say(tab, SHORT)
    wait_for(tab, second, "progress", WAITING)
    assert stop(tab, second) == "cancelled"
    third = say(tab, SHORT)
    wait_for(tab, third, "progress", WAITING)
    assert len(provider.requests) == 1

    assert stop(tab, first) == "cancelled"
    state = tab.wait_for_end(third["generation"])
    assert (state["status"], text_of(state["content"])) == ("completed", expected_text(SHORT))
    labels = [e["label"] for e in tab.of(third["generation"]) if e["type"] == "progress"]
    assert labels == [WAITING, ""]
    eventually(lambda: places.taken(row.pk, 1) == 0)


def test_a_model_with_tools_waits_for_each_of_its_requests(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider, row: ProviderRow
) -> None:
    narrow_model(provider, row)
    ChatModel.objects.filter(slug="narrow").update(tools=["current_time"])
    places.take(row.pk, 1, "somebody else")
    tab = open_tab(owner, web)
    ack = say(tab, {"tool": {"name": "current_time"}, "tokens": 5})
    wait_for(tab, ack, "progress", WAITING)
    places.give_back(row.pk, 1, "somebody else")
    state = tab.wait_for_end(ack["generation"])
    assert (state["status"], text_of(state["content"])) == ("completed", expected_text(SHORT))
    assert len(provider.requests) == 2


def test_the_place_of_a_worker_that_died_comes_back(
    owner: User, stack: Stack, open_tab: OpenTab, provider: Provider, row: ProviderRow
) -> None:
    """The same answer, started again, finds the place taken by the dead one."""
    narrow_model(provider, row)
    web, worker = stack.web(), stack.worker()
    tab = open_tab(owner, web)
    ack = say(tab, {"tokens": 40, "rate": 20})
    wait_for(tab, ack, "text.delta")
    worker.kill()
    stack.worker()
    state = tab.wait_for_end(ack["generation"], 60)
    assert (state["status"], state["attempt"]) == ("completed", 2)
    assert text_of(state["content"]) == expected_text({"tokens": 40})
