"""One generation as its worker holds it: what has happened, and what is not yet in the log.

Nothing leaves `pending` before Redis has said that it is in the log. Whoever is cancelled or fails
between taking and publishing has therefore taken nothing; the next flush sends it again, and the
log skips what it has.
"""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llm.trace import Spans
from streaming import protocol
from streaming.clock import Clock
from streaming.content import Content
from streaming.delivery import channel_of, conversation_group
from streaming.flood import Bucket
from streaming.log import Batch, Entry
from streaming.protocol import StreamEvent
from streaming.seam import Seam
from streaming.timings import Timings

if TYPE_CHECKING:
    from streaming.ticker import Ticker

MAX_DELTA_CHARS = 16_000


def storable(text: str) -> str:
    """PostgreSQL's JSON holds every character but NUL, and UTF-8 no half of a surrogate pair."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


DELTAS: dict[str, Any] = {"text": protocol.TextDelta, "reasoning": protocol.ReasoningDelta}


@dataclass(eq=False, slots=True)
class Run:
    generation: str
    conversation: str
    owner: int
    queue: str
    message: str
    attempt: int
    model: str
    timings: Timings = field(default_factory=Timings)
    clock: Clock = field(default_factory=Clock)
    seq: int = 0
    content: Content = field(default_factory=Content)
    pending: list[Entry] = field(default_factory=list)
    taken: int = 0
    first_out: bool = False
    fenced: bool = False
    stop_reason: str = ""
    answered_by: str = ""
    task: "asyncio.Task[Any] | None" = None
    tokens_seen: int = 0
    untitled: bool = False
    by_api: bool = False
    spans: Spans = field(default_factory=Spans)
    seam: Seam | None = None
    tool_names: dict[str, str] = field(default_factory=dict)
    reports: Bucket = field(default_factory=Bucket)
    _kind: str = ""
    _delta: list[str] = field(default_factory=list)
    _flushed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def dirty(self) -> bool:
        return bool(self._delta or self.pending)

    def write(self, kind: str, text: str) -> None:
        """Gather a piece of text or reasoning; the ticker makes one event of what has gathered."""
        text = storable(text)
        if kind != self._kind:
            self._turn_to(kind)
        self._delta.append(text)
        self.content.add_text(kind, text)
        self.tokens_seen += 1

    def emit(self, event: type[StreamEvent], **fields: Any) -> StreamEvent:
        """Number an event and make it the next to be published."""
        self._seal()
        made = self._make(event, **fields)
        self._push(made)
        return made

    def emit_and_add(self, event: type[StreamEvent], **fields: Any) -> None:
        """The same for an event that changes the content, such as a tool call's."""
        self._turn_to("tool_call")
        made = self.emit(event, **{key: storable(text) for key, text in fields.items()})
        self.tool_names.setdefault(fields["tool_call"], fields["name"])
        self.content.add(protocol.decode_event(protocol.encode(made)))

    def tell_approval(self, tool_call: str, approval: str) -> str:
        """Ask the user about a call, or tell what was decided. Returns the event's position."""
        call, label = storable(tool_call), protocol.APPROVALS[approval]
        made = self.emit(protocol.Progress, label=label, tool_call=call, approval=approval)
        self.content.add(protocol.decode_event(protocol.encode(made)))
        return f"{made.attempt}-{made.seq}"

    def batch(self) -> Batch:
        """Everything that is not yet in the log, in order. It stays pending until `sent`."""
        self._seal()
        self.taken = len(self.pending)
        channel = channel_of(conversation_group(self.conversation))
        return Batch(self.generation, channel, self.attempt, self.pending[:])

    def sent(self) -> None:
        del self.pending[: self.taken]
        self.taken = 0
        if not self.dirty:
            self._flushed.set()

    def rewrite(self) -> None:
        """The log has lost what came before, so the whole content takes the place of the rest."""
        last = self.pending[-1] if self.pending else None
        terminal = last is not None and protocol.header(last.frame).type in protocol.TERMINAL_TYPES
        if terminal and last is not None:
            self.pending = [self._whole(last.seq - 1), last]
            return
        self._seal()
        self.seq += 1
        self.pending = [self._whole(self.seq)]

    def adopt(self, content: list[dict[str, Any]]) -> None:
        """Take over what an earlier attempt had written."""
        self.content = Content(content)

    def go_on(self, content: list[dict[str, Any]]) -> None:
        """Begin with an answer that was cut, and be ready for its next word."""
        self.adopt(content)
        last = content[-1]
        self.seam = Seam(last["text"] if last["type"] == "text" else "")

    async def flush(self, ticker: "Ticker", seconds: float) -> bool:
        """Wait until the log has everything. False where that takes longer than `seconds`."""
        if not self.dirty or self.fenced:
            return not self.fenced
        self._flushed.clear()
        ticker.hurry(self)
        try:
            await asyncio.wait_for(self._flushed.wait(), seconds)
        except TimeoutError:
            return False
        return not self.fenced

    def fence(self) -> None:
        """A newer attempt writes: nothing of this one will be taken any more."""
        self.fenced = True
        self._flushed.set()
        self.stop("lost")

    def stop(self, reason: str) -> None:
        """End the work from outside: `cancelled`, `handed_over` or `lost`. The first one wins."""
        if self.stop_reason:
            return
        self.stop_reason = reason
        if self.task is not None:
            self.task.cancel()

    def _turn_to(self, kind: str) -> None:
        self._seal()
        self._kind = kind
        self.timings.turn_to(kind)

    def _seal(self) -> None:
        """Make numbered events of the gathered text; no event grows past the size limit."""
        if not self._delta:
            return
        text = "".join(self._delta)
        self._delta.clear()
        for start in range(0, len(text), MAX_DELTA_CHARS):
            piece = text[start : start + MAX_DELTA_CHARS]
            self._push(self._make(DELTAS[self._kind], text=piece))

    def _make(self, event: type[StreamEvent], **fields: Any) -> StreamEvent:
        self.seq += 1
        return event(generation=self.generation, attempt=self.attempt, seq=self.seq, **fields)  # type: ignore[arg-type]

    def _push(self, event: StreamEvent) -> None:
        whole = isinstance(event, protocol.Snapshot)
        self.pending.append(Entry(event.seq, protocol.encode(event), whole))

    def _whole(self, seq: int) -> Entry:
        event = protocol.Snapshot(
            generation=self.generation,  # type: ignore[arg-type]
            attempt=self.attempt,
            seq=seq,
            conversation=self.conversation,  # type: ignore[arg-type]
            message=self.message,  # type: ignore[arg-type]
            status="in_progress",
            content=self.content.blocks(),
            model=self.model,
        )
        return Entry(seq, protocol.encode(event), whole=True)
