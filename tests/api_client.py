"""A program that uses the API with a key, over real HTTP."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from accounts.keys import create_key
from accounts.models import User
from streaming.snapshot import apply, fresh

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Event:
    """One server-sent event; a comment has the kind `comment`."""

    kind: str
    id: str
    data: Any


class ApiClient:
    def __init__(self, url: str, secret: str) -> None:
        headers = {"Authorization": f"Bearer {secret}"}
        self.http = httpx2.Client(base_url=url, headers=headers, timeout=PATIENCE_SECONDS)

    def close(self) -> None:
        self.http.close()

    def call(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        answer = self.http.request(method, f"/api/v1{path}", **options)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    @contextmanager
    def stream(self, method: str, path: str, after: str = "", **options: Any) -> Iterator[Any]:
        """The response and its events, as they come."""
        headers = {"Accept": "text/event-stream", **options.pop("headers", {})}
        if after:
            headers["Last-Event-ID"] = after
        with self.http.stream(method, f"/api/v1{path}", headers=headers, **options) as response:
            yield response, events_of(lines_of(response.iter_bytes()))

    def events(self, generation: str, after: str = "") -> list[Event]:
        with self.stream("GET", f"/generations/{generation}/events", after) as (response, events):
            assert response.status_code == 200, response.read()
            return list(events)


def lines_of(pieces: Iterator[bytes]) -> Iterator[str]:
    """By line feeds alone: a text may hold other characters that Python takes for a line's end."""
    held = b""
    for piece in pieces:
        *lines, held = (held + piece).split(b"\n")
        yield from (line.decode() for line in lines)


def events_of(lines: Iterator[str]) -> Iterator[Event]:
    """As https://html.spec.whatwg.org/multipage/server-sent-events.html reads them."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line.startswith(":"):
            yield Event("comment", "", line[1:].strip())
        elif line:
            fields[name] = value
        elif fields:
            yield Event(fields["event"], fields.get("id", ""), json.loads(fields["data"]))
            fields = {}


def replay(events: list[Event], state: dict[str, Any] | None = None) -> dict[str, Any]:
    """What a reader shows after these events."""
    for event in events:
        if "seq" not in event.data:
            continue
        state = apply(state or fresh(event.data["generation"], ""), event.data)
    assert state is not None
    return state


def client_of(user: User, url: str, *scopes: str) -> ApiClient:
    _, secret = create_key(user, "tests", scopes or ("chat", "read", "write"))
    return ApiClient(url, secret)
