"""Content that grows: the same blocks as `snapshot.change` makes, in linear time.

`apply` copies the text at every event, which is right for a pure function and quadratic for a
worker that writes ten thousand of them. Here a block's text is a list of pieces until it is asked
for. A hypothesis test holds the two equal.
"""

from collections.abc import Iterable

from streaming.snapshot import STATUS, Block, Event, State, change, changes_content, fresh


class Content:
    def __init__(self, blocks: Iterable[Block] = ()) -> None:
        self._blocks: list[Block] = list(blocks)
        self._kind = ""
        self._pieces: list[str] = []
        self.characters = sum(len(block.get(block["type"]) or "") for block in self._blocks)

    def add(self, event: Event) -> None:
        kind = event["type"]
        if kind in ("text.delta", "reasoning.delta"):
            self.add_text("text" if kind == "text.delta" else "reasoning", event["text"])
        elif changes_content(event):
            self._blocks = change(self.blocks(), event)

    def add_text(self, kind: str, text: str) -> None:
        if kind != self._kind:
            self._settle()
            self._kind = kind
            if self._blocks and self._blocks[-1]["type"] == kind:
                self._pieces.append(self._blocks.pop()[kind])
        self._pieces.append(text)
        self.characters += len(text)

    def blocks(self) -> list[Block]:
        """The blocks so far, as JSON-ready dictionaries."""
        self._settle()
        return list(self._blocks)

    def text(self) -> str:
        """What a person reads of it, without reasoning and tool calls."""
        return "".join(block["text"] for block in self.blocks() if block["type"] == "text")

    def _settle(self) -> None:
        if self._pieces:
            self._blocks.append({"type": self._kind, self._kind: "".join(self._pieces)})
        self._kind, self._pieces = "", []


def gather(events: Iterable[Event], message: str) -> State:
    """`snapshot.replay` from a fresh state in linear time, for events that begin an attempt or with
    a snapshot."""
    state: State = fresh("", message)
    content = Content()
    for event in events:
        kind = event["type"]
        state |= {"generation": event["generation"]}
        state |= {"attempt": event["attempt"], "seq": event["seq"]}
        if kind == "generation.started":
            state |= {"status": "in_progress", "model": event["model"], "error": None}
            content = Content()
        elif kind == "snapshot":
            state |= {"status": event["status"], "model": event.get("model")}
            content = Content(event["content"])
        elif kind in STATUS:
            state |= {"status": STATUS[kind], "usage": event["usage"], "timings": event["timings"]}
            state |= {"finish_reason": event.get("finish_reason")}
            state |= {"model": event.get("model") or state["model"]}
            if kind == "generation.failed":
                state["error"] = {key: event[key] for key in ("code", "message", "retryable")}
        else:
            content.add(event)
    return state | {"content": content.blocks()}
