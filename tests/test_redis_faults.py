"""Redis that restarts, forgets, hangs and goes away in the middle of an answer."""

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from accounts.models import User
from conversations.models import Generation, Message
from tests.client import Tab, text_of
from tests.conftest import OpenTab
from tests.environment import free_port
from tests.provider import expected_text
from tests.proxy import Proxy
from tests.redis_server import RedisServer
from tests.stack import Stack

LONG = {"tokens": 200, "rate": 50}


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own, over TCP."""
    server = RedisServer(tmp_path / "redis", "", port=free_port())
    server.start()
    yield server
    server.stop(kill=True)


@pytest.fixture
def fragile(stack: Stack, own_redis: RedisServer) -> Stack:
    """A stack over that Redis."""
    stack.env["REDIS_URL"] = own_redis.url
    return stack


def assert_exact_end(tab: Tab, ack: dict[str, str], directive: dict[str, Any]) -> None:
    """However the line was in between: what a tab that comes back gets is the whole answer."""
    state = come_back(tab, ack)
    assert state["status"] == "completed", state["error"]
    assert text_of(state["content"]) == expected_text(directive)
    assert Message.objects.get(pk=ack["reply"]).content == state["content"]


def come_back(tab: Tab, ack: dict[str, str]) -> dict[str, Any]:
    """As the browser does it: reconnect when the socket closes, resume with one's position."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            return tab.wait_for_end(ack["generation"], 5)
        except (TimeoutError, ConnectionClosed) as trouble:
            if isinstance(trouble, ConnectionClosed):
                tab.open()
            tab.resume(ack["conversation"])
    raise AssertionError(f"no end: {tab.events[-5:]}")


def test_redis_restarts_with_its_file(
    owner: User, fragile: Stack, own_redis: RedisServer, open_tab: OpenTab
) -> None:
    web, _ = fragile.web(), fragile.worker()
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(LONG))
    tab.wait_for_text(ack["generation"], 80)

    own_redis.stop(kill=True)
    own_redis.start()

    assert_exact_end(tab, ack, LONG)
    assert Generation.objects.get(pk=ack["generation"]).attempt == 1


def test_redis_restarts_empty_and_a_new_tab_still_sees_all(
    owner: User, fragile: Stack, own_redis: RedisServer, open_tab: OpenTab
) -> None:
    web, _ = fragile.web(), fragile.worker()
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(LONG))
    tab.wait_for_text(ack["generation"], 80)

    own_redis.stop(kill=True)
    own_redis.forget()
    own_redis.start()

    new = open_tab(owner, web)
    new.resume(ack["conversation"])
    seen = new.wait_for_text(ack["generation"], 120)
    assert expected_text(LONG).startswith(seen)
    assert_exact_end(new, ack, LONG)
    assert_exact_end(tab, ack, LONG)
    assert Generation.objects.get(pk=ack["generation"]).attempt == 1


def test_a_model_that_is_silent_while_redis_forgets(
    owner: User, fragile: Stack, own_redis: RedisServer, open_tab: OpenTab
) -> None:
    """Nothing new is written that would show the worker that the log is gone."""
    directive = {"tokens": 60, "rate": 200, "hang_after": 30}
    web, _ = fragile.web(), fragile.worker(LLM_TOKEN_TIMEOUT="30")
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(directive))
    text = tab.wait_for_text(ack["generation"], len(expected_text({"tokens": 30})))

    own_redis.stop(kill=True)
    own_redis.forget()
    own_redis.start()

    new = open_tab(owner, web)
    new.resume(ack["conversation"])
    assert new.wait_for_text(ack["generation"], len(text)) == text
    stopped = new.ask("generation.cancel", generation=ack["generation"])
    assert stopped["type"] == "ack", stopped
    state = come_back(new, ack)
    assert state["status"] == "cancelled"
    assert text_of(state["content"]) == text


def test_an_answer_ends_while_redis_is_down(
    owner: User, fragile: Stack, own_redis: RedisServer, open_tab: OpenTab
) -> None:
    web, worker = fragile.web(), fragile.worker()
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(LONG))
    tab.wait_for_text(ack["generation"], 80)

    own_redis.stop(kill=True)
    wait_until_stored(ack)

    # What is there is shown even now: a page that is loaded reads the database.
    assert Message.objects.get(pk=ack["reply"]).text == expected_text(LONG)
    refused = tab.ask("message.submit", client_message_id=str(uuid.uuid4()), text="hello")
    assert (refused["code"], refused["retryable"]) == ("unavailable", True)
    assert refused["retry_after"] > 0
    own_redis.start()
    assert_exact_end(tab, ack, LONG)
    assert worker.running


def test_what_was_refused_while_redis_was_down_works_afterwards(
    owner: User, fragile: Stack, own_redis: RedisServer, open_tab: OpenTab
) -> None:
    web, worker = fragile.web(), fragile.worker()
    tab = open_tab(owner, web)
    same = str(uuid.uuid4())
    own_redis.stop(kill=True)
    refused = tab.ask("message.submit", client_message_id=same, text=json.dumps(LONG))
    assert refused["code"] == "unavailable"

    own_redis.start()

    ack = submit_until_taken(tab, same, json.dumps(LONG))
    assert_exact_end(tab, ack, LONG)
    assert Generation.objects.count() == 1
    assert worker.running


def test_the_line_to_redis_is_cut_half_open(
    owner: User, stack: Stack, own_redis: RedisServer, open_tab: OpenTab
) -> None:
    port = free_port()
    with Proxy(port, int(own_redis.url.rsplit(":", 1)[1].split("/")[0])) as proxy:
        stack.env["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
        web, worker = stack.web(), stack.worker()
        tab = open_tab(owner, web)
        ack = tab.submit(json.dumps(LONG))
        tab.wait_for_text(ack["generation"], 80)

        proxy.cut_half_open()

        assert_exact_end(tab, ack, LONG)
        after = submit_until_taken(tab, str(uuid.uuid4()), json.dumps({"tokens": 20, "rate": 200}))
        assert_exact_end(tab, after, {"tokens": 20, "rate": 200})
        assert worker.running


def test_redis_hangs_for_a_moment(
    owner: User, fragile: Stack, own_redis: RedisServer, open_tab: OpenTab
) -> None:
    web, worker = fragile.web(), fragile.worker()
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(LONG))
    tab.wait_for_text(ack["generation"], 80)

    own_redis.pause()
    wait_until_stored(ack)
    own_redis.go_on()

    assert_exact_end(tab, ack, LONG)
    assert worker.running


def test_redis_hangs_for_longer_than_a_lease_and_nobody_takes_over(
    owner: User, fragile: Stack, own_redis: RedisServer, open_tab: OpenTab
) -> None:
    """Leases are the database's: whoever waits for Redis must not forget to renew them."""
    directive = {"tokens": 400, "rate": 50}
    web, first, second = fragile.web(), fragile.worker(), fragile.worker()
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(directive))
    tab.wait_for_text(ack["generation"], 80)
    lease = Generation.objects.get(pk=ack["generation"]).lease_expires_at

    own_redis.pause()
    wait_until_stored(ack)
    own_redis.go_on()

    assert_exact_end(tab, ack, directive)
    stored = Generation.objects.get(pk=ack["generation"])
    assert lease is not None
    assert stored.finished_at is not None
    assert stored.finished_at > lease, "the hang must outlast the lease that was there before it"
    assert (stored.attempt, stored.losses) == (1, 0)
    for worker in (first, second):
        assert "lease_ran_out" not in worker.log.read_text()


def wait_until_stored(ack: dict[str, str]) -> None:
    deadline = time.monotonic() + 30
    while Generation.objects.get(pk=ack["generation"]).status != "completed":
        assert time.monotonic() < deadline, "the answer was not stored"
        time.sleep(0.05)


def submit_until_taken(tab: Tab, client_message_id: str, text: str) -> dict[str, str]:
    """As the browser's outbox does it: the same message again while the refusal is retryable."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        try:
            answer = tab.ask("message.submit", client_message_id=client_message_id, text=text)
        except ConnectionClosed:
            tab.open()
            continue
        if answer["type"] == "ack":
            return answer
        assert answer["retryable"], answer
        time.sleep(answer.get("retry_after", 1) / 4)
    raise AssertionError("the message was never taken")
