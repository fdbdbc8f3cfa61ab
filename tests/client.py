"""A browser tab without a browser: speaks the protocol over a real socket and keeps the state of
every generation with the same pure `apply` as the product's own client."""

import json
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from streaming.snapshot import START, apply, follows, fresh, position_of

PATIENCE_SECONDS = 30
ENDED = ("completed", "failed", "cancelled")


class Connection(ClientConnection):
    """Reads to the end what a server sent that hangs up on it: the library's own drops what has
    arrived when sending fails meanwhile."""

    def send_data(self) -> None:
        # The reading side finds out too, after the last frame.
        with suppress(OSError):
            super().send_data()


class Tab:
    def __init__(self, url: str, cookie: str, *, origin: str | None = None) -> None:
        self.url = url.replace("http://", "ws://") + "/ws/chat/"
        self.cookie = cookie
        self.origin = origin
        self.events: list[dict[str, Any]] = []
        self.states: dict[str, dict[str, Any]] = {}
        self.gaps = 0
        self.confirms = True
        self._commands = 0
        self._unconfirmed = 0
        self.socket: ClientConnection
        self.open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        headers = {"Cookie": f"sessionid={self.cookie}"}
        if self.origin is not None:
            headers["Origin"] = self.origin
        self._open = ExitStack()
        self.socket = self._open.enter_context(
            connect(
                self.url,
                create_connection=Connection,
                additional_headers=headers,
                max_size=None,
                compression=None,
                close_timeout=1,
                # The node asks whether the tab is there, and may be late itself where it is busy.
                ping_interval=None,
            )
        )

    def close(self) -> None:
        self._open.close()

    # --- Commands --------------------------------------------------------------------------------
    def send(self, kind: str, **fields: Any) -> str:
        self._commands += 1
        command = f"c{self._commands}"
        self.send_text(json.dumps({"type": kind, "id": command, **fields}))
        return command

    def send_text(self, text: str) -> None:
        self.socket.send(text)

    def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send a command and wait for its ack or error."""
        return self.answer(self.send(kind, **fields))

    def answer(self, command: str) -> dict[str, Any]:
        return self.wait_for(
            lambda event: event["type"] in ("ack", "error", "pong") and event["id"] == command
        )

    def submit(self, text: str, **fields: Any) -> dict[str, Any]:
        """Send a message; returns the ack."""
        ack = self.ask(
            "message.submit",
            **{"client_message_id": str(uuid.uuid4()), "text": text, **fields},
        )
        assert ack["type"] == "ack", ack
        return ack

    def resume(self, conversation: str, *, keep: bool = True) -> dict[str, Any]:
        """`keep`: with this tab's positions, else as one that has just been loaded."""
        positions = {
            generation: list(position_of(state))
            for generation, state in self.states.items()
            if keep and position_of(state) != START
        }
        if not keep:
            self.states.clear()
        return self.ask("resume", conversation=conversation, positions=positions)

    # --- Events ----------------------------------------------------------------------------------
    def receive(self, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The next event, applied. Raises TimeoutError, and ConnectionClosed."""
        frame = self.socket.recv(timeout=seconds)
        event: dict[str, Any] = json.loads(frame)
        self.events.append(event)
        if "seq" in event:
            self._take(event)
            self._confirm(event, len(frame))
        return event

    def _take(self, event: dict[str, Any]) -> None:
        generation = event["generation"]
        state = self.states.get(generation) or fresh(generation, event.get("message", ""))
        verdict = follows(position_of(state), position_of(event), event["type"])
        if verdict == "gap":
            self.gaps += 1
        elif (event["type"] == "snapshot" and state["attempt"] == 0) or verdict == "next":
            self.states[generation] = apply(state, event) if verdict == "next" else state
        self.states.setdefault(generation, state)

    def _confirm(self, event: dict[str, Any], size: int) -> None:
        self._unconfirmed += size
        if self.confirms and self._unconfirmed > 64 * 1024:
            self._unconfirmed = 0
            at = {key: event[key] for key in ("generation", "attempt", "seq")}
            self.send("received", **at)

    def wait_for(
        self, wanted: Callable[[dict[str, Any]], bool], seconds: float = PATIENCE_SECONDS
    ) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"the last events were {self.events[-5:]}")
            event = self.receive(left)
            if wanted(event):
                return event

    def wait_for_type(self, kind: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        return self.wait_for(lambda event: event["type"] == kind, seconds)

    def wait_for_text(
        self, generation: str, characters: int, seconds: float = PATIENCE_SECONDS
    ) -> str:
        """Until at least so many characters of the answer are here."""
        while len(self.text(generation)) < characters:
            self.receive(seconds)
        return self.text(generation)

    def wait_for_end(self, generation: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The state of an ended generation."""
        deadline = time.monotonic() + seconds
        while self.states.get(generation, {}).get("status") not in ENDED:
            self.receive(max(0.01, deadline - time.monotonic()))
        return self.states[generation]

    def wait_for_close(self, seconds: float = PATIENCE_SECONDS) -> int:
        """The close code with which the server ends the socket."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self.receive(max(0.01, deadline - time.monotonic()))
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006

    def text(self, generation: str) -> str:
        return text_of(self.states.get(generation, {}).get("content", []))

    def of(self, generation: str) -> list[dict[str, Any]]:
        """The numbered events of a generation, as they came."""
        return [e for e in self.events if e.get("generation") == generation and "seq" in e]


def text_of(content: list[dict[str, Any]]) -> str:
    return "".join(block["text"] for block in content if block["type"] == "text")
