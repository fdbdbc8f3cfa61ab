"""What a load balancer hears, from real nodes whose parts are gone, or hang."""

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import AsyncClient, Client

from streaming.node import node
from tests.environment import free_port
from tests.redis_server import RedisServer
from tests.stack import Stack, Web

ALL_WELL = {"database": "ok", "redis": "ok", "worker": "ok", "draining": False}
PATIENCE_SECONDS = 30


def ready(web: Web) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"{web.url}/readyz", timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def wait_until(web: Web, state: dict[str, Any]) -> int:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        status, found = ready(web)
        if found == state:
            return status
        time.sleep(0.1)
    raise AssertionError(f"the last answer was {found}")


def body(web: Web, path: str) -> str:
    with urllib.request.urlopen(f"{web.url}{path}", timeout=10) as answer:
        return str(answer.read().decode())


@pytest.fixture
def silence() -> Iterator[int]:
    """The port of a server that accepts and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(128)
        yield server.getsockname()[1]


def test_a_node_is_alive_without_asking_anybody(client: Client) -> None:
    """The database is forbidden in this test."""
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert "no-store" in answer["Cache-Control"]


def test_readiness_follows_the_workers(stack: Stack) -> None:
    web = stack.web()
    assert ready(web) == (503, {**ALL_WELL, "worker": "none alive"})
    worker = stack.worker()
    assert wait_until(web, ALL_WELL) == 200
    worker.kill()
    assert wait_until(web, {**ALL_WELL, "worker": "none alive"}) == 503


def test_without_a_database_a_node_is_alive_and_not_ready(stack: Stack) -> None:
    web = stack.web(DATABASE_URL=f"postgres://nobody@127.0.0.1:{free_port()}/none")
    status, state = ready(web)
    assert (status, state["database"], state["redis"]) == (503, "unreachable", "ok")
    assert body(web, "/healthz") == "ok"


def test_a_database_that_hangs_holds_up_neither_probe(stack: Stack, silence: int) -> None:
    web = stack.web(DATABASE_URL=f"postgres://nobody@127.0.0.1:{silence}/none")
    for _ in range(4):
        began = time.monotonic()
        status, state = ready(web)
        assert (status, state["database"], state["redis"]) == (503, "unreachable", "ok")
        assert time.monotonic() - began < 4
        assert body(web, "/healthz") == "ok"


def test_redis_that_hangs_is_unreachable_until_it_goes_on(stack: Stack, tmp_path: Path) -> None:
    own = RedisServer(tmp_path / "redis", str(tmp_path / "own.sock"))
    own.start()
    try:
        web = stack.web(REDIS_URL=own.url)
        own.pause()
        began = time.monotonic()
        gone = {**ALL_WELL, "redis": "unreachable", "worker": "unreachable"}
        assert ready(web) == (503, gone)
        assert time.monotonic() - began < 4
        own.go_on()
        wait_until(web, {**ALL_WELL, "worker": "none alive"})
    finally:
        own.stop(kill=True)


def test_the_answer_names_no_reason(stack: Stack) -> None:
    port = free_port()
    web = stack.web(DATABASE_URL=f"postgres://nobody@127.0.0.1:{port}/secret")
    _, state = ready(web)
    assert set(state) == set(ALL_WELL)
    assert str(port) not in json.dumps(state)
    # Whoever runs the node does read it.
    assert str(port) in web.log.read_text()


@pytest.mark.django_db(transaction=True)
async def test_a_node_that_drains_is_not_ready(
    async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streaming.node._nodes", {})
    here = node()
    assert (await async_client.get("/readyz")).json()["draining"] is False
    here.draining = True
    answer = await async_client.get("/readyz")
    assert (answer.status_code, answer.json()["draining"]) == (503, True)


@pytest.mark.django_db(transaction=True)
def test_readiness_is_never_cached(client: Client) -> None:
    assert "no-store" in client.get("/readyz")["Cache-Control"]
