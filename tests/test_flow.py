"""Answers over HTTP to readers that take their time, or may no longer read."""

import json
import socket
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

from accounts.keys import revoke_keys
from accounts.models import ApiKey, User
from conversations.models import Generation
from tests.api_client import ApiClient, client_of, events_of, lines_of
from tests.conftest import session_cookie
from tests.provider import Provider
from tests.rows import answered
from tests.stack import Process, Web

MEGABYTE = 1024 * 1024
ENDLESS = {"tokens": 10_000, "rate": 20}


# --- Slow readers --------------------------------------------------------------------------------
def about(web: Web, name: str) -> str:
    return Path(f"/proc/{web.pid}/{name}").read_text()


def peak(web: Web) -> int:
    """The most memory that it has held, in kilobytes."""
    lines = about(web, "status").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def cpu(web: Web) -> int:
    """In hundredths of a second."""
    fields = about(web, "stat").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def wait_until_idle(web: Web, before: int) -> None:
    """It has worked since, and has stopped."""
    deadline = time.monotonic() + 30
    while (now := cpu(web)) <= before + 1 or cpu_after(web, 0.5) > now + 2:
        assert time.monotonic() < deadline


def cpu_after(web: Web, seconds: float) -> int:
    time.sleep(seconds)
    return cpu(web)


@contextmanager
def request(web: Web, user: User, path: str) -> Any:
    """A connection that has asked and reads nothing; with little room for what comes."""
    place = urlsplit(web.url)
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        line.connect((place.hostname, place.port))
        cookie = f"{settings.SESSION_COOKIE_NAME}={session_cookie(user)}"
        line.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\nCookie: {cookie}\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        yield line


def read_all(line: socket.socket) -> bytes:
    line.settimeout(60)
    pieces = []
    while piece := line.recv(MEGABYTE):
        pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.database
def test_a_download_waits_for_its_reader(owner: User, web: Web) -> None:
    for number in range(40):
        answered(owner, f"Question {number}", f"{number:07} " * (MEGABYTE // 8))
    Path(f"/proc/{web.pid}/clear_refs").write_text("5")
    before, begun = peak(web), cpu(web)

    with request(web, owner, "/api/v1/export?form=json") as line:
        wait_until_idle(web, begun)
        held = peak(web) - before
        whole = read_all(line)

    assert len(whole) > 40 * MEGABYTE
    assert all(f"Question {number}".encode() in whole for number in range(40))
    assert b"0000039 0000039" in whole
    assert whole.endswith(b"0\r\n\r\n")
    assert held < 15 * 1024, f"{held} kB for an answer that nobody reads"


@pytest.mark.database
def test_a_reader_that_leaves_in_the_middle_leaves_nothing(owner: User, web: Web) -> None:
    for number in range(8):
        answered(owner, f"Question {number}", "x" * MEGABYTE)
    begun = cpu(web)
    with request(web, owner, "/api/v1/export?form=json") as line:
        wait_until_idle(web, begun)
        assert line.recv(100).startswith(b"HTTP/1.1 200")
    # The node goes on, and so do downloads.
    with request(web, owner, "/api/v1/export?form=json") as line:
        assert len(read_all(line)) > 8 * MEGABYTE


# --- Readers that may no longer ------------------------------------------------------------------
@contextmanager
def reading(owner: User, web: Web) -> Any:
    """A program in the middle of an answer: its client, and the rest of the events."""
    client = client_of(owner, web.url)
    message = {"text": json.dumps(ENDLESS)}
    with client.stream("POST", "/messages", json=message) as (_, events):
        while next(events).kind != "text.delta":
            pass
        yield client, events
    client.close()


def assert_cut(events: Any) -> None:
    kinds = [event.kind for event in events]
    assert "done" not in kinds
    assert "generation.completed" not in kinds


def deactivate(owner: User) -> None:
    owner.is_active = False
    owner.save()


def revoke(owner: User) -> None:
    assert revoke_keys(ApiKey.objects.filter(owner=owner)) == 1


def remove_the_key(owner: User) -> None:
    ApiKey.objects.filter(owner=owner).delete()


@pytest.mark.parametrize("end", [revoke, remove_the_key, deactivate])
def test_a_key_that_ends_ends_what_it_reads(
    owner: User, web: Web, worker: Process, end: Callable[[User], None]
) -> None:
    with reading(owner, web) as (client, events):
        end(owner)
        assert_cut(events)
        generation = Generation.objects.get()
        client.call("GET", f"/generations/{generation.pk}/events", 401)


def test_another_key_reads_on(owner: User, web: Web, worker: Process) -> None:
    with reading(owner, web) as (client, events), reading(owner, web) as (_, others):
        secret = client.http.headers["Authorization"].removeprefix("Bearer ")
        revoke_keys(ApiKey.objects.filter(prefix=secret[:11]))
        assert_cut(events)
        assert next(others).kind == "text.delta"


def test_a_log_out_ends_what_the_session_reads(
    owner: User, web: Web, worker: Process, provider: Provider
) -> None:
    with reading(owner, web) as (_, events):
        browser = Client()
        browser.force_login(owner)
        key = browser.session.session_key
        as_person = ApiClient(web.url, "")
        as_person.http.headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={key}"}
        path = f"/api/v1/generations/{Generation.objects.get().pk}/events"
        with as_person.http.stream("GET", path) as response:
            seen = events_of(lines_of(response.iter_bytes()))
            while next(seen).kind != "text.delta":
                pass
            browser.post("/accounts/logout/")
            assert_cut(seen)
        # The program's key is another matter.
        assert next(events).kind == "text.delta"
        as_person.close()


def test_a_program_of_openais_stops_with_its_key(
    owner: User, web: Web, worker: Process, provider: Provider
) -> None:
    client = client_of(owner, web.url)
    asked = {
        "model": "fake",
        "stream": True,
        "messages": [{"role": "user", "content": json.dumps(ENDLESS)}],
    }
    with client.http.stream("POST", "/v1/chat/completions", json=asked) as response:
        lines = lines_of(response.iter_bytes())
        while '"content":"w' not in next(lines):
            pass
        revoke(owner)
        rest = list(lines)
    assert "data: [DONE]" not in rest
    told = json.loads(next(line for line in rest if "error" in line).removeprefix("data: "))
    assert told["error"]["code"] == "invalid_api_key"
    # Nobody goes on with it, so the model stops too.
    assert provider.wait_for(1).ended.wait(10)
    client.close()
