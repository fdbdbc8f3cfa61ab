"""What an answer did and when: its chains, models, tools and retrievers as spans on one clock.

Only answers of agents and runnables have any, so that a plain one costs nothing more. Names, times
and tokens alone: what was said is in the message, and what a chain hands on stays its own; but for
a model that an admin debugs. Then what LangGraph's mode `debug` says of each step is kept too.
"""

import time
from typing import Any, Literal

import msgspec

MAX_SPANS = 200
MAX_NAME_CHARS = 100
MAX_STEPS = 200
MAX_STEP_CHARS = 4_000
Kind = Literal["chain", "model", "tool", "retriever"]


class Span(msgspec.Struct):
    """Times in milliseconds since the answer began. `took` is None where it had not ended;
    `parent` is the number of another span, counted from 0; `error` the kind of what was raised."""

    kind: Kind
    name: str
    start: int
    took: int | None = None
    parent: int | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    error: str = ""


class Step(msgspec.Struct):
    """What went into a task of a graph (`task`), or came out of it (`task_result`), as JSON of at
    most MAX_STEP_CHARS. `at`: milliseconds since the answer began."""

    at: int
    number: int
    kind: str
    name: str
    said: str
    error: str = ""


class Spans:
    """May be filled from several threads, for a graph runs its synchronous nodes in some."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._spans: list[Span] = []
        self._steps: list[Step] = []

    def begin(self, kind: Kind, name: str, parent: int | None) -> int | None:
        """The number of the span; None where there are too many."""
        if len(self._spans) >= MAX_SPANS:
            return None
        self._spans.append(Span(kind, name[:MAX_NAME_CHARS], self._now(), parent=parent))
        return len(self._spans) - 1

    def end(self, number: int, error: str = "", tokens: tuple[int, int] = (0, 0)) -> None:
        span = self._spans[number]
        span.took = self._now() - span.start
        span.error = error
        span.input_tokens, span.output_tokens = tokens

    def debug(self, said: dict[str, Any]) -> None:
        """Of https://docs.langchain.com/oss/python/langgraph/streaming, mode `debug`."""
        payload = said.get("payload")
        if len(self._steps) >= MAX_STEPS or not isinstance(payload, dict):
            return
        what = payload.get("input" if said["type"] == "task" else "result")
        text = msgspec.json.encode(what, enc_hook=str).decode()
        name = str(payload.get("name", ""))[:MAX_NAME_CHARS]
        error = str(payload.get("error") or "")[:MAX_STEP_CHARS]
        number = int(said.get("step", 0))
        made = Step(self._now(), number, said["type"], name, text[:MAX_STEP_CHARS], error)
        self._steps.append(made)

    def steps(self) -> list[dict[str, Any]]:
        """As they are stored."""
        steps: list[dict[str, Any]] = msgspec.to_builtins(self._steps)
        return steps

    def rows(self) -> list[dict[str, Any]]:
        """As they are stored."""
        rows: list[dict[str, Any]] = msgspec.to_builtins(self._spans)
        return rows

    def _now(self) -> int:
        return round((time.monotonic() - self._began) * 1000)
