"""Workers that die, hang, drain and come back too late. The text is exact in every case."""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

from django.utils import timezone
from redis import Redis

from accounts.models import User
from conversations.models import Generation, Message
from tests.client import Tab, text_of
from tests.conftest import OpenTab
from tests.provider import Provider, expected_text
from tests.stack import Stack

LONG = {"tokens": 150, "rate": 50}


def assert_exact(tab: Tab, ack: dict[str, str], directive: dict[str, Any]) -> None:
    state = tab.wait_for_end(ack["generation"], 60)
    assert state["status"] == "completed", state["error"]
    assert text_of(state["content"]) == expected_text(directive)
    assert Message.objects.get(pk=ack["reply"]).content == state["content"]
    assert tab.gaps == 0
    ends = [event for event in tab.of(ack["generation"]) if event["type"].startswith("generation.")]
    assert [event["type"] for event in ends].count("generation.completed") == 1


def test_a_killed_worker_is_noticed_and_the_answer_starts_again(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    web, first = stack.web(), stack.worker()
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(LONG))
    tab.wait_for_text(ack["generation"], 60)

    first.kill()
    stack.worker()

    restarted = tab.wait_for(
        lambda event: event["type"] == "generation.started" and event["attempt"] == 2, 15
    )
    assert restarted["seq"] == 1
    assert_exact(tab, ack, LONG)
    assert Generation.objects.get(pk=ack["generation"]).losses == 1


def test_after_three_dead_workers_it_fails_and_keeps_what_there_was(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    web, worker = stack.web(), stack.worker()
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps({"tokens": 500, "rate": 50}))
    for attempt in (1, 2, 3):
        tab.wait_for(lambda event: event.get("attempt") == attempt and "text" in event, 20)  # noqa: B023
        tab.wait_for_text(ack["generation"], 50)
        worker.kill()
        worker = stack.worker()

    state = tab.wait_for_end(ack["generation"], 20)

    assert (state["status"], state["error"]["code"]) == ("failed", "worker_lost")
    assert state["error"]["retryable"] is True
    assert len(text_of(state["content"])) >= 50
    assert expected_text({"tokens": 500}).startswith(text_of(state["content"]))
    assert Message.objects.get(pk=ack["reply"]).content == state["content"]
    again = tab.ask("generation.retry", message=ack["reply"])
    assert again["type"] == "ack"


def test_a_tab_that_was_away_gets_the_same_partial_text(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    """Its position lies in an attempt that died; the end is told by an attempt without text."""
    web, worker = stack.web(MAX_ATTEMPTS="1"), stack.worker(MAX_ATTEMPTS="1")
    tab, away = open_tab(owner, web), open_tab(owner, web)
    ack = tab.submit(json.dumps(LONG))
    away.resume(ack["conversation"])
    away.wait_for_text(ack["generation"], 20)
    away.close()
    tab.wait_for_text(ack["generation"], 100)
    worker.kill()
    stack.worker(MAX_ATTEMPTS="1")
    kept = tab.wait_for_end(ack["generation"])

    away.open()
    away.resume(ack["conversation"])

    assert away.wait_for_end(ack["generation"])["content"] == kept["content"]


def test_sigterm_lets_running_answers_end(owner: User, stack: Stack, open_tab: OpenTab) -> None:
    web, worker = stack.web(), stack.worker(DRAIN_SECONDS="30")
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(LONG))
    tab.wait_for_text(ack["generation"], 30)

    assert worker.stop() == 0

    assert_exact(tab, ack, LONG)
    assert Generation.objects.get(pk=ack["generation"]).attempt == 1


def test_a_draining_worker_takes_nothing_new(owner: User, stack: Stack, open_tab: OpenTab) -> None:
    web, worker = stack.web(), stack.worker(DRAIN_SECONDS="30")
    tab = open_tab(owner, web)
    running = tab.submit(json.dumps(LONG))
    tab.wait_for_text(running["generation"], 30)
    worker.signal(signal.SIGTERM)
    worker.wait_for_line("worker_drains")

    waiting = tab.submit(json.dumps({"tokens": 10, "rate": 100}))
    assert_exact(tab, running, LONG)
    assert Generation.objects.get(pk=waiting["generation"]).status == "queued"

    stack.worker()
    assert_exact(tab, waiting, {"tokens": 10, "rate": 100})


def test_what_outlasts_the_drain_is_handed_over_at_once(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    web, worker = stack.web(), stack.worker(DRAIN_SECONDS="0.1")
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(LONG))
    tab.wait_for_text(ack["generation"], 30)

    assert worker.stop() == 0

    assert Generation.objects.get(pk=ack["generation"]).status == "queued"
    stack.worker()
    assert_exact(tab, ack, LONG)
    assert Generation.objects.get(pk=ack["generation"]).losses == 0


def test_sigquit_hands_over_without_waiting(owner: User, stack: Stack, open_tab: OpenTab) -> None:
    web, worker = stack.web(), stack.worker()
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(LONG))
    tab.wait_for_text(ack["generation"], 30)

    worker.signal(signal.SIGQUIT)
    worker.wait(8)

    assert Generation.objects.get(pk=ack["generation"]).status == "queued"
    stack.worker()
    assert_exact(tab, ack, LONG)
    assert Generation.objects.get(pk=ack["generation"]).losses == 0


def test_a_worker_that_ends_does_not_take_what_it_hands_over(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    """Its question to the broker is still open, so it is the first one that the broker answers."""
    web, worker = stack.web(), stack.worker()
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(LONG))
    tab.wait_for_text(ack["generation"], 30)

    worker.signal(signal.SIGQUIT)
    worker.wait(8)

    assert Generation.objects.get(pk=ack["generation"]).attempt == 1
    # No sweep may help: the next worker must find the Celery message.
    stack.worker(QUEUED_TOO_LONG_SECONDS="3600")
    assert_exact(tab, ack, LONG)
    assert Generation.objects.get(pk=ack["generation"]).attempt == 2


def test_a_zombie_that_wakes_up_cannot_write_a_word(
    owner: User, stack: Stack, open_tab: OpenTab, provider: Provider
) -> None:
    """Frozen for longer than its lease, and then it goes on as if nothing had been."""
    web, zombie = stack.web(), stack.worker()
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(LONG))
    tab.wait_for_text(ack["generation"], 60)
    zombie.signal(signal.SIGSTOP)
    stack.worker()
    tab.wait_for(lambda event: event.get("attempt") == 2, 30)

    zombie.signal(signal.SIGCONT)

    zombie.wait_for_line("generation_lost")
    assert_exact(tab, ack, LONG)
    attempts = [event["attempt"] for event in tab.of(ack["generation"])]
    assert attempts == sorted(attempts)


def test_a_task_that_is_delivered_twice_runs_once(
    owner: User, stack: Stack, open_tab: OpenTab, provider: Provider
) -> None:
    web = stack.web()
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(LONG))
    worker = stack.worker()
    tab.wait_for_text(ack["generation"], 20)
    # The same row again, as a broker may deliver it, to a second worker as well.
    stack.worker()
    for _ in range(5):
        send_again(ack["generation"], stack)

    assert_exact(tab, ack, LONG)
    assert len(provider.requests) == 1
    assert Generation.objects.get(pk=ack["generation"]).attempt == 1
    assert worker.running


def test_a_lost_celery_message_is_sent_again(owner: User, stack: Stack, open_tab: OpenTab) -> None:
    web = stack.web()
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps({"tokens": 20, "rate": 200}))
    queue = f"{stack.env['REDIS_PREFIX']}:celery:generations"
    with Redis.from_url(stack.redis_url) as redis:
        while not redis.delete(queue):
            time.sleep(0.01)

    stack.worker()

    assert_exact(tab, ack, {"tokens": 20, "rate": 200})


def test_a_lease_without_a_worker_does_not_stay_for_ever(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    """A row `in_progress` that nobody runs, as a crash between two lines leaves it."""
    web = stack.web()
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps({"tokens": 20, "rate": 200}))
    Generation.objects.filter(pk=ack["generation"]).update(
        status="in_progress", attempt=1, worker="nobody", lease_expires_at=timezone.now()
    )

    stack.worker()

    assert_exact(tab, ack, {"tokens": 20, "rate": 200})
    assert Generation.objects.get(pk=ack["generation"]).attempt == 2


def send_again(generation: str, stack: Stack) -> None:
    """Through the product's own way in, in a process with the stack's settings."""
    code = (
        "import django; django.setup(); from streaming.queue import enqueue; "
        f"enqueue({generation!r}, 'generations')"
    )
    settings = {"DJANGO_SETTINGS_MODULE": "chatsite.settings"}
    env = {**os.environ, **stack.env, **settings}
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
