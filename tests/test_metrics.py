"""What Prometheus reads, and who may."""

import os
import subprocess
import sys
import time
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from accounts.models import User
from conversations.models import Conversation, Generation, Message
from tests.conftest import OpenTab
from tests.environment import free_port
from tests.stack import Stack

PATIENCE_SECONDS = 20
Numbers = dict[tuple[str, str], float]


def parse(text: str) -> Numbers:
    """(name, its labels' values in the order of the labels' names) → value."""
    return {
        (sample.name, ",".join(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(url: str) -> Numbers:
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        return parse(answer.read().decode())


def wait_for(url: str, name: str, value: float, labels: str = "") -> Numbers:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = scrape(url)
        if found.get((name, labels)) == value:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{name} is {found.get((name, labels))}, not {value}")


def store(owner: User, status: str, **fields: Any) -> Generation:
    conversation = Conversation.objects.create(owner=owner)
    prompt = Message.objects.create(conversation=conversation, role="user")
    reply = Message.objects.create(conversation=conversation, role="assistant", parent=prompt)
    return Generation.objects.create(
        conversation=conversation, prompt=prompt, message=reply, status=status, **fields
    )


# --- Who may read -------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_this_machine_may_read(client: Client) -> None:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize("address", ["10.0.0.7", "2001:db8::1", "::ffff:10.0.0.7", ""])
def test_other_machines_may_not(client: Client, address: str) -> None:
    answer = client.get("/metrics", REMOTE_ADDR=address)
    assert answer.status_code == 403
    assert b"chatsite_" not in answer.content


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
def test_a_proxy_on_this_machine_lets_nobody_in(client: Client, header: str) -> None:
    assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_the_token_lets_other_machines_in(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "let me in"

    def status(authorization: str) -> int:
        headers = {"Authorization": authorization}
        return client.get("/metrics", headers=headers, REMOTE_ADDR="10.0.0.7").status_code

    assert status("Bearer let me in") == 200
    assert status("Bearer something else") == 403
    assert status("let me in") == 403


def test_without_a_token_an_empty_one_lets_nobody_in(client: Client) -> None:
    headers = {"Authorization": "Bearer "}
    assert client.get("/metrics", headers=headers, REMOTE_ADDR="10.0.0.7").status_code == 403


# --- What is read on the way --------------------------------------------------------------------
def test_the_database_tells_what_waits_and_what_runs(client: Client, owner: User) -> None:
    now = timezone.now()
    store(owner, "queued", queued_at=now - timedelta(seconds=90))
    store(owner, "queued")
    store(owner, "in_progress", lease_expires_at=now + timedelta(seconds=60))
    store(owner, "completed")
    numbers = parse(client.get("/metrics").content.decode())
    assert numbers["chatsite_stored_generations", "queued"] == 2
    assert numbers["chatsite_stored_generations", "in_progress"] == 1
    assert ("chatsite_stored_generations", "completed") not in numbers
    assert 90 <= numbers["chatsite_oldest_queued_seconds", ""] < 150


@pytest.mark.django_db(transaction=True)
def test_nothing_active_is_told_as_nought(client: Client) -> None:
    numbers = parse(client.get("/metrics").content.decode())
    assert numbers["chatsite_stored_generations", "queued"] == 0
    assert numbers["chatsite_oldest_queued_seconds", ""] == 0


def test_without_a_database_the_rest_is_still_told(stack: Stack) -> None:
    web = stack.web(DATABASE_URL=f"postgres://nobody@127.0.0.1:{free_port()}/none")
    numbers = scrape(web.url)
    assert numbers["chatsite_reachable", "database"] == 0
    assert numbers["chatsite_reachable", "redis"] == 1
    assert numbers["chatsite_queue_length", ""] == 0
    assert ("chatsite_stored_generations", "queued") not in numbers
    assert numbers["chatsite_active_sockets", ""] == 0


def test_without_redis_the_rest_is_still_told(stack: Stack, tmp_path: Path) -> None:
    web = stack.web(REDIS_URL=f"unix://{tmp_path / 'none.sock'}")
    numbers = scrape(web.url)
    assert numbers["chatsite_reachable", "redis"] == 0
    assert numbers["chatsite_stored_generations", "queued"] == 0
    assert ("chatsite_live_workers", "") not in numbers


# --- Several processes --------------------------------------------------------------------------
def test_one_answer_is_counted_over_all_processes_of_a_host(
    stack: Stack, owner: User, open_tab: OpenTab, tmp_path: Path
) -> None:
    stack.env["PROMETHEUS_MULTIPROC_DIR"] = str(tmp_path / "metrics")
    here, there = stack.web(), stack.web()
    stack.worker()
    tab = open_tab(owner, here)
    ack = tab.submit("Hello")
    tab.wait_for_end(ack["generation"])
    numbers = wait_for(there.url, "chatsite_generations_total", 1, "completed")
    assert numbers["chatsite_active_sockets", ""] == 1
    assert numbers["chatsite_live_workers", ""] == 1
    assert numbers["chatsite_queue_wait_seconds_count", ""] == 1
    assert numbers["chatsite_time_to_first_token_seconds_count", ""] == 1
    assert numbers["chatsite_publish_lag_seconds_count", ""] >= 1
    assert numbers["chatsite_tokens_total", "output_tokens,fake"] > 0
    # A node that is killed takes its sockets with it, but not what it has counted.
    here.kill()
    numbers = wait_for(there.url, "chatsite_active_sockets", 0)
    assert numbers["chatsite_commands_total", "message.submit"] == 1


def test_a_process_with_a_dead_ones_number_begins_at_nought(tmp_path: Path) -> None:
    """As in a container that is started again. The kernel gives no number twice in a test, so one
    process plays both: it counts, forgets all that it has in memory, and loads the module anew."""
    program = (
        "import importlib, sys; from streaming import metrics; metrics.SOCKETS.inc(3);"
        "gone = [name for name in sys.modules if name.startswith(('prometheus', 'streaming'))];"
        "[sys.modules.pop(name) for name in gone];"
        "from streaming import exporter, metrics; from prometheus_client import generate_latest;"
        "print(generate_latest(exporter.registry()).decode())"
    )
    env = {
        **os.environ,
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "made" / "by itself"),
        "DJANGO_SETTINGS_MODULE": "chatsite.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, check=True, capture_output=True, text=True
    )
    assert parse(done.stdout)["chatsite_active_sockets", ""] == 0


def test_a_worker_shows_its_own_numbers_and_works_on_without_a_port(stack: Stack) -> None:
    port = free_port()
    stack.worker(WORKER_METRICS_PORT=str(port))
    numbers = scrape(f"http://127.0.0.1:{port}")
    assert numbers["chatsite_active_generations", ""] == 0
    assert ("chatsite_handed_over_total", "") in numbers
    # Ready is what `worker` waits for.
    second = stack.worker(WORKER_METRICS_PORT=str(port))
    second.wait_for_line("metrics_not_served")
    assert second.running
