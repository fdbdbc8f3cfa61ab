"""Abuse: far more commands than a person can send. It ends, and nobody else notices."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import psutil
import pytest
from websockets.exceptions import ConnectionClosed

from accounts.models import User
from conversations.models import Generation
from streaming.flood import BURST, PER_SECOND, Bucket
from tests.client import Tab, text_of
from tests.conftest import OpenTab
from tests.provider import expected_text
from tests.rows import wait_until_all_have_ended
from tests.stack import Process, Stack, Web

pytestmark = pytest.mark.database
COMMANDS = 10_000
STREAM = {"tokens": 150, "rate": 50}


def submits() -> Iterator[str]:
    for number in range(COMMANDS):
        command = {"type": "message.submit", "id": str(number), "text": '{"tokens": 1}'}
        yield json.dumps({**command, "client_message_id": str(uuid.uuid4())})


def resumes() -> Iterator[str]:
    for number in range(COMMANDS):
        command = {"type": "resume", "id": str(number), "conversation": str(uuid.uuid4())}
        yield json.dumps(command)


def pings() -> Iterator[str]:
    for number in range(COMMANDS):
        yield json.dumps({"type": "ping", "id": str(number)})


def nonsense() -> Iterator[str]:
    for number in range(COMMANDS):
        yield f"[{number}"


def flood(tab: Tab, frames: list[str]) -> threading.Thread:
    def send_all() -> None:
        try:
            for frame in frames:
                tab.send_text(frame)
        except ConnectionClosed:
            pass

    sender = threading.Thread(target=send_all)
    sender.start()
    return sender


@pytest.mark.parametrize("kind", [pings, nonsense, resumes, submits])
@pytest.mark.usefixtures("worker")
def test_ten_thousand_commands_close_the_socket_within_about_a_second(
    owner: User, web: Web, open_tab: OpenTab, kind: Callable[[], Iterator[str]]
) -> None:
    tab = open_tab(owner, web)
    assert tab.ask("ping")["type"] == "pong"
    frames = list(kind())

    began = time.monotonic()
    sender = flood(tab, frames)
    code = tab.wait_for_close()
    seconds = time.monotonic() - began
    sender.join()

    assert code == 4429
    assert seconds < 3
    # What was under way may still be answered after it.
    [last] = [event for event in tab.events if event.get("code") == "too_many"]
    assert (last["type"], last["id"], last["retryable"]) == ("error", None, True)
    # What was acknowledged is kept, once; the command that was under way at the end may be too.
    acked = [event["generation"] for event in tab.events if event["type"] == "ack"]
    stored = {str(pk) for pk in Generation.objects.values_list("pk", flat=True)}
    assert set(acked) <= stored
    assert len(stored) - len(acked) in (0, 1)
    assert len(stored) <= BURST + PER_SECOND * 3
    wait_until_all_have_ended()
    # Whoever was closed may come back.
    tab.open()
    assert tab.ask("ping")["type"] == "pong"


def test_another_users_tab_is_not_disturbed(
    owner: User, stranger: User, web: Web, worker: Process, open_tab: OpenTab
) -> None:
    quiet, loud = open_tab(owner, web), open_tab(stranger, web)
    ack = quiet.submit(json.dumps(STREAM))
    quiet.wait_for_text(ack["generation"], 10)

    sender = flood(loud, list(submits()))
    asked_at = time.monotonic()
    assert quiet.ask("ping")["type"] == "pong"
    answered_after = time.monotonic() - asked_at
    assert loud.wait_for_close() == 4429
    sender.join()

    assert answered_after < 2
    state = quiet.wait_for_end(ack["generation"])
    assert text_of(state["content"]) == expected_text(STREAM)
    assert quiet.gaps == 0
    assert {event["conversation"] for event in quiet.events if "conversation" in event} == {
        ack["conversation"]
    }
    wait_until_all_have_ended()


def test_the_web_node_is_healthy_afterwards(owner: User, stack: Stack, open_tab: OpenTab) -> None:
    web, _ = stack.web(), stack.worker()
    with open_tab(owner, web) as tab:
        tab.ask("ping")
        before = memory_of(web)
        senders = []
        for _ in range(5):
            senders.append(flood(tab, [frame + " " * 5_000 for frame in resumes()]))
            # A line that is closed while megabytes wait to be read may be reset instead.
            assert tab.wait_for_close() in (4429, 1006)
            tab.close()
            tab.open()
        for sender in senders:
            sender.join()
        # 250 MB were sent; a node that queued them would have grown by as much.
        assert memory_of(web) - before < 60 * 1024 * 1024
        assert tab.ask("ping")["type"] == "pong"
        assert tab.submit("Hello")["type"] == "ack"
    wait_until_all_have_ended()


def memory_of(process: Process) -> int:
    size: int = psutil.Process(process.pid).memory_info().rss
    return size


def test_a_person_may_send_a_burst() -> None:
    bucket = Bucket()
    assert all(bucket.take() for _ in range(BURST))
    assert not bucket.take()


def test_the_bucket_fills_again() -> None:
    bucket = Bucket()
    while bucket.take():
        pass
    bucket._at -= 1
    assert sum(bucket.take() for _ in range(BURST)) in (PER_SECOND, PER_SECOND + 1)
